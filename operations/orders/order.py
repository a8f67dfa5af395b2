"""An order 交办单 (in an emergency 联动指令): the state that entries build and everybody concerned sees.

One order, one lead 主办 and any support 协办; each recipient has receipts of its own. Free text lies sealed in the
entries; nothing of it is here.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, convert, structs

from operations.entry import Entry
from operations.scope import Scope
from operations.ticking import Clock

KINDS = ("order", "joint", "whistle", "call")
"""交办, 联动指令, 吹哨报到, 叫应 (the named confirmation of a warning)."""
STATES = ("sent", "delivered", "seen", "signed", "refused", "arrived", "working", "done", "reviewed", "withdrawn")
"""Of a recipient: 已发 已送达 已阅 已签收 退回 已到场 办理中 已办结 已审核 已撤回."""
ENDED = ("done", "reviewed", "withdrawn", "refused")
"""States in which no receipt is awaited."""
REPLIES = ("", "sent", "accepted", "returned")
"""Of the lead's consolidated reply: none yet, waiting for review 办结审核, accepted, returned."""
RULED_AFTER = 2
"""Refusals of one order after which the duty commander rules."""
RECIPIENTS_MOST = 500
WHOLE_ENTRIES = ("order.sent", "order.reopened")
"""Entries that carry the whole order."""
CLOSED_KEPT = 2_000
"""Ended orders on the board; older ones are in the journal."""


