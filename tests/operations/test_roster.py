"""The duty roster: who is on duty now and called next; overlaps and gaps; planned inside one's scope."""

import pytest

from operations import journal
from operations.contacts import cards, roster
from operations.contacts.cards import Person
from operations.contacts.roster import Shift
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from operations.scope import WHOLE, Scope
from tests.operations.desk import COMMANDER, HOUR, LEAVES, OPERATOR, START

pytestmark = pytest.mark.database
ADMIN = Identity("account", "a", "admin", "system_admin")
TOWN = LEAVES[0][:9]


def people(database: Database) -> list[str]:
    wanted = [Person(name=name, department="fire") for name in ("甲", "乙", "丙")]
    return [one.id for one in cards.take(database, ADMIN, wanted, now=START)]


def shift(person: str, rank: int = 1, begins: int = 0, hours: int = 8, **given: str) -> Shift:
    starts = START + begins * HOUR
    values = {"department": "fire", "post": "值班"} | given
    return Shift(person=person, rank=rank, starts_at=starts, ends_at=starts + hours * HOUR, **values)  # type: ignore[arg-type]


def test_the_next_on_duty_is_called_by_rank_and_place(database: Database) -> None:
    a, b, c = people(database)
    roster.plan(database, COMMANDER, [shift(a), shift(b, 2), shift(c, 1, grid=TOWN), shift(c, 3, begins=8)], now=START)

    def called(grid: str, after: int = 0, hours: int = 1) -> str:
        with database.read() as connection:
            one = roster.next_on_duty(connection, "fire", grid, START + hours * HOUR, after)
        return "" if one is None else one.name

    assert called(LEAVES[0]) == "丙", "the nearest grid's goes before the city's of the same rank"
    assert called("") == "甲" and called(LEAVES[3]) == "甲"
    assert called(LEAVES[3], 1) == "乙" and called(LEAVES[3], 2) == ""
    assert called("", hours=8) == "丙" and called("", hours=20) == ""
    with database.read() as connection:
        assert roster.next_on_duty(connection, "police", "", START) is None
        assert roster.rank_of(connection, "fire", "", START, b) == 2


def test_who_left_the_directory_is_not_called(database: Database) -> None:
    a, b, _ = people(database)
    made = roster.plan(database, COMMANDER, [shift(a), shift(b, 2)], now=START)
    with pytest.raises(Refused, match="on_duty"):
        cards.end(database, ADMIN, "person", a, 1, now=START)
    roster.plan(database, COMMANDER, [], cancel=[made[0].id], now=START)
    cards.end(database, ADMIN, "person", a, 1, now=START)
    with database.read() as connection:
        found = roster.next_on_duty(connection, "fire", "", START)
    assert found is not None and found.id == b
    entries = [one for one in journal.read(database, 0) if one.subject_type == "shift"]
    assert [one.action for one in entries] == ["shift.planned", "shift.planned", "shift.cancelled"]
    assert "甲" not in str(entries)


def test_only_the_duty_commander_of_the_place_plans_and_nothing_wrong_is_kept(database: Database) -> None:
    a, _, _ = people(database)
    water = Identity("account", "w", "w", "duty_commander", Scope(department="water"))
    made = roster.plan(database, COMMANDER, [shift(a)], now=START)
    with pytest.raises(Forbidden):
        roster.plan(database, OPERATOR, [shift(a)], now=START)
    for wrong in (lambda: [shift(a)], lambda: []):
        with pytest.raises(NotFound):
            roster.plan(database, water, wrong(), cancel=[made[0].id], now=START)
    for bad, code in (
        (shift("nobody"), "shift.person"),
        (shift(a, 0), "shift.rank"),
        (shift(a, hours=0), "shift.times"),
        (shift(a, post=""), "shift.post"),
        (shift(a, department="none"), "department"),
    ):
        with pytest.raises(Refused, match=code):
            roster.plan(database, COMMANDER, [shift(a, 2), bad], now=START)
    with database.read() as connection:
        assert len(roster.planned(connection, WHOLE, START, START + HOUR)) == 1
        assert roster.planned(connection, water.scope, START, START + HOUR) == []


def test_overlaps_and_gaps_are_told() -> None:
    held = [
        shift("a"),
        shift("b", begins=10),
        shift("a", begins=7, hours=2, post="带班"),
        shift("c", begins=12, hours=2),
    ]
    found = roster.troubles(held, START, START + 24 * HOUR)
    assert [
        (one.kind, one.person, (one.starts_at - START) // HOUR, (one.ends_at - START) // HOUR) for one in found
    ] == [
        ("overlap", "a", 7, 8),
        ("gap", "", 8, 10),
        ("twice", "c", 12, 14),
    ]
    assert roster.troubles([shift("a"), shift("b", begins=8)], START, START + 24 * HOUR) == []
