"""The moves 流转 of an incident between the steps of its flow: (incident, what is asked, now) -> Step. Pure.

`possible` says which there are; `made` makes one. Overlays that leave the step alone (suspension, extension, grade …)
are in `overlay`.
"""

from typing import Any

from msgspec import Struct, convert, structs, to_builtins

from config.flow import Flow, Move
from operations.errors import Refused, need
from operations.incident import STEPS, Incident
from operations.incidents import flow as flows
from operations.incidents.overlay import listed
from operations.incidents.step import Step, words
from operations.ticking import Clock

RESULTS = ("resolved", "transferred", "duplicate", "untrue", "withdrawn")
REACHED = ("reached", "unreachable", "waived")
SCORES = range(1, 6)
MINUTE = 60_000_000
UNDO_WITHIN = 10 * MINUTE
"""How long the one who made a move may take it back, while nothing followed it."""
KEPT = (
    "step",
    "stage",
    "moved_at",
    "flow",
    "items",
    "department",
    "returns",
    "reply",
    "follow_up",
    "satisfaction",
    "acknowledged_at",
    "acknowledged_by",
)
"""Fields a move may change and taking it back gives back."""


class Asked(Struct, frozen=True):
    """What somebody says with a move. `satisfaction`: 1 to 5, 0 nobody said."""

    text: str = ""
    result: str = ""
    department: str = ""
    follow_up: str = ""
    satisfaction: int = 0
    admitted: bool = True
    """Whether the department may be given such a matter there (准入)."""
    waives: bool = False
    """Whether who asks may leave a follow-up out."""


NOTHING = Asked()


def possible(flow: Flow, incident: Incident) -> list[Move]:
    """Return the moves an incident can make now, whoever makes them: none while it is suspended, closed or a part."""
    if not incident.is_open or incident.suspended_at is not None or incident.merged_into:
        return []
    return [move for move in flow.leaving(flows.standing(flow, incident).code) if not _barred(flow, incident, move)]


def _barred(flow: Flow, incident: Incident, move: Move) -> bool:
    """Whether a move needs what is not there yet, so that it cannot even be offered."""
    return ("items" in move.needs and left(flow, incident) > 0) or _passes_over(flow, incident, move)


def _passes_over(flow: Flow, incident: Incident, move: Move) -> bool:
    """Whether a move would end it with "resolved" although its follow-up is due and the move brings none."""
    target = flow.step(move.to)
    closes = target is not None and target.kind == "closed"
    always_untrue = "text" in move.needs  # turned away, unfounded: `made` looks at the result
    return closes and "follow_up" not in move.needs and not always_untrue and flows.follow_up_due(flow, incident)


def left(flow: Flow, incident: Incident) -> int:
    """Return how many items of its list are still to be struck off."""
    return sum(one.struck_at is None for one in listed(flow, incident))


def made(flow: Flow, incident: Incident, code: str, asked: Asked, now: int, by: str) -> Step:
    """Return what a move does. Raises Refused: it is not possible now, or something it needs is missing."""
    need(incident.is_open, "operations.closed")
    need(incident.suspended_at is None, "loop.suspended")
    move = flow.move(code)
    if move is None or flows.standing(flow, incident).code not in move.origins:
        raise Refused("loop.no_such_move")
    need("items" not in move.needs or not left(flow, incident), "loop.items_left", count=left(flow, incident))
    target = flow.step(move.to)
    assert target is not None, "checked when the flow was read"
    changes = _given(move, asked) | {"flow": flow.code}
    if target.kind == "closed":
        due = flows.follow_up_due(flow, structs.replace(incident, **changes), asked.result or "resolved")
        need(not due, "loop.follow_up_due")
        changes |= flows.ended(flow, asked.result or "resolved", now, by)
        action = "incident.closed"
    else:
        changes |= flows.at(target, now) | _along(incident, target.kind)
        action = "incident.moved"
    if "items" in move.needs or target.kind == "handle":
        changes |= _listing(flow, incident)
    said = words("note", asked.text, required="text" in move.needs)
    more: dict[str, Any] = {"move": move.code, "from": flows.standing(flow, incident).code, "to": move.to}
    if action == "incident.moved":
        more["undo"] = to_builtins({name: getattr(incident, name) for name in KEPT})
    return Step(action, changes | _taken_up(incident, now, by), asked.result or move.code, said, more)


