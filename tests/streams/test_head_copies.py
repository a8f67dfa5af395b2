"""Signed heads leave the machine: a file that only grows, syslog by UDP, TCP and socket; a failure is told once."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from operations import heads, journal
from operations.database import Database
from operations.entry import Head
from operations.heads import SignedHead
from operations.seal import KeyStore
from streams import clock_sync, head_copies
from streams.clock_sync import ClockWatch
from streams.head_copies import HeadCopies, address

NOW = 1_800_000_000_000_000


@pytest.fixture
def keys(folder: Path) -> Iterator[KeyStore]:
    with closing(KeyStore(folder / "keys")) as made:
        yield made


def signed(keys: KeyStore, seq: int = 7) -> SignedHead:
    return keys.sign(Head(seq, "ab" * 32, 1), NOW)


def nothing(_seq: int) -> None:
    """Nobody waits at the door."""


def test_the_copy_only_grows_and_checks_like_the_first_file(keys: KeyStore, folder: Path, database: Database):
    copies = HeadCopies(str(folder / "worm.jsonl"), "", database, nothing)
    for seq in (1, 2):
        copies.take(signed(keys, seq), NOW)
    found = heads.load(folder / "worm.jsonl", keys.public_key())
    assert ([one.seq for one in found.signed], found.bad_lines) == ([1, 2], [])


def test_a_copy_that_fails_is_one_entry_and_so_is_its_recovery(keys: KeyStore, folder: Path, database: Database):
    target = folder / "mount" / "heads.jsonl"
    copies = HeadCopies(str(target), "", database, nothing)
    for seq in (1, 2, 3):
        copies.take(signed(keys, seq), NOW)
    target.parent.mkdir()
    for seq in (4, 5):
        copies.take(signed(keys, seq), NOW)
    told = [(one.action, one.subject_id) for one in journal.read(database, 0)]
    assert told == [("heads.copy_failed", "file"), ("heads.copy_recovered", "file")]
    assert len(target.read_bytes().splitlines()) == 2


@pytest.mark.parametrize("kind", ["udp", "unix"])
def test_a_head_goes_to_syslog_as_one_datagram(kind: str, keys: KeyStore, folder: Path, database: Database):
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.settimeout(10)
        server.bind(str(folder / "log") if kind == "unix" else ("127.0.0.1", 0))
        url = f"unix://{folder / 'log'}" if kind == "unix" else f"udp://127.0.0.1:{server.getsockname()[1]}"
        HeadCopies("", url, database, nothing).take(signed(keys), NOW)
        message = server.recv(65_536)
    assert re.match(rb"<109>1 2027-01-15T08:00:00\.000000Z \S+ gridwall - head - \{", message)
    assert msgspec.json.decode(message[message.index(b"{") :], type=SignedHead) == signed(keys)


def test_over_tcp_the_message_is_framed_by_its_length(keys: KeyStore, database: Database):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        HeadCopies("", f"tcp://127.0.0.1:{server.getsockname()[1]}", database, nothing).take(signed(keys), NOW)
        with server.accept()[0] as made:
            length, _, message = made.makefile("rb").read().partition(b" ")
    assert int(length) == len(message)


def test_a_server_that_is_away_is_told_once(keys: KeyStore, database: Database, free_port: int):
    copies = HeadCopies("", f"tcp://127.0.0.1:{free_port}", database, nothing)
    copies.take(signed(keys), NOW)
    copies.take(signed(keys), NOW)
    assert [(one.action, one.subject_id) for one in journal.read(database, 0)] == [("heads.copy_failed", "syslog")]


def test_addresses_are_read():
    assert address("udp://logs.example") == head_copies.Address("udp", "logs.example", 514, "")
    assert address("tcp://[::1]:6514") == head_copies.Address("tcp", "::1", 6514, "")
    assert address("unix:///dev/log").path == "/dev/log"


@pytest.mark.database
def test_only_changes_of_the_clock_are_entries(database: Database):
    told: tuple[bool | None, int] = (True, 5_000)
    watch = ClockWatch(database, nothing, lambda: told)
    for _ in range(4):
        watch.step(NOW)
    told = (True, 300_000)
    watch.step(NOW)
    told = (True, 5_000)
    watch.step(NOW)  # came and went: no change
    told = (False, 16_000_000)
    for _ in range(5):
        watch.step(NOW)
    told = (None, 0)
    for _ in range(3):
        watch.step(NOW)
    states = [one.reason for one in journal.read(database, 0) if one.action == "clock.state"]
    assert states == ["exact", "unsynchronised", "unknown"]
    ClockWatch(database, nothing, lambda: told).step(NOW)  # another start, the same state
    assert journal.head(database).seq == 3


def test_the_kernel_tells_or_does_not():
    synchronised, error_us = clock_sync.kernel()
    assert synchronised in (True, False, None)
    assert error_us >= 0
