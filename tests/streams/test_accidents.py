"""Accidents with an engine and a worker process of the test's own: restarts under load, kill -9, full memory."""

import asyncio
import dataclasses
import json
import multiprocessing
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from multiprocessing.process import BaseProcess
from tempfile import TemporaryDirectory

import pytest
import redis
import sqlalchemy as sa

from config import clock, parent
from config.settings import Settings, load
from operations import journal
from operations.database import Database
from operations.sources import Source
from operations.tables import outcome
from streams import door, engine, worker
from streams.errors import EngineAway, EngineMisconfigured, IntakeRefused, RateExceeded, Unreadable
from streams.intake import Intake
from streams.limiter import Limiter
from streams.port import Port
from tests.streams.samples import JSON_TYPE, KEY, MAPPINGS, NOW, SOURCE, TAXONOMY, make_intake, make_log, report

PATIENCE_SECONDS = 60
POLL_SECONDS = 0.01


class Engine:
    """An embedded Valkey that can be killed and started again on its data."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, maxmemory_mb: int = 256) -> None:
        command = engine.server_command(self._settings, maxmemory_mb=maxmemory_mb)
        self._process = subprocess.Popen(
            [*command, *options], stdout=subprocess.DEVNULL, preexec_fn=parent.die_with_me(), start_new_session=True
        )
        with redis.Redis(unix_socket_path=str(self._settings.socket)) as client:
            wait_for(lambda: answers(client))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def wait_for(condition: Callable[[], bool]) -> None:
    """Poll real processes until the condition holds."""
    deadline = clock.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert clock.monotonic() < deadline, "it did not happen in time"
        signal.sigtimedwait([], POLL_SECONDS)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if await holds():
                return
            await asyncio.sleep(POLL_SECONDS)


@pytest.fixture
def own_engine(settings: Settings) -> Iterator[Engine]:
    """An engine of the test's own."""
    made = Engine(settings)
    yield made
    made.kill()


