"""Commands: the second of two is told, reasons are asked for, out of scope is not found, words are sealed."""

import contextlib
import math
from collections.abc import Callable

import msgspec
import pytest

from operations import journal, retention
from operations.commands import Commands
from operations.errors import Conflict, Forbidden, NotFound, Refused, Sealed
from operations.incident import Incident
from operations.policy import ROLES, SYSTEM, Identity, allowed
from operations.scope import Scope
from operations.verification import verify
from tests.operations.desk import COMMANDER, LEADER, LEAVES, MINUTE, OPERATOR, SECOND, Desk, chain, locate_one, report

pytestmark = pytest.mark.database

LIAISON = Identity("account", "x1", "liaison", "liaison")


@pytest.fixture
def incident(desk: Desk) -> Incident:
    """An open incident."""
    desk.send(report())
    return desk.incident()


def test_acknowledging_is_written_once_and_the_second_is_told(desk: Desk, incident: Incident) -> None:
    after = desk.commands.acknowledge(OPERATOR, incident.id, 1)
    assert (after.acknowledged_by, after.revision, after.acknowledged_at) == ("operator", 2, desk.now)
    with pytest.raises(Conflict) as told:
        desk.commands.acknowledge(COMMANDER, incident.id, 1)
    assert told.value.current == after
    with pytest.raises(Refused, match="acknowledged"):
        desk.commands.acknowledge(COMMANDER, incident.id, 2)
    assert desk.rung == [1, 2]
    assert desk.incident() == after == desk.stored(incident.id)


def test_a_source_update_between_look_and_click_is_a_conflict_too(desk: Desk, incident: Incident) -> None:
    desk.send(report(revision="2", title="更糟了"))
    with pytest.raises(Conflict) as told:
        desk.commands.close(OPERATOR, incident.id, 1, "resolved")
    assert told.value.current.title == "更糟了"


def test_a_note_clobbers_nothing_and_needs_no_revision(desk: Desk, incident: Incident) -> None:
    desk.commands.acknowledge(OPERATOR, incident.id, 1)
    assert desk.commands.note(OPERATOR, incident.id, 1, "已联系路灯所").revision == 3
    entry = desk.commands.history(OPERATOR, incident.id)[-1]
    assert entry.body is not None and entry.body["words"] == {"note": "已联系路灯所"}


def test_of_a_long_history_the_newest_entries_are_told_and_the_state_is_the_present_one(
    desk: Desk, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2, 9):
        desk.send(report(revision=str(number), status=f"r{number}", text=f"第 {number} 次"))
    desk.commands.close(COMMANDER, incident.id, 8, "resolved")
    monkeypatch.setattr(journal, "HISTORY_LIMIT", 3)
    dossier = desk.commands.dossier(COMMANDER, incident.id)
    assert (dossier.incident.step, dossier.incident.source_status) == ("closed", "r8")
    assert ([entry.revision for entry in dossier.history], dossier.earlier) == ([7, 8, 9], 6)
    assert desk.commands.unseal(COMMANDER, incident.id, "核实")["text"] == "第 8 次"


def test_words_are_sealed_and_only_shown_to_whom_they_are_for(desk: Desk, incident: Incident) -> None:
    desk.commands.close(OPERATOR, incident.id, 1, "untrue", "经查不实，张某误报")
    assert "张某" not in repr(desk.entries())
    assert desk.commands.history(LEADER, incident.id) == desk.entries()
    shown = [(entry.body or {}).get("words") for entry in desk.commands.history(LIAISON, incident.id)]
    assert shown == [{"text": "某某路口红灯不亮，请尽快处理。"}, {"note": "经查不实，张某误报"}]


