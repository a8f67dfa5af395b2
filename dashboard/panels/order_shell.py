"""An order's row 回执行 as screens know it: its recipients with their receipts, bounded, times instead of ages.

What presses most comes first by what the entries say alone, so that a row moves only when an entry touched it: refused,
overdue as a clock has said it, then the gravest, then the newest. The browser ages what it shows.
"""

from typing import Any

from dashboard.selection import GRAVITY, Choice, Rank
from operations.orders.order import Order, Recipient
from operations.ticking import OVERDUE, Clock

OPEN_SHOWN, ENDED_SHOWN = 200, 20
RECIPIENTS_SHOWN = 50
ENDED = ("done", "reviewed", "withdrawn")
FIELDS = ["number", "revision", "kind", "title", "urgency", "incident", "incident_number", "sender", "department"]
FIELDS += ["type", "address", "state", "sent_at", "updated_at", "amended", "warning"]
"""What the browser knows of an order; times in microseconds."""
ANSWERED = ["id", "kind", "name", "department", "role", "state", "by", "channel", "reason", "refusals", "reminders"]
ANSWERED += ["escalations", "ways"]
"""What it knows of a recipient."""

Row = dict[str, Any]


def row(order: Order) -> Row:
    """Return the row of one order; `to` are the recipients that press most, `rest` says how many are not among them."""
    shown = sorted(order.recipients, key=lambda one: (pressing(one), one.role != "lead"))[:RECIPIENTS_SHOWN]
    values = {name: getattr(order, name) for name in FIELDS}
    rest = len(order.recipients) - len(shown)
    return said(values | {"rest": rest, "needs": needs(order)}) | {"to": [receipt(order, one) for one in shown]}


def needs(order: Order) -> str:
    """Return what an order wants of the desk: "ruling" 权责裁定, "refused" (a decision about who takes it), "review"
    办结审核, or "" while it waits for its recipients.
    """
    if not order.is_open:
        return ""
    if order.disputed:
        return "ruling"
    if any(one.state == "refused" and not one.ruling for one in order.recipients):
        return "refused"
    return "review" if order.reply == "sent" else ""


def receipt(order: Order, one: Recipient) -> Row:
    """Return one recipient; `at`: since when it stands so; `due`, `near`, `clock`: of the clock that ends next."""
    values = {name: getattr(one, name) for name in ANSWERED} | {"at": since(order, one)}
    runs = running(one)
    if runs is not None:
        values |= {"due": runs.due_at, "near": runs.near_at, "clock": runs.name}
    return said(values)


def since(order: Order, one: Recipient) -> int:
    """Return since when a recipient stands as it does, in microseconds."""
    name = {"working": "progress"}.get(one.state, one.state)
    at: int | None = getattr(one, f"{name}_at", None)
    return at or order.sent_at


def running(one: Recipient) -> Clock | None:
    """Return the clock of a recipient that ends next, None when none runs."""
    return min((clock for clock in one.clocks if clock.runs), key=lambda clock: clock.due_at, default=None)


def pressing(one: Recipient) -> int:
    """Return how much a recipient wants somebody: 0 refused, 1 overdue, 2 unsigned, 3 at work, 4 nothing awaited."""
    if one.state == "refused":
        return 0
    if one.state in ENDED:
        return 4
    if any(clock.runs and clock.told >= OVERDUE for clock in one.clocks):
        return 1
    return 2 if one.state in ("sent", "delivered", "seen") else 3


def rank_open(order: Order) -> Rank | None:
    """Return what orders the open ones; None for one that has ended."""
    if not order.is_open:
        return None
    first = min((pressing(one) for one in order.recipients), default=4)
    first = min(first, 2) if needs(order) else first
    return (first, GRAVITY.get(order.urgency, len(GRAVITY)), -order.sent_at)


def rank_ended(order: Order) -> Rank | None:
    """Return what orders the ended ones, the latest first; None for an open one."""
    return None if order.is_open else (-(order.ended_at or order.updated_at),)


CHOICES = (Choice(OPEN_SHOWN, rank_open), Choice(ENDED_SHOWN, rank_ended))


def said(values: Row) -> Row:
    """Return the values that say something."""
    return {name: value for name, value in values.items() if value not in (None, "", 0, False, {})}
