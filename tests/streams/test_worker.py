"""The worker on a real engine and a real database."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import redis
import shapely
import sqlalchemy as sa

from config import clock
from config.settings import Settings
from operations import grids, journal, lease, reception
from operations.database import Database
from operations.errors import DatabaseLocked, LeaseLost
from operations.policy import SYSTEM
from operations.tables import outcome, partition, quarantine
from streams import engine
from streams.backlog import START, Backlog
from streams.errors import EngineAway
from streams.log import Log
from streams.packet import PARTITIONS, partition_of
from streams.transit import TransitSeal
from streams.worker import BATCH_FIRST, BATCH_LEAST, BATCH_MOST, BATCH_STEP, Worker, fitting, run
from tests.streams.samples import SOURCE, make_intake, make_log, report

pytestmark = [pytest.mark.stream, pytest.mark.database]


@pytest.fixture
def hire(settings: Settings, database: Database, valkey: str) -> Iterator[Callable[..., Worker]]:
    """Makes workers on the test's engine and database."""
    clients = []

    def made(owner: str = "w1") -> Worker:
        clients.append(engine.connect_sync(settings.redis_url))
        return Worker(settings, database, clients[-1], owner)

    yield made
    for client in clients:
        client.close()


@pytest.fixture
async def log(settings: Settings, valkey: str) -> AsyncIterator[Log]:
    """The writing side."""
    made = make_log(settings)
    yield made
    await made.close()


async def send(log: Log, *items: object) -> None:
    await make_intake(log).accept(SOURCE, items)


def work_off(*workers: Worker) -> int:
    """Step until nothing is left; returns what was decided."""
    total, idle = 0, 0
    while idle < 2:
        done = sum(worker.step(block_ms=1) for worker in workers)
        total, idle = total + done, 0 if done else idle + 1
    return total


async def test_what_a_person_took_down_is_entered_in_that_persons_name(
    log: Log, hire: Callable[..., Worker], database: Database
) -> None:
    intake = make_intake(log)
    await intake.accept(SOURCE, [report("call")], written_by="account:wang")
    await intake.accept(SOURCE, [report("feed")])
    work_off(hire())
    entries = journal.read(database, 0)
    actors = {entry.body["report"]["id"]: entry.actor for entry in entries if entry.body and "report" in entry.body}
    assert actors == {"call": "account:wang", "feed": f"source:{SOURCE.id}"}


def outcomes(database: Database) -> dict[str, int]:
    with database.read() as connection:
        query = sa.select(outcome.c.outcome, sa.func.count()).group_by(outcome.c.outcome)
        return {row[0]: row[1] for row in connection.execute(query)}


def decided(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.coalesce(sa.func.sum(partition.c.decided), 0))).scalar_one())


def pending(settings: Settings) -> int:
    with engine.connect_sync(settings.redis_url) as client:
        backlog = Backlog(client, TransitSeal(settings.data / "keys"))
        return sum(backlog.counts(number, START)[1] for number in range(PARTITIONS))


async def test_every_report_has_one_outcome(
    hire: Callable[..., Worker], log: Log, database: Database, settings: Settings
) -> None:
    await send(log, *(report(str(n)) for n in range(60)), {"id": "bad"})
    await send(log, *(report(str(n)) for n in range(30)))  # repeated
    await send(log, report("0", text="anders"), report("1", revision="0"), report("2", revision="2"))
    worker = hire()
    assert work_off(worker) == 94
    assert outcomes(database) == {"journaled": 61, "quarantined": 1, "conflict": 1, "stale": 1}
    assert decided(database) == 94
    assert pending(settings) == 0
    worker.close()


