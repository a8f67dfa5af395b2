"""Attachments 附件 of incidents and orders: photos, voice, video clips, documents.

Each is sealed under the key of what it is attached to and lies on the shelf; the entry names it by the digest of what
lies there, its file name is sealed in the row. Who may see the matter may read it; a removed one stays on the shelf
until the key of its matter is destroyed, but nobody is given it any more.
"""

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from config import clock
from operations import journal
from operations.commands import Commands
from operations.database import AfterCommit, Database, Transaction
from operations.errors import NotFound, Refused, need
from operations.incidents import rows as incidents
from operations.incidents.step import Step
from operations.media import Checked, checked, thumbnail
from operations.orders import rows as orders
from operations.orders.order import Order
from operations.orders.writing import Change, answers_for, carried, is_own
from operations.policy import Identity, allowed, reach, require
from operations.scope import WHOLE
from operations.seal import KeyStore, seal, unseal
from operations.shelf import Shelf
from operations.tables import attachment as table
from operations.uuid7 import uuid7
from operations.wording import cleaned

NAME_MOST = 120
SUBJECTS = ("incident", "order")


class Limits(Struct, frozen=True):
    """Bytes a file may have by kind, files a matter may have, and whether photos keep where they were taken."""

    bytes: dict[str, int]
    most: int
    keep_place: bool = False


class Attached(Struct, frozen=True):
    """One attachment; `name` is the sender's, `stored` names the sealed file on the shelf."""

    id: str
    subject_type: str
    subject_id: str
    kind: str
    media_type: str
    size: int
    stored: str
    added_at: int
    added_by: str
    name: str


class Attachments:
    """The attachments of one database."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        shelf: Shelf,
        commands: Commands,
        limits: Limits,
        doorbell: AfterCommit | None = None,
        *,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._database = database
        self._keys = keys
        self._shelf = shelf
        self._commands = commands
        self._limits = limits
        self._doorbell = doorbell
        self._now = now

    def add(self, identity: Identity, subject: tuple[str, str], name: str, content: bytes) -> Attached:
        """Attach a file to ("incident" or "order", id). Raises Forbidden, NotFound, Refused for what is not allowed."""
        with self._database.read() as connection:
            self._may_write(connection, identity, subject)
        good = checked(content, self._limits.bytes, keep_place=self._limits.keep_place)
        now, key = self._now(), self._keys.make([subject[1]])[subject[1]]
        stored = self._shelf.put(seal(key, subject[1], good.content))
        name = named(name, good.ending)
        made = Attached(
            uuid7(now), *subject, good.kind, good.media_type, len(good.content), stored, now, identity.name, name
        )
        try:
            with self._database.write(self._doorbell) as transaction:
                self._attach(transaction, identity, made, good)
        except BaseException:
            self._shelf.remove(stored)
            raise
        return made

    def listed(self, identity: Identity, subject: tuple[str, str]) -> list[Attached]:
        """Return what is attached to a matter, oldest first. Raises NotFound."""
        with self._database.read() as connection:
            self._may_read(connection, identity, subject)
            found = connection.execute(_of(subject).order_by(table.c.added_at, table.c.id)).all()
        key = self._keys.find([subject[1]]).get(subject[1])
        return [] if key is None else [_attached(row, key) for row in found]

    def open(self, identity: Identity, attachment_id: str) -> tuple[Attached, bytes]:
        """Return an attachment and its content. Raises NotFound: absent, removed, destroyed, or of another's matter."""
        require(identity, "attachment.read")
        with self._database.read() as connection:
            row = _row(connection, attachment_id)
            subject = (row.subject_type, row.subject_id)
            self._may_read(connection, identity, subject)
        key = self._keys.find([row.subject_id]).get(row.subject_id)
        if key is None:
            raise NotFound()
        return _attached(row, key), unseal(key, row.subject_id, self._shelf.get(row.sha256))

    def small(self, identity: Identity, attachment_id: str) -> bytes:
        """Return a small picture of a photo, made by us. Raises NotFound, also for what is no photo."""
        found, content = self.open(identity, attachment_id)
        if found.kind != "photo":
            raise NotFound()
        return thumbnail(content)

    def remove(self, identity: Identity, attachment_id: str) -> None:
        """Take an attachment away; by who added it, or by the desk. Raises Forbidden, NotFound, Refused."""
        require(identity, "attachment.read")
        with self._database.write(self._doorbell) as transaction:
            row = _row(transaction.connection, attachment_id)
            subject = (row.subject_type, row.subject_id)
            self._may_write(transaction.connection, identity, subject)
            need(row.added_by == identity.name or allowed(identity, "order.change"), "attachments.not_yours")
            where = table.c.id == attachment_id
            transaction.connection.execute(sa.update(table).where(where).values(removed_at=self._now()))
            self._write(transaction, identity, subject, "detached", {"id": row.id, "sha256": row.sha256}, -1)

    # ---- how it is done ----

    def _attach(self, transaction: Transaction, identity: Identity, made: Attached, good: Checked) -> None:
        subject = (made.subject_type, made.subject_id)
        transaction.alone("attachments")
        counted = sa.select(sa.func.count()).select_from(table).where(*_present(subject))
        if transaction.connection.execute(counted).scalar_one() >= self._limits.most:
            raise Refused("attachments.too_many", most=self._limits.most)
        key = self._keys.make([made.subject_id])[made.subject_id]
        values = {
            "id": made.id,
            "subject_type": made.subject_type,
            "subject_id": made.subject_id,
            "kind": made.kind,
            "media_type": made.media_type,
            "size": made.size,
            "sha256": made.stored,
            "added_at": made.added_at,
            "added_by": made.added_by,
            "sealed": seal(key, made.subject_id, made.name.encode()),
        }
        transaction.connection.execute(sa.insert(table).values(values))
        content = hmac.new(key, good.content, sha256).hexdigest()
        told = {"id": made.id, "kind": made.kind, "size": made.size, "sha256": made.stored, "content": content}
        self._write(transaction, identity, subject, "attached", told, 1)

    def _write(
        self,
        transaction: Transaction,
        identity: Identity,
        subject: tuple[str, str],
        verb: str,
        told: dict[str, Any],
        by: int,
    ) -> None:
        kind, subject_id = subject
        more = {"attachment": told}
        now = self._now()
        if kind == "incident":
            scope = reach(identity, "incident.attach")
            standing = incidents.find(transaction.connection, scope, subject_id, lock=True)
            count = max(0, standing.incident.attachments + by)
            step = Step(f"incident.{verb}", {"attachments": count}, more=more)
            self._commands.write(transaction, identity, [(standing, step)], now)
            return
        order = orders.find(transaction.connection, WHOLE, subject_id, lock=True)
        change = Change(f"order.{verb}", more=more)
        _, draft = carried(transaction, self._keys, identity, order, change, self._now())
        journal.append(transaction, [draft])

    def _may_write(self, connection: Connection, identity: Identity, subject: tuple[str, str]) -> None:
        """Return if somebody may attach to a matter. Raises Forbidden, NotFound."""
        kind, subject_id = subject
        if kind == "incident":
            incidents.find(connection, reach(identity, "incident.attach"), subject_id)
            return
        require(identity, "order.answer")
        order = orders.find(connection, WHOLE, subject_id)
        if not _answers(identity, order) and not allowed(identity, "order.change"):
            raise NotFound()
        if not _answers(identity, order):
            orders.find(connection, reach(identity, "order.change"), subject_id)
        need(order.is_open, "orders.ended")

    def _may_read(self, connection: Connection, identity: Identity, subject: tuple[str, str]) -> None:
        """Return if somebody may see what is attached to a matter. Raises Forbidden, NotFound."""
        kind, subject_id = subject
        require(identity, "attachment.read")
        own = is_own(identity, "attachment.read")
        if kind == "order":
            order = orders.find(connection, WHOLE, subject_id)
            if _answers(identity, order):
                return
            if not own:
                orders.find(connection, reach(identity, "attachment.read"), subject_id)
                return
        elif kind == "incident" and not own:
            incidents.find(connection, reach(identity, "attachment.read"), subject_id)
            return
        raise NotFound()


