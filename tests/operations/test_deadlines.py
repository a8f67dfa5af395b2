"""What changes clocks: another kind, suspension, extension; and files of deadlines that contradict themselves."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from config.deadlines import FILE, DeadlinesError, Limits
from config.taxonomy import URGENCIES, Taxonomy
from operations.incident import Incident
from operations.ticking import NEAR, OVERDUE, Clock, next_at
from tests.operations.desk import DAY, DEADLINES, HOUR, MINUTE, START

HOTLINE = "0601"
"""What citizens ask for: its deadlines are in working time."""


def incident(kind: str = "0304", urgency: str = "routine", **values: Any) -> Incident:
    """An incident received at START (Friday, 16:00 in Shanghai) with its clocks."""
    fixed = dict.fromkeys(("id", "number", "county", "title", "department", "source", "report_id"), "x")
    times = dict.fromkeys(("occurred_at", "received_at", "opened_at", "updated_at"), START)
    clocks = DEADLINES.started(kind, urgency, START)
    return Incident(**fixed, **times, revision=1, type=kind, urgency=urgency, clocks=clocks, **values)  # type: ignore[arg-type]


def changed(before: Incident, now: int, **values: Any) -> Incident:
    """The incident after a change, with what that does to its clocks."""
    after = structs.replace(before, **values)
    return structs.replace(after, **DEADLINES.after(before, after, now))


def clock(one: Incident, name: str) -> Clock:
    """One of its clocks."""
    return next(each for each in one.clocks if each.name == name)


def test_more_urgent_ends_sooner_from_the_change_and_never_later_than_it_was() -> None:
    raised = changed(incident(), START + HOUR, urgency="urgent")
    assert clock(raised, "dispatch").due_at == START + HOUR + 15 * MINUTE
    assert clock(raised, "accept").due_at == START + 30 * MINUTE, "it was over before"
    assert clock(raised, "arrive").due_at == START + 2 * HOUR, "a clock it had not starts with the change"
    back = changed(raised, START + 70 * MINUTE, urgency="routine")
    assert clock(back, "dispatch").due_at == START + 2 * HOUR, "from its start again"
    assert clock(back, "arrive").done_at == START + 70 * MINUTE, "a clock it has not stops"


def test_a_suspended_clock_goes_on_with_what_was_left() -> None:
    before = incident()
    held = changed(before, START + HOUR, suspended_at=START + HOUR)
    assert DEADLINES.fire(held.clocks, "routine", START + 90 * DAY)[1] == [], "it says nothing meanwhile"
    again = changed(held, START + HOUR + DAY, suspended_at=None)
    assert clock(again, "dispatch").due_at == clock(before, "dispatch").due_at + DAY
    assert clock(again, "close").next_at == clock(before, "close").near_at + DAY


def test_working_time_goes_on_as_working_time() -> None:
    before = incident(HOTLINE)
    held = changed(before, START + HOUR, suspended_at=START + HOUR)  # half an hour of work is left on Friday
    monday = START + 2 * DAY + 17 * HOUR  # Monday, 09:00
    again = changed(held, monday, suspended_at=None)
    left = DEADLINES._calendar.between(START + HOUR, clock(before, "dispatch").due_at)  # type: ignore[union-attr]
    assert DEADLINES._calendar.between(monday, clock(again, "dispatch").due_at) == left  # type: ignore[union-attr]
    assert clock(again, "close").due_at > clock(before, "close").due_at


def test_what_was_said_holds_only_as_far_as_it_still_does() -> None:
    one = incident(urgency="urgent")
    clocks, said = DEADLINES.fire(one.clocks, "urgent", START + 16 * MINUTE)
    assert {(each.clock.name, each.stage) for each in said} >= {("dispatch", "near"), ("dispatch", "overdue")}
    later = DEADLINES.extended(
        structs.replace(one, clocks=clocks), "dispatch", START + 18 * MINUTE, START + 16 * MINUTE
    )
    found = next(each for each in later if each.name == "dispatch")
    assert (found.told, found.next_at) == (NEAR, found.due_at)
    assert next(each for each in later if each.name == "accept").told >= OVERDUE


def test_a_grade_goes_before_type_and_urgency() -> None:
    graded = changed(incident(), START + MINUTE, grade="special")
    assert clock(graded, "arrive").due_at == START + 16 * MINUTE
    assert clock(graded, "close").due_at == START + 30 * DAY, "what the grade does not say stays"


def test_the_more_urgent_the_sooner() -> None:
    taxonomy = Taxonomy.load()
    for one in taxonomy.leaves():
        for name in ("accept", "dispatch", "close"):
            dues = [
                next(each.due_at for each in DEADLINES.started(one.code, urgency, START) if each.name == name)
                for urgency in URGENCIES
            ]
            assert dues == sorted(dues, reverse=True), (one.code, name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('accept = "30m"', 'accept = "half an hour"', "urgency.routine.accept"),
        ('accept = "30m"', 'answer = "30m"', "names 'answer'"),
        ('close = "30d"', 'close = "900d"', "longer than a year"),
        ("[type.06.routine]", "[type.77.routine]", "type.77 is no type"),
        ("[grade.special]", "[grade.huge]", "names 'huge'"),
        ("near_percent = 80", "near_percent = 100", "between 1 and 99"),
        ('after = "1d"', 'after = "1h"', "each step comes after"),
        ('near = ["operator"]', 'near = ["anybody"]', "names 'anybody'"),
        ('card = "yellow"', 'card = "black"', "names 'black'"),
    ],
)
def test_a_wrong_file_is_refused_and_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "deadlines.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DeadlinesError, match=message):
        Limits.load(path)


def test_what_starts_together_starts_alike_and_what_speaks_first_is_found() -> None:
    together = DEADLINES.started("0304", "urgent", START)
    assert DEADLINES.started("0304", "urgent", START) is together, "made once"
    assert DEADLINES.started("0304", "urgent", START + MINUTE)[0].due_at == together[0].due_at + MINUTE
    assert DEADLINES.started("0304", "urgent", START) == together
    assert next_at(together) == min(one.near_at for one in together)
    held = tuple(structs.replace(one, paused_at=START) for one in together[1:])
    stopped = structs.replace(together[0], done_at=START)
    assert next_at((stopped, *held)) is None
    assert next_at((stopped, structs.replace(together[1], next_at=None), together[2])) == together[2].next_at
