"""Through the hub itself: at every step each screen shows `project(fold(all entries), scope)`, and nothing else.

What leaves a scope leaves the screen, what enters appears whole; counts are made inside; a screen that comes late, or
back from a number, shows the same as one that was there all the time.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from config.city import City
from config.words import Words
from dashboard import picture
from dashboard.channel import Topic
from dashboard.live import Hub
from operations import board as boards
from operations import views
from operations.board import Board
from operations.database import Database
from operations.errors import OperationsError
from operations.scope import CONFIGURATION, NOWHERE, WHOLE, Scope
from operations.seal import KeyStore
from tests.dashboard.test_channel import Glass
from tests.dashboard.test_live import Bell, Watcher, new, panel
from tests.operations.desk import LEAVES, Desk, chain
from tests.operations.story import STEPS, STORIES, Step

SCOPES = (
    WHOLE,
    NOWHERE,
    CONFIGURATION,
    Scope("990101"),
    *(Scope(chain(leaf)[1]) for leaf in (LEAVES[0], LEAVES[3])),
    *(Scope(leaf) for leaf in LEAVES),
    *(Scope(department=name) for name in ("fire", "police", "centre")),
    Scope(LEAVES[0], "fire"),
    Scope(hidden=("03",)),
    Scope(dimmed=("0101", "05")),
    Scope(chain(LEAVES[0])[1], "", ("0501",), ("03",)),
)
MOVES: list[Step] = [
    *(("open", which, which, which % 4) for which in range(6)),
    *(("place", which, 0, to) for to in (3, 0, 1) for which in range(4)),
    *(("update", which, which, to) for to in (1, 3) for which in range(3)),
    *((what, 0, 2, 1) for what in ("acknowledge", "urgency", "close", "reopen", "source", "wall", "refuse", "epoch")),
    ("wait", 0, 0, 4),
    *(("place", which, 0, 2) for which in range(3)),
]


def whole(board: Board, now: int, ids: Iterable[str] | None) -> dict[str, Any]:
    """Every field of every incident: what is on the screen is all of it."""
    chosen = board.incidents if ids is None else ids
    return {key: msgspec.to_builtins(board.incidents[key]) if key in board.incidents else None for key in chosen}


def heat(board: Board, now: int, ids: Iterable[str] | None) -> dict[str, int | None]:
    counts = views.heat(board, now, "open", None, None)
    return {code: counts.get(code) or None for code in (counts if ids is None else ids) if code}


def totals(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Every count the board makes, and what belongs to the city."""
    told = {
        "open": sorted((*key, count) for key, count in board.open_by.items()),
        "received": sorted(board.received_hours.totals.items()),
        "closed": sorted(board.closed_minutes.totals.items()),
        "acknowledged": len(board.acknowledged),
        "unplaced": sorted(board.unplaced),
        "quarantine": board.open_quarantine,
        "walls": sorted(board.walls.items()),
        "sources": sorted(msgspec.to_builtins(one)["name"] for one in board.sources.values()),
    }
    return {"totals": {"children": orjson.loads(orjson.dumps(told))}}


PANEL = panel(totals, rows=whole, heat=heat)


def expected(board: Board, now: int, scope: Scope) -> Glass:
    """What a screen of this scope has to show."""
    view = boards.project(board, scope)
    glass: Glass = {("props", "totals", "children"): totals(view, now, Words("zh"))["totals"]["children"]}
    glass |= {("keyed", "rows", key): row for key, row in whole(view, now, None).items()}
    return glass | {("keyed", "heat", key): row for key, row in heat(view, now, None).items()}


def shown(watcher: Watcher) -> Glass:
    """What it shows, without the moments of the picture."""
    return {key: orjson.loads(orjson.dumps(value)) for key, value in watcher.look().items() if key[0] != "gauges"}


@pytest.fixture
def new_desk(sqlite_template: Path) -> Iterator[Callable[[], Desk]]:
    with ExitStack() as stack:

        def make() -> Desk:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="gw")))
            shutil.copy(sqlite_template, folder / "gridwall.db")
            database = Database(f"sqlite:///{folder / 'gridwall.db'}")
            stack.callback(database.close)
            return Desk(database, KeyStore(folder / "keys"))

        yield make


@settings(
    max_examples=5,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=STORIES, chosen=st.lists(st.sampled_from(SCOPES), min_size=2, max_size=5, unique=True))
@example(story=MOVES, chosen=list(SCOPES))
def test_every_screen_shows_its_part_of_the_fold_at_every_step(
    new_desk: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch, story: list[Step], chosen: list[Scope]
) -> None:
    monkeypatch.setattr(picture, "PAUSE", 0)  # drawn at every step, however long it took
    desk = new_desk()
    monkeypatch.setattr("dashboard.live.clock.now", lambda: desk.now)

    async def follow() -> None:
        hub = Hub(desk.database, Bell(), {"wall": (PANEL,)}, city=City())
        await hub._call(hub._load)
        screens = [(scope, Watcher(await hub.join(Topic(scope, "wall", "zh"), new))) for scope in chosen]
        for number, (what, which, one, two) in enumerate(story, 10):
            with suppress(OperationsError):
                STEPS[what](desk, f"R{which}", number, one, two)
            while hub.board.seq < len(desk.entries()) or hub._epoch != desk.board().epoch:
                await hub._flush()
            await again(hub, screens, number)
            told = desk.board()
            for scope, screen in screens:
                assert shown(screen) == orjson_like(expected(told, desk.now, scope)), (what, scope)
        await hub.stop()

    asyncio.run(follow())


async def again(hub: Hub, screens: list[tuple[Scope, Watcher]], number: int) -> None:
    """One screen comes anew, or back to its channel from where it was; so do all whose channel has gone."""
    for index, (scope, watcher) in enumerate(screens):
        back = number % len(screens) == index
        if not back and not watcher.screen.closing:
            continue
        hub.leave(watcher.screen)
        came = Watcher(await hub.join(Topic(scope, "wall", "zh"), new))
        if back and not watcher.screen.closing and number % 2:
            came.screen.sent, came.glass = watcher.screen.sent, watcher.glass
        screens[index] = (scope, came)


def orjson_like(glass: Glass) -> Glass:
    return {key: orjson.loads(orjson.dumps(value)) for key, value in glass.items()}
