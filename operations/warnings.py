"""Warnings 预警 as they come, end and run out: each message once, in whatever order; every change is an entry.

A message is known by source, sender, identifier, status and `sent`; a source ends only what came from itself, and an
exercise only exercises. A warning is in force when none of its own later messages and no Cancel or Update that names it
has been heard, before it or after it. That is asked of what is stored, so the order does not matter.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from operations import journal
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Body, Draft
from operations.errors import NotFound, Refused
from operations.policy import SYSTEM
from operations.scope import Scope
from operations.tables import source as sources
from operations.tables import warning as table
from operations.tables import warning_reference as references
from operations.warning import LEVELS, WarningState, header_path, visible

IN_FORCE, EXPIRED, OLDER, RECORDED = "in_force", "expired", "older", "recorded"
CANCELLED, REPLACED = "cancelled", "replaced"
ENDS = {"Cancel": CANCELLED, "Update": REPLACED}
MOST_IN_FORCE = 200
"""Warnings of one source in force at once; more are refused, so that one source cannot cover every wall."""
_warning = msgspec.json.Decoder(WarningState)


class Message(Struct, frozen=True, kw_only=True):
    """One message as it came. `warning` is None for what says nothing itself (Cancel, Ack, Error).

    `names`: (sender, identifier) of the messages it refers to; `told`: all it says, as JSON, for whoever opens it;
    `shape`: WKB; `grids`: the version of the grids it was placed in.
    """

    source: str
    sender: str
    identifier: str
    status: str
    kind: str
    sent: int
    names: tuple[tuple[str, str], ...]
    content_sha256: str
    raw_sha256: str
    warning: WarningState | None = None
    told: bytes = b""
    shape: bytes = b""
    grids: int = 0


class Taken(Struct, frozen=True):
    """What became of a message: in_force, expired, older, cancelled, replaced, recorded or duplicate; what it ended."""

    id: str
    outcome: str
    ended: tuple[str, ...] = ()


class Dossier(Struct, frozen=True):
    """A warning with all that was told, as JSON, and how it stands."""

    warning: WarningState
    told: bytes
    state: str


def id_of(source: str, sender: str, identifier: str, status: str) -> str:
    """Return the id of a warning; all messages of the same name share it."""
    return _digest(source, sender, identifier, status)[:32]


def record(database: Database, message: Message, *, now: int, after_commit: AfterCommit | None = None) -> Taken:
    """Record a message once. Raises Refused when one of its name and time says otherwise, or there are too many."""
    with database.write(after_commit) as transaction:
        connection = transaction.connection
        connection.execute(sa.select(sources.c.id).where(sources.c.id == message.source).with_for_update())
        id = id_of(message.source, message.sender, message.identifier, message.status)
        key = _digest(id, str(message.sent))
        known = connection.execute(sa.select(table.c.content).where(table.c.key == key)).scalar_one_or_none()
        if known is not None:
            if known != message.content_sha256:
                raise Refused("operations.warning_conflict", identifier=message.identifier)
            return Taken(id, "duplicate")
        decided = _Decision(transaction, message, id, now)
        _store(transaction, message, key, decided)
        journal.append(transaction, decided.drafts)
        return Taken(id, decided.state, tuple(decided.ended))


class _Decision:
    """What a message comes to, and the entries that say so. Times as in the message."""

    def __init__(self, transaction: Transaction, message: Message, id: str, now: int) -> None:
        self._transaction, self._message, self._id, self._now = transaction, message, id, now
        self.targets = sorted({id_of(message.source, *name, message.status) for name in message.names} - {id})
        self.ended: list[str] = []
        self.drafts: list[Draft] = []
        older = self._rows(table.c.id == id, table.c.state == IN_FORCE, table.c.sent < message.sent)
        self.state = self._state()
        if self.state == IN_FORCE:
            self._bound(bool(older))
            self.drafts.append(self._own(older))
            self._mark([row.key for row in older], OLDER)
        elif message.kind in ("Alert", *ENDS):
            self._end(older, ENDS.get(message.kind, REPLACED))
        if message.kind in ENDS and self.targets:
            named = self._rows(table.c.id.in_(self.targets), table.c.state == IN_FORCE, table.c.sent <= message.sent)
            self._end(named, ENDS[message.kind])
        if not self.drafts:
            self.drafts.append(self._draft("warning.recorded", id, {"state": self.state, "kind": message.kind}))

    def _state(self) -> str:
        message = self._message
        if message.warning is None:
            return RECORDED
        if self._rows(table.c.id == self._id, table.c.sent > message.sent, table.c.kind.in_(("Alert", *ENDS))):
            return OLDER
        joined = sa.join(references, table, references.c.key == table.c.key)
        query = sa.select(table.c.kind).select_from(joined).where(references.c.target == self._id)
        kinds = set(self._transaction.connection.execute(query.where(table.c.sent >= message.sent)).scalars())
        for kind, state in ENDS.items():
            if kind in kinds:
                return state
        return EXPIRED if message.warning.expires <= self._now else IN_FORCE

    def _bound(self, replaces: bool) -> None:
        query = sa.select(sa.func.count()).select_from(table)
        query = query.where(table.c.source == self._message.source, table.c.state == IN_FORCE)
        count = self._transaction.connection.execute(query).scalar_one()
        if count >= MOST_IN_FORCE and not replaces:
            raise Refused("operations.warnings_too_many", most=MOST_IN_FORCE)

    def _own(self, older: Sequence[sa.Row[Any]]) -> Draft:
        warning = self._message.warning
        assert warning is not None
        action = "warning.updated" if older or self._message.kind == "Update" else "warning.issued"
        body = {"set": msgspec.to_builtins(warning), "kind": self._message.kind, "raw_sha256": self._message.raw_sha256}
        before = header_path(_warning.decode(older[-1].body)) if older else ""
        return self._draft(action, self._id, body, before, header_path(warning))

    def _end(self, rows: Iterable[sa.Row[Any]], state: str) -> None:
        for row in rows:
            path = header_path(_warning.decode(row.body))
            body = {"by": self._id, "identifier": self._message.identifier, "sent": self._message.sent}
            self.drafts.append(self._draft(f"warning.{state}", row.id, body, path, path))
            self.ended.append(row.id)
            self._mark([row.key], state)

    def _mark(self, keys: Sequence[str], state: str) -> None:
        if keys:
            update = sa.update(table).where(table.c.key.in_(keys)).values(state=state, ended_at=self._now)
            self._transaction.connection.execute(update)

    def _rows(self, *where: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
        return _rows(self._transaction, table.c.source == self._message.source, *where)

    def _draft(self, action: str, id: str, body: Body, before: str = "", after: str = "") -> Draft:
        return Draft(
            at=self._now,
            actor=f"source:{self._message.source}",
            action=action,
            subject_type="warning",
            subject_id=id,
            scope_grid_before=before,
            scope_grid=after,
            body=body,
        )


def expire(database: Database, *, now: int, after_commit: AfterCommit | None = None) -> int:
    """Record the end of every warning that has run out; returns how many. Screens need not wait for it."""
    with database.write(after_commit) as transaction:
        rows = _rows(transaction, table.c.state == IN_FORCE, table.c.expires <= now)
        drafts = []
        for row in rows:
            path = header_path(_warning.decode(row.body))
            drafts.append(_system("warning.expired", row.id, {"expires": row.expires}, path, path, now))
        if rows:
            ended = sa.update(table).where(table.c.key.in_([row.key for row in rows]))
            transaction.connection.execute(ended.values(state=EXPIRED, ended_at=now))
        journal.append(transaction, drafts)
    return len(rows)


def due(database: Database, now: int) -> bool:
    """Say whether a warning has run out and nobody has recorded it."""
    with database.read() as connection:
        query = sa.select(table.c.key).where(table.c.state == IN_FORCE, table.c.expires <= now).limit(1)
        return connection.execute(query).first() is not None


class Placing(Struct, frozen=True):
    """A warning in force that was placed in other grids than those in force now."""

    key: str
    warning: WarningState
    told: bytes
    shape: bytes


def misplaced(database: Database, grids: int) -> list[Placing]:
    """Return the warnings in force that were placed in another version of the grids."""
    with database.read() as connection:
        query = sa.select(table).where(table.c.state == IN_FORCE, table.c.grids != grids)
        return [
            Placing(row.key, _warning.decode(row.body), row.told, row.shape) for row in connection.execute(query).all()
        ]


def place(
    database: Database,
    key: str,
    warning: WarningState,
    grids: int,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Record where a warning lies in other grids; one that has ended meanwhile stays as it is."""
    with database.write(after_commit) as transaction:
        rows = _rows(transaction, table.c.key == key, table.c.state == IN_FORCE)
        if not rows:
            return
        before = _warning.decode(rows[0].body)
        values = {"grids": grids, "body": msgspec.json.encode(warning)}
        transaction.connection.execute(sa.update(table).where(table.c.key == key).values(values))
        if before != warning:
            body = {"set": msgspec.to_builtins(warning), "grids": grids}
            paths = header_path(before), header_path(warning)
            journal.append(transaction, [_system("warning.placed", warning.id, body, *paths, now)])


