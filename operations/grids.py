"""Grid versions: every import is kept whole; the newest is current. Polygons are journaled by digest only."""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import Forbidden, Refused
from operations.policy import Identity, allowed
from operations.tables import grid, grid_version


class GridRow(Struct, frozen=True):
    """One grid; `wkb`: polygon in WGS-84; `level` counts from 1 at the top; times in UTC microseconds."""

    code: str
    name: str
    kind: str
    level: int
    parent: str
    wkb: bytes
    population: int | None = None
    valid_from: int | None = None
    valid_to: int | None = None


class GridVersion(Struct, frozen=True):
    """One import."""

    id: int
    digest: str
    imported_at: int
    rows: list[GridRow]


_FIELDS = GridRow.__struct_fields__
_INSERT = f"INSERT INTO grid (version, {', '.join(_FIELDS)}) VALUES ({', '.join('?' * (len(_FIELDS) + 1))})"


def import_grids(
    database: Database,
    identity: Identity,
    grids: Sequence[GridRow],
    digest: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> int:
    """Store a new version, all or nothing, and return its id; the same digest as the current one stores nothing."""
    if not allowed(identity, "grid.import"):
        raise Forbidden(permission="grid.import")
    if not grids:
        raise Refused("operations.no_grids")
    with database.write(after_commit) as transaction:
        newest = _newest(transaction.connection)
        if newest is not None and newest.digest == digest:
            return int(newest.id)
        version = 1 if newest is None else int(newest.id) + 1
        values = {"digest": digest, "count": len(grids), "imported_at": now, "imported_by": identity.actor}
        transaction.connection.execute(sa.insert(grid_version).values(id=version, **values))
        transaction.many(_INSERT, [(version, *structs.astuple(row)) for row in grids])
        body = {"version": version, "digest": digest, "count": len(grids)}
        journal.append(transaction, [_draft(identity, version, body, now)])
        return version


def current(database: Database) -> GridVersion | None:
    """Return the newest version, or None before the first import."""
    with database.read() as connection:
        newest = _newest(connection)
        return None if newest is None else _load(connection, newest)


def current_id(database: Database) -> int:
    """Return the newest version's id; 0 before the first import."""
    with database.read() as connection:
        newest = _newest(connection)
        return 0 if newest is None else int(newest.id)


def version(database: Database, version_id: int) -> GridVersion | None:
    """Return a version by id, for statistics about its time."""
    with database.read() as connection:
        found = connection.execute(sa.select(grid_version).where(grid_version.c.id == version_id)).one_or_none()
        return None if found is None else _load(connection, found)


def _newest(connection: Connection) -> sa.Row[tuple[object, ...]] | None:
    return connection.execute(sa.select(grid_version).order_by(grid_version.c.id.desc()).limit(1)).one_or_none()


def _load(connection: Connection, found: sa.Row[tuple[object, ...]]) -> GridVersion:
    values = found._mapping
    columns = [grid.c[name] for name in _FIELDS]
    query = sa.select(*columns).where(grid.c.version == values["id"]).order_by(grid.c.code)
    rows = [GridRow(*row) for row in connection.execute(query)]
    return GridVersion(values["id"], values["digest"], values["imported_at"], rows)


def _draft(identity: Identity, version_id: int, body: dict[str, object], now: int) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action="grids.imported",
        subject_type="grids",
        subject_id=str(version_id),
        revision=version_id,
        body=body,
    )
