"""Outlets kept by whoever administers 渠道管理: added, changed, switched, removed, tried; dead letters sent again."""

from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from operations import journal
from operations.database import AfterCommit, Database, Transaction
from operations.errors import NotFound, Refused
from operations.outlets import outbox, rows
from operations.outlets.message import Message
from operations.outlets.outbox import DEAD, DROPPED, WAITING, Parcel, parcel
from operations.outlets.outlet import TEST, Outlet, checked
from operations.outlets.recording import entry_of
from operations.policy import Identity, require
from operations.tables import delivery as table
from operations.tables import source as sources
from operations.uuid7 import uuid7

OUTLETS_MOST = 50
DEAD_SHOWN = 200
DAY = 86_400_000_000


class Counts(Struct, frozen=True):
    """How many messages of an outlet wait, failed at least once, are dead letters, and were sent in the last day."""

    waiting: int = 0
    failed: int = 0
    dead: int = 0
    sent: int = 0
    oldest_at: int | None = None


class Outlets:
    """The commands on outlets of one database."""

    def __init__(self, database: Database, doorbell: AfterCommit | None = None) -> None:
        self._database = database
        self._doorbell = doorbell

    def listed(self, identity: Identity, now: int) -> list[tuple[Outlet, Counts]]:
        """Return all outlets by name with their counts. Raises Forbidden."""
        require(identity, "outlet.read")
        with self._database.read() as connection:
            return [(one, counts(connection, one.name, now)) for one in rows.listed(connection)]

    def get(self, identity: Identity, name: str) -> Outlet:
        """Return an outlet. Raises Forbidden, NotFound."""
        require(identity, "outlet.read")
        with self._database.read() as connection:
            return rows.find(connection, name)

    def add(
        self, identity: Identity, name: str, kind: str, values: dict[str, Any], *, now: int, source: str = ""
    ) -> Outlet:
        """Add an outlet. Raises Forbidden, Refused."""
        require(identity, "outlet.manage")
        terms = checked(name, kind, values)
        with self._database.write(self._doorbell) as transaction:
            transaction.alone("outlets")
            known = rows.listed(transaction.connection)
            if any(one.name == name for one in known):
                raise Refused("outlets.name_used", name=name)
            if len(known) >= OUTLETS_MOST:
                raise Refused("outlets.many", most=OUTLETS_MOST)
            _source(transaction.connection, source, kind)
            cursor = _head(transaction.connection) if source else 0
            made = Outlet(name, kind, terms, True, 1, source, cursor, changed_at=now, changed_by=identity.name)
            rows.insert(transaction, made)
            self._write(transaction, identity, "outlet.added", made, _told(made), now)
        return made

    def change(self, identity: Identity, name: str, values: dict[str, Any], *, revision: int, now: int) -> Outlet:
        """Change what an outlet is reached by. Raises Forbidden, NotFound, Refused."""
        require(identity, "outlet.manage")
        with self._database.write(self._doorbell) as transaction:
            before = rows.find(transaction.connection, name, lock=True)
            if before.revision != revision:
                raise Refused("outlets.changed_meanwhile", name=name)
            terms = checked(name, before.kind, values)
            after = self._changed(structs.replace(before, terms=terms), identity, now)
            rows.store(transaction, after)
            self._write(transaction, identity, "outlet.changed", after, _told(after), now)
        return after

    def switch(self, identity: Identity, name: str, *, enabled: bool, now: int) -> Outlet:
        """Switch an outlet on or off; what waits for it waits. Raises Forbidden, NotFound."""
        require(identity, "outlet.manage")
        with self._database.write(self._doorbell) as transaction:
            before = rows.find(transaction.connection, name, lock=True)
            if before.enabled == enabled:
                return before
            after = self._changed(structs.replace(before, enabled=enabled), identity, now)
            rows.store(transaction, after)
            action = "outlet.switched_on" if enabled else "outlet.switched_off"
            self._write(transaction, identity, action, after, {"title": after.title}, now)
        return after

    def renewed(self, identity: Identity, name: str, *, now: int) -> Outlet:
        """Note that an outlet has a new secret, and have it tried at once. Raises Forbidden, NotFound."""
        require(identity, "outlet.manage")
        with self._database.write(self._doorbell) as transaction:
            after = self._changed(rows.find(transaction.connection, name, lock=True), identity, now)
            rows.store(transaction, after)
            self._write(transaction, identity, "outlet.secret_set", after, {"title": after.title}, now)
        return after

    def remove(self, identity: Identity, name: str, *, now: int) -> int:
        """Remove an outlet; what waited for it is dropped. Returns how many. Raises Forbidden, NotFound."""
        require(identity, "outlet.manage")
        with self._database.write(self._doorbell) as transaction:
            gone = rows.find(transaction.connection, name, lock=True)
            waiting = (table.c.channel == name, table.c.next_at.is_not(None))
            ended = {"state": DROPPED, "next_at": None, "done_at": now, "claim": "", "error": "outlet_removed"}
            count = transaction.connection.execute(sa.update(table).where(*waiting).values(ended)).rowcount
            rows.remove(transaction, name)
            self._write(transaction, identity, "outlet.removed", gone, {"title": gone.title, "dropped": count}, now)
        return count

    def test(self, identity: Identity, name: str, to: str, *, now: int) -> str:
        """Queue a test message, to the address `to` of an e-mail outlet; return its id. Raises NotFound, Refused."""
        require(identity, "outlet.manage")
        with self._database.write(self._doorbell) as transaction:
            outlet = rows.find(transaction.connection, name, lock=True)
            if not outlet.enabled:
                raise Refused("outlets.off", name=outlet.title)
            message = Message(purpose=TEST, at=now, recipient=to, name=outlet.title)
            about = uuid7(now)
            outbox.add(transaction, name, "test", about, [message], now)
            rows.store(transaction, structs.replace(outlet, retry_at=None))
            self._write(transaction, identity, "outlet.tested", outlet, {"title": outlet.title}, now)
        return about

    def tested(self, identity: Identity, about: str) -> Parcel | None:
        """Return how a test message stands. Raises Forbidden."""
        require(identity, "outlet.read")
        with self._database.read() as connection:
            found = outbox.of_subject(connection, about, 1)
        return found[0] if found and found[0].subject_type == "test" else None

    def dead(self, identity: Identity, name: str = "") -> list[Parcel]:
        """Return dead letters, the newest first, of one outlet or of all. Raises Forbidden."""
        require(identity, "outlet.read")
        query = sa.select(table).where(table.c.state == DEAD)
        query = query.where(table.c.channel == name) if name else query
        query = query.order_by(table.c.done_at.desc(), table.c.id).limit(DEAD_SHOWN)
        with self._database.read() as connection:
            return [parcel(row) for row in connection.execute(query)]

    def replay(self, identity: Identity, *, now: int, name: str = "", delivery: str = "") -> int:
        """Send dead letters again under their old ids: one, or all of an outlet. Returns how many. Raises NotFound."""
        require(identity, "delivery.replay")
        where = table.c.id == delivery if delivery else table.c.channel == name
        with self._database.write(self._doorbell) as transaction:
            query = sa.select(table.c.id, table.c.channel).where(where, table.c.state == DEAD)
            found = transaction.connection.execute(query.order_by(table.c.seq).limit(outbox.QUEUE_MOST)).all()
            if not found:
                raise NotFound()
            outlet = rows.find(transaction.connection, found[0].channel, lock=True)
            again = {"state": WAITING, "next_at": now, "done_at": None, "attempts": 0, "created_at": now}
            for start in range(0, len(found), 500):
                ids = [row.id for row in found[start : start + 500]]
                change = sa.update(table).where(table.c.id.in_(ids), table.c.state == DEAD)
                transaction.connection.execute(change.values(again))
            body = {"title": outlet.title, "count": len(found), "first": found[0].id}
            self._write(transaction, identity, "outlet.replayed", outlet, body, now)
        return len(found)

    def of_order(self, connection: Connection, order_id: str) -> list[Parcel]:
        """Return what was sent about an order, oldest first; whether whoever asks may see it is asked before."""
        return outbox.of_subject(connection, order_id)

    def _changed(self, outlet: Outlet, identity: Identity, now: int) -> Outlet:
        """With a new revision, and tried anew at once."""
        return structs.replace(
            outlet,
            revision=outlet.revision + 1,
            changed_at=now,
            changed_by=identity.name,
            failures=0,
            failing_since=None,
            retry_at=None,
            error="",
        )

    def _write(
        self, transaction: Transaction, identity: Identity, action: str, outlet: Outlet, body: dict[str, Any], now: int
    ) -> None:
        draft = entry_of(identity.actor, action, outlet.name, body, now, outlet.revision)
        journal.append(transaction, [draft])


