"""Writing orders 记账: a change is one entry, its rows, and the words people wrote, sealed; in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

import msgspec
from msgspec import Struct

from config import clock
from operations import journal
from operations.database import AfterCommit, Database, Transaction
from operations.deadlines import NONE, Deadlines
from operations.entry import Draft, Entry, path
from operations.errors import NotFound, OrderChanged, need
from operations.incidents.hearing import heard
from operations.orders import matter, rows
from operations.orders.draft import Wanted
from operations.orders.notices import notices
from operations.orders.order import WHOLE_ENTRIES, Order, Recipient, concerns, fold, sent_from
from operations.orders.parties import known
from operations.outlets import outbox
from operations.policy import OWN, POLICY, Identity, reach, require
from operations.scope import WHOLE, Scope
from operations.seal import KeyStore, seal

Fields = dict[str, Any]


class Change(Struct, frozen=True):
    """What happens to an order: fields of its own, fields of recipients by id, words to seal, a code as reason.

    `more` goes into the entry's body beside what changes.
    """

    action: str
    set: Fields = {}
    recipients: dict[str, Fields] = {}
    words: dict[str, str] = {}
    reason: str = ""
    more: Fields = {}
    matter: str = ""  # what the order came to for its incident, see `matter`
    revises: bool = False  # somebody who saw the order before must look again before changing it

    @property
    def empty(self) -> bool:
        """Whether it says nothing that was not known."""
        return not (self.set or self.recipients)


NOTHING = Change("")


class Book:
    """The orders of one database; its parts are the commands. `now()` is UTC microseconds."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        doorbell: AfterCommit | None = None,
        *,
        zone: tzinfo,
        county: str,
        now: Callable[[], int] = clock.now,
        moves: matter.Moves = matter.by_flow,
        deadlines: Deadlines = NONE,
    ) -> None:
        self._database = database
        self._keys = keys
        self._doorbell = doorbell
        self._zone = zone
        self._county = county
        self._now = now
        self._moves = moves
        self._deadlines = deadlines

    def _run(
        self,
        identity: Identity,
        permission: str,
        order_id: str,
        step: Callable[[Order, int], Change],
        *,
        revision: int | None = None,
        sender: bool = True,
        key: str = "",
    ) -> Order:
        """Change an order as `step` decides; nothing is written when that is nothing, or was already under its key.

        `sender`: only for those on the side that sent it; the others answer wherever it came from.

        Raises Forbidden, NotFound, Refused; OrderChanged when a revision was given and is not the order's.
        """
        require(identity, permission)
        scope, now = reach(identity, permission) if sender else WHOLE, self._now()
        with self._database.write(self._doorbell) as transaction:
            order = rows.find(transaction.connection, scope, order_id, lock=True)
            if sender:
                senders(scope, order)
            if revision is not None and order.revision != revision:
                raise OrderChanged(order)
            if key and _is_told(transaction, identity, order_id, key):
                return order
            change = step(order, now)
            return order if change.empty else self._write(transaction, identity, order, change, now)

    def _write(self, transaction: Transaction, identity: Identity, order: Order, change: Change, now: int) -> Order:
        """Write a change of an order whose row is locked, as the transaction's last step; return the order after it."""
        after, draft = carried(transaction, self._keys, identity, order, change, now)
        beside = self._of_matter(transaction, identity, after, change.matter, now)
        beside += heard(transaction, identity, after, change.action, now)
        journal.append(transaction, [draft, *beside])
        return after

    def _known(self, wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
        with self._database.read() as connection:
            return known(connection, wanted)

    def _of_matter(
        self, transaction: Transaction, identity: Identity, order: Order, came_to: str, now: int
    ) -> list[Draft]:
        """The entries about the incident of an order that came to something."""
        if not came_to:
            return []
        return matter.told(transaction, identity, order, came_to, now, moves=self._moves, deadlines=self._deadlines)


def carried(
    transaction: Transaction, keys: KeyStore | None, identity: Identity, order: Order, change: Change, now: int
) -> tuple[Order, Draft]:
    """Do everything of a change but the entry: rows, and messages to those who are told; return it with the order.

    Without `keys` nothing that people wrote is in it.
    """
    body: Fields = {"set": {**change.set, "updated_at": now}, **change.more}
    if change.revises:
        body["set"]["revision"] = order.revision + 1
    if change.recipients:
        body["recipients"] = msgspec.to_builtins(change.recipients)
    after = fold(order, as_entry(order, body))
    assert after is not None
    if change.action in WHOLE_ENTRIES:
        body = {"set": msgspec.to_builtins(after)}
    store(transaction, order, after, change.recipients)
    for purpose, told in notices(change.action, order, after, set(change.recipients)):
        outbox.queued(transaction, after, told, purpose, now)
    written = b"" if keys is None else sealed(keys, after, change.words)
    return after, draft_of(identity, after, change.action, body, now, change.reason, written)


def store(transaction: Transaction, before: Order, after: Order, touched: Mapping[str, object]) -> None:
    """Write the rows of an order that changed: new recipients are added, all are written when it ends or begins."""
    known = {one.id for one in before.recipients}
    ended = before.is_open != after.is_open
    changed = [one for one in after.recipients if one.id in known and (ended or one.id in touched)]
    rows.store(transaction, after, changed)
    rows.add(transaction, after, [one for one in after.recipients if one.id not in known])


def sealed(keys: KeyStore, order: Order, words: Mapping[str, str]) -> bytes:
    """Return what people wrote, sealed under the order's own key; nothing where nothing was."""
    said = {name: text for name, text in words.items() if text}
    return seal(keys.make([order.id])[order.id], order.id, msgspec.json.encode(said)) if said else b""


def draft_of(
    identity: Identity, order: Order, action: str, body: Fields, now: int, reason: str = "", sealed: bytes = b""
) -> Draft:
    """Return the entry about an order."""
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="order",
        subject_id=order.id,
        revision=order.revision,
        scope_grid=path(order.chain),
        scope_grid_before=path(order.chain),
        scope_department=order.department,
        scope_department_before=order.department,
        reason=reason,
        body=body,
        sealed=sealed,
    )


