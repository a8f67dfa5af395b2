"""How an order ends 结束: when nothing more is awaited of anybody, and what its lead did was accepted. Pure."""

import msgspec
from msgspec import structs

from operations.orders.matter import REPLIED
from operations.orders.order import Order, fold
from operations.orders.receipts import CLOCKS, stopped
from operations.orders.writing import Change, Fields, as_entry


def after_receipt(order: Order, change: Change, now: int) -> Change:
    """Return a change with what follows when it was the last that was awaited: the order ends, or, where it has a
    lead, what was done waits for review.
    """
    after = changed(order, change)
    if not after.is_open or not all(one.settled for one in after.recipients):
        return change
    if replies(after):
        if after.reply == "sent" or after.lead is None or after.lead.state != "done":
            return change
        head = {"reply": "sent", "replied_at": now, "missing": ()}
        return structs.replace(change, set={**change.set, **head}, matter=REPLIED)
    somebody = any(one.state in ("done", "reviewed") for one in after.recipients)
    state = "done" if somebody else "cancelled"
    return structs.replace(change, set={**change.set, "state": state, "ended_at": now})


def replies(order: Order) -> bool:
    """Say whether what was done is reviewed before an order ends: it has a lead, and asks for more than confirming."""
    return order.kind != "call" and order.lead is not None


def changed(order: Order, change: Change) -> Order:
    """Return an order as it will be after a change."""
    body: Fields = {"set": change.set, "recipients": msgspec.to_builtins(change.recipients)}
    after = fold(order, as_entry(order, body))
    assert after is not None
    return after


def all_stopped(order: Order, now: int) -> dict[str, Fields]:
    """Return the fields of those recipients whose clocks still run, with these stopped."""
    halted = {one.id: stopped(one.clocks, CLOCKS, now) for one in order.recipients}
    return {one.id: {"clocks": halted[one.id]} for one in order.recipients if halted[one.id] != one.clocks}
