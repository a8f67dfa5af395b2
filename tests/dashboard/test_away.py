"""The database locked or gone under a running web process: 503 with Retry-After, nobody signed out, back by itself."""

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import sqlalchemy as sa

from config import clock
from dashboard import access
from dashboard.server import Server
from operations import tokens
from operations.database import Database
from operations.errors import DatabaseTrouble
from tests.dashboard.conftest import Proof
from tests.dashboard.wire import Closed, connected

PAGE = {"accept": "text/html,*/*"}
REPORT = {"id": "r1", "title": "路灯不亮"}


@pytest.fixture
def databases(server: Server, database: Database) -> list[Database]:
    """Whatever holds connections in this process."""
    return [server.parts.database, server.parts.gate._database, database]


@pytest.fixture
def file(folder: Path) -> Path:
    """The database's file."""
    return folder / "gridwall.db"


def let_go(server: Server, databases: list[Database]) -> None:
    """Close every connection that nobody uses just now, and believe nobody any longer."""
    for one in databases:
        one.engine.dispose()
    server.parts.gate._known.clear()
    server.parts.gate._troubled_until = 0.0
    server.parts.senders._known.clear()


@asynccontextmanager
async def locked(server: Server, databases: list[Database], file: Path) -> AsyncIterator[None]:
    """Lock the file for readers too, which a write-ahead log allows only to whoever is alone."""
    foreign = sqlite3.connect(file, timeout=0, isolation_level=None)
    foreign.execute("PRAGMA locking_mode=EXCLUSIVE")
    async with asyncio.timeout(60):
        while True:
            let_go(server, databases)
            try:
                foreign.execute("BEGIN EXCLUSIVE")
                break
            except sqlite3.OperationalError:
                await asyncio.sleep(0.01)  # the hub was reading
                gc.collect()  # what was in use when its pool was let go is closed with the pool
    yield
    foreign.execute("ROLLBACK")
    foreign.close()
    let_go(server, databases)


@asynccontextmanager
async def gone(server: Server, databases: list[Database], file: Path) -> AsyncIterator[None]:
    """Put the file away and something else in its place."""
    let_go(server, databases)
    put_away(file)
    yield
    put_back(file)
    let_go(server, databases)


def put_away(file: Path) -> None:
    file.rename(file.with_name("kept.db"))
    file.mkdir()


def put_back(file: Path) -> None:
    file.rmdir()
    file.with_name("kept.db").rename(file)


Trouble = Callable[[Server, list[Database], Path], AbstractAsyncContextManager[None]]


@pytest.mark.parametrize("trouble", [locked, gone])
async def test_nobody_is_signed_out_while_the_database_is_away(
    server: Server, client: httpx.AsyncClient, proof: Proof, databases: list[Database], file: Path, trouble: Trouble
) -> None:
    desk, source, reader = proof("operator"), proof("source"), proof("token_read")
    assert (await client.get("/desk", headers=desk | PAGE)).status_code == 200
    async with trouble(server, databases, file):
        page = await client.get("/desk?lang=en", headers=desk | PAGE)
        assert (page.status_code, page.headers["retry-after"]) == (503, "5")
        assert 'http-equiv="refresh" content="5"' in page.text and "not signed out" in page.text
        assert "set-cookie" not in page.headers
        for method, path, headers in (
            ("GET", "/api/v1/incidents", desk),
            ("GET", "/api/v1/journal", reader),
            ("GET", "/metrics", reader),
            ("POST", "/api/v1/reports", source),
            ("POST", "/desk/zh/_dash-update-component", desk),
            ("POST", "/signout", desk),
            ("GET", "/nowhere", desk),
        ):
            answer = await client.request(method, path, headers=headers)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), (path, answer.text)
            assert answer.json()["code"] == "unavailable" and answer.json()["text"]["zh"]
        for path in ("/live?page=desk", "/api/v1/reports/stream"):
            with pytest.raises(Closed) as refused:
                async with connected(server, path, desk):
                    pass
            assert refused.value.code == access.TRY_LATER
        for path in ("/healthz", "/assets/live.js", "/signin"):
            assert (await client.get(path, headers=desk)).status_code == 200, path
        assert (await client.get("/desk", headers=PAGE)).status_code == 303  # whoever shows nothing has nothing to lose
    assert (await client.get("/desk", headers=desk | PAGE)).status_code == 200
    assert (await client.post("/api/v1/reports", json=REPORT, headers=source)).status_code == 202


