"""The demo's week before, its operators, and its player, on a real database and (for the player) a real engine."""

import asyncio
import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from config import clock
from config.settings import Settings, load
from operations import grids, journal, snapshot, views
from operations.commands import Commands
from operations.database import Database
from operations.errors import Conflict
from operations.incident import Incident
from operations.policy import Identity
from operations.seal import KeyStore
from operations.verification import verify
from streams.courier import Delivered
from streams.demo import city, duty, history, player
from streams.demo.player import Player
from streams.demo.sources import SOURCES
from streams.demo.stories import HOUR, MINUTE, Stories
from streams.own_sources import OwnSources

NOW = 1_795_000_000_000_000


def incident(number: int, urgency: str = "routine") -> Incident:
    return Incident(
        id=f"i{number}",
        number=f"1122-{number:04d}",
        county="990101",
        revision=1,
        type="0403",
        title="暴露垃圾",
        department="city_management",
        source="demo-worker",
        report_id=f"WG{number}",
        occurred_at=NOW,
        received_at=NOW,
        opened_at=NOW,
        updated_at=NOW,
        urgency=urgency,
    )


def test_the_same_incident_is_always_worked_the_same_way() -> None:
    assert duty.plan(incident(7)) == duty.plan(structs.replace(incident(7), revision=9, id="other"))
    assert len({duty.plan(incident(n)) for n in range(50)}) == 50


def test_the_gravest_are_never_overlooked() -> None:
    waits = [duty.plan(incident(n, "critical")).acknowledge_s for n in range(2000)]
    assert max(waits) < 300 and sorted(waits)[1000] < 60