@pytest.mark.parametrize("by_source", [True, False])
def test_raised_to_critical_it_waits_anew_and_the_commander_is_called_from_then(
    desk: Desk, incident: Incident, by_source: bool
) -> None:
    desk.commands.acknowledge(OPERATOR, incident.id, 1)
    desk.tick(30 * MINUTE)
    if by_source:
        desk.send(report(revision="2", urgency="critical"))
    else:
        desk.commands.urgency(OPERATOR, incident.id, 2, "critical")
    raised = desk.stored(incident.id)
    assert raised == desk.incident()
    assert (raised.acknowledged_at, raised.acknowledged_by, raised.waiting_since) == (None, "", desk.now)
    assert desk.commands.escalate(desk.now + 119 * SECOND, 120) == []
    assert len(desk.commands.escalate(desk.now + 121 * SECOND, 120)) == 1
    again = desk.commands.acknowledge(COMMANDER, incident.id, 4)
    assert again.acknowledged_by == "commander"
    lowered = desk.commands.urgency(OPERATOR, incident.id, 5, "urgent")
    assert (lowered.acknowledged_by, lowered.escalated_at) == ("commander", again.escalated_at)
    assert desk.commands.urgency(OPERATOR, incident.id, 6, "critical").escalated_at is None


def test_what_an_operator_raised_is_not_raised_again_by_its_source(desk: Desk, incident: Incident) -> None:
    desk.commands.urgency(OPERATOR, incident.id, 1, "critical")
    desk.commands.acknowledge(OPERATOR, incident.id, 2)
    desk.send(report(revision="2", urgency="critical"))
    assert desk.stored(incident.id).acknowledged_by == "operator"


@pytest.mark.parametrize("hidden", ["\0", "\ud800", "\u202e"])
def test_words_are_cleaned_of_what_no_database_takes(desk: Desk, incident: Incident, hidden: str) -> None:
    desk.commands.note(OPERATOR, incident.id, 1, f"已{hidden}派人")
    desk.commands.unseal(COMMANDER, incident.id, f"核{hidden}实")
    noted, read = desk.commands.history(OPERATOR, incident.id)[1:]
    assert noted.body is not None and (noted.body["words"], read.reason) == ({"note": "已派人"}, "核实")
    with pytest.raises(NotFound):
        desk.commands.note(OPERATOR, incident.id + hidden, 1, "已派人")


def test_closing_and_reopening(desk: Desk, incident: Incident) -> None:
    desk.commands.acknowledge(OPERATOR, incident.id, 1)
    closed = desk.commands.close(OPERATOR, incident.id, 2, "resolved")
    assert (closed.step, closed.result, closed.closed_by, closed.is_open) == ("closed", "resolved", "operator", False)
    for command in (
        lambda: desk.commands.acknowledge(OPERATOR, incident.id, 3),
        lambda: desk.commands.close(OPERATOR, incident.id, 3, "resolved"),
        lambda: desk.commands.urgency(OPERATOR, incident.id, 3, "urgent"),
        lambda: desk.commands.place(OPERATOR, incident.id, 3, grid=LEAVES[1]),
    ):
        with pytest.raises(Refused, match="closed"):
            command()
    with pytest.raises(Forbidden):
        desk.commands.reopen(OPERATOR, incident.id, 3, "又坏了")
    opened = desk.commands.reopen(COMMANDER, incident.id, 3, "又坏了")
    assert (opened.is_open, opened.acknowledged_at, opened.closed_at, opened.result) == (True, None, None, "")
    assert opened.waiting_since == desk.now
    with pytest.raises(Refused, match="open"):
        desk.commands.reopen(COMMANDER, incident.id, 4, "又坏了")


