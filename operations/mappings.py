"""Field mappings written on screen 字段对照: kept as JSON by name, each saving guarded by revision and one entry."""

import re

import sqlalchemy as sa
from msgspec import Struct

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import Refused
from operations.policy import Identity, require
from operations.tables import mapping as table

LARGEST = 64 * 1024
"""Bytes of one mapping; a hundred words to a hundred types fit many times."""
MOST = 200
"""Mappings there can be."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class Saved(Struct, frozen=True):
    """One mapping as it was saved: `body` is JSON, `revision` counts from 1."""

    name: str
    body: str
    revision: int
    saved_at: int
    saved_by: str


class Changed(Refused):
    """Somebody saved it meanwhile; `current` is what stands there now."""

    code = "operations.mapping_changed"

    def __init__(self, current: Saved) -> None:
        super().__init__("operations.mapping_changed", name=current.name, by=current.saved_by)
        self.current = current


def save(
    database: Database,
    identity: Identity,
    name: str,
    body: str,
    *,
    revision: int,
    now: int,
    after_commit: AfterCommit | None = None,
) -> Saved:
    """Save a checked mapping over its `revision` (0: it is new). Raises Forbidden, Refused, Changed."""
    require(identity, "source.manage")
    if not _NAME.fullmatch(name):
        raise Refused("operations.mapping_name", name=name[:60])
    if len(body.encode()) > LARGEST:
        raise Refused("operations.mapping_large", most=LARGEST // 1024)
    try:
        return _save(database, identity, Saved(name, body, revision + 1, now, identity.actor), after_commit)
    except sa.exc.IntegrityError:  # two were new at the same moment; PostgreSQL lets both come this far
        found = get(database, name)
        if found is None:
            raise
        raise Changed(found) from None


def _save(database: Database, identity: Identity, saved: Saved, after_commit: AfterCommit | None) -> Saved:
    name, revision = saved.name, saved.revision - 1
    with database.write(after_commit) as transaction:
        connection = transaction.connection
        found = _find(connection, name, lock=True)
        if (found.revision if found else 0) != revision:
            if found is None:
                raise Refused("operations.mapping_gone", name=name)
            raise Changed(found)
        values = {
            "body": saved.body,
            "revision": saved.revision,
            "saved_at": saved.saved_at,
            "saved_by": saved.saved_by,
        }
        if found is None:
            if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() >= MOST:
                raise Refused("operations.mapping_many", most=MOST)
            connection.execute(sa.insert(table).values({"name": name, **values}))
        else:
            connection.execute(sa.update(table).where(table.c.name == name).values(values))
        journal.append(transaction, [_draft(identity, saved)])
    return saved


def listed(database: Database) -> list[Saved]:
    """Return all by name."""
    with database.read() as connection:
        return [Saved(**row._asdict()) for row in connection.execute(sa.select(table).order_by(table.c.name))]


def get(database: Database, name: str) -> Saved | None:
    """Return one, or None."""
    with database.read() as connection:
        return _find(connection, name)


def revisions(database: Database) -> dict[str, int]:
    """Return the revision of each by name: what a follower looks at every few seconds."""
    with database.read() as connection:
        return {row.name: row.revision for row in connection.execute(sa.select(table.c.name, table.c.revision))}


def _find(connection: sa.Connection, name: str, *, lock: bool = False) -> Saved | None:
    query = sa.select(table).where(table.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else Saved(**row._asdict())


def _draft(identity: Identity, saved: Saved) -> Draft:
    return Draft(
        at=saved.saved_at,
        actor=identity.actor,
        action="mapping.saved",
        subject_type="mapping",
        subject_id=saved.name,
        revision=saved.revision,
        body={"mapping": saved.body},
    )
