"""The whole web application in the test's own loop, with a city of four grids, accounts, tokens and a source."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING

import httpx
import pytest
import shapely

from config import clock
from config.settings import Settings
from operations import accounts, grids, sessions, sources, tokens
from operations.database import Database
from operations.grids import GridRow
from operations.policy import SYSTEM
from operations.scope import WHOLE, Scope
from tests.dashboard.web import PASSWORD, Web
from tests.walls import paired

if TYPE_CHECKING:
    from dashboard.server import Server

SQUARE = 0.01
COUNTY, TOWNS = "990101", ("990101001", "990101002")

Proof = Callable[..., dict[str, str]]


def square(code: str, level: int, parent: str, west: float, east: float) -> GridRow:
    polygon = shapely.box(120 + west * SQUARE, 30, 120 + east * SQUARE, 30 + SQUARE)
    return GridRow(code, f"grid {code}", "general", level, parent, shapely.to_wkb(polygon), 20_000 * level)


CITY = [
    square(COUNTY, 1, "", 0, 2),
    *(square(town, 2, COUNTY, at, at + 1) for at, town in enumerate(TOWNS)),
]


@pytest.fixture
def furnished(database: Database) -> Database:
    """A database with a city, one account for each role, and a source."""
    now = clock.now()
    grids.import_grids(database, SYSTEM, CITY, "digest", now=now)
    sources.add(database, SYSTEM, sources.Source("s1", "Test"), now=now)
    return database


@pytest.fixture
async def server(settings: Settings, valkey: str, furnished: Database) -> "AsyncIterator[Server]":
    """The application, started."""
    from dashboard.server import Server

    made = Server(settings)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def web(settings: Settings, valkey: str, furnished: Database) -> Iterator[Web]:
    """The application on a port of its own, for a browser."""
    made = Web(settings)
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def client(server: "Server") -> AsyncIterator[httpx.AsyncClient]:
    """A client without any proof of who it is."""
    transport = httpx.ASGITransport(server)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as made:
        yield made


@pytest.fixture
def proof(furnished: Database) -> Proof:
    """Headers that prove a role: a session's cookie and the right origin, or a token."""
    made: dict[tuple[str, Scope], dict[str, str]] = {}

    def prove(role: str, scope: Scope = WHOLE) -> dict[str, str]:
        if (role, scope) not in made:
            made[role, scope] = _proof(furnished, role, scope)
        return made[role, scope]

    return prove


def _proof(database: Database, role: str, scope: Scope) -> dict[str, str]:
    now = clock.now()
    if role == "source":
        return bearer(tokens.add(database, SYSTEM, "t", "intake", now=now, source_id="s1"))
    if role == "token_read":
        return bearer(tokens.add(database, SYSTEM, "t", "read", now=now, scope=scope))
    name = role + scope.grid + scope.department
    if role == "wall":
        return {"cookie": f"gridwall_wall={paired(database, name, scope)}", "origin": "http://testserver"}
    accounts.add(database, SYSTEM, name, role, now=now, password=PASSWORD, scope=scope)
    account = accounts.find(database, name)
    assert account is not None
    secret = sessions.open(database, account, hours=1, now=now)
    return {"cookie": f"gridwall_session={secret}", "origin": "http://testserver"}


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}