def dossier(database: Database, scope: Scope, id: str) -> Dossier:
    """Return the latest message of a warning. Raises NotFound when it is absent or not seen by the scope."""
    query = sa.select(table).where(table.c.id == id, table.c.body != b"").order_by(table.c.sent.desc()).limit(1)
    with database.read() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    warning = _warning.decode(row.body)
    if not visible(scope, warning):
        raise NotFound()
    return Dossier(warning, row.told, row.state)


def _store(transaction: Transaction, message: Message, key: str, decided: _Decision) -> None:
    warning = message.warning
    values = {
        "key": key,
        "id": id_of(message.source, message.sender, message.identifier, message.status),
        "source": message.source,
        "kind": message.kind,
        "sent": message.sent,
        "state": decided.state,
        "level": LEVELS.index(warning.level) + 1 if warning is not None and warning.level else 0,
        "expires": warning.expires if warning is not None else 0,
        "grids": message.grids,
        "content": message.content_sha256,
        "raw_sha256": message.raw_sha256,
        "body": msgspec.json.encode(warning) if warning is not None else b"",
        "told": message.told,
        "shape": message.shape,
        "received_at": decided._now,
    }
    transaction.connection.execute(sa.insert(table).values(values))
    if message.kind in ENDS and decided.targets:
        rows = [{"target": target, "key": key} for target in decided.targets]
        transaction.connection.execute(sa.insert(references), rows)


def _rows(transaction: Transaction, *where: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    """The rows, held until the transaction ends, the oldest message first."""
    query = sa.select(table).where(*where).order_by(table.c.sent, table.c.key).with_for_update()
    return transaction.connection.execute(query).all()


def _system(action: str, id: str, body: Body, before: str, after: str, now: int) -> Draft:
    return Draft(
        at=now,
        actor=SYSTEM.actor,
        action=action,
        subject_type="warning",
        subject_id=id,
        scope_grid_before=before,
        scope_grid=after,
        body=body,
    )


def _digest(*parts: str) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part.encode()).to_bytes(4, "big") + part.encode())
    return total.hexdigest()
