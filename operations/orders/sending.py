"""Sending an order 下达: to all its recipients at once, and once however often it is asked for under one key."""

from typing import Any

import msgspec

from operations import journal
from operations.database import Transaction
from operations.errors import need
from operations.incidents import rows as incidents
from operations.numbers import Numbers
from operations.orders import matter, rows
from operations.orders.draft import OrderDraft, check, clocks_of, recipient, same
from operations.orders.notices import notices
from operations.orders.order import Order, ordered
from operations.orders.parties import known
from operations.orders.words import opened
from operations.orders.writing import Book, draft_of, sealed
from operations.outlets import outbox
from operations.policy import Identity, reach
from operations.scope import WHOLE, Scope
from operations.uuid7 import uuid7
from operations.wording import cleaned

SERIES = "order/"
"""Orders are counted beside the incidents of their county."""
PLACE = ("county", "type", "address", "lon", "lat", "chain")
"""What an order takes over of its incident."""


class Sending(Book):
    """How orders begin."""

    def send(self, identity: Identity, draft: OrderDraft) -> Order:
        """Send an order to all its recipients at once. Raises Forbidden, NotFound, Refused.

        The same key again with the same content answers with the order it made; with other content it is refused.
        """
        scope, now = reach(identity, "order.send"), self._now()
        check(draft)
        key = f"{identity.id}/{draft.key}" if draft.key else ""
        with self._database.write(self._doorbell) as transaction:
            transaction.alone("orders")
            earlier = rows.by_key(transaction.connection, key) if key else None
            if earlier is not None:
                return self._again(transaction, earlier, draft)
            order = self._made(transaction, identity, scope, draft, now)
            rows.insert(transaction, order, key)
            for purpose, told in notices("order.sent", order, order, set()):
                outbox.queued(transaction, order, told, purpose, now)
            text = sealed(self._keys, order, {"text": cleaned(draft.text)})
            body = {"set": msgspec.to_builtins(order)}
            beside = self._of_matter(transaction, identity, order, matter.SENT, now)
            journal.append(transaction, [draft_of(identity, order, "order.sent", body, now, sealed=text), *beside])
            return order

    def _again(self, transaction: Transaction, order_id: str, draft: OrderDraft) -> Order:
        [(sent, part), *_] = journal.of_subject(transaction.connection, order_id)
        words = opened(self._keys, order_id, part)
        text = None if words is None else words.get("text", "")
        need(sent.action != "order.sent" or same(draft, sent, text), "orders.key_other")
        return rows.find(transaction.connection, WHOLE, order_id)

    def _made(self, transaction: Transaction, identity: Identity, scope: Scope, draft: OrderDraft, now: int) -> Order:
        about: dict[str, Any] = {"county": self._county, "chain": (scope.grid,) if scope.grid else ()}
        grade = ""
        if draft.incident:
            one = incidents.find(transaction.connection, scope, draft.incident).incident
            about = {name: getattr(one, name) for name in PLACE}
            about |= {"incident": one.id, "incident_number": one.number}
            grade = one.grade
        numbers = Numbers(transaction, self._zone, now)
        number = "L" + numbers.next(SERIES + about["county"])
        numbers.store()
        usual = self._deadlines.recipient(about.get("type", ""), draft.urgency, now, grade)
        clocks = tuple(({one.name: one for one in (*usual, *clocks_of(draft.minutes, now))}).values())
        return Order(
            id=uuid7(now),
            number=number,
            revision=1,
            kind=draft.kind,
            title=cleaned(draft.title),
            sender=identity.name,
            department=scope.department,
            sent_at=now,
            updated_at=now,
            urgency=draft.urgency,
            warning=draft.warning,
            recipients=ordered(recipient(one, clocks) for one in known(transaction.connection, draft.recipients)),
            **about,
        )
