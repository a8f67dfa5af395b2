"""The loop on a real database: six steps to the end, who may, what is needed, what is taken back, what sources say."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from config import flows as files
from operations.errors import Conflict, Forbidden, NotFound, OperationsError, Refused
from operations.incident import Incident
from operations.incidents import flow, moves
from operations.incidents.moves import NOTHING, Asked
from operations.orders import matter
from operations.policy import Identity
from operations.scope import WHOLE
from tests.operations.desk import COMMANDER, LEADER, OPERATOR, Desk, report

pytestmark = pytest.mark.database

LIAISON = Identity("account", "x1", "liaison", "liaison")
DONE = Asked(text="已修好", result="resolved")


@pytest.fixture
def incident(desk: Desk) -> Incident:
    """An open incident of a type that takes the six steps."""
    desk.send(report())
    return desk.incident()


def go(desk: Desk, code: str, asked: Asked = NOTHING, who: Identity = OPERATOR) -> Incident:
    """Make a move of the only incident at its present revision; row and board agree after it."""
    one = desk.incident()
    after = desk.commands.loop.move(who, one.id, one.revision, code, asked)
    assert after == desk.stored(one.id) == desk.incident()
    return after


def test_six_steps_to_the_end(desk: Desk, incident: Incident) -> None:
    told = [
        go(desk, "triage"),
        go(desk, "handle"),
        go(desk, "reply", Asked(text="已修好"), LIAISON),
        go(desk, "submit"),
        go(desk, "accept"),
        go(desk, "followed", Asked(result="resolved", follow_up="reached", satisfaction=5)),
    ]
    assert [one.step for one in told] == ["triage", "handle", "reply", "review", "follow_up", "closed"]
    assert (told[0].flow, told[0].acknowledged_by, told[0].moved_at) == ("six_steps", "operator", told[0].updated_at)
    assert [one.reply for one in told] == ["", "", "sent", "sent", "accepted", "accepted"]
    assert (told[-1].satisfaction, told[-1].closed_by, told[-1].result) == (5, "operator", "resolved")
    assert [entry.action for entry in desk.entries()][-2:] == ["incident.moved", "incident.closed"]
    assert "已修好" not in repr(desk.entries())


def test_what_is_returned_is_counted_and_reopening_begins_anew(desk: Desk, incident: Incident) -> None:
    go(desk, "handle")
    go(desk, "reply", Asked(text="已修好"))
    back = go(desk, "return", Asked(text="照片不清"))
    assert (back.step, back.returns, back.reply) == ("handle", 1, "returned")
    closed = desk.commands.close(OPERATOR, back.id, back.revision, "resolved")
    assert closed.stage == "" and closed.moved_at == closed.closed_at
    again = desk.commands.reopen(COMMANDER, closed.id, closed.revision, "又坏了")
    assert (again.step, again.reply, again.flow) == ("register", "", "six_steps")
    assert again == desk.incident()


@pytest.mark.parametrize(
    ("who", "code", "asked", "error"),
    [
        (LEADER, "triage", NOTHING, Forbidden),
        (LIAISON, "triage", NOTHING, Forbidden),
        (OPERATOR, "accept", NOTHING, Refused),
        (OPERATOR, "nothing", NOTHING, Refused),
        (OPERATOR, "back", NOTHING, Refused),
    ],
)
def test_what_cannot_be_done(
    desk: Desk, incident: Incident, who: Identity, code: str, asked: Asked, error: type[OperationsError]
) -> None:
    go(desk, "handle")
    with pytest.raises(error):
        go(desk, code, asked, who)
    assert desk.stored(incident.id).step == "handle"


def test_who_may_not_learns_nothing_of_what_there_is(desk: Desk, incident: Incident) -> None:
    with pytest.raises(NotFound):
        desk.commands.loop.move(OPERATOR, "0190-absent", 1, "triage", NOTHING)
    with pytest.raises(Forbidden):
        desk.commands.loop.move(LEADER, "0190-absent", 1, "triage", NOTHING)


def test_the_second_of_two_is_told(desk: Desk, incident: Incident) -> None:
    desk.commands.loop.move(OPERATOR, incident.id, 1, "triage", NOTHING)
    with pytest.raises(Conflict) as told:
        desk.commands.loop.move(COMMANDER, incident.id, 1, "handle", NOTHING)
    assert told.value.current.step == "triage"


def test_a_move_is_taken_back_exactly_by_who_made_it_while_nothing_followed(desk: Desk, incident: Incident) -> None:
    go(desk, "triage")
    before = desk.incident()
    after = go(desk, "handle")
    with pytest.raises(Refused, match="no_undo"):
        desk.commands.loop.undo(COMMANDER, after.id, after.revision)
    back = desk.commands.loop.undo(OPERATOR, after.id, after.revision)
    assert back == desk.incident() == desk.stored(back.id)
    same = {name: getattr(before, name) for name in moves.KEPT}
    assert {name: getattr(back, name) for name in moves.KEPT} == same
    with pytest.raises(Refused, match="no_undo"):
        desk.commands.loop.undo(OPERATOR, back.id, back.revision)
    after = go(desk, "handle")
    desk.commands.note(OPERATOR, after.id, 0, "已到现场")
    with pytest.raises(Refused, match="no_undo"):
        desk.commands.loop.undo(OPERATOR, after.id, after.revision + 1)


def test_a_follow_up_that_is_due_is_not_skipped_silently(desk: Desk) -> None:
    desk.send(report(type="0605"))
    one = desk.incident()
    with pytest.raises(Refused, match="follow_up_due"):
        desk.commands.close(OPERATOR, one.id, one.revision, "resolved", "送去了")
    with pytest.raises(Refused, match="follow_up_due"):
        desk.commands.close(COMMANDER, one.id, one.revision, "resolved")
    for code, asked in (("handle", NOTHING), ("reply", Asked(text="送去了")), ("submit", NOTHING)):
        go(desk, code, asked)
    with pytest.raises(Refused, match="follow_up_due"):
        go(desk, "finish", DONE)
    go(desk, "accept")
    with pytest.raises(Refused, match="follow_up_missing"):
        go(desk, "followed", DONE)
    with pytest.raises(Refused, match="satisfaction_missing"):
        go(desk, "followed", Asked(result="resolved", follow_up="reached"))
    with pytest.raises(Refused, match="follow_up_due"):
        go(desk, "followed", Asked(text="不便打扰", result="resolved", follow_up="waived"))
    waived = go(desk, "followed", Asked(text="不便打扰", result="resolved", follow_up="waived"), COMMANDER)
    assert (waived.step, waived.follow_up) == ("closed", "waived")


def test_what_was_untrue_needs_no_follow_up_and_a_commander_leaves_one_out_by_saying_why(desk: Desk) -> None:
    desk.send(report(type="0605"), report("A2", type="0605"))
    first, second = desk.board().incidents.values()
    assert desk.commands.close(OPERATOR, first.id, 1, "untrue", "无此事").follow_up == ""
    assert desk.commands.close(COMMANDER, second.id, 1, "resolved", "家属不便").follow_up == "waived"


def test_suspended_it_makes_no_move_and_is_not_closed_until_it_is_resumed(desk: Desk, incident: Incident) -> None:
    loop = desk.commands.loop
    with pytest.raises(Refused, match="text_missing"):
        loop.suspend(OPERATOR, incident.id, 1, "")
    held = loop.suspend(OPERATOR, incident.id, 1, "等配件")
    assert held.suspended_at == desk.now and moves.possible(loop.of(held), held) == []
    for command in (
        lambda: go(desk, "triage"),
        lambda: desk.commands.close(OPERATOR, held.id, 2, "resolved"),
        lambda: loop.transfer(OPERATOR, held.id, 2, "fire", "转办"),
        lambda: loop.suspend(OPERATOR, held.id, 2, "再等"),
    ):
        with pytest.raises(Refused, match="suspended"):
            command()
    assert loop.resume(OPERATOR, held.id, 2).suspended_at is None
    assert go(desk, "triage").step == "triage"


def test_more_time_is_asked_for_and_the_commander_rules(desk: Desk, incident: Incident) -> None:
    loop = desk.commands.loop
    asked = loop.ask(LIAISON, incident.id, 1, 120, "配件未到")
    assert (asked.extension, asked.extension_minutes) == ("asked", 120)
    with pytest.raises(Forbidden):
        loop.rule(OPERATOR, incident.id, 2, True)
    with pytest.raises(Refused, match="extension_asked"):
        loop.ask(LIAISON, incident.id, 2, 60, "再要")
    with pytest.raises(Refused, match="text_missing"):
        loop.rule(COMMANDER, incident.id, 2, False)
    assert loop.rule(COMMANDER, incident.id, 2, True).extension == "approved"
    with pytest.raises(Refused, match="no_extension"):
        loop.rule(COMMANDER, incident.id, 3, True)


def test_it_is_given_only_to_whom_may_be_given_it(desk: Desk, incident: Incident) -> None:
    loop = desk.commands.loop
    loop.admits = lambda department, kind, chain: department == "fire" and kind == "0304" and bool(chain)
    with pytest.raises(Refused, match="not_admitted"):
        loop.transfer(OPERATOR, incident.id, 1, "health", "不归我管")
    with pytest.raises(Refused, match="same_department"):
        loop.transfer(OPERATOR, incident.id, 1, "police", "不归我管")
    given = loop.transfer(OPERATOR, incident.id, 1, "fire", "归消防")
    entry = desk.entries()[-1]
    assert (given.department, entry.scope_department_before, entry.scope_department) == ("fire", "police", "fire")


def test_grades_are_set_by_who_may(desk: Desk, incident: Incident) -> None:
    loop = desk.commands.loop
    with pytest.raises(Forbidden):
        loop.grade(OPERATOR, incident.id, 1, "large")
    assert loop.grade(LEADER, incident.id, 1, "large").grade == "large"
    with pytest.raises(Refused, match="unknown_grade"):
        loop.grade(LEADER, incident.id, 2, "red")
    assert loop.grade(LEADER, incident.id, 2, "").grade == ""


def test_a_list_is_struck_off_in_any_order_without_revisions_before_it_is_verified(desk: Desk) -> None:
    desk.send(report(type="0301"))
    loop, one = desk.commands.loop, desk.incident()
    go(desk, "list")
    go(desk, "mend")
    added = loop.add(OPERATOR, one.id, "更换灭火器")
    assert [item.code for item in added.items] == ["measure", "photo", "owner", "1"]
    with pytest.raises(Refused, match="items_left"):
        go(desk, "verify")
    for code in ("1", "owner", "measure", "photo"):
        loop.strike(LIAISON, one.id, code)
    with pytest.raises(Refused, match="item_struck"):
        loop.strike(OPERATOR, one.id, "photo")
    assert loop.strike(OPERATOR, one.id, "photo", back=True) == desk.incident() == desk.stored(one.id)
    loop.strike(OPERATOR, one.id, "photo")
    go(desk, "verify")
    with pytest.raises(Refused, match="no_short_close"):
        desk.commands.close(COMMANDER, one.id, desk.incident().revision, "resolved", "好了")
    assert go(desk, "finish", DONE).step == "closed"
    assert "更换灭火器" not in repr(desk.entries())


def test_who_whistled_evaluates(desk: Desk) -> None:
    desk.send(report(source="desk", written_by=OPERATOR.actor))
    loop, one = desk.commands.loop, desk.incident()
    loop.choose(OPERATOR, one.id, 1, "whistle")
    for code, asked in (("check_in", NOTHING), ("dispose", NOTHING), ("feedback", Asked(text="已清理"))):
        with pytest.raises(Refused, match="too_early"):
            loop.evaluate(OPERATOR, one.id, 4)
        go(desk, code, asked)
    with pytest.raises(Refused, match="not_initiator"):
        loop.evaluate(COMMANDER, one.id, 4)
    assert loop.evaluate(OPERATOR, one.id, 4, "来得快").evaluation == 4
    with pytest.raises(Refused, match="evaluated"):
        loop.evaluate(OPERATOR, one.id, 5)


def test_what_a_source_says_moves_it_forward_only_and_never_to_its_end(desk: Desk) -> None:
    desk.send(report(source="canberra", status="Resource Allocation Pending"))
    steps = []
    said = ("Units On Route", "On Scene", "Out / Completed", "On Scene", "gone", "Finished")
    for number, status in enumerate(said, 2):
        presence = "gone" if status == "gone" else "present"
        desk.send(report(revision=str(number), source="canberra", status=status, presence=presence))
        assert desk.incident() == desk.stored(desk.incident().id)
        steps.append(desk.incident().step)
    assert steps == ["handle", "handle", "reply", "reply", "reply", "reply"]
    back = go(desk, "return", Asked(text="仍有树枝"))
    desk.send(report(revision="8", source="canberra", status="Finished", title="再报"))
    assert desk.incident().step == back.step == "handle"
    desk.send(report(revision="9", source="canberra", status="Units On Route"))
    desk.send(report(revision="91", source="canberra", status="Finished"))
    assert desk.incident().step == "reply"


@pytest.mark.parametrize(
    ("code", "before", "came_to", "expected"),
    [
        ("six_steps", "register", "sent", ("handle", "")),
        ("whistle", "whistle", "sent", ("handle", "report_in")),
        ("whistle", "dispose", "replied", ("review", "appraise")),
        ("four_steps", "evaluate", "accepted", ("review", "evaluate")),
        ("mediation", "agreement", "returned", ("handle", "people")),
        ("three_gates", "settle", "undone", ("register", "entry")),
    ],
)
def test_what_its_order_comes_to_moves_it_in_its_own_flow(
    desk: Desk, incident: Incident, code: str, before: str, came_to: str, expected: tuple[str, str]
) -> None:
    step = files.load().by_code[code].step(before)
    assert step is not None
    one = structs.replace(incident, flow=code, **flow.at(step, 5))
    after = structs.replace(one, **matter.by_flow(one, came_to, 9))
    assert (after.step, after.stage, after.flow) == (*expected, code)
    held = structs.replace(one, suspended_at=7)
    assert matter.by_flow(held, came_to, 9).keys() <= {"reply", "returns"}


def test_a_flow_that_is_gone_leaves_a_way(desk: Desk, incident: Incident, folder: Path) -> None:
    loop = desk.commands.loop
    loop.choose(OPERATOR, incident.id, 1, "whistle")
    go(desk, "summon")
    bare = files.Flows({files.DEFAULT: files.BARE})
    there: Callable[[], files.Flows] = lambda: bare  # noqa: E731
    loop.flows = there
    one = desk.incident()
    assert (loop.standing(one).code, loop.of(one).code) == ("triage", "six_steps")
    assert [move.code for move in moves.possible(loop.of(one), one)] == ["handle"]
    assert WHOLE.city
