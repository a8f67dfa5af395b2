"""On which walls 大屏 a person may ask for pictures to be shown: the centre's, and those of their own department."""

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations.policy import Identity, reach
from operations.tables import wall


class Screen(Struct, frozen=True):
    """A wall that can be named in a request."""

    id: str
    name: str


def offered(connection: Connection, identity: Identity) -> list[Screen]:
    """Return the walls somebody may name, by name; one of another part of the city is not theirs. Raises Forbidden."""
    scope = reach(identity, "access.ask")
    query = sa.select(wall.c.id, wall.c.name).where(wall.c.revoked_at.is_(None)).order_by(wall.c.name)
    if scope.department:
        query = query.where(wall.c.scope_department.in_(("", scope.department)))
    if scope.grid:
        query = query.where(wall.c.scope_grid.in_(("", scope.grid)))
    return [Screen(row.id, row.name) for row in connection.execute(query)]