def counts(connection: Connection, name: str, now: int) -> Counts:
    """Return the counts of an outlet."""
    waits = table.c.next_at.is_not(None)

    def count(*where: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(table).where(table.c.channel == name, *where)
        return int(connection.execute(query).scalar_one())

    oldest = sa.select(sa.func.min(table.c.created_at)).where(table.c.channel == name, waits)
    return Counts(
        waiting=count(waits),
        failed=count(waits, table.c.error != ""),
        dead=count(table.c.state == DEAD),
        sent=count(table.c.state.in_((outbox.SENT, outbox.DELIVERED)), table.c.created_at > now - DAY),
        oldest_at=connection.execute(oldest).scalar(),
    )


def _told(outlet: Outlet) -> dict[str, Any]:
    """What the entry says of it: no address, no secret."""
    terms = {name: value for name, value in msgspec.to_builtins(outlet.terms).items() if name not in ("user", "sender")}
    return {"title": outlet.title, "kind": outlet.kind, "source": outlet.source, "terms": terms}


def _source(connection: Connection, source: str, kind: str) -> None:
    if not source:
        return
    if kind == "email" or connection.execute(sa.select(sources.c.id).where(sources.c.id == source)).first() is None:
        raise Refused("outlets.wrong", field="source")


def _head(connection: Connection) -> int:
    return journal.head_on(connection).seq