class Recipient(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One recipient with its receipts. `id`: "department:fire", "team:ID", "person:ID", unique in its order."""

    id: str
    kind: str
    name: str
    department: str = ""
    account: str = ""  # id of the account that answers for a person
    grid: str = ""
    role: str = "support"  # lead | support
    state: str = "sent"
    delivered_at: int | None = None
    seen_at: int | None = None
    signed_at: int | None = None
    refused_at: int | None = None
    arrived_at: int | None = None
    progress_at: int | None = None
    done_at: int | None = None
    reviewed_at: int | None = None
    by: str = ""  # account name of who answered last, or who logged the telephone call
    channel: str = ""  # by which the last receipt came: app | phone | ...
    reason: str = ""  # code of the last refusal
    refusals: int = 0
    ruling: str = ""  # 权责裁定 after a refusal: "" | must | released
    amendments: int = 0  # of the order, as far as it has seen them
    rank: int = 0  # in the duty roster, of somebody who was called by it
    instead_of: str = ""  # id of the recipient that did not sign and in whose place this one was called
    reminders: int = 0
    reminded_at: int | None = None
    escalations: int = 0
    lon: float | None = None  # where it arrived, WGS-84
    lat: float | None = None
    clocks: tuple[Clock, ...] = ()
    ways: dict[str, str] = {}  # name of an outlet → what became of the last message by it: sent | delivered | dead

    @property
    def waits(self) -> bool:
        """Whether a receipt is still awaited of it."""
        return self.state not in ENDED

    @property
    def leads(self) -> bool:
        """Whether a lead still is it: not withdrawn and not released."""
        return self.state != "withdrawn" and self.ruling != "released"

    @property
    def settled(self) -> bool:
        """Whether nothing more is awaited of it, nor of the desk about it: a refusal wants a decision."""
        return not self.waits and (self.state != "refused" or self.ruling == "released")


class Order(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One order. Times: UTC microseconds; `chain`: the grid's codes, root to leaf, of the incident or the sender."""

    id: str
    number: str
    revision: int
    kind: str
    title: str
    sender: str  # account name
    department: str  # the sender's
    county: str
    sent_at: int
    updated_at: int
    urgency: str = "routine"
    incident: str = ""
    incident_number: str = ""
    type: str = ""
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    chain: tuple[str, ...] = ()
    state: str = "open"  # open | done | cancelled
    ended_at: int | None = None
    amended: int = 0
    warning: str = ""  # id of the warning that is to be confirmed 叫应
    reply: str = ""  # the lead's consolidated reply, one of REPLIES
    replied_at: int | None = None
    missing: tuple[str, ...] = ()  # ids of recipients whose part the reply says is missing
    evaluation: int = 0  # the whistler's, 1 to 5 谁吹哨谁评价; 0: none
    recipients: tuple[Recipient, ...] = ()

    @property
    def is_open(self) -> bool:
        """Say whether work is left."""
        return self.state == "open"

    @property
    def lead(self) -> Recipient | None:
        """The lead department or team, if one was named and still is it."""
        return next((one for one in self.recipients if one.role == "lead" and one.leads), None)

    @property
    def disputed(self) -> bool:
        """Whether the duty commander has to rule 权责裁定: refused twice, by one or by two, and no ruling yet."""
        refused = any(one.state == "refused" and not one.ruling for one in self.recipients)
        return refused and sum(one.refusals for one in self.recipients) >= RULED_AFTER

    def recipient(self, recipient_id: str) -> Recipient | None:
        """Return one of its recipients."""
        return next((one for one in self.recipients if one.id == recipient_id), None)


def visible(scope: Scope, order: Order) -> bool:
    """Say whether `order` lies inside `scope`: the sender's side sees it, and so does every recipient's department.

    A department that is a recipient sees it wherever the matter lies; where the recipient has a grid of its own (a
    team, a street), only whoever's jurisdiction holds that grid does.
    """
    if order.type.startswith(scope.hidden):
        return False
    return sent_from(scope, order) or any(concerns(scope, one) for one in order.recipients)


def sent_from(scope: Scope, order: Order) -> bool:
    """Say whether an order was sent from a scope: those on this side change it, review it and call it back."""
    near = not scope.grid or scope.grid in order.chain
    return near and (not scope.department or scope.department == order.department)


def concerns(scope: Scope, one: Recipient) -> bool:
    """Say whether a recipient lies inside a scope; codes of grids begin with those of the grids above."""
    if scope.department and scope.department != one.department:
        return False
    if not scope.grid:
        return True
    return one.grid.startswith(scope.grid) or bool(scope.department and not one.grid)


def seen(scope: Scope, order: Order | None) -> Order | None:
    """Return what a scope sees of an order: None outside it, and of a dimmed type no words that people wrote."""
    if order is None or not visible(scope, order):
        return None
    if not order.type.startswith(scope.dimmed):
        return order
    return structs.replace(order, title="", address="")


def fold(before: Order | None, entry: Entry) -> Order | None:
    """Return the order after an entry: `set` changes the order's fields, `recipients` {id: fields} those of its own.

    An entry that sends (`order.sent`) or opens again carries the whole; an order that left the board stays away.
    """
    body = entry.body or {}
    if entry.action in WHOLE_ENTRIES and "set" in body:
        return convert(body["set"], Order)
    if before is None:
        return None
    after = structs.replace(before, **_tuples(body.get("set", {})))
    changed: dict[str, dict[str, Any]] = body.get("recipients", {})
    if not changed:
        return after
    known = {one.id for one in after.recipients}
    kept = [_changed(one, changed.get(one.id)) for one in after.recipients]
    fresh = [convert(fields, Recipient) for key, fields in changed.items() if key not in known]
    return structs.replace(after, recipients=ordered((*kept, *fresh)))


def ordered(recipients: Iterable[Recipient]) -> tuple[Recipient, ...]:
    """Return recipients as they stand everywhere: the lead first, then by id."""
    return tuple(sorted(recipients, key=lambda one: (one.role != "lead", one.id)))


def _changed(one: Recipient, fields: dict[str, Any] | None) -> Recipient:
    return one if fields is None else structs.replace(one, **_tuples(fields))


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    clocks = fields.get("clocks")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    return values if clocks is None else values | {"clocks": convert(clocks, tuple[Clock, ...])}
