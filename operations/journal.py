"""The journal: append inside a transaction, read by seq. Gapless, in commit order, chained."""

import os
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import Column, ColumnElement, Connection, Row, Select

from operations import chain, tables
from operations.database import Database, Transaction
from operations.entry import SCHEMA, Draft, Entry, Head
from operations.orders import rows as orders
from operations.scope import WHOLE, Scope
from operations.upcasting import upcast
from operations.warning import marked_above

READ_LIMIT = 10_000
HISTORY_LIMIT = 2_000

_COLUMNS = [column.name for column in tables.journal.columns]
_INSERT = f"INSERT INTO journal ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_INSERT_BODY = "INSERT INTO journal_body (seq, body, salt, sealed) VALUES (?, ?, ?, ?)"
_LOCK_HEAD = sa.select(tables.journal_head.c.seq, tables.journal_head.c.hash).with_for_update()  # SQLite leaves it out
_MOVE_HEAD = sa.update(tables.journal_head).values(seq=sa.bindparam("last_seq"), hash=sa.bindparam("last_hash"))


Mandate = Callable[[Connection, Sequence[Draft]], None]
mandate: ContextVar[Mandate | None] = ContextVar("mandate", default=None)
"""Asked before entries are written, while nobody else can write any; raises when whoever asks may no longer do it."""


def append(transaction: Transaction, drafts: Sequence[Draft]) -> range:
    """Write entries as the transaction's last step: lock the head, number, chain, insert. Returns their seqs.

    From here to the commit nobody else can append; only what needs the seqs may follow.
    """
    if not drafts:
        return range(0)
    seq, previous = _lock_head(transaction)
    if (still := mandate.get()) is not None:
        still(transaction.connection, drafts)
    salts = os.urandom(chain.SALT_BYTES * len(drafts))
    rows: list[tuple[object, ...]] = []
    bodies: list[tuple[object, ...]] = []
    for index, draft in enumerate(drafts):
        seq += 1
        salt = salts[index * chain.SALT_BYTES : (index + 1) * chain.SALT_BYTES]
        body = chain.canonical(draft.body)
        digest = chain.body_digest(salt, body, draft.sealed)
        header = chain.header_of(draft)
        digested = chain.entry_hash(seq, header, digest, previous)
        row = (seq, *header, digest, previous, digested)
        previous = digested
        rows.append(row)
        bodies.append((seq, body, salt, draft.sealed or None))
    transaction.many(_INSERT, rows)
    transaction.many(_INSERT_BODY, bodies)
    transaction.connection.execute(_MOVE_HEAD, {"last_seq": seq, "last_hash": previous})
    transaction.last_seq = seq
    return range(seq - len(drafts) + 1, seq + 1)


def read(database: Database, after: int, limit: int = READ_LIMIT, scope: Scope = WHOLE) -> list[Entry]:
    """Return the entries after seq `after`, oldest first, at most `limit`, as far as `scope` sees them."""
    with database.read() as connection:
        return read_on(connection, after, limit, scope)


def read_on(connection: Connection, after: int, limit: int = READ_LIMIT, scope: Scope = WHOLE) -> list[Entry]:
    """The same inside a read that is already open."""
    query = _joined().where(tables.journal.c.seq > after, inside(scope)).limit(min(limit, READ_LIMIT))
    return [from_row(row) for row in connection.execute(query)]


def done(connection: Connection, action: str, since: int, until: int, scope: Scope, most: int) -> list[Entry]:
    """Return the entries of one action of a time (UTC microseconds), the newest first, as far as `scope` sees them."""
    columns = tables.journal.c
    of_time = columns.action == action, columns.at >= since, columns.at < until
    query = _joined().where(*of_time, inside(scope)).order_by(None).order_by(columns.at.desc(), columns.seq.desc())
    return [from_row(row) for row in connection.execute(query.limit(most))]


def of_subject(connection: Connection, subject_id: str) -> list[tuple[Entry, bytes | None]]:
    """Return a subject's entries with their sealed parts, oldest first; of very many the newest `HISTORY_LIMIT`."""
    rows = connection.execute(_newest(subject_id)).all()
    return [(from_row(row), row.sealed) for row in reversed(rows)]


def count_of_subject(connection: Connection, subject_id: str) -> int:
    """Return how many entries a subject has."""
    query = sa.select(sa.func.count()).select_from(tables.journal).where(tables.journal.c.subject_id == subject_id)
    return int(connection.execute(query).scalar_one())