def as_entry(order: Order, body: Fields) -> Entry:
    """What changes, as the fold will read it: the database and the board cannot differ."""
    empty = dict.fromkeys(("body_digest", "prev_hash", "hash", "scope_department", "scope_department_before"), "")
    return Entry(
        seq=0,
        at=0,
        actor="",
        action="order.changed",
        subject_type="order",
        subject_id=order.id,
        revision=order.revision,
        scope_grid="",
        scope_grid_before="",
        reason="",
        schema=1,
        body=body,
        **empty,
    )


def _is_told(transaction: Transaction, identity: Identity, order_id: str, key: str) -> bool:
    """Say whether a receipt was already written under this key: the answer to it was lost on its way."""
    entries = (entry for entry, _ in journal.of_subject(transaction.connection, order_id))
    return any(one.actor == identity.actor and (one.body or {}).get("key") == key for one in entries)


def is_own(identity: Identity, permission: str) -> bool:
    """Say whether somebody may do an action only for what is their own."""
    return POLICY[permission].get(identity.role) == OWN


def scope_of(identity: Identity, permission: str) -> Scope:
    """Return where to look for an order; whose own it must be is asked of each recipient. Raises Forbidden."""
    require(identity, permission)
    return WHOLE if is_own(identity, permission) else reach(identity, permission)


def answers_for(identity: Identity, one: Recipient) -> bool:
    """Say whether somebody answers for a recipient: it is their account, or their department in their jurisdiction."""
    if one.account and one.account == identity.id:
        return True
    if is_own(identity, "order.answer") or not identity.scope.department:
        return False
    return concerns(identity.scope, one)


def the(order: Order, recipient_id: str) -> Recipient:
    """Return a recipient of an order. Raises NotFound."""
    one = order.recipient(recipient_id)
    if one is None:
        raise NotFound()
    return one


def senders(scope: Scope, order: Order) -> None:
    """Raise Refused for whoever is not on the side that sent an order."""
    need(sent_from(scope, order), "orders.senders_only")


def open_order(order: Order) -> None:
    """Raise Refused for an order that has ended."""
    need(order.is_open, "orders.ended")
