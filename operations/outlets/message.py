"""A message 消息: what is told to one recipient, frozen when it is queued, so that every try says the same.

No text that people wrote, no address and no phone is in it: those are looked up when it is sent.
"""

from msgspec import Struct

from operations.orders.order import Order, Recipient


class Message(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One message about an order, or of an incident's state back to its source. Times: UTC microseconds."""

    purpose: str
    at: int
    recipient: str = ""
    name: str = ""  # as people call the recipient; of a person it is left to the address book
    kind: str = ""
    department: str = ""
    role: str = ""
    order: str = ""
    number: str = ""
    order_kind: str = ""
    title: str = ""
    urgency: str = ""
    incident: str = ""
    incident_number: str = ""
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    due: dict[str, int] = {}  # sign, arrive, close → by when
    amended: int = 0
    warning: str = ""
    status: dict[str, str] = {}  # what goes back to a source
    seq: int = 0  # of the entry it comes from, for what goes back to a source


def about(order: Order, one: Recipient, purpose: str, now: int) -> Message:
    """Return what one recipient is told of an order."""
    return Message(
        purpose=purpose,
        at=now,
        recipient=one.id,
        name="" if one.kind == "person" else one.name,
        kind=one.kind,
        department=one.department,
        role=one.role,
        order=order.id,
        number=order.number,
        order_kind=order.kind,
        title=order.title,
        urgency=order.urgency,
        incident=order.incident,
        incident_number=order.incident_number,
        address=order.address,
        lon=order.lon,
        lat=order.lat,
        due={clock.name: clock.due_at for clock in one.clocks if clock.due_at and not clock.done_at},
        amended=order.amended,
        warning=order.warning,
    )