def sealed_of_subject(connection: Connection, subject_id: str) -> list[bytes]:
    """Return the newest `HISTORY_LIMIT` sealed parts of a subject, oldest first."""
    rows = connection.execute(_newest(subject_id).where(tables.journal_body.c.sealed.is_not(None))).all()
    return [row.sealed for row in reversed(rows)]


def begins(database: Database) -> int:
    """Return the seq the journal begins with: 1, or what follows the last segment that left."""
    with database.read() as connection:
        return 1 + (connection.execute(sa.select(sa.func.max(tables.segment.c.last))).scalar() or 0)


def head(database: Database) -> Head:
    """Return the journal's end."""
    with database.read() as connection:
        return head_on(connection)


def head_on(connection: Connection) -> Head:
    """The same inside a read that is already open."""
    row = connection.execute(sa.select(tables.journal_head)).one()
    return Head(row.seq, row.hash.hex(), row.epoch)


def inside(scope: Scope) -> ColumnElement[bool]:
    """The condition on the journal's rows that says what a scope may see: what lay inside it before or after.

    Of an order that concerns it through one of its recipients it sees everything, from the sending on.
    """
    columns = tables.journal.c
    before = _held(scope, columns.scope_grid_before, columns.scope_department_before)
    warned = sa.or_(_warned(scope, columns.scope_grid_before), _warned(scope, columns.scope_grid))
    warned = sa.and_(columns.subject_type == "warning", warned)
    ordered = sa.and_(columns.subject_type == "order", orders.concerns(scope, columns.subject_id))
    return sa.or_(before, _held(scope, columns.scope_grid, columns.scope_department), warned, ordered)


def from_row(row: Row[Any]) -> Entry:
    """Build an entry from the journal's columns followed by the body (None once destroyed)."""
    return from_values(tuple(row))


def from_values(values: tuple[Any, ...]) -> Entry:
    """The same of plain values; what comes after the body is left out."""
    body = values[len(_COLUMNS)]
    if body is None:
        return _entry(values, None)
    decoded = orjson.loads(body)
    schema = values[12]
    return _entry(values, decoded if schema == SCHEMA else upcast(values[3], schema, decoded))


def _held(scope: Scope, grids: Column[str], department: Column[str]) -> ColumnElement[bool]:
    """Grid and department of one side together, as `Scope.covers` has it."""
    held = [("/" + grids + "/").contains(f"/{scope.grid}/", autoescape=True)] if scope.grid else []
    held += [department == scope.department] if scope.department else []
    return sa.and_(sa.true(), *held)


def _warned(scope: Scope, grids: Column[str]) -> ColumnElement[bool]:
    """A warning concerns every department of the grids it covers, as `warning.visible` has it."""
    if not scope.grid:
        return sa.true()
    wanted = [scope.grid, *marked_above(scope.grid)]
    return sa.or_(*(("/" + grids + "/").contains(f"/{one}/", autoescape=True) for one in wanted))


def _newest(subject_id: str) -> Select[Any]:
    of_it = _joined(tables.journal_body.c.sealed).where(tables.journal.c.subject_id == subject_id)
    return of_it.order_by(None).order_by(tables.journal.c.seq.desc()).limit(HISTORY_LIMIT)


def _joined(*more: ColumnElement[Any]) -> Select[Any]:
    joined = sa.outerjoin(tables.journal, tables.journal_body, tables.journal.c.seq == tables.journal_body.c.seq)
    return (
        sa.select(tables.journal, tables.journal_body.c.body, *more).select_from(joined).order_by(tables.journal.c.seq)
    )


def _lock_head(transaction: Transaction) -> tuple[int, bytes]:
    row = transaction.connection.execute(_LOCK_HEAD).one()
    return row.seq, row.hash


def _entry(row: tuple[Any, ...], body: dict[str, Any] | None) -> Entry:
    return Entry(
        seq=row[0],
        at=row[1],
        actor=row[2],
        action=row[3],
        subject_type=row[4],
        subject_id=row[5],
        revision=row[6],
        scope_grid=row[7],
        scope_grid_before=row[8],
        scope_department=row[9],
        scope_department_before=row[10],
        reason=row[11],
        schema=row[12],
        body_digest=row[13].hex(),
        prev_hash=row[14].hex(),
        hash=row[15].hex(),
        body=body,
    )
