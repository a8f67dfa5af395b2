"""An order that is to be sent: what is asked, checked, and turned into recipients with their clocks. Pure."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from operations.entry import Entry
from operations.errors import Refused, need
from operations.orders.order import KINDS, RECIPIENTS_MOST, Recipient
from operations.ticking import Clock
from operations.wording import cleaned

TEXT_MOST, TITLE_MOST, KEY_MOST, NAME_MOST = 2_000, 80, 64, 80
REASON_LEAST = 2
MINUTES_MOST = 60 * 24 * 365
MINUTE = 60_000_000
RECIPIENT_KINDS = ("department", "team", "person")
ROLES = ("lead", "support")


class Wanted(Struct, frozen=True):
    """One recipient as it was picked. `name` stands on screens and in entries: of a department or team its name, of a
    person the post and never the person's name, which stands in the address book alone. `grid` is where it answers, ""
    is wherever its department does.
    """

    kind: str
    id: str  # department code, or id of a team or person
    name: str
    department: str
    role: str = "support"
    account: str = ""
    grid: str = ""
    rank: int = 0  # in the duty roster, of somebody proposed by it


class OrderDraft(Struct, frozen=True, kw_only=True):
    """An order to be sent. `key`: the same key from the same sender is the same order, however often it is sent."""

    title: str
    text: str
    recipients: tuple[Wanted, ...]
    incident: str = ""
    warning: str = ""
    kind: str = "order"
    urgency: str = "routine"
    sign_minutes: int = 0
    arrive_minutes: int = 0
    close_minutes: int = 0
    key: str = ""

    @property
    def minutes(self) -> dict[str, int]:
        """Its deadlines by the name of their clock; 0 is none."""
        return {"sign": self.sign_minutes, "arrive": self.arrive_minutes, "close": self.close_minutes}


def check(draft: OrderDraft) -> None:
    """Raise Refused for an order that cannot be sent: says which part of it is wrong."""
    need(draft.kind in KINDS, "orders.kind_wrong")
    check_title(draft.title)
    text_of(draft.text)
    need(len(draft.key) <= KEY_MOST and draft.key.isprintable(), "orders.key_wrong")
    check_recipients(draft.recipients)
    need(sum(one.role == "lead" for one in draft.recipients) <= 1, "orders.lead_twice")
    check_minutes(draft.minutes)


def check_title(title: str) -> None:
    """Raise Refused for a title that is empty or too long."""
    need(0 < len(cleaned(title)) <= TITLE_MOST, "orders.title_wrong")


def check_minutes(minutes: dict[str, int]) -> None:
    """Raise Refused for deadlines below 0 or beyond a year."""
    need(all(0 <= one <= MINUTES_MOST for one in minutes.values()), "orders.minutes_wrong")


def check_recipients(recipients: Sequence[Wanted], least: int = 1) -> None:
    """Raise Refused for too few or too many, the same twice, or one that cannot be."""
    need(least <= len(recipients) <= RECIPIENTS_MOST, "orders.recipients_wrong")
    keys = {(one.kind, one.id) for one in recipients}
    need(len(keys) == len(recipients), "orders.recipient_twice")
    for one in recipients:
        sayable = 0 < len(one.id) <= NAME_MOST and one.id.isprintable() and len(cleaned(one.name)) <= NAME_MOST
        need(one.kind in RECIPIENT_KINDS and one.role in ROLES and sayable, "orders.recipient_wrong")


def text_of(text: str, *, required: bool = False) -> str:
    """Return a text that people wrote, cleaned. Raises Refused when it is too long, or missing where it is needed."""
    text = cleaned(text)
    if len(text) > TEXT_MOST:
        raise Refused("operations.text_too_long", most=TEXT_MOST)
    need(not required or len(text) >= REASON_LEAST, "operations.text_missing")
    return text


def clocks_of(minutes: dict[str, int], now: int) -> tuple[Clock, ...]:
    """Return the clocks a recipient starts with; 0 minutes is no clock."""
    return tuple(clock(name, now, length * MINUTE) for name, length in minutes.items() if length)


def clock(name: str, now: int, length: int) -> Clock:
    """Return a clock that starts now and is due after `length` microseconds; near-due at 80 % of it."""
    near = now + length * 8 // 10
    return Clock(name, now, now + length, near, near)


def recipient(one: Wanted, clocks: tuple[Clock, ...] = (), **more: Any) -> Recipient:
    """Return a recipient as it begins."""
    return Recipient(
        id=f"{one.kind}:{one.id}",
        kind=one.kind,
        name=cleaned(one.name),
        department=one.department,
        account=one.account,
        grid=one.grid,
        role=one.role,
        rank=one.rank,
        clocks=clocks,
        **more,
    )


def same(draft: OrderDraft, sent: Entry, text: str | None) -> bool:
    """Say whether a draft is what was sent by an entry; a text of None was destroyed and is not compared."""
    body = (sent.body or {}).get("set", {})
    asked = {"title": cleaned(draft.title), "kind": draft.kind, "incident": draft.incident, "warning": draft.warning}
    known = {name: body.get(name, "") for name in asked}
    picked = {(f"{one.kind}:{one.id}", one.role) for one in draft.recipients}
    went = {(one["id"], one.get("role", "support")) for one in body.get("recipients", ())}
    urgency = draft.urgency == body.get("urgency", "routine")
    return (known, went) == (asked, picked) and urgency and text in (None, cleaned(draft.text))