@pytest.mark.parametrize(
    ("code", "command"),
    [
        ("text_missing", lambda desk, key: desk.commands.note(OPERATOR, key, 1, "  ")),
        ("text_too_long", lambda desk, key: desk.commands.note(OPERATOR, key, 1, "长" * 2001)),
        ("text_missing", lambda desk, key: desk.commands.close(OPERATOR, key, 1, "untrue")),
        ("unknown_result", lambda desk, key: desk.commands.close(OPERATOR, key, 1, "whatever")),
        ("unknown_urgency", lambda desk, key: desk.commands.urgency(OPERATOR, key, 1, "red")),
        ("same_urgency", lambda desk, key: desk.commands.urgency(OPERATOR, key, 1, "routine")),
        ("text_missing", lambda desk, key: desk.commands.unseal(COMMANDER, key, "")),
        ("no_place", lambda desk, key: desk.commands.place(OPERATOR, key, 1, lon=1.0)),
        ("unknown_grid", lambda desk, key: desk.commands.place(OPERATOR, key, 1, grid="nowhere")),
        ("no_grids", lambda desk, key: Commands(desk.database, desk.keys).place(OPERATOR, key, 1, grid="x")),
    ],
)
def test_what_the_rules_refuse(
    desk: Desk, incident: Incident, code: str, command: Callable[[Desk, str], object]
) -> None:
    with pytest.raises(Refused) as refused:
        command(desk, incident.id)
    assert refused.value.code == f"operations.{code}"
    assert len(desk.entries()) == 1


@pytest.mark.parametrize("role", ROLES)
def test_every_command_asks_for_its_permission(desk: Desk, incident: Incident, role: str) -> None:
    who = Identity("account", "u", "u", role)
    commands: dict[str, Callable[[], object]] = {
        "incident.acknowledge": lambda: desk.commands.acknowledge(who, incident.id, 99),
        "incident.note": lambda: desk.commands.note(who, incident.id, 99, "看过"),
        "incident.urgency": lambda: desk.commands.urgency(who, incident.id, 99, "urgent"),
        "incident.close": lambda: desk.commands.close(who, incident.id, 99, "resolved"),
        "incident.reopen": lambda: desk.commands.reopen(who, incident.id, 99, "理由"),
        "incident.place": lambda: desk.commands.place(who, incident.id, 99, grid=LEAVES[1]),
        "incident.read": lambda: desk.commands.history(who, incident.id),
        "incident.unseal": lambda: desk.commands.unseal(who, incident.id, "理由"),
    }
    for permission, command in commands.items():
        if allowed(who, permission):
            with contextlib.suppress(Conflict):
                command()
        else:
            with pytest.raises(Forbidden):
                command()


def test_absent_and_out_of_scope_are_the_same_answer(desk: Desk, incident: Incident) -> None:
    elsewhere = msgspec.structs.replace(OPERATOR, scope=Scope(grid=chain(LEAVES[3])[1]))
    other = msgspec.structs.replace(OPERATOR, scope=Scope(department="fire"))
    told = set()
    for who, incident_id in (
        (elsewhere, incident.id),
        (other, incident.id),
        (OPERATOR, "0190-absent"),
        (OPERATOR, "%"),
    ):
        for command in (
            lambda who=who, key=incident_id: desk.commands.acknowledge(who, key, 1),
            lambda who=who, key=incident_id: desk.commands.history(who, key),
        ):
            with pytest.raises(NotFound) as error:
                command()
            told.add((error.value.code, str(error.value), repr(error.value.params)))
    assert len(told) == 1
    inside = msgspec.structs.replace(OPERATOR, scope=Scope(chain(LEAVES[0])[1], "police"))
    assert desk.commands.acknowledge(inside, incident.id, 1).revision == 2


def test_nobody_places_outside_of_what_they_may_see(desk: Desk, incident: Incident) -> None:
    inside = msgspec.structs.replace(OPERATOR, scope=Scope(grid=chain(LEAVES[0])[1]))
    with pytest.raises(Refused, match="outside_scope"):
        desk.commands.place(inside, incident.id, 1, grid=LEAVES[3])
    assert desk.commands.place(inside, incident.id, 1, grid=LEAVES[1]).grid == LEAVES[1]


@pytest.mark.parametrize("point", [(500.0, 500.0), (math.nan, 30.0), (120.0, math.inf), (1e308, 1.0), (120.0, 90.1)])
def test_nobody_places_where_there_is_no_earth(desk: Desk, incident: Incident, point: tuple[float, float]) -> None:
    with pytest.raises(Refused, match="place_out_of_range"):
        desk.commands.place(OPERATOR, incident.id, 1, *point)
    with pytest.raises(Refused, match="place_out_of_range"):
        desk.commands.place(OPERATOR, incident.id, 1, *point, grid=LEAVES[1])
    with pytest.raises(NotFound):
        desk.commands.history(OPERATOR, "\ud800")
    assert desk.incident() == incident


