"""How whole the catalogue is 目录完整性: of each source, how many cameras it has here, and what changed since when."""

from collections.abc import Mapping

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations.cameras.reading import within
from operations.scope import Scope
from operations.tables import camera as table

SOURCES_MOST = 500


class Held(Struct, frozen=True):
    """Cameras of a source that are here; `told_at`: when one of them changed last (UTC microseconds).

    `added`, `changed`, `gone`: how many did so since `since`, or at `told_at` where nobody asked for a time.
    """

    source: str
    held: int
    told_at: int
    since: int
    added: int
    changed: int
    gone: int


def held(connection: Connection, scope: Scope, since: Mapping[str, int]) -> list[Held]:
    """Return the sources of cameras within a scope, by id; `since`: from when on changes count, by source."""
    columns = table.c
    there = sa.func.sum(sa.case((columns.gone_at.is_(None), 1), else_=0))
    last = sa.func.max(columns.changed_at)
    query = sa.select(columns.source, there.label("held"), last.label("told")).where(*within(scope))
    rows = connection.execute(query.group_by(columns.source).order_by(columns.source).limit(SOURCES_MOST)).all()
    return [
        _held(connection, scope, row.source, int(row.held), int(row.told), since.get(row.source, int(row.told)))
        for row in rows
    ]


def _held(connection: Connection, scope: Scope, source: str, count: int, told: int, since: int) -> Held:
    columns = table.c
    added = columns.gone_at.is_(None) & (columns.since_at >= since)
    changed = columns.gone_at.is_(None) & (columns.since_at < since) & (columns.changed_at >= since)
    counts = [sa.func.sum(sa.case((one, 1), else_=0)) for one in (added, changed, columns.gone_at >= since)]
    query = sa.select(*counts).where(columns.source == source, *within(scope))
    found = connection.execute(query).one()
    return Held(source, count, told, since, *(int(one or 0) for one in found))
