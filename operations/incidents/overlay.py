"""What is done to an incident beside its step: suspension, extension, grade, strike-off list, evaluation. Pure."""

from typing import Any

from msgspec import structs

from config.flow import Flow
from operations.errors import need
from operations.incident import Incident, Item
from operations.incidents.step import Step, words

GRADES = ("general", "large", "major", "special")
"""事件等级: 一般 较大 重大 特别重大."""
EXTENSION_MOST = 60 * 24 * 90  # minutes
ITEMS_MOST = 50
SCORES = range(1, 6)


def suspended(incident: Incident, text: str, now: int) -> Step:
    """Hold an incident 挂起, with the reason: its clocks stand still. Raises Refused."""
    need(incident.is_open, "operations.closed")
    need(incident.suspended_at is None, "loop.suspended")
    return Step("incident.suspended", {"suspended_at": now}, words=words("note", text, required=True))


def resumed(incident: Incident, text: str) -> Step:
    """Go on with one that was suspended 恢复. Raises Refused."""
    need(incident.suspended_at is not None, "loop.not_suspended")
    return Step("incident.resumed", {"suspended_at": None}, words=words("note", text))


def asked(incident: Incident, minutes: int, text: str) -> Step:
    """Ask for more time 申请延期, with the reason. Raises Refused."""
    need(incident.is_open, "operations.closed")
    need(incident.extension != "asked", "loop.extension_asked")
    need(0 < minutes <= EXTENSION_MOST, "loop.minutes_wrong", most=EXTENSION_MOST)
    changes = {"extension": "asked", "extension_minutes": minutes}
    return Step("incident.extension_asked", changes, str(minutes), words("note", text, required=True))


def ruled(incident: Incident, approve: bool, text: str) -> Step:
    """Approve or refuse the extension that was asked for; a refusal says why. Raises Refused."""
    need(incident.is_open, "operations.closed")
    need(incident.extension == "asked", "loop.no_extension")
    said = words("note", text, required=not approve)
    if approve:
        return Step("incident.extended", {"extension": "approved"}, str(incident.extension_minutes), said)
    return Step("incident.extension_refused", {"extension": "refused"}, words=said)


def graded(incident: Incident, grade: str, text: str) -> Step:
    """Set the grade 事件等级, or take it away (""). Raises Refused."""
    need(grade in ("", *GRADES), "loop.unknown_grade")
    need(grade != incident.grade, "loop.same_grade")
    return Step("incident.graded", {"grade": grade}, grade, words("note", text))


def transferred(incident: Incident, department: str, admitted: bool, text: str) -> Step:
    """Give an incident to another department 转办, with the reason. Raises Refused."""
    need(incident.is_open, "operations.closed")
    need(incident.suspended_at is None, "loop.suspended")
    need(department != incident.department, "loop.same_department")
    need(admitted, "loop.not_admitted")
    said = words("note", text, required=True)
    return Step("incident.transferred", {"department": department}, department, said)


def listed(flow: Flow, incident: Incident) -> tuple[Item, ...]:
    """Return the strike-off list 销号清单: the flow's items and those added by hand, as far as they are struck off."""
    known = {one.code: one for one in incident.items}
    named = tuple(known.pop(one.code, Item(one.code)) for one in flow.items)
    return named + tuple(known.values())


def added(flow: Flow, incident: Incident, text: str) -> Step:
    """Add an item of one's own to the list; its text is sealed. Raises Refused."""
    need(incident.is_open, "operations.closed")
    items = listed(flow, incident)
    need(len(items) < ITEMS_MOST, "loop.items_most", most=ITEMS_MOST)
    numbers = [int(one.code) for one in items if one.code.isdigit()]
    code = str(max(numbers, default=0) + 1)
    return Step("incident.item_added", {"items": (*items, Item(code))}, code, words("note", text, required=True))


def struck(flow: Flow, incident: Incident, code: str, now: int, by: str, *, back: bool) -> Step:
    """Strike an item off 销号, or (`back`) take that back; different items commute. Raises Refused."""
    need(incident.is_open, "operations.closed")
    items = listed(flow, incident)
    need(any(one.code == code for one in items), "loop.no_item")
    old = next(one for one in items if one.code == code)
    need((old.struck_at is None) is not back, "loop.item_open" if back else "loop.item_struck")
    new = structs.replace(old, struck_at=None if back else now, struck_by="" if back else by)
    changes: dict[str, Any] = {"items": tuple(new if one is old else one for one in items)}
    return Step("incident.item_restored" if back else "incident.item_struck", changes, code)


def evaluated(flow: Flow, incident: Incident, score: int, actor: str, text: str) -> Step:
    """Say as who set it off how it was handled 谁吹哨谁评价: 1 to 5, once the result is there. Raises Refused.

    Where one of ours registered it, nobody else says so.
    """
    need(flow.evaluated, "loop.not_evaluated")
    need(incident.step in ("reply", "review", "follow_up", "closed"), "loop.too_early")
    need(not incident.evaluation, "loop.evaluated")
    need(score in SCORES, "loop.satisfaction_missing")
    need(not incident.initiator or incident.initiator == actor, "loop.not_initiator")
    return Step("incident.evaluated", {"evaluation": score}, str(score), words("note", text))
