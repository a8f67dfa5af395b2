"""Reading orders 查看: one with its text and entries, those of an incident, those somebody answers for."""

from msgspec import Struct
from sqlalchemy import Connection

from operations import journal
from operations.entry import Entry
from operations.errors import NotFound
from operations.orders import rows
from operations.orders.order import Order
from operations.orders.words import with_words
from operations.orders.writing import Book, answers_for, is_own, scope_of
from operations.policy import Identity, allowed
from operations.scope import WHOLE, Scope

ROUTINE = ("order.delivered", "order.seen", "order.conveyed")
"""Entries that the history of an incident leaves out: the order's own tells them."""


class Dossier(Struct, frozen=True):
    """An order as it stands, its text, and its entries, oldest first, with what was written opened in `words`.

    `texts`: its text as it was sent and after each amendment, the newest last; None is one whose key was destroyed.
    """

    order: Order
    text: str
    history: list[Entry]
    texts: tuple[str | None, ...] = ()


class Reading(Book):
    """How orders are looked at."""

    def dossier(self, identity: Identity, order_id: str) -> Dossier:
        """Return an order with its text and its entries; what was written only to its own recipients and to who may
        read the texts of incidents. Raises NotFound.
        """
        own = is_own(identity, "order.answer")
        scope = scope_of(identity, "order.answer" if own else "order.read")
        with self._database.read() as connection:
            order = rows.find(connection, scope, order_id)
            if own and not any(answers_for(identity, one) for one in order.recipients):
                raise NotFound()
            found = journal.of_subject(connection, order_id)
        if not (own or allowed(identity, "incident.text")):
            return Dossier(order, "", [entry for entry, _ in found])
        history = [with_words(self._keys, entry, sealed) for entry, sealed in found]
        texts = tuple(_text(entry) for entry in history if _tells(entry))
        return Dossier(order, next((one for one in reversed(texts) if one), ""), history, texts)

    def mine(self, identity: Identity) -> list[Order]:
        """Return the orders whoever asks answers for: those that wait first, then the newest."""
        own = is_own(identity, "order.answer")
        scope = scope_of(identity, "order.answer" if own else "order.read")
        named = {"account": identity.id}
        if not own and scope.department:
            named["department"] = scope.department
        with self._database.read() as connection:
            ids = rows.mine(connection, named)
            found = [rows.find(connection, WHOLE, key) for key in ids]
        return [one for one in found if any(answers_for(identity, to) for to in one.recipients)]

    def of_incident(self, identity: Identity, incident_id: str) -> list[Order]:
        """Return an incident's orders as far as whoever asks sees them, oldest first."""
        scope = scope_of(identity, "order.read")
        with self._database.read() as connection:
            return [rows.find(connection, scope, key) for key in rows.of_incident(connection, scope, incident_id)]


def of_incident(connection: Connection, scope: Scope, incident_id: str) -> list[tuple[Entry, bytes | None]]:
    """Return the entries of an incident's orders that a scope sees, with their sealed parts, without the routine."""
    ids = rows.of_incident(connection, scope, incident_id)
    found = [one for order_id in ids for one in journal.of_subject(connection, order_id)]
    return [(entry, sealed) for entry, sealed in found if entry.action not in ROUTINE]


def _tells(entry: Entry) -> bool:
    words = (entry.body or {}).get("words", {})
    return entry.action in ("order.sent", "order.amended") and (words is None or "text" in words)


def _text(entry: Entry) -> str | None:
    words = (entry.body or {}).get("words")
    return None if words is None else str(words["text"])
