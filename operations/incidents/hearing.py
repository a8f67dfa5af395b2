"""What an incident hears of its orders beside what moves it on: the first arrival 到场 stops its clock for arriving.

In the order's own transaction; no revision moves.
"""

from msgspec import structs

from operations.database import Transaction
from operations.entry import Draft, path
from operations.orders.order import Order
from operations.policy import Identity
from operations.reception import read_standings, store_incident
from operations.ticking import done

STOPS = {"order.arrived": "arrive"}
"""Which clock of its incident an order's entry stops."""


def heard(transaction: Transaction, identity: Identity, order: Order, action: str, now: int) -> list[Draft]:
    """Write what an entry about an order does to its incident; return the entry that says so, if it does anything."""
    name = STOPS.get(action, "")
    if not name or not order.incident:
        return []
    drafts = []
    for _, standing in read_standings(transaction, "id", [order.incident]):
        before = standing.incident
        clocks = done(before.clocks, name, now)
        if clocks == before.clocks:
            continue
        store_incident(transaction, structs.replace(before, clocks=clocks), standing.said)
        draft = Draft(
            at=now,
            actor=identity.actor,
            action="clock.met",
            subject_type="incident",
            subject_id=before.id,
            revision=before.revision,
            scope_grid=path(before.chain),
            scope_grid_before=path(before.chain),
            scope_department=before.department,
            scope_department_before=before.department,
            body={"set": {"clocks": clocks}, "clock": name, "order": order.number},
        )
        drafts.append(draft)
    return drafts
