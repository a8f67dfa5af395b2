"""Grid versions: every import is kept whole and has a time from which it is in force. Polygons are journaled by digest.

Which one is in force is `operations.edition`'s to say; the keeper writes down that one has begun (`begin`).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from operations import edition, journal
from operations.database import AfterCommit, Database
from operations.edition import Edition
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import SYSTEM, Identity, require
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


_BEFORE = -(2**62)  # before every time: only what is written down as begun
_FIELDS = GridRow.__struct_fields__
_INSERT = f"INSERT INTO grid (version, {', '.join(_FIELDS)}) VALUES ({', '.join('?' * (len(_FIELDS) + 1))})"


def import_grids(
    database: Database,
    identity: Identity,
    grids: Sequence[GridRow],
    digest: str,
    *,
    now: int,
    valid_from: int | None = None,
    against: int | None = None,
    note: str = "",
    after_commit: AfterCommit | None = None,
) -> int:
    """Store a new version, all or nothing, and return its id; it is in force from `valid_from` on (None: at once).

    `against`: the version (0: none) in force when somebody looked at what these grids change. Grids that would be in
    force then anyway are not stored again. Raises Forbidden, Refused for a time in the past or another in force by now.
    """
    _check(identity, valid_from, now)
    if not grids:
        raise Refused("operations.no_grids")
    with database.write(after_commit) as transaction:
        transaction.alone("grids")
        made, known = _edition(transaction.connection, digest, len(grids), identity, now, valid_from, note)
        if known is not None:
            return known
        present = _in_force(transaction.connection, now)
        if against is not None and against != (0 if present is None else present.id):
            raise Refused("operations.grids_changed", version=0 if present is None else present.id)
        _insert(transaction.connection, made)
        transaction.many(_INSERT, [(made.id, *structs.astuple(row)) for row in grids])
        journal.append(transaction, _told(identity, made, {}, now))
        return made.id


def restore(
    database: Database,
    identity: Identity,
    version_id: int,
    *,
    now: int,
    valid_from: int | None = None,
    after_commit: AfterCommit | None = None,
) -> int:
    """Store a new version with the grids of an earlier one and return its id, as `import_grids` does.

    Raises Forbidden, NotFound, Refused.
    """
    _check(identity, valid_from, now)
    with database.write(after_commit) as transaction:
        transaction.alone("grids")
        old = next((one for one in _editions(transaction.connection) if one.id == version_id), None)
        if old is None:
            raise NotFound()
        made, known = _edition(transaction.connection, old.digest, old.count, identity, now, valid_from, old.note)
        if known is not None:
            raise Refused("operations.grids_already", version=known)
        _insert(transaction.connection, made)
        copied = sa.select(sa.literal(made.id), *(grid.c[name] for name in _FIELDS)).where(grid.c.version == old.id)
        transaction.connection.execute(sa.insert(grid).from_select(["version", *_FIELDS], copied))
        journal.append(transaction, _told(identity, made, {"restores": old.id}, now))
        return made.id


def withdraw(
    database: Database, identity: Identity, version_id: int, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Withdraw a version that has not begun. Raises Forbidden, NotFound, Refused when it has."""
    _check(identity, None, now)
    with database.write(after_commit) as transaction:
        transaction.alone("grids")
        found = next((one for one in _editions(transaction.connection) if one.id == version_id), None)
        if found is None:
            raise NotFound()
        if found.withdrawn_at is not None or found.began_at is not None or found.valid_from <= now:
            raise Refused("operations.grids_begun", version=version_id)
        _set(transaction.connection, version_id, withdrawn_at=now)
        body: dict[str, object] = {"version": version_id, "valid_from": found.valid_from}
        journal.append(transaction, [_draft(identity.actor, "grids.withdrawn", version_id, body, now)])


def begin(database: Database, *, now: int, after_commit: AfterCommit | None = None) -> list[int]:
    """Write down which versions have begun, each once; return their ids."""
    if not edition.due(editions(database), now):
        return []
    with database.write(after_commit) as transaction:
        transaction.alone("grids")
        due = edition.due(_editions(transaction.connection), now)
        for one in due:
            _set(transaction.connection, one.id, began_at=now)
        journal.append(transaction, [_began(SYSTEM.actor, one, now) for one in due])
        return [one.id for one in due]


