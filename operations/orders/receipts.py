"""The receipts 回执 of a recipient: which may follow which, and what each changes. Pure.

签收 before 到场 before 办结; somebody who arrives or finishes without having signed has signed by that.
"""

from typing import Any

from operations.errors import Refused, need
from operations.orders.draft import clock
from operations.orders.order import Order, Recipient
from operations.ticking import Clock, done

DEEDS = ("delivered", "seen", "signed", "refused", "arrived", "progress", "done")
"""What is answered to an order, in the order it usually comes."""
CALLED = "called"
"""A telephone call that is no receipt: nobody answered, or it changed nothing."""
REASONS = ("not_ours", "wrong_place", "no_capacity", "handled", "other")
"""Codes of reasons to refuse an order 退回: 不属本单位职责, 不在辖区, 力量不足, 已在办理, 其他."""
CLOCKS = ("sign", "arrive", "close")
_WAITING = ("sent", "delivered", "seen")
_AT_WORK = (*_WAITING, "signed", "arrived", "working")
_FROM = {
    "delivered": ("sent",),
    "seen": ("sent", "delivered"),
    "signed": _WAITING,
    "refused": (*_WAITING, "signed"),
    "arrived": (*_WAITING, "signed", "working"),
    "progress": _AT_WORK,
    "done": _AT_WORK,
}
_ENDS = {"signed": ("sign",), "progress": ("sign",), "arrived": ("sign", "arrive"), "refused": CLOCKS, "done": CLOCKS}
"""Which clocks each receipt stops."""


def possible(one: Recipient) -> list[str]:
    """Return the receipts a person may write now, in the order they usually come."""
    deeds = [deed for deed in DEEDS[2:] if one.state in _FROM[deed]]
    return [deed for deed in deeds if deed != "refused" or one.ruling != "must"]


def answered(order: Order, one: Recipient, deed: str, now: int) -> dict[str, Any]:
    """Return the fields a receipt changes, {} when it says nothing new. Raises Refused where it may not follow.

    Whoever sees an amended order, or answers to it, has seen the amendment.
    """
    need(deed in DEEDS, "orders.deed_wrong")
    read = {} if deed == "delivered" or one.amendments == order.amended else {"amendments": order.amended}
    if deed in ("delivered", "seen") and one.state not in _FROM[deed]:
        return {} if one.state in ("refused", "withdrawn") else read  # a second screen opened it, or an amendment
    if one.state not in _FROM[deed]:
        raise Refused("orders.not_now", state=one.state)
    need(deed != "refused" or one.ruling != "must", "orders.ruled_must")
    return read | _fields(one, deed, now)


def _fields(one: Recipient, deed: str, now: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"state": _state(one, deed), f"{deed}_at": now}
    if deed in ("arrived", "progress", "done") and one.signed_at is None:
        fields["signed_at"] = now
    if deed == "refused":
        fields["refusals"] = one.refusals + 1
    clocks = stopped(one.clocks, _ENDS.get(deed, ()), now)
    return fields if clocks == one.clocks else {**fields, "clocks": clocks}


def _state(one: Recipient, deed: str) -> str:
    if deed != "progress":
        return deed
    return "arrived" if one.state == "arrived" else "working"


def stopped(clocks: tuple[Clock, ...], names: tuple[str, ...], now: int) -> tuple[Clock, ...]:
    """Return clocks with those of some names stopped."""
    for name in names:
        clocks = done(clocks, name, now)
    return clocks


def anew(one: Recipient, now: int) -> dict[str, Any]:
    """Return the fields of a recipient that is to take an order it gave back or ended: asked again, clocks anew."""
    clocks = tuple(clock(each.name, now, each.due_at - each.started_at) for each in one.clocks)
    return {"state": "sent", "clocks": clocks}
