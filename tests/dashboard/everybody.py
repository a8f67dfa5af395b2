"""One server for the whole matrix of rights, somebody of every role in every state, and a plain ASGI client."""

import itertools
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import redis
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from config import clock
from config.settings import load
from config.words import LANGUAGES
from dashboard import api_reports
from dashboard.asgi import ASGI
from dashboard.gate import Gate
from operations import accounts, grids, policy, sessions, sources, tokens, walls
from operations.database import Database
from operations.policy import ANONYMOUS, SYSTEM, Identity
from operations.scope import WHOLE, Scope
from operations.seal import KeyStore
from tests.dashboard.conftest import CITY, PASSWORD, TOWNS, bearer
from tests.operations.desk import Desk
from tests.walls import paired

if TYPE_CHECKING:
    from dashboard.server import Server

HERE, THERE = Scope(TOWNS[0]), Scope(TOWNS[1])
HOUR = 3_600_000_000
STATES = ("signed in", "expired", "revoked")
HOST = "testserver"
ORIGIN = {"origin": f"http://{HOST}"}

Headers = dict[str, str]


class Answer(NamedTuple):
    """What came back; headers without those that differ by chance."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class World:
    """A server that runs, and what is behind it."""

    server: "Server"
    desk: Desk
    proofs: dict[tuple[str, Scope, str], Headers]

    @property
    def database(self) -> Database:
        """The server's database, by a connection of the test's own."""
        return self.desk.database

    def proof(self, role: str, scope: Scope = WHOLE, state: str = "signed in") -> Headers:
        """Headers that prove a role."""
        return ORIGIN if role == "anonymous" else self.proofs[role, scope, state]

    async def folded(self) -> None:
        """Wait until the hub has folded all there is."""
        await self.server.parts.hub._flush()


async def ask(app: ASGI, method: str, address: str, headers: Headers, body: bytes = b"") -> Answer:
    """Send one request and return the whole answer."""
    path, _, query = address.partition("?")
    given = {"host": HOST, "content-type": "application/json"} | headers
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 50_000), "server": (HOST, 80),
    }  # fmt: skip
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    first = sent[0]
    told = tuple(sorted((name.decode().lower(), value.decode("latin-1")) for name, value in first["headers"]))
    return Answer(first["status"], told, b"".join(one.get("body", b"") for one in sent[1:]))


def routes(app: Any) -> list[tuple[str, str]]:
    """(method, path) of every route of an application, "WS" for WebSockets, with parameters filled."""
    named: list[tuple[str, str]] = []
    for route in _flat(app):
        if isinstance(route, WebSocketRoute):
            named.append(("WS", route.path))
        elif isinstance(route, Mount):
            named.append(("GET", route.path + "/x"))
        elif isinstance(route, Route) or hasattr(route, "methods"):
            named += [(method, re.sub(r"{[^}]*}", "0", route.path)) for method in sorted(route.methods or ())]
    return named


def _flat(app: Any) -> list[BaseRoute]:
    """Every route, also those of routers that FastAPI keeps whole."""
    found: list[BaseRoute] = []
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        found += _flat(inner) if inner is not None else [route]
    return found


def every_route(server: "Server") -> list[tuple[str, str]]:
    """Every route the process serves, of the API and of every page in every language; Dash's own socket left out."""
    found = [*routes(server.app), ("POST", api_reports.PATH)]
    for page, lang in itertools.product(server.pages.names, LANGUAGES):
        found += [("GET", f"/{page}"), *routes(server.pages.app(page, lang).server)]
    return sorted({one for one in found if not one[1].endswith("_dash-ws-callback")})


def callbacks(server: "Server", lang: str = "zh") -> list[tuple[str, str]]:
    """(page, key) of every callback that runs on the server."""
    return [
        (page, key)
        for page in sorted(server.pages.names)
        for key, one in server.pages.app(page, lang).callback_map.items()
        if "callback" in one
    ]


