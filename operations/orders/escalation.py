"""What a clock of a recipient does beside saying so 逾期处理: it reminds 催办 by rule, and where nobody has signed in
time it calls the next on duty. Pure.

Whoever of those called signs first takes it: the others are withdrawn, and a lead's part goes with it.
"""

from collections.abc import Callable

import msgspec

from operations.orders.draft import Wanted, clock, recipient
from operations.orders.order import RECIPIENTS_MOST, Order, Recipient
from operations.orders.receipts import CLOCKS, stopped

Fields = dict[str, object]
NextOnDuty = Callable[[str, str, int, int], Wanted | None]
"""(department, code of the smallest grid, now, after which rank) → who is called next, with the rank."""
_WAITING = ("sent", "delivered", "seen")
_TAKING = ("signed", "arrived", "progress", "done")


def by_clock(order: Order, one: Recipient, name: str, stage: str, now: int, following: NextOnDuty) -> dict[str, Fields]:
    """Return the fields of recipients that change when a clock of one says that it is near due, overdue or worse:
    {} where nothing is awaited of it any more.
    """
    if not order.is_open or not one.waits:
        return {}
    changes: dict[str, Fields] = {one.id: {"reminders": one.reminders + 1, "reminded_at": now}}
    if name != "sign" or stage != "overdue" or one.state not in _WAITING:
        return changes
    called = _next(order, one, now, following)
    if called is not None:
        changes[one.id]["escalations"] = one.escalations + 1
        changes[called.id] = msgspec.to_builtins(called)
    return changes


def _next(order: Order, one: Recipient, now: int, following: NextOnDuty) -> Recipient | None:
    """Who is called in the place of a recipient: the next of its department's roster who has not got the order yet."""
    first = one.instead_of or one.id
    rank = max(each.rank for each in order.recipients if first in (each.id, each.instead_of))
    grid = one.grid or (order.chain[-1] if order.chain else "")
    for _ in order.recipients:
        wanted = following(one.department, grid, now, rank) if len(order.recipients) < RECIPIENTS_MOST else None
        if wanted is None or wanted.rank <= rank:
            return None
        rank = wanted.rank
        if order.recipient(f"{wanted.kind}:{wanted.id}") is None:
            clocks = tuple(clock(each.name, now, each.due_at - each.started_at) for each in one.clocks)
            return recipient(wanted, clocks, amendments=order.amended, instead_of=first)
    return None


def taken_over(order: Order, one: Recipient, deed: str, now: int) -> dict[str, Fields]:
    """Return what changes of the others that were called for the same part when one of them takes it."""
    first = one.instead_of or one.id
    group = [each for each in order.recipients if first in (each.id, each.instead_of)]
    if deed not in _TAKING or len(group) == 1:
        return {}
    others = [each for each in group if each.id != one.id and each.state in _WAITING]
    changes: dict[str, Fields] = {
        each.id: {"state": "withdrawn", "clocks": stopped(each.clocks, CLOCKS, now)} for each in others
    }
    lead = next((each for each in others if each.role == "lead"), None)
    if lead is not None:
        changes[lead.id]["role"] = "support"
        changes[one.id] = {"role": "lead"}
    return changes
