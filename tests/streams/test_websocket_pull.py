"""WebSocket pull against real servers on 127.0.0.1: durable first, resumed where it broke off, patient."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import msgspec
import pytest
import redis.asyncio
from websockets.asyncio.server import Request, Response, ServerConnection, serve

from config import clock
from config.settings import Settings
from operations import cursors, journal, sources
from operations.database import Database
from operations.policy import SYSTEM
from operations.sources import Source
from streams import engine, websocket_pull
from streams.errors import EngineAway, SourceAway
from streams.intake import Intake
from streams.pull_settings import WebsocketPull
from streams.pulling import Pulling
from streams.source_secrets import SourceSecrets
from streams.websocket_pull import Listener
from tests.streams.feed import durable, reach
from tests.streams.samples import make_intake, make_log, report

pytestmark = [pytest.mark.stream, pytest.mark.database]
Speak = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def department(speak: Speak, refuse: int = 0) -> AsyncIterator[str]:
    """A department's server; returns its address."""

    def process(connection: ServerConnection, _request: Request) -> Response | None:
        return connection.respond(HTTPStatus(refuse), "no") if refuse else None

    async with serve(speak, "127.0.0.1", 0, process_request=process) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/feed"


@pytest.fixture
async def intake(settings: Settings, valkey: str) -> AsyncIterator[Intake]:
    """An intake on the test's engine."""
    log = make_log(settings)
    yield make_intake(log)
    await log.close()