def named(name: str, ending: str) -> str:
    """Return a file name without folders, with the ending that fits its content."""
    plain = cleaned(name.replace("\\", "/").rsplit("/", 1)[-1])
    stem = "".join(one for one in plain if one.isprintable()).strip(" .")
    stem = stem.rpartition(".")[0] or stem
    return f"{stem[: NAME_MOST - len(ending)] or 'file'}{ending}"


def forget_keyless(database: Database, keys: KeyStore, shelf: Shelf, piece: int = 1_000) -> int:
    """Remove files whose matter's key was destroyed: they can never be read again. Returns how many.

    All are looked at, a bounded piece a transaction.
    """
    count, last = 0, ""
    while rows := _sealed_after(database, last, piece):
        last = rows[-1].id
        held = keys.find({row.subject_id for row in rows})
        gone = [row for row in rows if row.subject_id not in held]
        for row in gone:
            shelf.remove(row.sha256)
        if gone:
            with database.write() as transaction:
                where = table.c.id.in_([row.id for row in gone])
                transaction.connection.execute(sa.update(table).where(where).values(sealed=None))
        count += len(gone)
    return count


def _sealed_after(database: Database, last: str, most: int) -> Sequence[Any]:
    query = sa.select(table.c.id, table.c.subject_id, table.c.sha256)
    query = query.where(table.c.sealed.is_not(None), table.c.id > last).order_by(table.c.id).limit(most)
    with database.read() as connection:
        return connection.execute(query).all()


def _answers(identity: Identity, order: Order) -> bool:
    return allowed(identity, "order.answer") and any(answers_for(identity, one) for one in order.recipients)


def _present(subject: tuple[str, str]) -> tuple[sa.ColumnElement[bool], ...]:
    kind, subject_id = subject
    return (
        table.c.subject_type == kind,
        table.c.subject_id == subject_id,
        table.c.removed_at.is_(None),
        table.c.sealed.is_not(None),
    )


def _of(subject: tuple[str, str]) -> sa.Select[Any]:
    return sa.select(table).where(*_present(subject))


def _row(connection: Connection, attachment_id: str) -> sa.Row[Any]:
    query = sa.select(table).where(
        table.c.id == attachment_id, table.c.removed_at.is_(None), table.c.sealed.is_not(None)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _attached(row: sa.Row[Any], key: bytes) -> Attached:
    name = unseal(key, row.subject_id, row.sealed).decode()
    return Attached(
        row.id,
        row.subject_type,
        row.subject_id,
        row.kind,
        row.media_type,
        row.size,
        row.sha256,
        row.added_at,
        row.added_by,
        name,
    )
