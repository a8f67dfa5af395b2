"""Taking back a receipt 收回回执: whoever answered by mistake takes it back at once, while nothing followed from it.

The recipient stands as it did before, with the clocks it had; one entry says so, and the receipt stays in the trail.
"""

from collections.abc import Sequence
from typing import Any

from operations import journal
from operations.entry import Entry
from operations.errors import NotFound, Refused, need
from operations.orders import rows
from operations.orders.order import Order, fold
from operations.orders.writing import Book, Change, answers_for, open_order, the
from operations.policy import Identity, require
from operations.scope import WHOLE

TAKEN_BACK_WITHIN = 60_000_000
"""Microseconds after a receipt within which it is taken back."""
HARMLESS = ("signed", "refused", "progress")
"""Receipts that can be: an arrival stops a clock of its incident, and what is done goes to review."""
TAKEN_BACK = "order.taken_back"


class TakingBack(Book):
    """How receipts are taken back."""

    def take_back(self, identity: Identity, order_id: str, recipient_id: str) -> Order:
        """Take back the receipt oneself has just written for a recipient. Raises Forbidden, NotFound, Refused."""
        require(identity, "order.answer")
        now = self._now()
        with self._database.write(self._doorbell) as transaction:
            order = rows.find(transaction.connection, WHOLE, order_id, lock=True)
            if not answers_for(identity, the(order, recipient_id)):
                raise NotFound()
            open_order(order)
            entries = [entry for entry, _ in journal.of_subject(transaction.connection, order_id)]
            deed, fields = undone(entries, identity.actor, recipient_id, now)
            change = Change(TAKEN_BACK, {}, {recipient_id: fields}, more={"deed": deed})
            return self._write(transaction, identity, order, change, now)


def undone(entries: Sequence[Entry], actor: str, recipient_id: str, now: int) -> tuple[str, dict[str, Any]]:
    """Return the last receipt of a recipient and the fields that make it stand as before: `entries` are all of its
    order, oldest first. Raises Refused where it is not the actor's, too old, no harmless one, or something followed.
    """
    touching = [at for at, one in enumerate(entries) if at and recipient_id in _recipients(one)]
    need(bool(touching), "orders.not_taken_back")
    at = touching[-1]
    receipt, deed = entries[at], entries[at].action.removeprefix("order.")
    own = receipt.actor == actor and deed in HARMLESS and now - receipt.at <= TAKEN_BACK_WITHIN
    alone = len(_recipients(receipt)) == 1 and not any(_heads(one) for one in entries[at:])
    need(own and alone, "orders.not_taken_back")
    order = None
    for one in entries[:at]:
        order = fold(order, one)
    before = order.recipient(recipient_id) if order else None
    if before is None:  # what came first is no longer here
        raise Refused("orders.not_taken_back")
    return deed, {name: getattr(before, name) for name in _recipients(receipt)[recipient_id]}


def _recipients(entry: Entry) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = (entry.body or {}).get("recipients", {})
    return found


def _heads(entry: Entry) -> bool:
    """Whether an entry changes the order itself."""
    return bool((entry.body or {}).get("set", {}).keys() - {"updated_at"})