async def test_a_report_is_placed_in_its_grid_and_new_grids_are_noticed(
    hire: Callable[..., Worker], log: Log, database: Database
) -> None:
    worker = hire()
    await send(log, report("before"))
    work_off(worker)
    box = shapely.box(119.1, 34.5, 119.2, 34.6)
    row = grids.GridRow("990101001001001", "网格", "general", 1, "", shapely.to_wkb(box))
    grids.import_grids(database, SYSTEM, [row], "d1", now=clock.now())
    await send(log, report("in"), report("out", place={"lon": 119.3, "lat": 34.5}), report("code", place=None))
    await send(log, report("named", place=None, grid_code="990101001001001"))
    work_off(worker)
    found = {
        entry.body["report"]["id"]: tuple(entry.body["set"].get(name, "") for name in ("grid", "nearest"))
        for entry in journal.read(database, 0)
        if entry.action == "incident.opened" and entry.body
    }
    leaf = "990101001001001"
    assert found == {"before": ("", ""), "in": (leaf, ""), "out": ("", leaf), "code": ("", ""), "named": (leaf, "")}


async def test_workers_share_the_partitions_and_a_dead_ones_are_taken_over(
    hire: Callable[..., Worker], log: Log, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    one, two = hire("w1"), hire("w2")
    one.step(block_ms=1)
    assert len(one._tenure.tokens) == PARTITIONS
    two.step(block_ms=1)
    assert not two._tenure.tokens
    now += 4_000_000
    one.step(block_ms=1)
    two.step(block_ms=1)
    assert (len(one._tenure.tokens), len(two._tenure.tokens)) == (8, 8)
    now += 11_000_000  # `one` is dead: its leases end
    two.step(block_ms=1)
    await send(log, *(report(str(n)) for n in range(100)))
    assert work_off(two) == 100
    assert len(two._tenure.tokens) == PARTITIONS


async def test_a_worker_killed_between_commit_and_letting_go_doubles_nothing(
    hire: Callable[..., Worker], log: Log, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(log, *(report(str(n)) for n in range(100)))
    one = hire("w1")

    def killed(_decided: object) -> int:
        raise SystemExit("kill -9")

    monkeypatch.setattr(one._backlog, "forget", killed)
    with pytest.raises(SystemExit):
        work_off(one)
    assert decided(database) == 100
    assert pending(settings) == 100
    later = clock.now() + 60_000_000
    monkeypatch.setattr(clock, "now", lambda: later)
    two = hire("w2")
    work_off(two)
    assert pending(settings) == 0
    assert decided(database) == 100
    assert outcomes(database) == {"journaled": 100}
    assert journal.head(database).seq == 100


async def test_a_lost_lease_writes_nothing_and_loses_nothing(
    hire: Callable[..., Worker], log: Log, database: Database, settings: Settings
) -> None:
    one = hire("w1")
    one.step(block_ms=1)
    number = partition_of(SOURCE.id, "A-1")
    with pytest.raises(LeaseLost):
        lease.renew(database, lease.partition(number), 99, 1, clock.now())
    lease.release(database, lease.partition(number), one._tenure.tokens[number])
    token = lease.acquire(database, lease.partition(number), "w2", 10**9, clock.now())
    await send(log, report("A-1"), report("A-2"))
    assert work_off(one) == 1
    assert number not in one._tenure.tokens
    assert outcomes(database) == {"journaled": 1}
    lease.release(database, lease.partition(number), token or 0)
    one._tenure._tended_at = 0
    assert work_off(one) == 1
    assert outcomes(database) == {"journaled": 2}


async def test_a_packet_that_does_not_open_ends_in_quarantine_as_many_times_as_it_was_accepted(
    hire: Callable[..., Worker], log: Log, database: Database, settings: Settings
) -> None:
    client = redis.Redis.from_url(settings.redis_url)
    await send(log, report("A"), report("A", revision="2"))
    key = f"gridwall:in:{partition_of(SOURCE.id, 'A'):02d}"
    rows: Any = client.xrange(key)
    ((id, fields),) = rows
    client.xadd(key, {"n": fields[b"n"], "p": fields[b"p"][:-3] + b"xyz"})
    client.xdel(key, id)
    assert work_off(hire()) == 2
    assert outcomes(database) == {"quarantined": 2}
    with database.read() as connection:
        found = connection.execute(sa.select(quarantine.c.reason, quarantine.c.size)).all()
    assert sorted(row.size > 0 for row in found) == [False, True]
    assert {row.reason for row in found} == {"packet_unreadable"}
    client.close()


async def test_a_packet_that_breaks_the_decision_is_set_aside_and_the_rest_goes_on(
    hire: Callable[..., Worker], log: Log, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_all = reception.record_all

    def fragile(base: Database, deliveries: list[reception.Delivery], **how: object) -> object:
        items = [item for one in deliveries for _, packed in one.packets for item in packed]
        if any(getattr(item, "title", "") == "poison" for item in items):
            raise ValueError("no such thing")
        return record_all(base, deliveries, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(reception, "record_all", fragile)
    await send(log, report("A"))
    await send(log, report("P", title="poison"))
    await send(log, report("B"))
    assert work_off(hire()) == 3
    assert outcomes(database) == {"journaled": 2, "quarantined": 1}


async def test_a_locked_database_acknowledges_nothing_says_so_once_and_goes_on(
    hire: Callable[..., Worker],
    log: Log,
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "streams.worker")
    record_all, locked = reception.record_all, 5

    def busy(*what: object, **how: object) -> object:
        nonlocal locked
        locked -= 1
        if locked >= 0:
            assert pending(settings) == 50
            raise DatabaseLocked
        return record_all(*what, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(reception, "record_all", busy)
    await send(log, *(report(str(n)) for n in range(50)))
    worker = hire()
    waits: list[float] = []
    run(worker, lambda: decided(database) == 50 and pending(settings) == 0, waits.append)
    assert waits == [0.1, 0.2, 0.5, 1.0, 2.0]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert outcomes(database) == {"journaled": 50}


async def test_an_engine_that_is_away_is_waited_for(
    hire: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = hire()
    tries = 0

    def away(_cursors: object, _block: int) -> dict[int, list[object]]:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise EngineAway("gone")
        return {}

    monkeypatch.setattr(worker._backlog, "read", away)
    waits: list[float] = []
    run(worker, lambda: tries >= 4, waits.append)
    assert waits == [0.1, 0.2, 0.5]


async def test_closing_gives_the_partitions_back_at_once(hire: Callable[..., Worker], database: Database) -> None:
    one, two = hire("w1"), hire("w2")
    one.step(block_ms=1)
    one.close()
    two.step(block_ms=1)
    assert len(two._tenure.tokens) == PARTITIONS


@pytest.mark.parametrize("each_ms", [0.01, 0.06, 0.2, 5.0])
def test_the_batch_learns_how_many_reports_fit_into_a_short_transaction(each_ms: float) -> None:
    batch = BATCH_FIRST
    held = []
    for _ in range(100):
        held.append(batch * each_ms / 1000)
        batch = fitting(batch, batch, held[-1])
    assert BATCH_LEAST <= batch <= BATCH_MOST
    assert max(held) <= max(0.05, BATCH_LEAST * each_ms / 1000)
    assert min(held[-10:]) >= min(0.025, BATCH_MOST * each_ms / 1000)


def test_one_slow_disk_costs_little_and_a_small_batch_teaches_nothing() -> None:
    batch = fitting(500, 500, 0.4)
    assert batch == BATCH_LEAST
    for _ in range((500 - BATCH_LEAST) // BATCH_STEP):
        batch = fitting(batch, batch, 0.02)
    assert batch == 500
    assert fitting(500, 3, 0.006) == 500


async def test_under_load_every_partition_is_served_in_turn(
    hire: Callable[..., Worker], log: Log, database: Database
) -> None:
    for _ in range(3):
        await send(log, *(report(str(n)) for n in range(160)))
    worker = hire()
    for _ in range(PARTITIONS):
        worker.batch = 1
        worker.step(block_ms=1)
    with database.read() as connection:
        query = sa.select(partition.c.partition).where(partition.c.decided > 0)
        assert set(connection.execute(query).scalars()) == set(range(PARTITIONS))