@pytest.fixture
async def client(settings: Settings, valkey: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of the engine."""
    async with engine.connect(settings.redis_url) as made:
        yield made


@pytest.fixture
def listen(settings: Settings, database: Database, client: redis.asyncio.Redis, intake: Intake) -> Callable[..., Any]:
    """Begin listening, as after a start of the process: (pulling, listener)."""

    def begin(url: str, **more: Any) -> tuple[Pulling, Listener]:
        how = WebsocketPull(url, **more)
        source = Source("dept", "某部门", kind="websocket_pull", settings=msgspec.json.encode(how).decode())
        if sources.get(database, "dept") is None:
            sources.add(database, SYSTEM, source, now=clock.now())
        pulling = Pulling(reach(settings, database, client, intake), source)
        return pulling, Listener(pulling, how)

    return begin


def event(id: str) -> dict[str, Any]:
    return {"specversion": "1.0", "id": id, "source": "s", "type": "t", "data": report(id)}


async def test_a_message_is_a_report_a_list_or_an_event_and_what_is_none_costs_itself(
    listen: Any, intake: Intake, settings: Settings
) -> None:
    async def speak(socket: ServerConnection) -> None:
        for said in (report("A"), [report("B"), report("C")], event("E"), 7):
            await socket.send(json.dumps(said))
        for broken in ("{", b"\xff\xfe", '[{"id": 1}, {]'):
            await socket.send(broken)

    async with department(speak) as url:
        _, listener = listen(url)
        with pytest.raises(SourceAway, match="broken_off"):
            await listener.once()
    assert durable(settings) == ["A", "B", "C", "E"]
    assert intake.totals.quarantined >= 3


async def test_it_goes_on_where_it_broke_off(
    listen: Any, intake: Intake, settings: Settings, database: Database
) -> None:
    orders, paths, firsts = [report(f"A-{n}", seq=n) for n in range(6)], [], []

    async def speak(socket: ServerConnection) -> None:
        assert socket.request is not None
        paths.append(socket.request.path)
        subscription = json.loads(await socket.recv())
        firsts.append(subscription)
        begin = int(subscription["after"] or -1) + 1
        for order in orders[begin : begin + 3]:
            await socket.send(json.dumps(order))

    how = {"first": '{"subscribe": "orders", "after": "{cursor}"}', "cursor_field": "seq"}
    async with department(speak) as url:
        for _ in range(2):
            _, listener = listen(url + "?after={cursor}", **how)  # another process each time
            with pytest.raises(SourceAway):
                await listener.once()
    assert [one["after"] for one in firsts] == ["", "2"] and paths[1].endswith("?after=2")
    assert durable(settings) == [f"A-{n}" for n in range(6)] and intake.totals.duplicates == 0
    assert json.loads(cursors.get(database, "dept").cursor)["cursor"] == "5"


async def test_what_is_not_durable_is_not_counted_as_read(
    listen: Any, intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def speak(socket: ServerConnection) -> None:
        await socket.send(json.dumps(report("A", seq=1)))
        await socket.wait_closed()

    async def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(intake, "accept", killed)
    async with department(speak) as url:
        _, listener = listen(url + "?after={cursor}", cursor_field="seq")
        with pytest.raises(KeyboardInterrupt):
            await listener.once()
    assert cursors.get(database, "dept").cursor == ""


async def test_while_we_take_nothing_nothing_is_read_and_nothing_lost(
    listen: Any, intake: Intake, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, tries = intake.accept, []

    async def full_at_first(*given: Any, **named: Any) -> Any:
        tries.append(given)
        if len(tries) < 4:
            raise EngineAway("full", retry_after=0)
        return await accept(*given, **named)

    async def speak(socket: ServerConnection) -> None:
        for number in range(40):
            await socket.send(json.dumps(report(f"A-{number}")))

    monkeypatch.setattr(intake, "accept", full_at_first)
    async with department(speak) as url:
        _, listener = listen(url)
        with pytest.raises(SourceAway):
            await listener.once()
    assert len(durable(settings)) == 40


async def test_a_feed_that_falls_silent_is_connected_anew(listen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def speak(socket: ServerConnection) -> None:
        await socket.send(json.dumps(report("A")))
        await socket.wait_closed()

    real = websocket_pull.heard
    limits: list[float | None] = []

    async def sooner(socket: Any, limit: float | None) -> Any:
        limits.append(limit)
        return await real(socket, 0.05)

    monkeypatch.setattr(websocket_pull, "heard", sooner)
    async with department(speak) as url:
        _, listener = listen(url, silence_s=30)
        assert await listener.once() == 0
    assert limits == [websocket_pull.STEADY_SECONDS, 30]


async def test_one_that_only_opens_and_breaks_off_is_lost_once(listen: Any, database: Database) -> None:
    async def speak(socket: ServerConnection) -> None:
        await socket.close()

    async with department(speak) as url:
        pulling, listener = listen(url)
        for _ in range(4):
            with pytest.raises(SourceAway, match="broken_off") as error:
                await listener.once()
            await pulling.away(error.value)
    assert [entry.action for entry in journal.read(database, 0)][1:] == ["source.lost"]


@pytest.mark.parametrize(
    ("status", "code"), [(401, "login_refused"), (404, "not_there"), (503, "busy"), (302, "status")]
)
async def test_a_refused_handshake(listen: Any, settings: Settings, status: int, code: str) -> None:
    async def speak(_socket: ServerConnection) -> None:
        raise AssertionError

    SourceSecrets(settings.data / "keys").put("dept", "s3cret")
    async with department(speak, refuse=status) as url:
        _, listener = listen(url, auth="query", auth_name="appkey")
        with pytest.raises(SourceAway) as error:
            await listener.once()
    assert error.value.code == code and "s3cret" not in repr(error.value)


async def test_nobody_there_and_no_websocket(listen: Any, free_port: int) -> None:
    _, listener = listen(f"ws://127.0.0.1:{free_port}/")
    with pytest.raises(SourceAway, match="unreachable"):
        await listener.once()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", free_port):
        _, listener = listen(f"ws://127.0.0.1:{free_port}/")
        with pytest.raises(SourceAway, match="handshake"):
            await listener.once()


async def test_a_message_that_is_too_large_ends_the_connection(listen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_pull, "LARGEST_MESSAGE", 1_000)

    async def speak(socket: ServerConnection) -> None:
        await socket.send("x" * 2_000)
        await socket.wait_closed()

    async with department(speak) as url:
        _, listener = listen(url)
        with pytest.raises(SourceAway, match="broken_off"):
            await listener.once()
