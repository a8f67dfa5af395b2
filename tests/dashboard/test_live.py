"""The hub: one fold, one frame for all, no leak between scopes, slow and stuck screens, another epoch."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from types import ModuleType
from typing import Any

import orjson
import pytest

from config import clock
from config.city import City
from config.words import Words
from dashboard import live, screen
from dashboard.channel import Channel, Topic
from dashboard.live import Hub, changed_since
from dashboard.measures import REGISTRY
from dashboard.screen import Screen
from operations import journal, walls
from operations.board import Board
from operations.database import Database
from operations.entry import Draft, path
from operations.policy import Identity
from operations.scope import WHOLE, Scope
from tests.dashboard.test_channel import Glass, show

NORTH, SOUTH = ("990101", "990101001"), ("990101", "990101002")


class Bell:
    """The port of `streams`, as far as the hub knows it."""

    def __init__(self) -> None:
        self.rung: asyncio.Queue[int] = asyncio.Queue()
        self.said: dict[str, Any] = {}

    async def doorbell(self) -> AsyncIterator[int]:
        while True:
            yield await self.rung.get()

    async def gauges(self) -> dict[str, Any]:
        return self.said


def titles(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    return {"titles": {"children": sorted(one.title for one in board.incidents.values())}}


def rows(board: Board, now: int, ids: Iterable[str] | None) -> dict[str, Any]:
    chosen = board.incidents if ids is None else ids
    return {key: board.incidents[key].title if key in board.incidents else None for key in chosen}


def panel(render: Callable[..., Any], **keyed: Callable[..., Any]) -> ModuleType:
    made = ModuleType("panel")
    made.render, made.KEYED = render, keyed  # type: ignore[attr-defined]
    return made


def opened(name: str, chain: tuple[str, ...], at: int) -> Draft:
    incident = {
        "id": name, "number": name, "county": "990101", "revision": 1, "type": "0101", "title": f"title of {name}",
        "department": "street", "source": "s", "report_id": name, "occurred_at": at, "received_at": at,
        "opened_at": at, "updated_at": at, "chain": chain, "grid": chain[-1],
    }  # fmt: skip
    return draft("incident.opened", name, chain, chain, incident, at)


def draft(
    action: str, name: str, before: tuple[str, ...], after: tuple[str, ...], changes: dict[str, Any], at: int
) -> Draft:
    return Draft(
        at=at, actor="x", action=action, subject_type="incident", subject_id=name, scope_grid=path(after),
        scope_grid_before=path(before), body={"set": changes},
    )  # fmt: skip


def write(database: Database, *drafts: Draft) -> None:
    with database.write() as transaction:
        journal.append(transaction, drafts)


def move(name: str, before: tuple[str, ...], after: tuple[str, ...]) -> Draft:
    return draft("incident.placed", name, before, after, {"chain": after, "grid": after[-1]}, clock.now())


def new(channel: Channel) -> Screen:
    return Screen("wall/1", Identity("wall", "1", "wall", "wall"), channel)


class Watcher:
    """A screen and its glass."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.glass: Glass = {}
        self.texts: list[str] = []

    def look(self) -> Glass:
        while (text := self.screen.next()) is not None:
            if "n" in orjson.loads(text):
                self.texts.append(text)
                show(self.glass, text)
        return self.glass

    async def until(self, holds: Callable[[Glass], bool]) -> Glass:
        async with asyncio.timeout(10):
            while not holds(self.look()):
                self.screen.wake.clear()
                await self.screen.wake.wait()
        return self.glass


@pytest.fixture
async def bell() -> Bell:
    return Bell()


@pytest.fixture
async def hub(database: Database, bell: Bell) -> AsyncIterator[Hub]:
    made = Hub(database, bell, {"wall": (panel(titles, markers=rows),)}, city=City())
    await made.start()
    yield made
    await made.stop()


async def watch(hub: Hub, scope: Scope = WHOLE, page: str = "wall") -> Watcher:
    return Watcher(await hub.join(Topic(scope, page, "zh"), new))


def shows(*names: str) -> Callable[[Glass], bool]:
    return lambda glass: glass.get(("props", "titles", "children")) == [f"title of {name}" for name in names]


async def test_what_is_journaled_is_shown_at_the_ring(hub: Hub, bell: Bell, database: Database) -> None:
    watcher = await watch(hub)
    await watcher.until(shows())
    write(database, opened("a", NORTH, clock.now()))
    bell.rung.put_nowait(1)
    glass = await watcher.until(shows("a"))
    assert glass["keyed", "markers", "a"] == "title of a"


async def test_a_lost_ring_costs_only_the_poll(hub: Hub, database: Database) -> None:
    watcher = await watch(hub)
    write(database, opened("a", NORTH, clock.now()))
    await watcher.until(shows("a"))


async def test_screens_of_one_topic_share_every_frame(hub: Hub, bell: Bell, database: Database) -> None:
    first, second = await watch(hub), await watch(hub)
    for watcher in (first, second):
        await watcher.until(shows())
    write(database, opened("a", NORTH, clock.now()))
    bell.rung.put_nowait(1)
    for watcher in (first, second):
        await watcher.until(shows("a"))
    assert first.texts[-1] is second.texts[-1]