def test_placing_at_a_point_outside_every_grid_keeps_the_nearest(desk: Desk, incident: Incident) -> None:
    placed = desk.commands.place(OPERATOR, incident.id, 1, 120.0, 30.0)
    assert (placed.lon, placed.grid, placed.nearest, placed.distance_m) == (120.0, "", LEAVES[0], 120.5)
    assert "placed_by_hand" in placed.marks


def test_reading_the_reporter_leaves_an_entry_with_its_reason(desk: Desk, incident: Incident) -> None:
    desk.send(report(revision="2", text="补充", reporter={"phone": "139****1111"}))
    opened = desk.commands.unseal(COMMANDER, incident.id, "回访核实")
    assert opened == {"text": "补充", "name": "张*", "phone": "139****1111"}
    entry = desk.entries()[-1]
    assert (entry.action, entry.actor, entry.reason) == ("incident.unsealed", "account:commander", "回访核实")
    assert desk.incident() == desk.stored(incident.id)


def test_after_the_key_is_destroyed_nobody_reads_it_and_the_chain_is_whole(desk: Desk, incident: Incident) -> None:
    retention.destroy_keys(desk.database, desk.keys, SYSTEM, [incident.id], "90 days", now=desk.tick())
    with pytest.raises(Sealed):
        desk.commands.unseal(COMMANDER, incident.id, "核实")
    first, last = desk.commands.history(OPERATOR, incident.id)
    assert first.body is not None and first.body["words"] is None
    assert (last.action, last.reason) == ("key.destroyed", "90 days")
    assert verify(desk.database).ok


def test_a_critical_incident_nobody_acknowledges_calls_the_commander_once(desk: Desk) -> None:
    desk.send(report("A1", urgency="critical"), report("A2", urgency="critical"), report("A3", urgency="urgent"))
    first, second, _ = desk.board().incidents.values()
    desk.commands.acknowledge(OPERATOR, first.id, 1)
    assert desk.commands.escalate(second.received_at + MINUTE, 60) == []
    later = desk.tick(2 * MINUTE)
    assert [incident.id for incident in desk.commands.escalate(later, 60)] == [second.id]
    assert desk.commands.escalate(later + MINUTE, 60) == []
    assert desk.stored(second.id).escalated_at == later
    assert desk.entries()[-1].actor == "system:system"


def test_a_reopened_one_waits_anew(desk: Desk) -> None:
    desk.send(report(urgency="critical"))
    incident = desk.incident()
    desk.commands.close(OPERATOR, incident.id, 1, "resolved")
    desk.tick(10 * MINUTE)
    desk.commands.reopen(COMMANDER, incident.id, 2, "又坏了")
    assert desk.commands.escalate(desk.tick(30 * SECOND), 60) == []
    assert len(desk.commands.escalate(desk.tick(31 * SECOND), 60)) == 1


def test_two_at_once_one_wins(desk: Desk, incident: Incident) -> None:
    from concurrent.futures import ThreadPoolExecutor

    commands = Commands(desk.database, desk.keys, locate=locate_one)

    def close(name: str) -> str:
        try:
            return commands.close(replace_name(name), incident.id, 1, "resolved").closed_by
        except Conflict as error:
            return f"told of {error.current.closed_by}"

    with ThreadPoolExecutor(4) as pool:
        told = sorted(pool.map(close, ["a", "b", "c", "d"]))
    assert len({name for name in told if not name.startswith("told")}) == 1
    assert told.count(f"told of {told[0]}") == 3


def replace_name(name: str) -> Identity:
    """An operator of that name."""
    return msgspec.structs.replace(OPERATOR, id=name, name=name)
