"""Which recipients are told of a change of their order 通知, and to what purpose. Pure."""

from operations.orders.order import Order, Recipient

SEND, CALL = "send", "call"
_PURPOSES = {
    "order.sent": SEND,
    "order.added": SEND,
    "order.resent": SEND,
    "order.ruled": SEND,
    "order.returned": SEND,
    "order.reopened": SEND,
    "order.amended": "amend",
    "order.cancelled": "cancel",
    "order.withdrawn": "cancel",
    "order.reminded": "remind",
}
_EVERYBODY = ("order.sent", "order.amended", "order.cancelled")


def notices(action: str, before: Order, after: Order, touched: set[str]) -> list[tuple[str, list[Recipient]]]:
    """Return who is told of an entry, by purpose; `touched` are ids of the recipients it changes."""
    if action.startswith("clock."):
        return _by_clock(before, after, touched)
    purpose = _PURPOSES.get(action, "")
    if not purpose:
        return []
    if action in _EVERYBODY:
        told = [one for one in after.recipients if one.state not in ("refused", "withdrawn")]
    else:
        told = [one for one in after.recipients if one.id in touched and (one.waits or purpose == "cancel")]
    return [(CALL if after.kind == "call" and purpose == SEND else purpose, told)]


def _by_clock(before: Order, after: Order, touched: set[str]) -> list[tuple[str, list[Recipient]]]:
    """Who is late is reminded; whoever was called in their place is told that they were."""
    waiting = [one for one in after.recipients if one.id in touched and one.waits]
    known = {one.id: one.reminders for one in before.recipients}
    reminded = [one for one in waiting if one.reminders > known.get(one.id, one.reminders)]
    return [("remind", reminded), ("escalate", [one for one in waiting if one.id not in known])]