def start_worker(settings: Settings) -> BaseProcess:
    """A worker process, forked from one that has the imports done."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["streams.worker"])
    process = processes.Process(target=worker.main, args=(settings,), daemon=True)
    process.start()
    return process


def outcomes(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(outcome)).scalar_one())


def progressed(database: Database, before: int) -> bool:
    return outcomes(database) > before


async def takes(intake: Intake) -> bool:
    """Say whether intake takes a report now."""
    try:
        return (await intake.accept(SOURCE, [report()])).accepted == 1
    except IntakeRefused:
        return False


async def persist(post: Callable[[bytes], Awaitable[door.Answer]], number: int) -> None:
    """Send one report until it is accepted, as any sender should."""
    body = json.dumps(report(f"R{number}")).encode()

    async def accepted() -> bool:
        status, headers, _ = await post(body)
        assert status == 202 or (status == 503 and int(headers["retry-after"]) > 0)
        return status == 202

    await eventually(accepted)


async def test_nothing_is_lost_or_doubled_when_the_engine_and_the_worker_are_killed_under_load(
    settings: Settings, database: Database, own_engine: Engine
) -> None:
    settings = dataclasses.replace(settings, lease_seconds=2)
    own_engine.start()
    log = make_log(settings)
    intake = make_intake(log)
    working = start_worker(settings)

    async def post(body: bytes) -> door.Answer:
        return await door.post(intake, SOURCE, JSON_TYPE, body)

    async def trouble() -> None:
        nonlocal working
        for again in range(3):
            before = outcomes(database)
            await asyncio.to_thread(wait_for, partial(progressed, database, before))  # it is at work
            own_engine.kill()
            if again == 1:
                working.kill()
                working.join()
                working = start_worker(settings)
            own_engine.start()

    try:
        making = asyncio.create_task(trouble())
        sent = 0
        while not making.done():
            await asyncio.gather(*(persist(post, number) for number in range(sent, sent + 20)))
            sent += 20
        await making
        wait_for(lambda: outcomes(database) >= sent)
        assert outcomes(database) == sent
        assert journal.head(database).seq == sent
        working.terminate()
        working.join(PATIENCE_SECONDS)
        assert working.exitcode == 0
    finally:
        working.kill()
        working.join()
        await log.close()


async def test_a_full_engine_refuses_with_503_and_keeps_what_it_has(settings: Settings, own_engine: Engine) -> None:
    own_engine.start(maxmemory_mb=3)
    log = make_log(settings)
    intake = make_intake(log)
    accepted = 0
    with pytest.raises(IntakeRefused) as refused:
        for number in range(2_000):
            accepted += (
                await intake.accept(SOURCE, [report(f"{number}-{n}", text="字" * 900) for n in range(20)])
            ).accepted
    assert refused.value.code == "engine_full"
    assert accepted > 0
    with redis.Redis.from_url(settings.redis_url) as client:
        assert int(client.hget("gridwall:accepted", "all") or 0) == accepted
        client.config_set("maxmemory", "64mb")
    await eventually(lambda: takes(intake))
    await log.close()


@pytest.mark.parametrize(
    "options",
    [("--appendfsync", "everysec"), ("--appendonly", "no"), ("--maxmemory-policy", "allkeys-lru")],
)
async def test_an_engine_that_could_lose_reports_is_refused_loudly(
    settings: Settings, own_engine: Engine, options: tuple[str, str]
) -> None:
    own_engine.start(*options)
    log = make_log(settings)
    status, headers, body = await door.post(make_intake(log), SOURCE, JSON_TYPE, json.dumps(report()).encode())
    assert (status, headers["retry-after"], json.loads(body)["code"]) == (503, "30", "engine_misconfigured")
    client = engine.connect_sync(settings.redis_url)
    with pytest.raises(EngineMisconfigured, match=options[0].strip("-")):
        client.ping()
    client.close()
    await log.close()


async def test_a_refused_report_costs_a_slow_source_nothing(settings: Settings, own_engine: Engine) -> None:
    log = make_log(settings)
    intake = Intake(log, TAXONOMY, MAPPINGS, now=lambda: NOW, limiter=Limiter(lambda: 0.0), digest_key=KEY)
    slow = Source(id="slow", name="s", rate_limit=1.0)  # ten at once
    for _ in range(11):
        with pytest.raises(EngineAway):
            await intake.accept(slow, [report()])
        with pytest.raises(EngineAway):
            await intake.quarantine(slow, b"{", Unreadable("json"))
    own_engine.start()

    async def taken() -> bool:
        try:
            return (await intake.accept(slow, [report(str(n)) for n in range(10)])).accepted == 10
        except EngineAway:
            return False

    await eventually(taken)
    with pytest.raises(RateExceeded):
        await intake.accept(slow, [report()])
    await log.close()


async def test_a_reconnect_is_verified_too(settings: Settings, own_engine: Engine) -> None:
    own_engine.start()
    log = make_log(settings)
    intake = make_intake(log)
    assert (await intake.accept(SOURCE, [report()])).accepted == 1
    own_engine.kill()
    own_engine.start("--appendfsync", "no")

    async def misconfigured() -> bool:
        with pytest.raises((EngineAway, EngineMisconfigured)) as refused:
            await intake.accept(SOURCE, [report()])
        return isinstance(refused.value, EngineMisconfigured)

    await eventually(misconfigured)
    await log.close()


async def test_a_read_only_engine_refuses(settings: Settings, own_engine: Engine) -> None:
    own_engine.start("--replicaof", "127.0.0.1 1")
    log = make_log(settings)
    with pytest.raises(EngineAway) as refused:
        await make_intake(log).accept(SOURCE, [report()])
    assert refused.value.code == "engine_read_only"
    await log.close()


async def test_a_replicated_engine_is_believed_only_when_the_replica_has_it_too(
    settings: Settings, own_engine: Engine, free_port: int
) -> None:
    own_engine.start("--port", str(free_port), "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0")
    with TemporaryDirectory(prefix="gw") as folder:
        replica = Engine(load(folder, environ={}))
        replica.start("--replicaof", f"127.0.0.1 {free_port}", "--appendonly", "yes")
        with redis.Redis.from_url(settings.redis_url) as client:
            wait_for(lambda: client.info("replication").get("slave0", {}).get("state") == "online")
        log = make_log(settings)
        intake = make_intake(log)
        await eventually(lambda: takes(intake))  # the replica writes a new file of its own first
        with redis.Redis(unix_socket_path=f"{folder}/valkey.sock") as other:
            assert int(other.hget("gridwall:accepted", "all") or 0) > 0
            other.config_set("appendonly", "no")  # it would lose what it has
        with pytest.raises(EngineAway, match="no replica confirmed"):
            await intake.accept(SOURCE, [report()])
        replica.kill()
    await log.close()


async def test_the_port_tells_readiness_and_the_doorbell_comes_back(
    settings: Settings, own_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    port = Port(settings)
    assert (await port.ready())["engine"] == "engine_away"
    assert (await port.metrics())["engine_up"] == 0
    port.ring(1)  # nobody hears it, no harm
    own_engine.start()
    assert await port.ready() == {
        "ok": True,
        "engine": "ok",
        "bound": settings.intake_bound,
        "pending": 0,
        "workers": 0,
    }
    rings = port.doorbell()
    assert await anext(rings) == 0
    port.ring(41)
    assert await anext(rings) == 41
    own_engine.kill()
    waiting = asyncio.ensure_future(anext(rings))

    async def missed() -> bool:
        return "the doorbell is away" in caplog.text

    await eventually(missed)
    own_engine.start()
    assert await waiting == 0  # look: something may have been missed
    await port.set_gauge("x", {"n": 1})
    assert (await port.gauges())["x"]["value"] == {"n": 1}
    assert (await port.gauges())["pending"]["value"] == 0
    assert (await port.gauges())["oldest_at"]["value"] is None
    await rings.aclose()  # type: ignore[attr-defined]
    await port.close()
