"""Signed heads elsewhere: appended to a second file, such as on a WORM mount, and sent to a syslog server (RFC 5424).

Whoever owns this machine could rewrite the journal and its own file of heads, but not what has left it. A copy that
fails stops nothing: it is an entry (`heads.copy_failed`) and a line of the log, once, and so is its recovery.
"""

import logging
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.heads import SignedHead
from operations.policy import SYSTEM

TIMEOUT_SECONDS = 3.0
PORT = 514
PRIORITY = 13 * 8 + 5
"""Facility 13 (log audit), severity 5 (notice)."""
DETAIL_MOST = 200
MICROSECONDS = 1_000_000

log = logging.getLogger(__name__)


class Address(NamedTuple):
    """Where a syslog server listens: udp or tcp with host and port, or unix with a path."""

    kind: str
    host: str
    port: int
    path: str


def address(url: str) -> Address:
    """Return a server's address of "udp://HOST[:PORT]", "tcp://HOST[:PORT]" or "unix:///PATH"."""
    parts = urlsplit(url)
    return Address(parts.scheme, parts.hostname or "", parts.port or PORT, parts.path)


def line(signed: SignedHead, machine: str) -> bytes:
    """Return the message of RFC 5424 that carries a head; its text is the line of the file."""
    at = datetime.fromtimestamp(signed.at / MICROSECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"<{PRIORITY}>1 {at} {machine or '-'} gridwall - head - ".encode() + msgspec.json.encode(signed)


def send(where: Address, message: bytes) -> None:
    """Send one message: a datagram, or over TCP framed by its length (RFC 6587). Raises OSError."""
    if where.kind == "tcp":
        with socket.create_connection((where.host, where.port), TIMEOUT_SECONDS) as made:
            made.sendall(f"{len(message)} ".encode() + message)
        return
    if where.kind == "unix":
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
            made.settimeout(TIMEOUT_SECONDS)
            made.connect(where.path)
            made.send(message)
        return
    family, kind, protocol, _, target = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as made:
        made.settimeout(TIMEOUT_SECONDS)
        made.connect(target)
        made.send(message)


def append(file: Path, signed: SignedHead) -> None:
    """Add a line to a file that may only grow, and wait until it is there. Raises OSError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        content = msgspec.json.encode(signed) + b"\n"
        if os.write(descriptor, content) != len(content):
            raise OSError("the line was written in part")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class HeadCopies:
    """Sends each signed head to the places the settings name; empty ones are none."""

    def __init__(self, copy: str, syslog: str, database: Database, ring: AfterCommit) -> None:
        self._file = Path(copy) if copy else None
        self._syslog = address(syslog) if syslog else None
        self._database, self._ring = database, ring
        self._failed: set[str] = set()

    def take(self, signed: SignedHead, now: int) -> None:
        """Send a head; what fails is told once. Raises database trouble when that cannot be written."""
        if (file := self._file) is not None:
            self._try("file", lambda: append(file, signed), now)
        if (where := self._syslog) is not None:
            message = line(signed, os.uname().nodename)
            self._try("syslog", lambda: send(where, message), now)

    def _try(self, place: str, work: Callable[[], None], now: int) -> None:
        try:
            work()
        except OSError as error:
            detail = str(error.strerror or error)[:DETAIL_MOST]
            if place not in self._failed:
                log.error("signed heads are not copied (%s): %s", place, detail)
                self._tell("heads.copy_failed", place, detail, now)
                self._failed.add(place)
        else:
            if place in self._failed:
                log.info("signed heads are copied again (%s)", place)
                self._tell("heads.copy_recovered", place, "", now)
                self._failed.discard(place)

    def _tell(self, action: str, place: str, detail: str, now: int) -> None:
        body = {"detail": detail} if detail else {}
        draft = Draft(at=now, actor=SYSTEM.actor, action=action, subject_type="head", subject_id=place, body=body)
        with self._database.write(self._ring) as transaction:
            journal.append(transaction, [draft])
