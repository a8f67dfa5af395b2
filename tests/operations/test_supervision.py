"""Supervision 督办, cards, and why something was late: beside the way, each an entry, and no revision compared."""

import pytest

from operations.errors import Forbidden, Refused
from operations.incidents.supervision import unexplained
from tests.operations.desk import COMMANDER, DAY, HOUR, LEADER, MINUTE, OPERATOR, START, Desk, report


@pytest.fixture
def one(desk: Desk) -> str:
    """The id of an urgent incident."""
    desk.send(report(urgency="urgent"))
    return desk.incident().id


def test_supervision_has_a_clock_of_its_own_and_leaves_the_step_alone(desk: Desk, one: str) -> None:
    before = desk.incident()
    after = desk.commands.supervise(LEADER, one, "群众反映强烈")
    assert after.step == before.step and after.supervised_at == desk.now
    clock = next(each for each in after.clocks if each.name == "supervise")
    assert clock.due_at == desk.now + DAY
    ended = desk.commands.unsupervise(COMMANDER, one)
    assert ended.supervised_at is None and next(c for c in ended.clocks if c.name == "supervise").done_at == desk.now
    again = desk.commands.supervise(LEADER, one, "又来了")
    assert [c.started_at for c in again.clocks if c.name == "supervise"] == [desk.now], "a clock anew"
    assert desk.board().incidents[one] == desk.stored(one)


def test_what_supervision_may_not(desk: Desk, one: str) -> None:
    with pytest.raises(Forbidden):
        desk.commands.supervise(OPERATOR, one, "不该")
    with pytest.raises(Forbidden):
        desk.commands.card(OPERATOR, one, "red", "不该")
    with pytest.raises(Refused):
        desk.commands.unsupervise(LEADER, one)
    with pytest.raises(Refused):
        desk.commands.card(LEADER, one, "blue", "没有这种")
    with pytest.raises(Refused):
        desk.commands.supervise(LEADER, one, "")
    desk.commands.close(OPERATOR, one, 1, "resolved")
    with pytest.raises(Refused):
        desk.commands.supervise(LEADER, one, "已经办结")


def test_cards_by_hand_and_by_rule(desk: Desk, one: str) -> None:
    assert desk.commands.card(LEADER, one, "yellow", "催办无果").card == "yellow"
    assert desk.commands.card(LEADER, one, "", "已整改").card == ""
    desk.now = START + 3 * DAY + 16 * MINUTE
    desk.firing.step(desk.now)
    assert desk.stored(one).card == "yellow", "closing is overdue"
    desk.commands.card(COMMANDER, one, "red", "人工升级")
    desk.now += HOUR
    desk.firing.step(desk.now)
    assert desk.stored(one).card == "red", "a rule takes no card back"
    assert desk.board().incidents[one] == desk.stored(one)


def test_why_late_is_asked_of_each_clock_that_was_late_until_somebody_said(desk: Desk, one: str) -> None:
    with pytest.raises(Refused):
        desk.commands.explain(OPERATOR, one, "accept", "weather")
    desk.now = START + 6 * MINUTE
    desk.commands.acknowledge(OPERATOR, one, 1)
    assert unexplained(desk.stored(one)) == ["accept"], "late though no keeper said so"
    with pytest.raises(Refused):
        desk.commands.explain(OPERATOR, one, "accept", "because")
    with pytest.raises(Refused):
        desk.commands.explain(OPERATOR, one, "accept", "other")
    desk.commands.explain(OPERATOR, one, "accept", "no_capacity", "同时三起")
    assert unexplained(desk.stored(one)) == []
    entry = desk.entries()[-1]
    assert (entry.action, entry.reason, (entry.body or {})["clock"]) == ("incident.explained", "no_capacity", "accept")
    assert "同时三起" not in str(entry.body)
    told = desk.commands.history(COMMANDER, one)[-1].body or {}
    assert told["words"] == {"note": "同时三起"}
    desk.commands.close(OPERATOR, one, desk.stored(one).revision, "resolved")
    reopened = desk.commands.reopen(COMMANDER, one, desk.stored(one).revision, "又坏了")
    assert unexplained(reopened) == []
    desk.now += 10 * MINUTE
    desk.commands.acknowledge(OPERATOR, one, reopened.revision)
    assert unexplained(desk.stored(one)) == ["accept"], "asked anew of a clock that started anew"
