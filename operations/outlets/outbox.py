"""The outbox 发件箱: what is to leave, one row a recipient and outlet, written with the change that causes it.

A row waits while `next_at` is there. Whoever carries it has claimed it until then; so a carrier that dies leaves a row
that is sent again under the same id, and recorded once. Messages about one thing to one recipient by one outlet leave
one after the other.
"""

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations.database import Database, Transaction
from operations.orders.order import Order, Recipient
from operations.outlets import addresses, rows
from operations.outlets.message import Message, about
from operations.outlets.outlet import TEST, Outlet, suits
from operations.tables import delivery as table
from operations.uuid7 import uuid7

WAITING, SENT, DELIVERED, DEAD, DROPPED = "waiting", "sent", "delivered", "dead", "dropped"
QUEUE_MOST = 10_000
"""Messages waiting for one outlet; more are dead letters at once, which can be sent again by hand."""
LEASE = 180_000_000
"""Microseconds a carrier has for what it claimed."""
KEPT = 90 * 86_400_000_000
"""How long what was sent or given up is kept."""
_message = msgspec.json.Decoder(Message)


class Parcel(Struct, frozen=True):
    """One row of the outbox; `id` goes along with every try, so that whoever gets it twice knows it."""

    id: str
    channel: str
    subject_type: str
    subject_id: str
    recipient: str
    purpose: str
    state: str
    attempts: int
    created_at: int
    next_at: int | None
    done_at: int | None
    error: str
    message: Message


def queued(transaction: Transaction, order: Order, recipients: Iterable[Recipient], purpose: str, now: int) -> None:
    """Queue what recipients of an order are told, by each outlet that reaches them; in the order's own transaction."""
    outlets = [one for one in rows.listed(transaction.connection) if one.enabled and not one.source]
    told = list(recipients)
    if not outlets or not told:
        return
    known = addresses.of(transaction.connection, told)
    for outlet in outlets:
        reached = [
            one for one in told if suits(outlet, one.department, purpose) and known[one.id].has(outlet.terms.needs)
        ]
        messages = [about(order, one, purpose, now) for one in reached]
        add(transaction, outlet.name, "order", order.id, messages, now)


def add(
    transaction: Transaction, channel: str, subject_type: str, subject_id: str, messages: Sequence[Message], now: int
) -> None:
    """Queue messages for an outlet; what is more than it may have waiting is a dead letter that says so."""
    room = QUEUE_MOST - _waiting(transaction.connection, channel) if messages else 0
    values = []
    for number, message in enumerate(messages):
        fits = number < room
        values.append(
            {
                "id": uuid7(now),
                "channel": channel,
                "subject_type": subject_type,
                "subject_id": subject_id,
                "recipient": message.recipient,
                "purpose": message.purpose,
                "state": WAITING if fits else DEAD,
                "created_at": now,
                "next_at": now if fits else None,
                "done_at": None if fits else now,
                "error": "" if fits else "queue_full",
                "seq": message.seq or message.at,
                "body": msgspec.json.encode(message),
            }
        )
    if values:
        transaction.connection.execute(sa.insert(table), values)


def due(database: Database, now: int) -> list[Outlet]:
    """Return the outlets that have something to send now."""
    with database.read() as connection:
        return [
            one
            for one in rows.listed(connection)
            if one.enabled and (one.retry_at or 0) <= now and _next(connection, one.name, now)
        ]


def claim(database: Database, outlet: Outlet, owner: str, now: int, most: int) -> list[Parcel]:
    """Claim what an outlet has to send, oldest first; of one that is down a single one, to try it by."""
    later = table.alias()
    before = sa.select(later.c.id).where(
        later.c.channel == table.c.channel,
        later.c.subject_id == table.c.subject_id,
        later.c.recipient == table.c.recipient,
        later.c.next_at.is_not(None),
        later.c.seq < table.c.seq,
    )
    query = sa.select(table).where(table.c.channel == outlet.name, table.c.next_at <= now, ~before.exists())
    tests_first = sa.case((table.c.purpose == TEST, 0), else_=1)  # somebody waits for the answer
    most = 1 if outlet.failing_since is not None else most
    query = query.order_by(tests_first, table.c.next_at, table.c.seq).limit(most)
    with database.write() as transaction:
        found = transaction.connection.execute(query.with_for_update(of=table, skip_locked=True)).all()
        ids = [row.id for row in found]
        change = {"claim": owner, "next_at": now + LEASE, "attempts": table.c.attempts + 1}
        transaction.connection.execute(sa.update(table).where(table.c.id.in_(ids)).values(change))
    return [parcel(row, tried=1) for row in found]


def release(database: Database, ids: Sequence[str], owner: str, now: int) -> None:
    """Give back what was claimed and not tried."""
    mine = (table.c.id.in_(ids), table.c.claim == owner, table.c.next_at.is_not(None))
    with database.write() as transaction:
        change = {"claim": "", "next_at": now, "attempts": table.c.attempts - 1}
        transaction.connection.execute(sa.update(table).where(*mine).values(change))


def parcel(row: sa.Row[tuple[object, ...]], tried: int = 0) -> Parcel:
    """Return a row as a parcel; `tried`: tries to add that are not in it yet."""
    values = row._asdict()
    known = {name: values[name] for name in Parcel.__struct_fields__ if name != "message"}
    return Parcel(**known | {"attempts": values["attempts"] + tried, "message": _message.decode(values["body"])})


def of_subject(connection: Connection, subject_id: str, most: int = 2_000) -> list[Parcel]:
    """Return what was sent about a thing, oldest first."""
    query = sa.select(table).where(table.c.subject_id == subject_id).order_by(table.c.seq, table.c.id).limit(most)
    return [parcel(row) for row in connection.execute(query)]


def drop(transaction: Transaction, subject_id: str, now: int) -> None:
    """Let what still waits about a thing not leave: it was told otherwise."""
    waiting = (table.c.subject_id == subject_id, table.c.next_at.is_not(None))
    ended = {"state": DROPPED, "next_at": None, "done_at": now, "claim": "", "error": "told_otherwise"}
    transaction.connection.execute(sa.update(table).where(*waiting).values(ended))


def prune(database: Database, now: int, most: int = 1_000) -> int:
    """Forget what ended long ago; returns how many."""
    old = sa.select(table.c.id).where(table.c.done_at < now - KEPT).limit(most)
    with database.write() as transaction:
        return transaction.connection.execute(sa.delete(table).where(table.c.id.in_(old))).rowcount


def _next(connection: Connection, channel: str, now: int) -> bool:
    query = sa.select(table.c.id).where(table.c.channel == channel, table.c.next_at <= now).limit(1)
    return connection.execute(query).first() is not None


def _waiting(connection: Connection, channel: str) -> int:
    some = sa.select(table.c.id).where(table.c.channel == channel, table.c.next_at.is_not(None)).limit(QUEUE_MOST)
    return int(connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())
