"""Keeping house and pulling from Redis streams, on a real engine and database."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
import redis.asyncio
import sqlalchemy as sa

from config.settings import Settings
from operations import heads, journal, snapshot, sources
from operations.database import Database
from operations.entry import Draft, Entry
from operations.policy import SYSTEM
from operations.seal import KeyStore
from operations.sources import Source
from operations.tables import partition
from operations.tables import snapshot as snapshots
from streams import engine, gauges
from streams import keeper as keeping
from streams.backlog import START, Backlog
from streams.errors import EngineAway
from streams.intake import Intake
from streams.keeper import SECOND, Keeper
from streams.packet import PARTITIONS
from streams.pull import GROUP, NEW, UNACKNOWLEDGED, _join, key_of, take
from streams.transit import TransitSeal
from streams.worker import Worker
from tests.streams.samples import NOW, SOURCE, make_intake, make_log, report

pytestmark = [pytest.mark.stream, pytest.mark.database]
DEPARTMENT = Source(id="dept", name="某部门", kind="redis_stream")


@pytest.fixture
def client(settings: Settings, valkey: str) -> Iterator[redis.Redis]:
    """A verified client."""
    with engine.connect_sync(settings.redis_url) as made:
        yield made


@pytest.fixture
async def intake(settings: Settings, valkey: str) -> AsyncIterator[Intake]:
    """An intake on the test's engine."""
    log = make_log(settings)
    yield make_intake(log)
    await log.close()


@pytest.fixture
async def puller(settings: Settings, valkey: str) -> AsyncIterator[redis.asyncio.Redis]:
    """The pulling side's client."""
    async with engine.connect(settings.redis_url) as made:
        yield made


@pytest.fixture
def keeper(settings: Settings, database: Database, client: redis.Redis) -> Keeper:
    """A keeper that began at NOW."""
    return Keeper(settings, database, client, NOW)


def actions(database: Database) -> list[str]:
    return [entry.action for entry in journal.read(database, 0)]


def last(database: Database) -> Entry:
    return journal.read(database, 0)[-1]


# ---- pull ----


async def test_a_department_adds_and_we_acknowledge_after_our_fsync(
    intake: Intake, puller: redis.asyncio.Redis, client: redis.Redis, settings: Settings
) -> None:
    await _join(puller, DEPARTMENT)
    await _join(puller, DEPARTMENT)  # the group is there already
    key = key_of("dept")
    event = {"specversion": "1.0", "id": "e", "source": "s", "type": "t", "data": report("E")}
    client.xadd(key, {"report": json.dumps(report("A"))})
    client.xadd(key, {"reports": json.dumps([report("B"), report("C"), {}])})
    client.xadd(key, {"event": json.dumps(event)})
    for broken in ({"x": "y"}, {"reports": "{"}, {"event": "7"}, {"report": b"\xff"}):
        client.xadd(key, broken)  # type: ignore[arg-type]
    assert await take(puller, intake, DEPARTMENT) == 7
    assert client.xlen(key) == 0
    assert (intake.totals.accepted, intake.totals.quarantined) == (4, 5)
    found = Backlog(client, TransitSeal(settings.data / "keys")).read(dict.fromkeys(range(PARTITIONS), START), 0)
    taken = [one.id for entries in found.values() for entry in entries for one in entry.packet.reports]
    assert sorted(taken) == ["A", "B", "C", "E"]


