"""What clocks say: near due, overdue and up the chain, each once, whoever says it and however late."""

import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.calendar import Workdays
from config.deadlines import Limits
from config.taxonomy import URGENCIES
from operations import firing, journal
from operations.board import Board, apply
from operations.calendar import Calendar
from operations.deadlines import Deadlines
from operations.entry import Draft, Entry
from operations.errors import OperationsError
from operations.firing import Firing
from operations.orders import rows
from operations.orders.dispatch import OrderDraft, Orders, Wanted
from operations.policy import Identity
from operations.scope import WHOLE, Scope
from operations.ticking import OVERDUE, Clock, next_at
from tests.operations.desk import COMMANDER, DAY, DEADLINES, HOUR, MINUTE, OPERATOR, SECOND, START, ZONE, Desk, report

ROUTINE = "0304"


def clock(desk: Desk, name: str, number: int = 0) -> Clock:
    """A clock of the n-th incident as the board has it."""
    return next(one for one in desk.incident(number).clocks if one.name == name)


def said(desk: Desk) -> list[tuple[str, str]]:
    """(stage, clock) of every entry that a clock wrote."""
    return [(one.action, (one.body or {})["clock"]) for one in desk.entries() if one.action.startswith("clock.")]


def fire(desk: Desk, at: int) -> int:
    """Let it be `at` and say what is due."""
    desk.now = at
    return desk.firing.step(at)


@pytest.mark.database
def test_a_clock_says_near_then_overdue_then_goes_up_each_once(desk: Desk) -> None:
    desk.send(report(type=ROUTINE, urgency="urgent"))
    assert fire(desk, START + 4 * MINUTE - 1) == 0
    for at, wanted in (
        (4 * MINUTE, ["clock.near"]),
        (5 * MINUTE, ["clock.overdue"]),
        (12 * MINUTE, ["clock.near"]),  # of dispatching
    ):
        assert fire(desk, START + at) == len(wanted)
        assert fire(desk, START + at) == 0, "said once"
        assert [one.action for one in desk.entries()[-len(wanted) :]] == wanted
    fire(desk, START + 20 * MINUTE)
    last = [one for one in desk.entries() if one.action == "clock.escalated"][-1].body or {}
    assert (last["clock"], last["level"], last["tells"], last.get("card")) == ("accept", 1, ["duty_commander"], None)
    board, stored = desk.board(), desk.stored(desk.incident().id)
    assert board.incidents[stored.id] == stored
    assert board.overdue_by == {"police": 1} and list(board.pressed) == [stored.id]


def test_what_happened_stops_its_clock(desk: Desk) -> None:
    desk.send(report(type=ROUTINE))
    one = desk.incident()
    desk.commands.acknowledge(OPERATOR, one.id, 1)
    accept = clock(desk, "accept")
    assert accept.done_at is not None and accept.next_at is None
    fire(desk, START + HOUR)
    assert said(desk) == []
    desk.commands.close(OPERATOR, one.id, 2, "resolved")
    assert all(one.done_at for one in desk.incident().clocks)
    assert next_at(desk.incident().clocks) is None
    fire(desk, START + 90 * DAY)
    assert said(desk) == []
    desk.commands.reopen(COMMANDER, one.id, 3, "又坏了")
    assert clock(desk, "accept").started_at == desk.now, "started anew"
    assert clock(desk, "accept").done_at is None


def test_after_downtime_everything_is_said_late_but_once_and_says_so(desk: Desk) -> None:
    desk.send(report(type=ROUTINE, urgency="critical"))
    fire(desk, START + 2 * DAY)
    again = fire(desk, START + 2 * DAY + SECOND)
    found = Counter(said(desk))
    assert again == 0 and set(found.values()) <= {1, 2}
    assert found["clock.near", "accept"] == found["clock.overdue", "accept"] == 1
    assert found["clock.escalated", "accept"] == 2
    late = [(one.body or {})["late_s"] for one in desk.entries() if one.action == "clock.overdue"]
    assert max(late) == 2 * 86_400 - 60
    assert desk.stored(desk.incident().id).card == "red", "closing is overdue for so long"