def _given(move: Move, asked: Asked) -> dict[str, Any]:
    """The fields of what a move needs. Raises Refused for what is missing."""
    changes: dict[str, Any] = {}
    if "result" in move.needs:
        need(asked.result in RESULTS, "operations.unknown_result")
        words("note", asked.text, required=asked.result != "resolved")
    if "department" in move.needs:
        need(bool(asked.department), "loop.department_missing")
    if asked.department:
        need(asked.admitted, "loop.not_admitted")
        changes["department"] = asked.department
    if "follow_up" in move.needs:
        changes |= followed(asked)
    return changes


def followed(asked: Asked) -> dict[str, Any]:
    """Return the fields of a follow-up 回访. Raises Refused."""
    need(asked.follow_up in REACHED, "loop.follow_up_missing")
    if asked.follow_up == "waived":
        need(asked.waives, "loop.follow_up_due")
        words("note", asked.text, required=True)
    reached = asked.follow_up == "reached"
    need((asked.satisfaction in SCORES) is reached, "loop.satisfaction_missing")
    return {"follow_up": asked.follow_up, "satisfaction": asked.satisfaction if reached else 0}


def _along(incident: Incident, kind: str) -> dict[str, Any]:
    """What follows from the direction: returns are counted, a reply is sent, accepted or returned."""
    order = STEPS.index(kind) - STEPS.index(incident.step)
    changes: dict[str, Any] = {"returns": incident.returns + 1} if order < 0 else {}
    if kind in ("reply", "review") and order > 0:
        changes["reply"] = "sent"
    elif incident.reply:
        changes["reply"] = "accepted" if order > 0 else "returned"
    return changes


def _taken_up(incident: Incident, now: int, by: str) -> dict[str, Any]:
    """Who moves an incident on has taken note of it."""
    return {} if incident.acknowledged_at is not None else {"acknowledged_at": now, "acknowledged_by": by}


def _listing(flow: Flow, incident: Incident) -> dict[str, Any]:
    """The list as it stands with those of the flow in it, so that a later change of the flow does not change it."""
    items = listed(flow, incident)
    return {"items": items} if items != incident.items else {}


def undone(incident: Incident, body: dict[str, Any], at: int, now: int) -> Step:
    """Return what takes back the move that an entry's body tells of, made at `at`. Raises Refused."""
    need("undo" in body and incident.is_open and now - at <= UNDO_WITHIN, "loop.no_undo")
    return Step("incident.unmoved", restored(body["undo"]), body["move"], more={"from": body["to"], "to": body["from"]})


def restored(undo: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that an entry keeps for taking it back."""
    whole = convert({**_BLANK, **undo}, Incident)
    return {name: getattr(whole, name) for name in KEPT if name in undo}


_BLANK: dict[str, Any] = dict.fromkeys(("id", "number", "county", "type", "title", "source", "report_id"), "") | (
    dict.fromkeys(("revision", "occurred_at", "received_at", "opened_at", "updated_at"), 0) | {"department": ""}
)


def postponed(clocks: tuple[Clock, ...], name: str, by: int, now: int) -> tuple[Clock, ...]:
    """Return the clocks with one of them due later; what it said holds only where it still does."""
    return tuple(_later(one, by, now) if one.name == name and one.done_at is None else one for one in clocks)


def _later(clock: Clock, by: int, now: int) -> Clock:
    due = clock.due_at + by
    near = clock.started_at + (due - clock.started_at) * 8 // 10
    told = clock.told if now >= due else min(clock.told, 1) if now >= near else 0
    return structs.replace(clock, due_at=due, near_at=near, told=told, next_at=due if told else near)
