"""What an order does to its incident 事件: sent, it is dispatched 分流; replied to, it waits for review; and so on.

The decision is pure and can be another's (a flow of its own); the writing adds one entry to those of the order.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from config import flows as files
from config.flows import Flows
from operations.database import Transaction
from operations.deadlines import Deadlines
from operations.entry import Draft, path
from operations.incident import Incident
from operations.incidents import flow
from operations.incidents import rows as incidents
from operations.orders.order import Order
from operations.policy import Identity
from operations.reception import store_incident
from operations.scope import WHOLE
from operations.tables import dispatch_order

Fields = dict[str, Any]
Moves = Callable[[Incident, str, int], Fields]
"""(incident, what its order came to, now) → what changes of the incident; {} where that moves nothing."""

SENT, UNDONE, REPLIED, ACCEPTED, RETURNED = "sent", "undone", "replied", "accepted", "returned"
ACTIONS = {
    SENT: "incident.ordered",
    UNDONE: "incident.order_undone",
    REPLIED: "incident.order_replied",
    ACCEPTED: "incident.order_accepted",
    RETURNED: "incident.order_returned",
}


def moved(incident: Incident, came_to: str, now: int) -> Fields:
    """Return how the six steps go on with an order 登记 分流 办理 反馈 办结审核 回访."""
    step = incident.step
    if came_to == SENT:
        return {"step": "handle"} if step in ("register", "triage") else {}
    if came_to == UNDONE:
        return {"step": "triage"} if step == "handle" else {}
    if came_to == REPLIED:
        return {"reply": "sent"} | ({"step": "review"} if step in ("handle", "reply") else {})
    if came_to == ACCEPTED:
        return {"reply": "accepted"} | ({"step": "follow_up"} if step in ("handle", "reply", "review") else {})
    back = {"step": "handle"} if step in ("reply", "review", "follow_up") else {}
    return {"reply": "returned", "returns": incident.returns + 1, **back}


def by_flow(incident: Incident, came_to: str, now: int, *, flows: Callable[[], Flows] = files.current) -> Fields:
    """Return how the incident's own flow goes on with an order: to its first step of the kind that the six steps say.

    Where it has none of that kind, or is suspended, it stays at its step.
    """
    changes = moved(incident, came_to, now)
    kind = changes.pop("step", "")
    own = flow.of(flows(), incident)
    target = own.of_kind(kind) or (own.steps[0] if kind == "triage" else None)
    if not kind or target is None or incident.suspended_at is not None:
        return changes
    return changes | flow.at(target, now) | {"flow": own.code}


def told(
    transaction: Transaction,
    identity: Identity,
    order: Order,
    came_to: str,
    now: int,
    *,
    moves: Moves,
    deadlines: Deadlines,
) -> list[Draft]:
    """Change the incident of an order by what the order came to, and return the entry about it, if it changes."""
    if not order.incident:
        return []
    standing = incidents.find(transaction.connection, WHOLE, order.incident, lock=True)
    before = standing.incident
    alone = not _others(transaction, order, open_only=came_to == ACCEPTED)
    if not before.is_open or before.merged_into or (came_to in (ACCEPTED, UNDONE) and not alone):
        return []
    changes = moves(before, came_to, now) | (concerned(before, order) if came_to == SENT else {})
    changes |= deadlines.after(before, structs.replace(before, **changes), now)
    changes = {name: value for name, value in changes.items() if value != getattr(before, name)}
    if not changes:
        return []
    after = structs.replace(before, **changes, revision=before.revision + 1, updated_at=now)
    store_incident(transaction, after, standing.said)
    return [_draft(identity, before, after, ACTIONS[came_to], order, changes, now)]


def concerned(incident: Incident, order: Order) -> Fields:
    """Return lead and supporting departments of an incident after its order was sent.

    An order sent by a department of its own leaves the incident with whoever has it.
    """
    lead = order.lead
    department = lead.department if lead is not None and lead.department and not order.department else ""
    department = department or incident.department
    asked = {one.department for one in order.recipients}
    return {"department": department, "support": tuple(sorted({*incident.support, *asked} - {department, ""}))}


def _others(transaction: Transaction, order: Order, *, open_only: bool) -> bool:
    columns = dispatch_order.c
    wanted = [columns.incident == order.incident, columns.id != order.id]
    wanted.append(columns.state == "open" if open_only else columns.state != "cancelled")
    return transaction.connection.execute(sa.select(columns.id).where(*wanted).limit(1)).first() is not None


def _draft(
    identity: Identity, before: Incident, after: Incident, action: str, order: Order, changes: Fields, now: int
) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="incident",
        subject_id=after.id,
        revision=after.revision,
        scope_grid=path(after.chain),
        scope_grid_before=path(before.chain),
        scope_department=after.department,
        scope_department_before=before.department,
        body={
            "set": {**changes, "revision": after.revision, "updated_at": now},
            "order": order.id,
            "number": order.number,
        },
    )
