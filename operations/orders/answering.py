"""Receipts of orders 回执: by whoever answers for a recipient, or by telephone through the desk; and reminders 催办.

Receipts commute, so no revision is compared for them.
"""

from collections.abc import Sequence

from operations.errors import NotFound, need
from operations.orders.draft import KEY_MOST, NAME_MOST, text_of
from operations.orders.ending import after_receipt
from operations.orders.escalation import taken_over
from operations.orders.order import Order, Recipient
from operations.orders.receipts import CALLED, REASONS, answered
from operations.orders.writing import NOTHING, Book, Change, Fields, answers_for, open_order, the
from operations.policy import Identity
from operations.wording import cleaned

REMINDED_AGAIN = 10_000_000
"""Microseconds within which a second reminder is the same one: a key pressed twice."""


class Answering(Book):
    """How receipts come in."""

    def answer(
        self,
        identity: Identity,
        order_id: str,
        recipient_id: str,
        deed: str,
        *,
        reason: str = "",
        text: str = "",
        lon: float | None = None,
        lat: float | None = None,
        key: str = "",
    ) -> Order:
        """Write a receipt of one recipient by whoever answers for it; `deed` is one of DEEDS, a place goes with
        "arrived", a reason of REASONS with "refused". The same key from the same person is the same receipt, however
        often it is sent. Raises Forbidden, NotFound, Refused.
        """
        _check_key(key)
        words = {"note": text_of(text)}
        where = _place(deed, lon, lat)
        _check_reason(deed, reason)

        def step(order: Order, now: int) -> Change:
            one = the(order, recipient_id)
            if not answers_for(identity, one):
                raise NotFound()
            open_order(order)
            fields = answered(order, one, deed, now)
            if not fields and not (words["note"] and deed == "seen"):
                return NOTHING
            fields |= {"by": identity.name, "channel": "app", **where, **_why(deed, reason)}
            more = {"key": key} if key else {}
            change = Change(f"order.{deed}", {}, _with_others(order, one, deed, fields, now), words, reason, more)
            return after_receipt(order, change, now)

        return self._run(identity, "order.answer", order_id, step, sender=False, key=key)

    def phone(
        self,
        identity: Identity,
        order_id: str,
        recipient_id: str,
        deed: str,
        answered_by: str,
        *,
        at: int | None = None,
        reason: str = "",
        text: str = "",
        key: str = "",
    ) -> Order:
        """Write what was said by telephone 电话登记: a full receipt. `deed` is one of DEEDS, or "called" for a call
        that changed nothing (nobody answered, or a question). Who answered is a name and sealed; `at`: when, UTC
        microseconds, not before the order and not in the future. The same key from the same person is the same call.
        Raises Forbidden, NotFound, Refused.
        """
        _check_key(key)
        who = cleaned(answered_by)
        need(len(who) <= NAME_MOST and (deed == CALLED or who != ""), "orders.answered_by_missing")
        words = {"answered_by": who, "note": text_of(text)}
        _check_reason(deed, reason)

        def step(order: Order, now: int) -> Change:
            one = the(order, recipient_id)
            open_order(order)
            when = now if at is None else at
            need(order.sent_at <= when <= now, "orders.call_time_wrong")
            fields: Fields = {} if deed == CALLED else answered(order, one, deed, when)
            fields |= {"by": identity.name, "channel": "phone", **_why(deed, reason)}
            more = {"deed": deed, "called_at": when, **({"key": key} if key else {})}
            change = Change("order.phone", {}, _with_others(order, one, deed, fields, now), words, reason, more)
            return after_receipt(order, change, now)

        return self._run(identity, "order.phone", order_id, step, key=key)

    def remind(self, identity: Identity, order_id: str, recipients: Sequence[str] = (), text: str = "") -> Order:
        """Remind recipients 催办, without any named all that still wait; within 10 s it is the same reminder.

        Raises Forbidden, NotFound, Refused.
        """
        words = {"note": text_of(text)}

        def step(order: Order, now: int) -> Change:
            open_order(order)
            named = [the(order, key) for key in recipients] or list(order.recipients)
            waiting = [one for one in named if one.waits]
            need(bool(waiting), "orders.nobody_waits")
            again = now - REMINDED_AGAIN
            fresh = [one for one in waiting if one.reminded_at is None or one.reminded_at <= again]
            return Change("order.reminded", {}, {one.id: _reminded(one, now) for one in fresh}, words)

        return self._run(identity, "order.remind", order_id, step)


def _with_others(order: Order, one: Recipient, deed: str, fields: Fields, now: int) -> dict[str, Fields]:
    """The fields of a recipient that answers, and of those that were called for the same part."""
    others = taken_over(order, one, deed, now)
    return {**others, one.id: {**fields, **others.get(one.id, {})}}


def _reminded(one: Recipient, now: int) -> Fields:
    return {"reminders": one.reminders + 1, "reminded_at": now}


def _check_key(key: str) -> None:
    need(len(key) <= KEY_MOST and key.isprintable(), "orders.key_wrong")


def _check_reason(deed: str, reason: str) -> None:
    need(deed != "refused" or reason in REASONS, "orders.reason_missing")


def _why(deed: str, reason: str) -> Fields:
    return {"reason": reason} if deed == "refused" else {}


def _place(deed: str, lon: float | None, lat: float | None) -> Fields:
    """Where it arrived, WGS-84 degrees; {} where nobody said."""
    if deed != "arrived" or lon is None or lat is None:
        return {}
    need(abs(lon) <= 180 and abs(lat) <= 90, "operations.place_out_of_range")
    return {"lon": lon, "lat": lat}