def editions(database: Database) -> list[Edition]:
    """Return all versions without their grids, by id."""
    with database.read() as connection:
        return _editions(connection)


def current(database: Database, now: int | None = None) -> GridVersion | None:
    """Return the version in force at `now` with its grids, or None before the first; without `now` the last begun."""
    with database.read() as connection:
        found = _in_force(connection, now)
        return None if found is None else _load(connection, found)


def current_id(database: Database, now: int | None = None) -> int:
    """Return the id of the version in force at `now`, 0 before the first; without `now` of the last begun."""
    with database.read() as connection:
        found = _in_force(connection, now)
        return 0 if found is None else found.id


def version(database: Database, version_id: int) -> GridVersion | None:
    """Return a version by id, for statistics about its time."""
    with database.read() as connection:
        found = next((one for one in _editions(connection) if one.id == version_id), None)
        return None if found is None else _load(connection, found)


def of_code(database: Database, code: str) -> list[tuple[Edition, GridRow | None]]:
    """Return every version that was or is in force with its grid of that code, if it has one; the earliest first."""
    columns = [grid.c[name] for name in _FIELDS]
    with database.read() as connection:
        rows = connection.execute(sa.select(grid.c.version, *columns).where(grid.c.code == code))
        by_version = {row[0]: GridRow(*row[1:]) for row in rows}
        begun = [one for one in _editions(connection) if one.began_at is not None]
    return [(one, by_version.get(one.id)) for one in sorted(begun, key=lambda one: (one.valid_from, one.id))]


def _in_force(connection: Connection, now: int | None) -> Edition | None:
    return edition.in_force(_editions(connection), _BEFORE if now is None else now)


def _editions(connection: Connection) -> list[Edition]:
    query = sa.select(*(grid_version.c[name] for name in Edition.__struct_fields__)).order_by(grid_version.c.id)
    return [Edition(*row) for row in connection.execute(query)]


def _edition(
    connection: Connection,
    digest: str,
    count: int,
    identity: Identity,
    now: int,
    asked: int | None,
    note: str,
) -> tuple[Edition, int | None]:
    """The edition to store, and the id of the one that has its grids already and is in force when it would begin."""
    known = _editions(connection)
    start = edition.begins(known, asked, now)
    before = edition.in_force(known, start)
    number = max((one.id for one in known), default=0) + 1
    began = now if asked is None else None
    made = Edition(number, digest, count, now, identity.actor, start, began_at=began, note=note)
    return made, before.id if before is not None and before.digest == digest else None


def _insert(connection: Connection, made: Edition) -> None:
    connection.execute(sa.insert(grid_version).values(structs.asdict(made)))


def _set(connection: Connection, version_id: int, **values: int) -> None:
    connection.execute(sa.update(grid_version).where(grid_version.c.id == version_id).values(**values))


def _check(identity: Identity, valid_from: int | None, now: int) -> None:
    require(identity, "grid.import")
    if valid_from is not None and valid_from <= now:
        raise Refused("operations.grids_past")


def _told(identity: Identity, made: Edition, more: dict[str, object], now: int) -> list[Draft]:
    """The entries of a new version: that it was imported, and that it has begun if it has."""
    body = {"version": made.id, "digest": made.digest, "count": made.count, "valid_from": made.valid_from, **more}
    drafts = [_draft(identity.actor, "grids.imported", made.id, body, now)]
    return drafts if made.began_at is None else [*drafts, _began(identity.actor, made, now)]


def _began(actor: str, made: Edition, now: int) -> Draft:
    body = {"version": made.id, "digest": made.digest, "valid_from": made.valid_from}
    return _draft(actor, "grids.in_force", made.id, body, now)


def _load(connection: Connection, found: Edition) -> GridVersion:
    columns = [grid.c[name] for name in _FIELDS]
    query = sa.select(*columns).where(grid.c.version == found.id).order_by(grid.c.code)
    rows = [GridRow(*row) for row in connection.execute(query)]
    return GridVersion(found.id, found.digest, found.imported_at, rows)


def _draft(actor: str, action: str, version_id: int, body: dict[str, object], now: int) -> Draft:
    return Draft(
        at=now,
        actor=actor,
        action=action,
        subject_type="grids",
        subject_id=str(version_id),
        revision=version_id,
        body=body,
    )