def test_at_a_higher_pace_the_work_keeps_up() -> None:
    slow, fast = duty.plan(incident(3)), duty.plan(incident(3), 20.0)
    assert fast.close_s == pytest.approx(slow.close_s / 20)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a demo that has imported its city and told a past of one day."""
    folder = tmp_path_factory.mktemp("past")
    made = Player(load(folder, environ={}), threading.Event())
    made._database.migrate(folder / "copies")
    drawn = city.build()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "DAYS", 1)
        assert made._import(drawn)
        assert made._tell_past(drawn, {source.id: source for source in map(made._source, SOURCES)})
    made.close()
    return folder


@pytest.fixture
def told(past: Path, folder: Path) -> Iterator[Player]:
    """A player on a copy of that folder."""
    shutil.copytree(past, folder, dirs_exist_ok=True)
    made = Player(load(folder, environ={}), threading.Event())
    yield made
    made.close()


@pytest.fixture
def database(told: Player) -> Database:
    return told._database


@pytest.fixture
def settings(told: Player) -> Settings:
    return told._settings


def test_the_past_is_believable_and_in_order(told: Player, settings: Settings, database: Database) -> None:
    now = clock.now()
    board = snapshot.load(database)
    stories = Stories(city.build(), settings.zone)
    end = told._progress.history_until
    expected = sum(stories.expected(at) / 12 for at in range(end - 24 * HOUR, end, 5 * MINUTE))
    received = sum(sum(count or 0 for count in row) for row in views.received_by_hour(board, now, settings.zone, 8))
    assert received > 0.85 * expected
    figures = views.open_by_urgency(board)
    assert 20 < sum(figures.values()) < 260 and figures["routine"] > figures["urgent"] > figures["critical"]
    graves = [one for one in board.incidents.values() if one.urgency == "critical"]
    assert graves and all(one.acknowledged_at is not None and one.escalated_at is None for one in graves)
    assert len(board.unplaced) < 10
    times = [entry.at for entry in journal.read(database, 0) if entry.subject_type == "incident"]
    assert all(before <= after for before, after in pairwise(times))
    assert verify(database, []).ok


def test_the_past_is_told_once(told: Player, settings: Settings, database: Database) -> None:
    head = journal.head(database)
    again = Player(settings, threading.Event())
    assert again._progress == told._progress and again._progress.history_done
    assert again._import(city.build()) and again._tell_past(city.build(), {})
    again.close()
    assert journal.head(database) == head


def test_live_reports_follow_the_past_without_a_seam(told: Player, settings: Settings) -> None:
    """Openings of the last hours of the past are what the live stream would have sent."""
    stories = Stories(city.build(), settings.zone)
    end = told._progress.history_until
    live = {send.item["id"] for send in stories.between(end - HOUR, end) if send.opening}
    board = snapshot.load(told._database)
    assert live <= {one.report_id for one in board.incidents.values()}


def test_operators_acknowledge_then_close_and_leave_others_alone(told: Player, database: Database) -> None:
    board = snapshot.load(database)
    later = clock.now() + 30 * HOUR
    commands = Commands(database, KeyStore(told._settings.data / "keys"), now=lambda: later)
    before = sum(views.open_by_urgency(board).values())
    crew = duty.Duty(database, commands, board, 1.0)
    assert 0 < crew.step(later) <= duty.MOST_AT_ONCE
    while crew.step(later):
        pass
    after = snapshot.load(database)
    assert sum(views.open_by_urgency(after).values()) == 0 < before
    names = {one.closed_by for one in after.incidents.values()}
    assert names <= set(duty.NAMES)


def test_people_may_be_faster_than_the_demo(told: Player, database: Database) -> None:
    board = snapshot.load(database)
    commands = Commands(database, KeyStore(told._settings.data / "keys"))
    stale = duty.Duty(database, commands, snapshot.load(database), 1.0)
    open_ones = [one for one in board.incidents.values() if one.is_open and one.acknowledged_at is not None]
    for one in open_ones:
        commands.close(duty.identity("值班员"), one.id, one.revision, "untrue", "查无此事")
    refused: list[str] = []

    def close(who: Identity, incident_id: str, *given: Any) -> Incident:
        try:
            return Commands.close(commands, who, incident_id, *given)
        except Conflict:
            refused.append(incident_id)
            raise

    commands.close = close  # type: ignore[method-assign]
    stale._follow = lambda: None  # type: ignore[method-assign]
    stale.step(clock.now() + 40 * HOUR)  # conflicts are passed over, nothing is raised
    assert refused and {*refused} <= {one.id for one in open_ones}


def test_other_grids_are_not_played_over(told: Player, settings: Settings, database: Database) -> None:
    current = grids.current(database)
    assert current is not None and current.digest == told._progress.grids
    (settings.data / player.FILE).write_text(json.dumps({"grids": "another"}), encoding="utf-8")
    other = Player(settings, threading.Event())
    assert not other._import(city.build())
    other.close()


def test_a_restart_sends_again_only_what_may_be_missing(
    told: Player, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    sent: list[tuple[str, str, str]] = []

    class Door:
        def __init__(self, *_: object) -> None: ...

        def deliver(self, token: str, items: list[dict[str, str]]) -> Delivered:
            sent.extend((token, item["id"], item["revision"]) for item in items)
            stop.set()
            return Delivered(len(items))

        def close(self) -> None: ...

    stop = threading.Event()
    monkeypatch.setattr(player, "Courier", Door)
    told._progress.played_until = clock.now() - HOUR  # enough also in the small hours, when little happens
    told._stop = stop
    threading.Timer(20, stop.set).start()
    tokens = {source.id: source.id for source in SOURCES}
    told._play(Stories(city.build(), settings.zone), tokens)
    first = Counter(sent)
    sent.clear()
    stop.clear()
    told._play(Stories(city.build(), settings.zone), tokens)
    assert len(first) > 50 and len(Counter(sent)) < len(first) / 3


def test_tokens_are_kept_beside_the_keys_and_replaced_when_revoked(told: Player, database: Database) -> None:
    folder = told._settings.data / "keys"
    source = told._source(SOURCES[0])
    now = clock.now()
    first = OwnSources(database, folder).token(source, now)
    assert OwnSources(database, folder).token(source, now) == first
    file = folder / "own-sources.json"
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("spoiled", encoding="utf-8")
    assert OwnSources(database, folder).token(source, now) != first


async def test_playing_stops_when_cancelled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Player, "_run", lambda self: self._stop.wait(30))
    task = asyncio.create_task(player.play(load(folder, environ={})))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
