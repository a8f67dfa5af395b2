"""Whom a request rings 响铃通知: the post whose turn it is, by every way out that reaches it."""

from collections.abc import Mapping, Sequence

from msgspec import structs

from operations.database import Transaction
from operations.grants.grant import Held
from operations.grants.posts import CENTRE, department_of
from operations.grants.request import Request, Seat
from operations.orders.order import Recipient
from operations.outlets import addresses, outbox, rows
from operations.outlets.message import Message
from operations.outlets.outlet import suits

PURPOSE, BROKEN = "access", "breakglass"


def ring(transaction: Transaction, request: Request, seats: Sequence[Seat], now: int) -> None:
    """Queue what the posts of some seats are told: that a request waits for them, and where to decide it."""
    dues = {department_of(one): one.due_at for one in seats}
    about = Message(
        purpose=PURPOSE,
        at=now,
        number=request.number,
        urgency=request.urgency,
        incident_number=request.incident_number,
    )
    _tell(transaction, request.id, dues, about, now)


def alarm(transaction: Transaction, broken: Sequence[Held], now: int) -> None:
    """Queue what owners are told when somebody broke the glass of their cameras; what has no owner is the centre's."""
    for one in broken:
        about = Message(
            purpose=BROKEN, at=now, number=one.number, urgency="critical", incident_number=one.incident_number
        )
        _tell(transaction, one.id, {one.department or CENTRE: one.ratify_by}, about, now)


def _tell(transaction: Transaction, subject: str, dues: Mapping[str, int | None], about: Message, now: int) -> None:
    outlets = [one for one in rows.listed(transaction.connection) if one.enabled and not one.source]
    if not dues or not outlets:
        return
    told = [Recipient(id=f"department:{code}", kind="department", name=code, department=code) for code in dues]
    known = addresses.of(transaction.connection, told)
    for outlet in outlets:
        messages = [
            structs.replace(
                about, recipient=one.id, name=one.name, kind=one.kind, department=one.department,
                due={"decide": due} if (due := dues[one.department]) else {},
            )
            for one in told
            if suits(outlet, one.department, about.purpose) and known[one.id].has(outlet.terms.needs)
        ]  # fmt: skip
        outbox.add(transaction, outlet.name, "access", subject, messages, now)