async def test_scopes_do_not_leak_and_leaving_one_is_a_removal(hub: Hub, bell: Bell, database: Database) -> None:
    whole, north, south = [await watch(hub, Scope(grid)) for grid in ("", NORTH[1], SOUTH[1])]
    write(database, opened("a", NORTH, clock.now()), opened("b", SOUTH, clock.now()))
    bell.rung.put_nowait(2)
    await whole.until(shows("a", "b"))
    await north.until(shows("a"))
    await south.until(shows("b"))
    write(database, move("a", NORTH, SOUTH))
    bell.rung.put_nowait(3)
    await south.until(shows("a", "b"))
    glass = await north.until(shows())
    assert ("keyed", "markers", "a") not in glass
    for watcher, hidden in ((north, "title of b"), (south, "nothing")):
        assert not any(hidden in text for text in watcher.texts)


async def test_what_happens_elsewhere_is_no_frame(
    hub: Hub, bell: Bell, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_age", dict)
    whole, north = await watch(hub), await watch(hub, Scope(NORTH[1]))
    await north.until(shows())
    before = north.screen.channel.n
    write(database, opened("b", SOUTH, clock.now()))
    bell.rung.put_nowait(1)
    await whole.until(shows("b"))
    assert north.screen.channel.n == before


async def test_gauges_reach_only_those_who_see_everything(hub: Hub, bell: Bell) -> None:
    bell.said = {"pending": {"value": 7}}
    live.BEAT, kept = 0.01, live.BEAT
    try:
        north = await watch(hub, Scope(NORTH[1]))
        whole = await watch(hub)
        await hub._flush()
        await whole.until(lambda glass: any("pending" in text for text in whole.texts))
        assert not any("pending" in text for text in north.texts)
    finally:
        live.BEAT = kept


async def test_a_picture_is_as_old_as_the_oldest_report_that_waits(hub: Hub, bell: Bell) -> None:
    waits = clock.now() - 80_000_000
    bell.said = {"pending": {"value": 7}, "oldest_at": {"value": waits}}
    live.BEAT, kept = 0.01, live.BEAT
    try:
        north = await watch(hub, Scope(NORTH[1]))
        await north.until(lambda glass: any(f'"oldest_at":{waits}' in text for text in north.texts))
        assert any(f'"as_of":{waits // 1_000_000 * 1_000_000}' in text.partition('"gauges"')[2] for text in north.texts)
        bell.said = {"pending": {"value": 0}, "oldest_at": {"value": None}}
        await north.until(lambda glass: any('"oldest_at":null' in text for text in north.texts[1:]))
    finally:
        live.BEAT = kept


async def test_a_picture_does_not_grow_younger_while_the_journal_cannot_be_read(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hub._flush()
    before = hub._age()
    later = clock.now() + 90_000_000
    monkeypatch.setattr(clock, "now", lambda: later)
    monkeypatch.setattr(journal, "read", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await hub._flush()
    assert hub._age() == before


async def test_a_picture_stands_still_and_says_so_while_the_engine_does_not_answer(
    hub: Hub, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEAT", 0.01)
    monkeypatch.setattr(live, "PATIENCE", 0.01)
    answering = bell.gauges

    async def silent() -> dict[str, Any]:
        return await asyncio.Event().wait()  # type: ignore[return-value]  # a stopped engine, which never answers

    whole, north = await watch(hub), await watch(hub, Scope(NORTH[1]))
    engine, as_of = ("gauges", "engine_away", ""), ("gauges", "as_of", "")
    states = [watcher.screen.channel.state for watcher in (whole, north)]
    monkeypatch.setattr(bell, "gauges", silent)
    await whole.until(lambda glass: all(state[engine] != b"null" for state in states))
    before = [state[as_of] for state in states]
    assert all(int(state[as_of]) <= int(state[engine] or 0) for state in states)
    later = clock.now() + 90_000_000
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: later)
        await hub._flush()
    assert [state[as_of] for state in states] == before
    monkeypatch.setattr(bell, "gauges", answering)
    await whole.until(lambda glass: all(state[engine] == b"null" for state in states))


async def test_a_failing_panel_is_named_and_the_others_go_on(database: Database, bell: Bell) -> None:
    def broken(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
        raise ZeroDivisionError

    bad = panel(broken)
    bad.__name__ = "dashboard.panels.bad"
    made = Hub(database, bell, {"wall": (bad, panel(titles))}, city=City())
    await made.start()
    try:
        watcher = await watch(made)
        await watcher.until(shows())
        assert orjson.loads(watcher.texts[0])["gauges"]["failed_panels"] == ["bad"]
    finally:
        await made.stop()


@pytest.fixture
async def watched(database: Database, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    """A hub that writes of its walls, folds nothing and has no heart but the test's."""
    monkeypatch.setattr(live, "BEAT", 1_000.0)
    made = Hub(
        database, bell, {"wall": (panel(titles),)}, city=City(),
        walls=lambda action, wall: walls.mark(database, wall, action, now=clock.now()),
    )  # fmt: skip
    await made.start()
    yield made
    await made.stop()


def told_of(database: Database) -> list[tuple[str, str]]:
    return [(entry.action, entry.subject_id) for entry in journal.read(database, 0) if entry.subject_type == "wall"]


async def look(hub: Hub, second: float) -> None:
    hub._watch.look(hub.screens, hub.board.walls, second)
    await hub._flush()


async def test_a_stuck_wall_is_told_once_and_so_is_its_recovery(watched: Hub, database: Database) -> None:
    watcher = await watch(watched)
    watcher.look()
    for second in (0.0, screen.STUCK_SECONDS + 1, screen.STUCK_SECONDS + 2, screen.STUCK_SECONDS + 60):
        await look(watched, second)
    assert told_of(database) == [("wall.stuck", "wall/1")]
    assert REGISTRY.get_sample_value("gridwall_walls_stuck") == 1
    watcher.screen.note(watcher.screen.channel.n - 1, 100.0)  # behind, as a busy wall always is
    for second in (100.0, 101.0):
        await look(watched, second)
    assert told_of(database) == [("wall.stuck", "wall/1"), ("wall.recovered", "wall/1")]
    assert not watched.board.walls


async def test_a_stuck_wall_that_is_closed_is_told_as_gone(watched: Hub, database: Database) -> None:
    first, twin = await watch(watched), await watch(watched)
    for second in (0.0, screen.STUCK_SECONDS + 1):
        await look(watched, second)
    watched.leave(first.screen)
    assert told_of(database) == [("wall.stuck", "wall/1")]
    watched.leave(twin.screen)
    assert told_of(database)[1:] == [("wall.gone", "wall/1")]
    await watched._flush()
    assert not watched.board.walls


async def test_one_of_two_windows_that_paints_does_not_end_the_trouble_of_the_other(
    watched: Hub, database: Database
) -> None:
    await watch(watched)
    other = await watch(watched)
    for second in (0.0, screen.STUCK_SECONDS + 1):
        await look(watched, second)
    other.look()
    other.screen.note(other.screen.channel.n, 20.0)
    await look(watched, 20.0)
    assert told_of(database) == [("wall.stuck", "wall/1")]


async def test_a_wall_left_stuck_by_a_process_that_died_is_told_as_gone_once(watched: Hub, database: Database) -> None:
    walls.mark(database, "wall/2", walls.STUCK, now=clock.now())
    await watched._flush()
    for _ in range(2):
        watched._watch.sweep(watched.screens, watched.board.walls)
    assert told_of(database) == [("wall.stuck", "wall/2"), ("wall.gone", "wall/2")]


async def test_the_counter_goes_on_when_a_channel_was_forgotten(
    hub: Hub, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = await watch(hub)
    watcher.look()
    seen = watcher.screen.channel.n
    hub.leave(watcher.screen)
    monkeypatch.setattr(live, "IDLE_CHANNEL", -1.0)
    hub._forget_idle()
    again = await watch(hub)
    assert again.screen.channel.n > seen + 1
    assert orjson.loads(again.screen.channel.since(seen))["snapshot"]


async def test_another_epoch_sends_every_screen_away_to_start_again(hub: Hub, bell: Bell, database: Database) -> None:
    import sqlalchemy

    watcher = await watch(hub)
    watcher.look()
    before = hub.epoch
    with database.write() as transaction:
        transaction.connection.execute(sqlalchemy.text("UPDATE journal_head SET epoch = epoch + 1"))
    bell.rung.put_nowait(0)
    async with asyncio.timeout(10):
        while not watcher.screen.closing:
            watcher.screen.wake.clear()
            await watcher.screen.wake.wait()
    assert hub.epoch.partition(".")[0] != before.partition(".")[0]


async def test_a_locked_away_journal_is_said_and_followed_again(
    hub: Hub, bell: Bell, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from operations.errors import DatabaseLocked

    watcher = await watch(hub)
    real, failed = journal.read, asyncio.Event()
    loop = asyncio.get_running_loop()

    def locked(*_: Any, **__: Any) -> list[Any]:
        loop.call_soon_threadsafe(failed.set)
        raise DatabaseLocked

    monkeypatch.setattr(journal, "read", locked)
    bell.rung.put_nowait(1)
    await asyncio.wait_for(failed.wait(), 10)
    monkeypatch.setattr(journal, "read", real)
    write(database, opened("a", NORTH, clock.now()))
    await watcher.until(shows("a"))
    assert not hub.fault


async def test_what_changed_while_away_is_counted(hub: Hub, bell: Bell, database: Database) -> None:
    at = clock.now()
    write(database, opened("a", NORTH, at - 10), opened("b", NORTH, at + 10))
    watcher = await watch(hub)
    bell.rung.put_nowait(2)
    await watcher.until(shows("a", "b"))
    assert await hub.ask(changed_since(at)) == 1
    assert await hub.ask(changed_since(at), Scope(SOUTH[1])) == 0


async def test_there_is_an_end_to_channels(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_CHANNELS", 1)
    await watch(hub)
    with pytest.raises(live.Crowded):
        await watch(hub, Scope(NORTH[1]))