@asynccontextmanager
async def world(template: Path, engine: str) -> AsyncIterator[World]:
    """A city of two towns with everybody in it."""
    from dashboard.server import Server

    with tempfile.TemporaryDirectory(prefix="gw") as path, redis.Redis.from_url(engine) as client:
        client.flushdb()
        file = Path(path, "gridwall.db")
        shutil.copy(template, file)
        settings = replace(load(path, environ={}, demo=False), redis_url=engine, embedded_valkey=False)
        settings = replace(settings, database_url=f"sqlite:///{file}")
        database, keys = Database(settings.database_url), KeyStore(settings.data / "keys")
        now = clock.now()
        grids.import_grids(database, SYSTEM, CITY, "digest", now=now)
        sources.add(database, SYSTEM, sources.Source("s1", "Test"), now=now)
        proofs = everybody(database, now)
        server = Server(settings)
        await server.start()
        try:
            yield World(server, Desk(database, keys, now=now), proofs)
        finally:
            await server.stop()
            database.close()
            keys.close()


def everybody(database: Database, now: int) -> dict[tuple[str, Scope, str], Headers]:
    """{(role, jurisdiction, state): headers that prove it}."""
    made: dict[tuple[str, Scope, str], Headers] = {}
    for role in (*policy.ROLES, "pending"):
        for scope in (WHOLE, HERE) if role in policy.PEOPLE else (WHOLE,):
            name = f"{role}{scope.grid}"
            accounts.add(
                database,
                SYSTEM,
                name,
                "operator" if role == "pending" else role,
                now=now,
                password=PASSWORD,
                scope=scope,
            )
            for state in STATES:
                made[role, scope, state] = _signed_in(database, name, state, now, pending=role == "pending")
    made["source", WHOLE, "signed in"] = bearer(tokens.add(database, SYSTEM, "t", "intake", now=now, source_id="s1"))
    for scope in (WHOLE, HERE):
        made["token_read", scope, "signed in"] = bearer(tokens.add(database, SYSTEM, "r", "read", now=now, scope=scope))
    for scope in (WHOLE, HERE):
        made["wall", scope, "signed in"] = _wall(database, f"wall{scope.grid}", scope)
    made["wall", WHOLE, "revoked"] = _wall(database, "gone", WHOLE)
    for screen in walls.listed(database, SYSTEM):
        if screen.name == "gone":
            walls.revoke(database, SYSTEM, screen.id, now=now)
    gone = tokens.add(database, SYSTEM, "gone", "read", now=now)
    for one in tokens.listed(database):
        if one.name == "gone":
            tokens.revoke(database, SYSTEM, one.id, now=now)
    made["token_read", WHOLE, "revoked"] = bearer(gone)
    return made


def _wall(database: Database, name: str, scope: Scope) -> Headers:
    return {"cookie": f"gridwall_wall={paired(database, name, scope)}"} | ORIGIN


def _signed_in(database: Database, name: str, state: str, now: int, *, pending: bool) -> Headers:
    account = accounts.find(database, name)
    assert account is not None
    opened = now - 2 * HOUR if state == "expired" else now
    secret = sessions.open(database, account, hours=1, now=opened, stage="totp" if pending else "")
    if state == "revoked":
        sessions.close(database, secret, now=now)
    return {"cookie": f"gridwall_session={secret}"} | ORIGIN


def identity(role: str, scope: Scope = WHOLE) -> Identity:
    """Who holds a proof, as far as the table looks at it."""
    return ANONYMOUS if role == "anonymous" else Identity("account", role, role, role, scope)


def call(page: str, key: str, inputs: dict[str, object], **more: object) -> tuple[str, bytes]:
    """Address and body of a callback with values by "id.property"."""
    given = [
        {"id": name.rpartition(".")[0], "property": name.rpartition(".")[2], "value": value}
        for name, value in inputs.items()
    ]
    outputs = {"id": key.rpartition(".")[0], "property": key.rpartition(".")[2]}
    asked = {"output": key, "outputs": outputs, "inputs": given, "changedPropIds": list(inputs), "state": []} | more
    return f"/{page}/zh/_dash-update-component", orjson.dumps(asked)


class Once:
    """The server's own gate, asked once for each secret: it answers for all routes alike."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._known: dict[str, Identity | None] = {}

    async def session(self, secret: str) -> Identity | None:
        """Return who holds this session."""
        if secret not in self._known:
            self._known[secret] = await self._gate.session(secret)
        return self._known[secret]

    async def wall(self, secret: str) -> Identity | None:
        """Return which wall holds this secret."""
        if secret not in self._known:
            self._known[secret] = await self._gate.wall(secret)
        return self._known[secret]

    async def token(self, secret: str, address: str) -> Identity | None:
        """Return who holds this token."""
        if secret not in self._known:
            self._known[secret] = await self._gate.token(secret, address)
        return self._known[secret]