def test_a_clock_that_speaks_does_not_refuse_what_somebody_is_writing(desk: Desk) -> None:
    desk.send(report(type=ROUTINE, urgency="urgent"))
    one = desk.incident()
    fire(desk, START + 6 * MINUTE)
    desk.commands.acknowledge(OPERATOR, one.id, one.revision)
    assert clock(desk, "accept").told == OVERDUE


@pytest.mark.database
def test_two_keepers_at_once_say_each_thing_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        desk.send(report(f"A{number}", type=ROUTINE, urgency="urgent"))
    other = Firing(desk.database, DEADLINES)
    found = firing._due
    rival = []

    def meanwhile(*given: Any) -> bool:
        """The other one fires between this one's look and its lock."""
        told = found(*given)
        if not rival:
            rival.append(0)
            rival[0] = other.step(desk.now)
        return told

    monkeypatch.setattr(firing, "_due", meanwhile)
    ours = fire(desk, START + 6 * MINUTE)
    assert rival == [6] and ours == 0
    assert set(Counter((one.subject_id, one.action) for one in desk.entries()).values()) == {1}


@pytest.mark.database
def test_a_keeper_that_dies_before_the_commit_has_said_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.send(report(type=ROUTINE, urgency="urgent"))
    write = journal.append

    def killed(transaction: Any, drafts: list[Draft]) -> range:
        write(transaction, drafts)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(journal, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            fire(desk, START + 6 * MINUTE)
    assert said(desk) == []
    assert fire(desk, START + 7 * MINUTE) == 2
    assert said(desk) == [("clock.near", "accept"), ("clock.overdue", "accept")]


def test_a_backlog_is_said_in_bounded_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "BATCH", 2)
    monkeypatch.setattr(firing, "ROUNDS", 2)
    desk.send(*(report(f"A{number}", type=ROUTINE, urgency="urgent") for number in range(7)))
    told = []
    while made := fire(desk, START + 5 * MINUTE - 1):
        told.append(made)
    assert told == [4, 3]


def test_a_clock_ahead_fires_early_and_no_second_time_when_it_goes_back(desk: Desk) -> None:
    desk.send(report(type=ROUTINE))
    fire(desk, START + HOUR)
    before = said(desk)
    for at in (0, 30 * MINUTE, HOUR):
        fire(desk, START + at)
    assert said(desk) == before


FEWER = Deadlines(replace(Limits.load(), escalation={}), Calendar(Workdays.load(), ZONE))
"""The city's deadlines after somebody took the escalations away."""


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["wait", "wait", "fire", "urgency", "acknowledge", "close", "reopen"]), st.integers(0, 5)
    ),
    max_size=30,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS)
def test_every_timer_fires_exactly_once_a_stage(new_desk: Any, events: list[tuple[str, int]]) -> None:
    desk = new_desk()
    desk.send(report(type=ROUTINE, urgency="urgent"))
    for what, number in events:
        one = desk.stored(desk.incident().id)
        with suppress(OperationsError):  # what does not fit simply does not happen
            if what == "wait":
                desk.now += (SECOND, MINUTE, 4 * MINUTE, HOUR, DAY, 5 * DAY)[number]
            elif what == "fire":
                desk.firing.step(desk.now)
            elif what == "urgency":
                desk.commands.urgency(COMMANDER, one.id, one.revision, URGENCIES[number % 3])
            elif what == "close":
                desk.commands.close(COMMANDER, one.id, one.revision, "resolved")
            elif what == "reopen":
                desk.commands.reopen(COMMANDER, one.id, one.revision, "又坏了")
            else:
                desk.commands.acknowledge(COMMANDER, one.id, one.revision)
    desk.firing.step(desk.now)
    entries = desk.entries()
    timers = Counter((one.action, *_timer(one)) for one in entries if one.action.startswith("clock."))
    assert all(count == 1 for count in timers.values()), timers
    board = Board()
    for entry in entries:
        apply(board, entry)
    stored = desk.stored(desk.incident().id)
    assert board.incidents[stored.id] == stored
    waits = next_at(stored.clocks)
    assert waits is None or waits > desk.now, "nothing that is due was left unsaid"


def _timer(entry: Entry) -> tuple[object, ...]:
    body = entry.body or {}
    name = body["clock"]
    started = next(one[1] for one in body["set"]["clocks"] if one[0] == name)
    return name, started, body["due_at"], body.get("level", 0)


