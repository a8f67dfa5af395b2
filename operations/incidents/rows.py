"""Incidents in the database: found by id inside a scope; absent and out of scope are the same answer."""

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from operations.decision import Said, Standing
from operations.errors import NotFound
from operations.incident import Incident
from operations.scope import Scope
from operations.tables import incident as table

_incident = msgspec.json.Decoder(Incident)
_said = msgspec.json.Decoder(Said)


def inside(scope: Scope) -> Iterable[ColumnElement[bool]]:
    """Conditions on the incident's row that say whether a scope may see it."""
    if scope.grid:
        yield ("/" + table.c.path + "/").contains(f"/{scope.grid}/", autoescape=True)
    if scope.department:
        yield table.c.department == scope.department


def find(connection: Connection, scope: Scope, incident_id: str, *, lock: bool = False) -> Standing:
    """Return the incident and what its source said last; `lock` holds its row. Raises NotFound."""
    if not (incident_id.isascii() and incident_id.isprintable()):  # none of ours; a database would not take it
        raise NotFound()
    query = sa.select(table.c.body, table.c.report).where(table.c.id == incident_id, *inside(scope))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound()
    return Standing(_incident.decode(row.body), _said.decode(row.report))


def unacknowledged(connection: Connection, urgency: str, before: int, limit: int) -> list[str]:
    """Return ids of open incidents of an urgency, opened before a time, neither acknowledged nor escalated yet."""
    columns = table.c
    query = sa.select(columns.id).where(
        columns.urgency == urgency,
        columns.acknowledged_at.is_(None),
        columns.escalated_at.is_(None),
        columns.step != "closed",
        columns.opened_at < before,
    )
    return list(connection.execute(query.order_by(columns.opened_at).limit(limit)).scalars())
