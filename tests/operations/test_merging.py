"""Merging and splitting: restored exactly when nothing followed, told what stays where something did."""

import pytest
from msgspec import structs

from operations import snapshot
from operations.errors import NotFound, Refused
from operations.incident import Incident
from operations.policy import Identity
from operations.scope import Scope
from tests.operations.desk import COMMANDER, LEAVES, OPERATOR, Desk, report

pytestmark = pytest.mark.database


def two(desk: Desk, urgency: str = "routine") -> tuple[Incident, Incident]:
    """Two open incidents; the second is of `urgency`."""
    desk.send(report("A1"), report("B2", urgency=urgency))
    found = sorted(desk.board().incidents.values(), key=lambda one: one.report_id)
    return found[0], found[1]


def plain(incident: Incident) -> Incident:
    """An incident without what every change counts on."""
    return structs.replace(incident, revision=0, updated_at=0)


def test_split_restores_both_exactly_when_nothing_followed(desk: Desk) -> None:
    whole, part = two(desk, "critical")
    after = desk.commands.merge(OPERATOR, whole.id, whole.revision, [part.id])
    assert after.merged == (part.id,) and after.urgency == "critical"
    merged = desk.board().incidents[part.id]
    assert (merged.step, merged.result, merged.merged_into) == ("closed", "merged", whole.id)
    back, stays = desk.commands.split(OPERATOR, part.id)
    assert stays == [] and plain(back) == plain(part)
    assert plain(desk.board().incidents[whole.id]) == plain(whole)
    assert desk.board() == snapshot.load(desk.database)


def test_split_says_what_stays_where_something_followed(desk: Desk) -> None:
    whole, part = two(desk, "critical")
    after = desk.commands.merge(OPERATOR, whole.id, whole.revision, [part.id])
    taken = desk.commands.acknowledge(OPERATOR, whole.id, after.revision)
    _, stays = desk.commands.split(OPERATOR, part.id)
    left = desk.board().incidents[whole.id]
    assert stays == ["urgency"] and left.urgency == "critical" and left.acknowledged_at == taken.acknowledged_at


def test_another_part_as_grave_keeps_the_whole_grave(desk: Desk) -> None:
    desk.send(report("A1"), report("B2", urgency="critical"), report("C3", urgency="critical"))
    whole, one, other = sorted(desk.board().incidents.values(), key=lambda item: item.report_id)
    desk.commands.merge(OPERATOR, whole.id, whole.revision, [one.id])
    desk.commands.merge(OPERATOR, whole.id, desk.board().incidents[whole.id].revision, [other.id])
    _, stays = desk.commands.split(OPERATOR, one.id)
    assert stays == ["urgency"] and desk.board().incidents[whole.id].urgency == "critical"


def test_what_cannot_be_merged_is_named_and_nothing_is_written(desk: Desk) -> None:
    whole, part = two(desk)
    seq = desk.board().seq
    with pytest.raises(Refused):
        desk.commands.merge(OPERATOR, whole.id, whole.revision, [whole.id])
    with pytest.raises(NotFound):
        desk.commands.merge(OPERATOR, whole.id, whole.revision, [part.id, "nobody"])
    town = Identity("account", "o2", "town", "operator", Scope(LEAVES[2][:9]))
    with pytest.raises(NotFound):
        desk.commands.merge(town, whole.id, whole.revision, [part.id])
    assert desk.board().seq == seq


def test_a_part_is_opened_by_splitting_alone(desk: Desk) -> None:
    whole, part = two(desk)
    desk.commands.merge(OPERATOR, whole.id, whole.revision, [part.id])
    revision = desk.board().incidents[part.id].revision
    with pytest.raises(Refused):
        desk.commands.reopen(COMMANDER, part.id, revision, "再看一下")
    with pytest.raises(Refused):
        desk.commands.merge(OPERATOR, part.id, revision, [whole.id])


def test_a_link_stands_on_both_and_is_taken_back(desk: Desk) -> None:
    whole, other = two(desk)
    desk.commands.link(OPERATOR, whole.id, other.id)
    board = desk.board().incidents
    assert (board[whole.id].links, board[other.id].links) == ((other.id,), (whole.id,))
    with pytest.raises(Refused):
        desk.commands.link(OPERATOR, other.id, whole.id)
    desk.commands.link(OPERATOR, other.id, whole.id, away=True)
    assert desk.board().incidents[whole.id].links == ()


def test_a_deadline_met_while_merged_stays_met_after_the_split(desk: Desk) -> None:
    whole, part = two(desk, "urgent")
    desk.commands.merge(OPERATOR, whole.id, whole.revision, [part.id])
    desk.commands.acknowledge(OPERATOR, whole.id, desk.stored(whole.id).revision)
    met = {one.name: one for one in desk.stored(whole.id).clocks}["accept"]
    assert met.done_at is not None
    desk.commands.split(OPERATOR, part.id)
    after = {one.name: one for one in desk.stored(whole.id).clocks}
    assert desk.stored(whole.id).urgency == "routine" and after["accept"] == met
    assert after["close"] == {one.name: one for one in whole.clocks}["close"] and "arrive" not in after
    desk.firing.step(desk.now + 90 * 60_000_000)
    late = [
        (one.body or {})["clock"] for one in desk.entries() if one.action[:6] == "clock." and one.subject_id == whole.id
    ]
    assert "accept" not in late
