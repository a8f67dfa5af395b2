"""Small parts: transit seal, packets, rate limit, shares, what the engine must be set to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as Gone
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError

from operations.report import Refusal, Report
from streams import engine
from streams.errors import EngineMisconfigured, RateExceeded, SealBroken
from streams.limiter import Limiter
from streams.normalise import normalise
from streams.packet import PARTITIONS, Packet, opened, partition_of, sealed
from streams.tenure import share
from streams.transit import TransitSeal
from tests.streams.samples import NOW, SOURCE, TAXONOMY, report


def packet() -> Packet:
    found = normalise(report(), SOURCE, TAXONOMY, NOW)
    bad = normalise(b"\xff", SOURCE, TAXONOMY, NOW)
    assert isinstance(found, Report) and isinstance(bad, Refusal)
    return Packet([found], [bad])


def test_a_packet_comes_back_as_it_was_and_nothing_of_it_is_readable(tmp_path: Path) -> None:
    seal = TransitSeal(tmp_path)
    data = sealed(packet(), 3, seal)
    assert opened(data, 3, seal) == packet()
    assert opened(data, 3, TransitSeal(tmp_path)) == packet()  # another process, the same key
    for personal in ("13812345678", "王某", "燃气"):
        assert personal.encode() not in data


def test_a_packet_opens_only_where_it_belongs_and_unchanged(tmp_path: Path) -> None:
    seal = TransitSeal(tmp_path / "a")
    data = sealed(packet(), 3, seal)
    for wrong, partition, by in (
        (data, 4, seal),
        (data[:-1], 3, seal),
        (data[:20] + b"x" + data[21:], 3, seal),
        (b"", 3, seal),
        (data, 3, TransitSeal(tmp_path / "b")),
        (seal.seal(b"\x00", b"gridwall:in:03"), 3, seal),
    ):
        with pytest.raises(SealBroken):
            opened(wrong, partition, by)


def test_keys_are_private_and_an_old_key_still_opens(tmp_path: Path) -> None:
    data = sealed(packet(), 3, TransitSeal(tmp_path))
    assert (tmp_path / "transit-0001.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "transit-0002.key").write_bytes(b"k" * 32)
    rotated = TransitSeal(tmp_path)
    assert opened(data, 3, rotated) == packet()
    assert rotated.seal(b"x", b"p")[1:5] != data[1:5]
    (tmp_path / "transit-0003.key").write_bytes(b"short")
    with pytest.raises(SealBroken, match="transit-0003"):
        TransitSeal(tmp_path)


@given(st.text(), st.text())
def test_every_key_has_one_partition(source: str, id: str) -> None:
    assert 0 <= partition_of(source, id) < PARTITIONS


def test_partitions_are_evenly_used_and_never_move() -> None:
    counts = [0] * PARTITIONS
    for number in range(16_000):
        counts[partition_of("hotline", f"GD{number}")] += 1
    assert min(counts) > 800
    assert [partition_of("hotline", id) for id in ("A-1", "A-2", "工单")] == [2, 8, 0]


def test_the_rate_limit_gives_a_burst_then_the_rate() -> None:
    now = 100.0
    limiter = Limiter(lambda: now)
    for _ in range(10):
        limiter.take("s", 5, 5)  # ten seconds' worth at once
    with pytest.raises(RateExceeded) as refused:
        limiter.take("s", 5, 5)
    assert refused.value.retry_after == 2
    limiter.take("other", 5, 5)
    now += 1
    limiter.take("s", 5, 5)


def test_one_large_request_passes_and_leaves_a_debt() -> None:
    now = 100.0
    limiter = Limiter(lambda: now)
    limiter.take("s", 1, 1_000)
    now += 500
    with pytest.raises(RateExceeded):
        limiter.take("s", 1, 1)
    limiter.take("free", 0, 1_000_000)  # no limit


def test_several_web_processes_share_the_rate() -> None:
    limiter = Limiter(lambda: 100.0, processes=2)
    limiter.take("s", 2, 10)
    with pytest.raises(RateExceeded):
        limiter.take("s", 2, 1)


@pytest.mark.parametrize(("workers", "most"), [(0, 16), (1, 16), (2, 8), (3, 6), (5, 4), (16, 1), (20, 1)])
def test_partitions_are_shared_fairly(workers: int, most: int) -> None:
    assert share(workers) == most


GOOD = {b"appendonly": b"yes", b"appendfsync": b"always", b"maxmemory-policy": b"noeviction"}


def test_the_engine_must_keep_what_it_acknowledges() -> None:
    engine.check(GOOD)
    engine.check([word for pair in GOOD.items() for word in pair])
    for name, value in (
        (b"appendonly", b"no"),
        (b"appendfsync", b"everysec"),
        (b"maxmemory-policy", b"allkeys-lru"),
    ):
        with pytest.raises(EngineMisconfigured, match=name.decode()):
            engine.check({**GOOD, name: value})
    with pytest.raises(EngineMisconfigured):
        engine.check({})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "engine_full"),
        (ReadOnlyError("You can't write against a read only replica."), "engine_read_only"),
        (ResponseError("MISCONF Errors writing to the AOF file: No space left on device"), "engine_read_only"),
        (ResponseError("LOADING Valkey is loading the dataset in memory"), "engine_away"),
        (Gone("Connection refused"), "engine_away"),
        (TimeoutError(), "engine_away"),
    ],
)
def test_the_engines_errors_become_refusals(error: Exception, code: str) -> None:
    assert engine.away(error).code == code
