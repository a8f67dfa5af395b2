"""A desk drives a wall: only walls of its jurisdiction, nothing a wall may not see, and it ends by itself."""

from typing import Any

import pytest

from operations import board as boards
from operations import driving, journal, looks, pairings
from operations.board import Board
from operations.database import Database
from operations.driving import Playing
from operations.errors import Forbidden, NotFound, Refused
from operations.looks import Ticket, Whereabouts
from operations.policy import Identity
from operations.scope import WHOLE, Scope
from operations.walls import Plan
from tests.operations.desk import COMMANDER, LEADER, LEAVES, OPERATOR, START, Desk, report
from tests.operations.test_looks import incident

pytestmark = pytest.mark.database
ADMIN = Identity("account", "a1", "admin", "system_admin")
NORTH, SOUTH = Scope("990101001"), Scope("990101002")
NORTHERN = Identity("account", "n1", "north", "operator", NORTH)


def paired(database: Database, name: str, scope: Scope = WHOLE) -> str:
    waiting, _ = pairings.begin(database, "", now=START, agent="Chromium", address="10.0.0.9")
    return pairings.confirm(database, ADMIN, waiting.code, Plan(name, scope), now=START)


def folded(database: Database, scope: Scope) -> Board:
    whole = Board()
    view = boards.project(whole, scope)
    for entry in journal.read(database, 0, 1_000):
        change = boards.apply(whole, entry)
        boards.apply_scoped(view, entry, change)
    fresh = boards.project(whole, scope)
    assert (view.driven, view.pictured) == (fresh.driven, fresh.pictured)
    return view


def say(database: Database, wall: str, deed: str, *, identity: Identity = OPERATOR, **about: Any) -> None:
    driving.picture(database, identity, [wall], deed, now=START, **about)


def test_what_a_wall_shows_is_an_entry_of_who_drove_it(database: Database) -> None:
    wall = paired(database, "大厅")
    shown = driving.drive(database, OPERATOR, wall, pinned="trend", now=START)
    assert shown is not None and shown.until == START + driving.LASTS
    last = list(journal.read(database, 0, 1_000))[-1]
    assert (last.action, last.actor, last.subject_id) == ("wall.driven", OPERATOR.actor, wall)
    assert folded(database, WHOLE).driven == {wall: shown}
    assert driving.drive(database, OPERATOR, wall, now=START) is None
    assert folded(database, WHOLE).driven == {}


def test_only_walls_of_ones_jurisdiction_are_there(database: Database) -> None:
    city, north, south = (paired(database, name, scope) for name, scope in (("c", WHOLE), ("n", NORTH), ("s", SOUTH)))
    assert [one.id for one in driving.targets(database, NORTHERN)] == [north]
    assert [one.id for one in driving.targets(database, OPERATOR)] == [city, north, south]
    for other in (city, south, "none"):
        with pytest.raises(NotFound):
            driving.drive(database, NORTHERN, other, pinned="trend", now=START)
    with pytest.raises(Forbidden):
        driving.targets(database, LEADER)


def test_what_is_said_to_a_wall_reaches_only_screens_that_cover_it(database: Database) -> None:
    north = paired(database, "n", NORTH)
    driving.drive(database, OPERATOR, north, pinned="trend", now=START)
    assert north in folded(database, NORTH).driven and north in folded(database, WHOLE).driven
    assert folded(database, SOUTH).driven == {}


def test_nothing_that_is_not_there_is_shown(database: Database) -> None:
    wall = paired(database, "大厅")
    with pytest.raises(NotFound):
        driving.drive(database, OPERATOR, wall, incident="none", now=START)
    with pytest.raises(NotFound):
        driving.drive(database, OPERATOR, wall, order="none", now=START)
    with pytest.raises(Refused):
        driving.drive(database, OPERATOR, wall, pinned="alerts", now=START)


def test_what_is_said_of_live_pictures_is_an_entry_of_who_said_it_and_is_taken_back(desk: Desk) -> None:
    desk.send(report())
    database, one = desk.database, desk.incident().id
    wall = paired(database, "大厅")
    say(database, wall, "pin", incident=one)
    last = list(journal.read(database, 0, 1_000))[-1]
    assert (last.action, last.actor, last.subject_id) == ("wall.pictured", OPERATOR.actor, wall)
    said = folded(database, WHOLE).pictured[wall]
    assert (said.incident, said.by, said.at) == (one, OPERATOR.name, START)
    say(database, wall, "veto", incident=one)
    said = folded(database, WHOLE).pictured[wall]
    assert (said.incident, said.no_incidents) == ("", (one,)), "a veto ends the pin"
    say(database, wall, "release")
    assert folded(database, WHOLE).pictured == {}


def test_of_live_pictures_nothing_is_said_that_is_unclear_or_not_ones_own(desk: Desk) -> None:
    desk.send(report(grid_code=LEAVES[-1]))
    database, one = desk.database, desk.incident().id
    north = paired(database, "n", NORTH)
    for deed, about in (("pin", {}), ("veto", {"cameras": ["gate"]}), ("release", {"incident": one}), ("look", {})):
        with pytest.raises(Refused):
            say(database, north, deed, **about)
    for about in ({"incident": "none"}, {"incident": one}):  # of the south: this wall may not see it
        with pytest.raises(NotFound):
            say(database, north, "pin", **about)
    with pytest.raises(NotFound):
        say(database, north, "keep", cameras=["none"])
    with pytest.raises(NotFound):
        say(database, paired(database, "s", SOUTH), "release", identity=NORTHERN)
    with pytest.raises(Forbidden):
        say(database, north, "release", identity=LEADER)


def test_what_a_wall_plays_is_told_to_who_may_drive_it(database: Database) -> None:
    north, south = paired(database, "n", NORTH), paired(database, "s", SOUTH)
    incident(database, "i1", NORTH.grid)
    for number, (wall, camera) in enumerate(((north, "a"), (north, "b"), (south, "c"))):
        scope = {north: NORTH, south: SOUTH}[wall]
        name = {north: "n", south: "s"}[wall]
        who = Identity("wall", wall, name, "wall", scope)
        why = ("incident", "i1") if wall == north else ("wall", "")
        ticket = Ticket(f"look-{number}", camera, f"wall:{wall}", *why, START + 1_000)
        looks.begin(database, who, ticket, Whereabouts((scope.grid,), ""), stream="sub", now=START + number)
    assert driving.playing(database, NORTHERN) == {north: Playing("i1", (("a", "a"), ("b", "b")))}
    assert driving.playing(database, OPERATOR)[south] == Playing("", (("c", "c"),))
    looks.close(database, COMMANDER, ["look-0", "look-1"], now=START + 9)
    assert driving.playing(database, NORTHERN) == {}
    with pytest.raises(Forbidden):
        driving.playing(database, LEADER)