async def test_what_could_not_be_made_durable_stays_and_comes_first_next_time(
    intake: Intake, puller: redis.asyncio.Redis, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _join(puller, DEPARTMENT)
    client.xadd(key_of("dept"), {"report": json.dumps(report("A"))})
    accept = intake.accept

    async def away(*_: object) -> None:
        raise EngineAway("gone")

    monkeypatch.setattr(intake, "accept", away)
    with pytest.raises(EngineAway):
        await take(puller, intake, DEPARTMENT, NEW)
    assert client.xpending(key_of("dept"), GROUP)["pending"] == 1
    monkeypatch.setattr(intake, "accept", accept)
    assert await take(puller, intake, DEPARTMENT, UNACKNOWLEDGED) == 1
    assert client.xlen(key_of("dept")) == 0


async def test_an_entry_that_fails_unexpectedly_is_set_aside_once(
    intake: Intake, puller: redis.asyncio.Redis, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _join(puller, DEPARTMENT)
    client.xadd(key_of("dept"), {"report": json.dumps(report("A"))})

    async def broken(*_: object) -> None:
        raise OverflowError

    monkeypatch.setattr(intake, "accept", broken)
    assert await take(puller, intake, DEPARTMENT, NEW) == 1
    assert client.xlen(key_of("dept")) == 0
    assert intake.totals.quarantined == 1


# ---- keeper ----


async def test_heads_are_signed_when_the_journal_moved(keeper: Keeper, database: Database, settings: Settings) -> None:
    for step in range(3):
        keeper.sign(NOW + step)
    sources.add(database, SYSTEM, DEPARTMENT, now=NOW)
    keeper.sign(NOW + 60 * SECOND)
    found = heads.load(settings.data / "heads.jsonl", KeyStore(settings.data / "keys").public_key())
    assert [head.seq for head in found.signed] == [0, 1]
    assert not found.bad_lines


async def test_heads_are_signed_while_the_engine_is_away(database: Database, settings: Settings) -> None:
    with engine.connect_sync(f"unix://{settings.data}/nobody.sock") as nobody:
        keeper = Keeper(settings, database, nobody, NOW)
        with pytest.raises(EngineAway):
            keeper.step(NOW)
    found = heads.load(settings.data / "heads.jsonl", KeyStore(settings.data / "keys").public_key())
    assert len(found.signed) == 1


def test_a_large_file_of_heads_is_thinned_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "HEADS_BYTES", 100)
    monkeypatch.setattr(keeping, "HEADS_KEPT", 5)
    monkeypatch.setattr(keeping, "HEADS_SPREAD", 10)
    file = folder / "heads.jsonl"
    keeping.thin_heads(file)
    file.write_text("".join(f"{n}\n" for n in range(100)))
    keeping.thin_heads(file)
    assert file.read_text().split() == [str(n) for n in (*range(0, 95, 10), *range(95, 100))]


async def test_a_snapshot_is_kept_every_so_many_entries(
    keeper: Keeper, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "EVERY", 10)
    draft = Draft(at=NOW, actor="t", action="wall.stuck", subject_type="wall", subject_id="w")
    for count in (5, 6, 3):
        with database.write() as transaction:
            journal.append(transaction, [draft] * count)
        keeper.follow(NOW)
    with database.read() as connection:
        assert list(connection.execute(sa.select(snapshots.c.seq)).scalars()) == [11]


async def test_accepted_decided_and_pending_add_up_and_an_alarm_is_given_once(
    keeper: Keeper, intake: Intake, database: Database, settings: Settings, client: redis.Redis
) -> None:
    await intake.accept(SOURCE, [report(str(n)) for n in range(50)])
    keeper.reconcile(NOW)
    worker = Worker(settings, database, client, "w")
    worker.step(block_ms=1)
    keeper.reconcile(NOW)
    keeper.reconcile(NOW)
    assert "reconciliation.failed" not in actions(database)
    for vanished, alarms in ((1, 1), (2, 2), (-3, 2), (1, 3)):  # a loss, a larger one, all found again, a new one
        with database.write() as transaction:
            here = sa.update(partition).where(partition.c.partition == 3)
            transaction.connection.execute(here.values(decided=partition.c.decided - vanished))
        for _ in range(4):
            keeper.reconcile(NOW)
        assert actions(database).count("reconciliation.failed") == alarms
    assert last(database).subject_id == "3"


async def test_a_source_that_falls_silent_and_is_heard_again(
    keeper: Keeper, intake: Intake, database: Database, settings: Settings
) -> None:
    sources.add(database, SYSTEM, Source(id=SOURCE.id, name="热线", silent_after_s=60), now=NOW)
    sources.add(database, SYSTEM, Source(id="desk", name="登记", kind="desk"), now=NOW)
    keeper.follow(NOW)
    await intake.accept(SOURCE, [report()])  # at NOW
    keeper.listen(NOW + 59 * SECOND)
    assert "source.silent" not in actions(database)
    keeper.listen(NOW + 61 * SECOND)
    keeper.listen(NOW + 62 * SECOND)
    assert actions(database).count("source.silent") == 1
    await intake.accept(SOURCE, [report()])  # a repetition is a sign of life too
    keeper.listen(NOW + 30 * SECOND)
    assert last(database).action == "source.heard"


async def test_fine_weather_is_no_silence_unless_a_time_is_set(
    keeper: Keeper, intake: Intake, database: Database, settings: Settings
) -> None:
    whole, late = Source(id="weather", name="气象"), NOW + settings.silent_seconds * SECOND + SECOND
    for one in (whole, Source(id="timed", name="测试", silent_after_s=60), Source(id="mixed", name="两样")):
        sources.add(database, SYSTEM, one, now=NOW)
        await intake.hear(one)
    await intake.accept(Source(id="mixed", name="两样"), [report()])
    keeper.follow(NOW)
    keeper.listen(late)
    silent = [one.subject_id for one in journal.read(database, 0) if one.action == "source.silent"]
    assert sorted(silent) == ["mixed", "timed"]


async def test_a_new_source_has_its_time_before_it_is_silent(keeper: Keeper, database: Database) -> None:
    late = NOW + 10**12
    sources.add(database, SYSTEM, Source(id="new", name="新", silent_after_s=60), now=late)
    keeper.follow(late)
    keeper.listen(late + 59 * SECOND)
    assert "source.silent" not in actions(database)
    keeper.listen(late + 61 * SECOND)
    assert last(database).action == "source.silent"


async def test_nobody_acknowledged_so_the_duty_commander_is_called(
    keeper: Keeper, intake: Intake, database: Database, settings: Settings, client: redis.Redis
) -> None:
    await intake.accept(SOURCE, [report("calm", urgency="一般"), report("grave", urgency="特急")])
    Worker(settings, database, client, "w").step(block_ms=1)
    opened = max(entry.at for entry in journal.read(database, 0))
    keeper.escalate(opened)
    assert "incident.escalated" not in actions(database)
    keeper.escalate(opened + (settings.escalate_seconds + 1) * SECOND)
    keeper.escalate(opened + (settings.escalate_seconds + 9) * SECOND)
    assert actions(database).count("incident.escalated") == 1


async def test_a_step_does_what_is_due_and_forgotten_gauges_go(
    keeper: Keeper, database: Database, client: redis.Redis, puller: redis.asyncio.Redis
) -> None:
    gauges.put(client, {"old": 1}, NOW - 2 * 3_600 * SECOND)
    gauges.put(client, {"new": {"a": 1}}, NOW)
    keeper.step(NOW)
    keeper.step(NOW + SECOND // 2)
    assert await gauges.all_of(puller) == {"new": gauges.Gauge({"a": 1}, NOW)}
    keeper.step(NOW - 10**12)  # a clock that jumped back stops nothing
