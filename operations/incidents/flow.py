"""Where an incident stands in its flow 流程, and what its flow rules: follow-up, short close, what sources say. Pure.

The flow is pinned at the first move; until then it is the one that its type takes, so that what was opened before
there were flows has one too.
"""

from hashlib import sha256
from typing import Any

from config.flow import Flow, FollowUp, Step
from config.flows import Flows
from operations.errors import need
from operations.incident import STEPS, Incident

ASKED_NOBODY = ("duplicate", "untrue", "withdrawn", "transferred", "merged")
"""Results after which nobody is followed up: nothing was done for them here."""


def of(flows: Flows, incident: Incident) -> Flow:
    """Return the flow of an incident."""
    return flows.get(incident.flow) if incident.flow else flows.taking(incident.type)


def standing(flow: Flow, incident: Incident) -> Step:
    """Return the step an incident stands at; where its flow no longer has it, the first of the same kind or before."""
    found = flow.step(incident.stage or incident.step)
    if found is not None and found.kind == incident.step:
        return found
    kinds = STEPS[: STEPS.index(incident.step) + 1] if incident.step in STEPS else STEPS[:1]
    if incident.step == STEPS[-1]:
        kinds = STEPS[-1:]
    return next(step for kind in reversed(kinds) if (step := flow.of_kind(kind)) is not None)


def at(step: Step, now: int) -> dict[str, Any]:
    """Return the fields of an incident that stands at a step since `now`."""
    return {"step": step.kind, "stage": "" if step.code == step.kind else step.code, "moved_at": now}


def follow_up_due(flow: Flow, incident: Incident, result: str = "resolved") -> bool:
    """Say whether an incident has to be followed up 回访 before it is closed with a result."""
    if incident.follow_up or result in ASKED_NOBODY:
        return False
    return mandatory(flow.follow_up, incident.type) or sampled(flow.follow_up, incident.id)


def mandatory(rule: FollowUp, kind: str) -> bool:
    """Say whether a type is followed up always."""
    return kind in rule.mandatory or kind[:2] in rule.mandatory


def sampled(rule: FollowUp, incident_id: str) -> bool:
    """Say whether an incident is among those followed up of all others: the same for everybody who asks, for ever."""
    return _share(incident_id) < rule.sampled


def _share(incident_id: str) -> int:
    """0 to 99, evenly, from the random end of the id."""
    return int(sha256(incident_id.encode()).hexdigest()[:8], 16) % 100


def closing(
    flow: Flow, incident: Incident, result: str, now: int, by: str, *, waives: bool, text: bool
) -> dict[str, Any]:
    """Return the fields of a short close 直接办结. Raises Refused where the flow forbids it, or a follow-up is due.

    Who `waives` (may approve) closes without the follow-up that is due by saying why; that stands in the entry.
    """
    need(incident.suspended_at is None, "loop.suspended")
    need(standing(flow, incident).code in flow.short, "loop.no_short_close")
    waived: dict[str, Any] = {}
    if follow_up_due(flow, incident, result):
        need(waives and text, "loop.follow_up_due")
        waived = {"follow_up": "waived"}
    return ended(flow, result, now, by) | waived


def ended(flow: Flow, result: str, now: int, by: str) -> dict[str, Any]:
    """Return the fields of an incident that is closed."""
    step = next(one for one in flow.steps if one.kind == "closed")
    return at(step, now) | {"closed_at": now, "closed_by": by, "result": result}


def reopened(flow: Flow, now: int) -> dict[str, Any]:
    """Return the fields of the loop of an incident that is opened again: it begins anew, also to be followed up."""
    anew = {"reply": "", "follow_up": "", "satisfaction": 0, "suspended_at": None, "extension": ""}
    return at(flow.steps[0], now) | anew


def told(flows: Flows, incident: Incident, source: str, status: str, now: int) -> dict[str, Any]:
    """Return the fields that a source's new status changes: it moves an incident forward, never back, never to its end.

    Nothing where people have suspended it, and where the status says nothing.
    """
    kind = flows.said(source).get(status)
    if kind is None or not incident.is_open or incident.suspended_at is not None:
        return {}
    if STEPS.index(kind) <= STEPS.index(incident.step):
        return {}
    flow = of(flows, incident)
    step = flow.of_kind(kind)
    return {} if step is None else at(step, now) | {"flow": flow.code}
