"""A desk drives a wall: only walls of its jurisdiction, nothing a wall may not see, and it ends by itself."""

import pytest

from operations import board as boards
from operations import driving, journal, pairings
from operations.board import Board
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from operations.scope import WHOLE, Scope
from operations.walls import Plan
from tests.operations.desk import LEADER, OPERATOR, START

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
    assert view.driven == boards.project(whole, scope).driven
    return view


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
