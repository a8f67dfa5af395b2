"""Changing an order that was sent 变更: amended, called back, with more or fewer recipients, and who must take it.

What another change could clobber compares the revision; adding and withdrawing recipients commutes.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import structs

from config.taxonomy import URGENCIES
from operations.errors import need
from operations.orders.draft import (
    MINUTE,
    Wanted,
    check_minutes,
    check_recipients,
    check_title,
    clock,
    clocks_of,
    recipient,
    text_of,
)
from operations.orders.ending import after_receipt, all_stopped
from operations.orders.matter import UNDONE
from operations.orders.order import RECIPIENTS_MOST, Order, Recipient
from operations.orders.reading import Reading
from operations.orders.receipts import CLOCKS, anew, stopped
from operations.orders.writing import Change, Fields, open_order, the
from operations.policy import Identity
from operations.wording import cleaned

UNDONE_WITHIN = 30_000_000
"""Microseconds after sending within which its sender takes an order back with one key, unless somebody signed."""
RULINGS = ("must", "released")
"""权责裁定: this recipient must take it, or it is released."""


class Changing(Reading):
    """How orders change."""

    def amend(
        self,
        identity: Identity,
        order_id: str,
        revision: int,
        *,
        title: str | None = None,
        text: str | None = None,
        urgency: str | None = None,
        minutes: Mapping[str, int] | None = None,
    ) -> Order:
        """Change title, text, urgency or deadlines {"sign" | "arrive" | "close": minutes from now}; None stays.

        Every recipient has to look again (`Recipient.amendments` < `Order.amended`); no receipt is lost. The texts
        before and after stand in `Dossier.texts`. Raises Forbidden, NotFound, Refused, OrderChanged.
        """
        if title is not None:
            check_title(title)
        need(urgency is None or urgency in URGENCIES, "operations.unknown_urgency")
        lengths = dict(minutes or {})
        check_minutes(lengths)
        need(lengths.keys() <= set(CLOCKS), "orders.minutes_wrong")
        new = text_of(text or "")
        before = self.dossier(identity, order_id).text
        words = {} if text is None or new == before else {"text": new}

        def step(order: Order, now: int) -> Change:
            open_order(order)
            asked = {"title": None if title is None else cleaned(title), "urgency": urgency}
            fresh = {name: value for name, value in asked.items() if value not in (None, getattr(order, name))}
            later = {one.id: {"clocks": _later(one, lengths, now)} for one in order.recipients if one.waits and lengths}
            need(bool(fresh or words or later), "orders.nothing_amended")
            old = {name: getattr(order, name) for name in fresh}
            count = {"amended": order.amended + 1}
            return Change("order.amended", {**fresh, **count}, later, words, more={"before": old}, revises=True)

        return self._run(identity, "order.change", order_id, step, revision=revision)

    def cancel(self, identity: Identity, order_id: str, revision: int, text: str) -> Order:
        """Call an order back 撤销, with the reason. Raises Forbidden, NotFound, Refused, OrderChanged."""
        words = {"note": text_of(text, required=True)}
        return self._run(
            identity, "order.change", order_id, lambda order, now: _cancelled(order, now, words), revision=revision
        )

    def undo(self, identity: Identity, order_id: str) -> Order:
        """Take back an order oneself has just sent, before anybody signed it. Raises Forbidden, NotFound, Refused."""

        def step(order: Order, now: int) -> Change:
            fresh = order.sender == identity.name and now - order.sent_at <= UNDONE_WITHIN
            untouched = all(one.signed_at is None and one.state != "refused" for one in order.recipients)
            need(fresh and untouched, "orders.not_undone")
            return structs.replace(_cancelled(order, now, {}), reason="undone", matter=UNDONE)

        return self._run(identity, "order.change", order_id, step)

    def add(
        self,
        identity: Identity,
        order_id: str,
        recipients: Sequence[Wanted],
        *,
        minutes: Mapping[str, int] | None = None,
        text: str = "",
    ) -> Order:
        """Add recipients, or ask withdrawn ones again; without `minutes` with the deadlines the others got.

        Raises Forbidden, NotFound, Refused.
        """
        check_recipients(recipients)
        check_minutes(dict(minutes or {}))
        words = {"note": text_of(text)}
        picked = self._known(recipients)

        def step(order: Order, now: int) -> Change:
            open_order(order)
            lengths = dict(minutes) if minutes is not None else _lengths(order)
            added = {f"{one.kind}:{one.id}": _added(order, one, lengths, now) for one in picked}
            need(len({*added, *(one.id for one in order.recipients)}) <= RECIPIENTS_MOST, "orders.recipients_wrong")
            leads = sum(one.role == "lead" for one in recipients) + (order.lead is not None)
            need(leads <= 1, "orders.lead_twice")
            return Change("order.added", {}, added, words, revises=True)

        return self._run(identity, "order.change", order_id, step)

    def withdraw(self, identity: Identity, order_id: str, recipient_id: str, text: str = "") -> Order:
        """Take a recipient out of an order; its receipts stay to be read. Raises Forbidden, NotFound, Refused."""
        words = {"note": text_of(text)}

        def step(order: Order, now: int) -> Change:
            open_order(order)
            one = the(order, recipient_id)
            need(not one.settled, "orders.not_now_settled")
            need(one.state != "refused" or not order.disputed, "orders.ruling_needed")
            change = Change("order.withdrawn", {}, {one.id: withdrawn(one, now)}, words, revises=True)
            return after_receipt(order, change, now)

        return self._run(identity, "order.change", order_id, step)

    def appoint(self, identity: Identity, order_id: str, recipient_id: str) -> Order:
        """Make a recipient the lead 主办; who led supports. Raises Forbidden, NotFound, Refused."""

        def step(order: Order, _now: int) -> Change:
            open_order(order)
            one = the(order, recipient_id)
            need(one.role != "lead" and one.leads and order.reply != "sent", "orders.not_lead")
            before = {each.id: {"role": "support"} for each in order.recipients if each.role == "lead"}
            return Change("order.appointed", {}, {**before, one.id: {"role": "lead"}}, revises=True)

        return self._run(identity, "order.change", order_id, step)

    def resend(self, identity: Identity, order_id: str, recipient_id: str, text: str = "") -> Order:
        """Ask a recipient that refused once more; after a second refusal it needs a ruling.

        Raises Forbidden, NotFound, Refused.
        """
        words = {"note": text_of(text)}

        def step(order: Order, now: int) -> Change:
            open_order(order)
            one = the(order, recipient_id)
            need(one.state == "refused" and not one.ruling, "orders.not_refused")
            need(not order.disputed, "orders.ruling_needed")
            return Change("order.resent", {}, {one.id: anew(one, now)}, words, revises=True)

        return self._run(identity, "order.change", order_id, step)

    def rule(
        self,
        identity: Identity,
        order_id: str,
        recipient_id: str,
        ruling: str,
        text: str,
        *,
        instead: Wanted | None = None,
    ) -> Order:
        """Rule on a refusal 权责裁定, with the reason: this recipient "must" take it and cannot refuse again, or it is
        "released"; `instead` takes its part and its role then, whether it was a recipient before or not.

        Raises Forbidden, NotFound, Refused.
        """
        need(ruling in RULINGS and (instead is None or ruling == "released"), "orders.ruling_wrong")
        check_recipients([] if instead is None else [instead], least=0)
        other = None if instead is None else self._known([instead])[0]
        words = {"note": text_of(text, required=True)}

        def step(order: Order, now: int) -> Change:
            open_order(order)
            one = the(order, recipient_id)
            need(one.state == "refused" and not one.ruling, "orders.not_refused")
            changes: dict[str, Fields] = {one.id: {"ruling": ruling}}
            if ruling == "must":
                changes[one.id] |= anew(one, now)
            if other is not None:
                changes |= _instead(order, one, other, now)
            change = Change("order.ruled", {}, changes, words, ruling, revises=True)
            return after_receipt(order, change, now)

        return self._run(identity, "order.rule", order_id, step)


def withdrawn(one: Recipient, now: int) -> Fields:
    """Return the fields of a recipient that is taken out."""
    return {"state": "withdrawn", "clocks": stopped(one.clocks, CLOCKS, now)}


def _cancelled(order: Order, now: int, words: dict[str, str]) -> Change:
    open_order(order)
    head = {"state": "cancelled", "ended_at": now}
    return Change("order.cancelled", head, all_stopped(order, now), words, revises=True)


def _added(order: Order, wanted: Wanted, lengths: Mapping[str, int], now: int) -> Fields:
    """The whole of a new recipient; of one that was withdrawn what changes."""
    known = order.recipient(f"{wanted.kind}:{wanted.id}")
    clocks = clocks_of(dict(lengths), now)
    if known is None:
        whole: Fields = msgspec.to_builtins(recipient(wanted, clocks, amendments=order.amended))
        return whole
    need(known.state == "withdrawn", "orders.recipient_twice")
    return {"state": "sent", "role": wanted.role, "clocks": clocks}


def _instead(order: Order, released: Recipient, instead: Wanted, now: int) -> dict[str, Fields]:
    """What changes of whoever takes the part of a recipient that was released."""
    wanted = structs.replace(instead, role=released.role)
    known = order.recipient(f"{wanted.kind}:{wanted.id}")
    need(known is None or known.id != released.id, "orders.ruling_wrong")
    if known is None or known.state == "withdrawn":
        fields = _added(order, wanted, _lengths(order), now)
    else:
        fields = anew(known, now) if known.state == "refused" else {}
        fields |= {"role": "lead"} if released.role == "lead" else {}
    key = f"{wanted.kind}:{wanted.id}"
    return {key: {**fields, "ruling": "must"}}


def _lengths(order: Order) -> dict[str, int]:
    """The deadlines its recipients got, in minutes; of several the longest."""
    lengths: dict[str, int] = {}
    for one in order.recipients:
        for each in one.clocks:
            minutes = (each.due_at - each.started_at) // MINUTE
            lengths[each.name] = max(minutes, lengths.get(each.name, 0))
    return lengths


def _later(one: Recipient, lengths: Mapping[str, int], now: int) -> tuple[object, ...]:
    """The clocks of a recipient with new deadlines from now; what has happened already has no clock any more."""
    kept = tuple(each for each in one.clocks if each.name not in lengths or each.done_at is not None)
    over = {each.name for each in kept}
    return (*kept, *(clock(name, now, many * MINUTE) for name, many in lengths.items() if many and name not in over))