async def test_a_screen_stays_while_nobody_can_tell_whose_it_is(
    server: Server, proof: Proof, databases: list[Database], file: Path
) -> None:
    async with connected(server, "/live?page=desk", proof("operator")) as screen:
        assert "hello" in await screen.json()
        async with locked(server, databases, file):
            with pytest.raises(DatabaseTrouble):
                await server.parts.standing.look()
        await server.parts.standing.look()
        assert not screen._task.done()


async def test_a_write_lock_holds_up_neither_pages_nor_programs(
    server: Server, client: httpx.AsyncClient, proof: Proof, file: Path
) -> None:
    desk, source = proof("operator"), proof("source")
    foreign = sqlite3.connect(file, isolation_level=None)
    foreign.execute("BEGIN EXCLUSIVE")
    started = clock.monotonic()
    assert (await client.get("/desk", headers=desk | PAGE)).status_code == 200
    assert (await client.post("/api/v1/reports", json=REPORT, headers=source)).status_code == 202
    assert clock.monotonic() - started < server.parts.database._timeout_s
    foreign.execute("ROLLBACK")
    foreign.close()


async def test_the_use_of_a_token_is_noted_beside_the_request(
    server: Server, client: httpx.AsyncClient, proof: Proof, database: Database
) -> None:
    assert (await client.get("/api/v1/incidents", headers=proof("token_read"))).status_code == 200
    assert server.parts.gate._noting is not None
    await server.parts.gate._noting
    assert tokens.listed(database)[0].used_at is not None


async def test_a_handshake_is_refused_with_503_where_the_server_can(
    server: Server, proof: Proof, databases: list[Database], file: Path
) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode()) for name, value in proof("source").items()]
    scope = {
        "type": "websocket",
        "path": "/api/v1/reports/stream",
        "headers": headers,
        "extensions": {"websocket.http.response": {}},
    }
    async with locked(server, databases, file):
        await server(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert sent[0]["status"] == 503 and (b"retry-after", b"5") in sent[0]["headers"]
    assert orjson.loads(sent[1]["body"])["code"] == "unavailable"


@pytest.mark.parametrize("path", ["/api/v1/journal", "/quarantine/zh/_dash-update-component"])
async def test_a_database_that_goes_away_in_the_middle_is_a_503_too(
    server: Server, client: httpx.AsyncClient, proof: Proof, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise DatabaseTrouble

    monkeypatch.setattr("operations.journal.read", away)
    monkeypatch.setattr("operations.quarantine.page", away)
    headers = proof("token_read" if path.startswith("/api") else "duty_commander")
    if path.startswith("/api"):
        answer = await client.get(path, headers=headers)
    else:
        listing = {
            "output": "quarantine-rows.data",
            "outputs": {"id": "quarantine-rows", "property": "data"},
            "inputs": [{"id": "quarantine-ask", "property": "data", "value": {"asked": 1}}],
            "changedPropIds": ["quarantine-ask.data"],
        }
        answer = await client.post(path, json=listing, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "5", "unavailable")


@pytest.mark.database
async def test_a_dropped_database_is_said_and_nobody_is_signed_out(
    server: Server, client: httpx.AsyncClient, proof: Proof, databases: list[Database], file: Path
) -> None:
    desk = proof("operator")
    url = sa.make_url(server.parts.database.url)
    if url.get_backend_name() == "sqlite":
        async with gone(server, databases, file):
            answer = await client.get("/api/v1/incidents", headers=desk)
    else:
        let_go(server, databases)
        other = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with other.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {url.database} WITH (FORCE)"))
        answer = await client.get("/api/v1/incidents", headers=desk)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
