"""Walks through every shipped flow, as hypothesis draws them: always a way out; row and board agree after each move.

The pure walk takes any move with whatever it needs; the other plays real commands on a real database.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from config import flows as files
from config.flow import Flow
from operations.errors import Conflict, OperationsError
from operations.incident import Incident
from operations.incidents import flow as flowing
from operations.incidents import moves, overlay
from operations.incidents.moves import Asked
from tests.operations.desk import COMMANDER, OPERATOR, Desk, report
from tests.operations.test_loop import LIAISON

FLOWS = files.load()
TYPES = ("0304", "0605", "0101", "0301", "0601")
MINUTE = 60_000_000
BASE = Incident(
    id="0190",
    number="1",
    county="990101",
    revision=1,
    type="0304",
    title="红灯不亮",
    department="police",
    source="hotline",
    report_id="A1",
    occurred_at=0,
    received_at=0,
    opened_at=0,
    updated_at=0,
)


def ways_out(flow: Flow, one: Incident) -> bool:
    """Whether somebody can bring it to its end from here: one move after another, or by what holds it up."""
    seen, open_ones = set(), [flowing.standing(flow, one).code]
    while open_ones:
        code = open_ones.pop()
        if code in seen:
            continue
        seen.add(code)
        step = flow.step(code)
        if step is None or step.kind == "closed":
            return step is not None
        struck = tuple(structs.replace(item, struck_at=1) for item in overlay.listed(flow, one))
        there = structs.replace(one, **flowing.at(step, 0), suspended_at=None, items=struck)
        open_ones += [move.to for move in moves.possible(flow, there)]
    return False


class Walk(RuleBasedStateMachine):
    """One incident in one flow; time goes on by a minute a step."""

    @initialize(code=st.sampled_from(sorted(FLOWS.by_code)), kind=st.sampled_from(TYPES), key=st.integers(0, 99))
    def opened(self, code: str, kind: str, key: int) -> None:
        self.flow, self.now = FLOWS.by_code[code], 0
        self.one = structs.replace(BASE, id=str(key), type=kind, flow=code, **flowing.at(self.flow.steps[0], 0))

    def take(self, step: Any) -> None:
        self.now += MINUTE
        self.one = structs.replace(self.one, **step.changes, revision=self.one.revision + 1)

    @precondition(lambda self: bool(moves.possible(self.flow, self.one)))
    @rule(data=st.data(), score=st.integers(1, 5), reached=st.sampled_from(["reached", "unreachable", "waived"]))
    def move(self, data: st.DataObject, score: int, reached: str) -> None:
        chosen = data.draw(st.sampled_from(moves.possible(self.flow, self.one)))
        result = "resolved" if "text" not in chosen.needs else "untrue"
        asked = Asked("已处理", result, "fire", reached, score if reached == "reached" else 0, waives=True)
        before = self.one
        made = moves.made(self.flow, before, chosen.code, asked, self.now, "zhang")
        self.take(made)
        if "undo" in made.more:
            back = moves.undone(self.one, made.more, self.now, self.now)
            again = structs.replace(self.one, **back.changes, revision=before.revision)
            assert again == before

    @precondition(lambda self: self.one.is_open)
    @rule(data=st.data())
    def overlays(self, data: st.DataObject) -> None:
        one, now = self.one, self.now
        codes = [item.code for item in overlay.listed(self.flow, one)] or ["none"]
        code, back = data.draw(st.sampled_from(codes)), data.draw(st.booleans())
        todo = {
            "suspend": lambda: overlay.suspended(one, "等配件", now),
            "resume": lambda: overlay.resumed(one, ""),
            "ask": lambda: overlay.asked(one, 60, "再等等"),
            "rule": lambda: overlay.ruled(one, back, "理由"),
            "add": lambda: overlay.added(self.flow, one, "一项"),
            "strike": lambda: overlay.struck(self.flow, one, code, now, "zhang", back=back),
            "transfer": lambda: overlay.transferred(one, "fire", True, "转办"),
        }
        try:
            self.take(todo[data.draw(st.sampled_from(sorted(todo)))]())
        except OperationsError:
            return

    @precondition(lambda self: not self.one.is_open)
    @rule()
    def reopen(self) -> None:
        self.one = structs.replace(self.one, **flowing.reopened(self.flow, self.now), closed_at=None, result="")

    @invariant()
    def there_is_a_way_out(self) -> None:
        if not hasattr(self, "one"):
            return
        one = self.one
        assert flowing.standing(self.flow, one).kind == one.step
        assert (one.step == "closed") is (one.closed_at is not None)
        held = one.suspended_at is not None
        assert not one.is_open or (held and not moves.possible(self.flow, one)) or ways_out(self.flow, one)
        due = flowing.follow_up_due(self.flow, one, one.result or "resolved")
        assert one.is_open or not due, "the follow-up was skipped"


Walk.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestWalk = Walk.TestCase


PLAYS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.sampled_from(TYPES)), min_size=4, max_size=18)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(play=PLAYS)
def test_row_and_board_agree_after_every_command(
    play: list[tuple[int, int, str]], new_desk: Callable[[], Desk]
) -> None:
    desk = new_desk()
    desk.send(report(type=play[0][2]))
    for what, which, _ in play:
        one = desk.incident()
        try:
            act(desk, one, what, which)
        except Conflict:
            pytest.fail("nobody else was at work")
        except OperationsError:
            pass
        assert desk.incident() == desk.stored(one.id)


def act(desk: Desk, one: Incident, what: int, which: int) -> None:
    """Do one thing of many to the incident."""
    loop, key, revision = desk.commands.loop, one.id, one.revision
    able = moves.possible(loop.of(one), one)
    if what < 5 and able:
        move = able[which % len(able)]
        asked = Asked("已处理", "resolved" if "text" not in move.needs else "untrue", "fire", "reached", 4)
        loop.move(COMMANDER, key, revision, move.code, asked)
    elif not one.is_open:
        desk.commands.reopen(COMMANDER, key, revision, "又坏了")
    elif one.suspended_at is not None:
        loop.resume(OPERATOR, key, revision)
    else:
        items = [item.code for item in overlay.listed(loop.of(one), one)] or ["1"]
        todo = (
            lambda: loop.undo(COMMANDER, key, revision),
            lambda: loop.suspend(OPERATOR, key, revision, "等配件"),
            lambda: loop.strike(LIAISON, key, items[which % len(items)]),
            lambda: loop.ask(LIAISON, key, revision, 60, "再等等"),
            lambda: loop.rule(COMMANDER, key, revision, True),
            lambda: desk.commands.close(COMMANDER, key, revision, "resolved", "办完了"),
        )
        todo[which]()
