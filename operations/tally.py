"""Counting received incidents by grid in any span of time (计数), over one index of the incident table.

The board keeps minutes for a day and hours for eight; weeks further back are counted here. Counts follow an incident's
present grid, type and urgency, as the board's do.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from operations.database import Database
from operations.incidents.rows import inside
from operations.scope import Scope
from operations.tables import incident

SPANS_MOST = 16
"""Spans counted for one question."""


class Span(NamedTuple):
    """From `since` up to but not including `until`, UTC microseconds."""

    since: int
    until: int


class Wanted(NamedTuple):
    """What is counted: only these `types` and this `urgency`, where given."""

    types: frozenset[str] | None = None
    urgency: str | None = None


def tallies(database: Database, scope: Scope, spans: Sequence[Span], wanted: Wanted) -> list[dict[str, int]]:
    """Return {leaf grid code: received incidents} for each span; "" counts what lies in no grid."""
    with database.read() as connection:
        return [_tally(connection, scope, span, wanted) for span in spans[:SPANS_MOST]]


def earliest(database: Database) -> int | None:
    """Return when the first of all incidents was received (UTC microseconds); None while there is none."""
    query = sa.select(sa.func.min(incident.c.received_at)).where(incident.c.received_at > 0)
    with database.read() as connection:
        found: int | None = connection.execute(query).scalar()
        return found


def _tally(connection: Connection, scope: Scope, span: Span, wanted: Wanted) -> dict[str, int]:
    query = sa.select(incident.c.path, sa.func.count()).where(*_conditions(scope, span, wanted))
    counts: dict[str, int] = {}
    for path, count in connection.execute(query.group_by(incident.c.path)):
        leaf = path.rpartition("/")[2]
        counts[leaf] = counts.get(leaf, 0) + count
    return counts


def _conditions(scope: Scope, span: Span, wanted: Wanted) -> Iterable[ColumnElement[bool]]:
    yield incident.c.received_at >= span.since
    yield incident.c.received_at < span.until
    yield from inside(scope)
    if wanted.types is not None:
        yield incident.c.type.in_(sorted(wanted.types))
    if wanted.urgency is not None:
        yield incident.c.urgency == wanted.urgency
