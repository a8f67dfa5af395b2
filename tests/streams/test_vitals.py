"""How a source does: counted by every process, bounded in the engine, told without a clock of its own."""

from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from config.settings import Settings
from operations.report import Refusal, Report
from streams import engine, vitals
from streams.log import HEARD
from streams.normalise import normalise
from streams.vitals import HOUR, MINUTE, Vitals, health
from tests.streams.samples import NOW, SOURCE, TAXONOMY, make_intake, make_log, report

pytestmark = pytest.mark.stream


@pytest.fixture
async def client(settings: Settings, valkey: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of the engine."""
    async with engine.connect(settings.redis_url) as made:
        yield made


def some(count: int, delay_s: int = 60) -> list[Report]:
    found = normalise(report(occurred_at=NOW / 1e6 - delay_s), SOURCE, TAXONOMY, NOW)
    assert isinstance(found, Report)
    return [found] * count


async def test_two_processes_count_together_and_hours_are_kept_apart(client: redis.asyncio.Redis) -> None:
    one, other = Vitals(client), Vitals(client)
    one.note("a", NOW - 3 * HOUR, some(4), [], repeats=0)
    one.note("a", NOW - 10 * MINUTE, some(3), [], repeats=1)
    other.note("a", NOW, some(2), [Refusal("a", "not_json", b"", "", NOW)] * 2, repeats=0)
    await one.close()
    await other.close()
    found = await vitals.read(client, "a", NOW, HEARD)
    assert (found.last_minutes, found.last_hour, sum(found.hours)) == (2, 5, 9)
    assert found.hours[-4] == 4 and len(found.hours) == 24
    assert (found.duplicates, found.rejected, found.samples) == (1, {"not_json": 2}, 9)
    assert await vitals.read(client, "nobody", NOW, HEARD) == health([{}] * 25, [], NOW, heard_at=None, pull={})


async def test_lateness_and_a_clock_an_hour_ahead(client: redis.asyncio.Redis) -> None:
    made = Vitals(client)
    made.note("a", NOW, [*some(20, 60), *some(19, 120), *some(1, 600)], [], repeats=0)
    await made.flush()
    found = await vitals.read(client, "a", NOW, HEARD)
    assert found.lateness_p50_s == pytest.approx(90, abs=31) and 120 <= (found.lateness_p95_s or 0) <= 600
    assert found.ahead_s is None
    made.note("ahead", NOW, some(10, -3_600), [], repeats=0)
    await made.close()
    found = await vitals.read(client, "ahead", NOW, HEARD)
    assert (found.ahead_s, found.ahead_share, found.lateness_p50_s) == (3_600, 1.0, None)


async def test_it_is_bounded(client: redis.asyncio.Redis) -> None:
    made = Vitals(client)
    for _ in range(30):
        made.note("a", NOW, some(100), [], repeats=0)
    await made.flush()
    assert await client.llen("gridwall:vitals:a:delays") == vitals.SAMPLES
    keys = [key async for key in client.scan_iter("gridwall:vitals:*")]
    assert len(keys) == 2 and all([0 < await client.ttl(key) <= 27 * 3_600 for key in keys])
    for number in range(vitals.MOST_SOURCES + 10):
        made.note(f"s{number}", NOW, [], [], repeats=0)
    assert len(made._tallies) == vitals.MOST_SOURCES
    made._tallies.clear()
    await made.close()


async def test_intake_counts_what_it_takes(client: redis.asyncio.Redis, settings: Settings) -> None:
    log = make_log(settings)
    intake = make_intake(log)
    intake._vitals = Vitals(client)
    await intake.accept(SOURCE, [report("A", face_id="x"), report("A", face_id="x"), 7])
    await intake._vitals.close()
    await log.close()
    found = await vitals.read(client, SOURCE.id, NOW, HEARD)
    assert (found.last_minutes, found.duplicates, found.dropped) == (2, 1, 2)
    assert sum(found.rejected.values()) == 1 and found.heard_at == NOW


async def test_an_engine_that_is_away_costs_the_figures_only(free_port: int) -> None:
    gone = engine.connect(f"redis://127.0.0.1:{free_port}/0")
    made = Vitals(gone)
    made.note("a", NOW, some(1), [], repeats=0)
    await made.close()
    await gone.aclose()