@pytest.fixture
def orders(desk: Desk) -> Orders:
    """The commands on orders, with the clock of the desk."""
    return Orders(desk.database, desk.keys, desk.rung.append, zone=ZONE, county="990101", now=desk.tick)


@pytest.mark.database
def test_the_first_order_dispatches_and_the_first_arrival_arrives(desk: Desk, orders: Orders) -> None:
    desk.send(report(type=ROUTINE, urgency="urgent"))
    one = desk.incident()
    fire_brigade = Wanted("department", "fire", "消防救援", "fire", "lead")
    sent = orders.send(OPERATOR, OrderDraft(title="积水", text="", recipients=(fire_brigade,), incident=one.id))
    assert clock(desk, "dispatch").done_at == sent.sent_at
    assert clock(desk, "arrive").done_at is None
    there = Identity("account", "f1", "fireman", "liaison", Scope(department="fire"))
    orders.answer(there, sent.id, "department:fire", "arrived")
    assert clock(desk, "arrive").done_at is not None
    assert desk.incident() == desk.stored(one.id)
    orders.answer(there, sent.id, "department:fire", "progress")
    met = [(entry.body or {})["clock"] for entry in desk.entries() if entry.action == "clock.met"]
    assert met == ["arrive"]


@pytest.mark.database
def test_two_keepers_say_each_thing_of_a_recipient_once(desk: Desk, orders: Orders) -> None:
    recipients = tuple(Wanted("department", code, code, code) for code in ("fire", "police", "environment"))
    orders.send(OPERATOR, OrderDraft(title="会商", text="", recipients=recipients, sign_minutes=10))
    desk.now += 11 * MINUTE
    other = Firing(desk.database, DEADLINES)
    made = [keeper.step(desk.now) for keeper in (desk.firing, other, desk.firing)]
    assert made == [6, 0, 0]
    told = Counter((one.action, (one.body or {})["recipient"]) for one in desk.entries() if one.action[:5] == "clock")
    assert len(told) == 6 and set(told.values()) == {1}


@pytest.mark.database
def test_clocks_with_fewer_steps_meanwhile_are_adjusted_by_an_entry(desk: Desk, orders: Orders) -> None:
    desk.send(report(type=ROUTINE, urgency="urgent"))
    fire_brigade = Wanted("department", "fire", "消防救援", "fire", "lead")
    draft = OrderDraft(title="会商", text="", recipients=(fire_brigade,), urgency="urgent", sign_minutes=10)
    sent = orders.send(OPERATOR, draft)
    fire(desk, START + 19 * MINUTE)
    before, keeper = len(desk.entries()), Firing(desk.database, FEWER)
    assert (keeper.step(START + 27 * MINUTE), keeper.step(START + 27 * MINUTE)) == (2, 0)
    fresh = desk.entries()[before:]
    assert [(one.action, one.subject_type) for one in fresh] == [
        ("clock.adjusted", "incident"), ("clock.adjusted", "order"),
    ]  # fmt: skip
    board = desk.board()
    assert board.incidents[desk.incident().id] == desk.stored(desk.incident().id)
    with desk.database.read() as connection:
        assert board.orders[sent.id] == rows.find(connection, WHOLE, sent.id)


DIES = """
import sys
from operations import journal
from operations.database import Database
from operations.firing import Firing
from tests.operations.desk import DEADLINES

def said(transaction, drafts):
    append(transaction, drafts)
    print(len(drafts), flush=True)
    sys.stdin.read()  # killed here, everything written and nothing committed

append, journal.append = journal.append, said
Firing(Database(sys.argv[1]), DEADLINES).step(int(sys.argv[2]))
"""


@pytest.mark.database
def test_a_keeper_killed_between_saying_and_committing_has_said_nothing(desk: Desk, database_url: str) -> None:
    desk.send(report(type=ROUTINE, urgency="urgent"))
    at = START + 6 * MINUTE
    command = [sys.executable, "-c", DIES, database_url, str(at)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None and keeper.stdout.readline() == b"2\n"
        keeper.kill()
    assert said(desk) == []
    assert (fire(desk, at + SECOND), fire(desk, at + SECOND)) == (2, 0)
    assert said(desk) == [("clock.near", "accept"), ("clock.overdue", "accept")]
