"""How far a pulled source has been read, and whether it is out of reach 断连: only the change of that is an entry.

A cursor is a hint that saves repetition and is written after what it stands for is durable; the journal decides what
is new.
"""

import sqlalchemy as sa
from msgspec import Struct

from operations import journal
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.policy import SYSTEM
from operations.tables import source_cursor as table


class Cursor(Struct, frozen=True):
    """`cursor`: the puller's own text; `lost`: the code of why it is out of reach since `lost_at`, "" when it is not.

    Times: UTC microseconds.
    """

    cursor: str = ""
    at: int = 0
    lost: str = ""
    lost_at: int = 0


def get(database: Database, source_id: str) -> Cursor:
    """Return how far a source was read; an empty one when it never was."""
    query = sa.select(table.c.cursor, table.c.at, table.c.lost, table.c.lost_at).where(table.c.source == source_id)
    with database.read() as connection:
        row = connection.execute(query).one_or_none()
    return Cursor() if row is None else Cursor(*row)


def keep(database: Database, source_id: str, cursor: str, *, now: int) -> None:
    """Keep how far a source was read."""
    with database.write() as transaction:
        _store(transaction, source_id, {"cursor": cursor, "at": now})


def mark(database: Database, source_id: str, lost: str, *, now: int, after_commit: AfterCommit | None = None) -> bool:
    """Record that a source is out of reach (`lost`: why) or found again (""); returns whether that is new.

    A source that stays lost for another reason is not lost again.
    """
    with database.write(after_commit) as transaction:
        query = sa.select(table.c.lost).where(table.c.source == source_id)
        known = transaction.connection.execute(query).scalar_one_or_none() or ""
        if bool(known) == bool(lost):
            return False
        _store(transaction, source_id, {"lost": lost, "lost_at": now if lost else 0})
        action = "source.lost" if lost else "source.found"
        draft = Draft(
            at=now,
            actor=SYSTEM.actor,
            action=action,
            subject_type="source",
            subject_id=source_id,
            reason=lost,
            body={"set": {"lost": lost}},
        )
        journal.append(transaction, [draft])
    return True


def _store(transaction: Transaction, source_id: str, values: dict[str, object]) -> None:
    changed = transaction.connection.execute(
        sa.update(table).where(table.c.source == source_id).values(**values)
    ).rowcount
    if not changed:
        transaction.connection.execute(sa.insert(table).values(source=source_id, **values))
