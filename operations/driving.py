"""Driving walls from a desk 操控大屏: a seat focuses an incident, opens its order or pins a panel, in its own name.

A wall shows nothing that its own jurisdiction may not see, whoever drives it.
"""

from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from operations import journal
from operations.cameras import reading
from operations.database import AfterCommit, Database
from operations.driven import PANELS, Driven, covers
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.incidents import rows as incidents
from operations.orders import rows as orders
from operations.pictured import DEEDS
from operations.policy import Identity, reach
from operations.scope import Scope
from operations.tables import camera, look
from operations.tables import wall as table

LASTS = 30 * 60 * 1_000_000
"""Microseconds after which a wall shows its own picture again."""


class Target(msgspec.Struct, frozen=True):
    """A wall that somebody may drive."""

    id: str
    name: str


class Playing(msgspec.Struct, frozen=True):
    """What a wall plays now: the incident it looks for and the cameras, as (id, name), by when they began."""

    incident: str = ""
    cameras: tuple[tuple[str, str], ...] = ()


def playing(database: Database, identity: Identity) -> dict[str, Playing]:
    """Return what the walls inside somebody's jurisdiction play now, by wall, from their looks. Raises Forbidden."""
    walls = {f"wall:{one.name}": one.id for one in targets(database, identity)}
    query = (
        sa.select(look.c.actor, look.c.incident, look.c.camera, camera.c.name)
        .select_from(look.outerjoin(camera, camera.c.id == look.c.camera))
        .where(look.c.ended_at.is_(None), look.c.actor.in_(walls))
        .order_by(look.c.began_at, look.c.id)
    )
    found: dict[str, Playing] = {}
    with database.read() as connection:
        for row in connection.execute(query):
            before = found.get(walls[row.actor], Playing())
            cameras = (*(one for one in before.cameras if one[0] != row.camera), (row.camera, row.name or row.camera))
            found[walls[row.actor]] = Playing(row.incident, cameras)
    return found


def targets(database: Database, identity: Identity) -> list[Target]:
    """Return the walls inside somebody's jurisdiction, by name. Raises Forbidden."""
    scope = reach(identity, "wall.drive")
    with database.read() as connection:
        found = connection.execute(sa.select(table).where(table.c.revoked_at.is_(None)).order_by(table.c.name))
        return [Target(one.id, one.name) for one in found if covers(scope, one.scope_grid, one.scope_department)]


def drive(
    database: Database,
    identity: Identity,
    wall_id: str,
    *,
    incident: str = "",
    order: str = "",
    pinned: str = "",
    now: int,
    after_commit: AfterCommit | None = None,
) -> Driven | None:
    """Have a wall show these, or its own picture again when nothing is named. Raises Forbidden, NotFound, Refused."""
    scope = reach(identity, "wall.drive")
    if pinned and pinned not in PANELS:
        raise Refused("operations.no_such_panel")
    with database.write(after_commit) as transaction:
        connection = transaction.connection
        wall = connection.execute(sa.select(table).where(table.c.id == wall_id, table.c.revoked_at.is_(None))).first()
        if wall is None or not covers(scope, wall.scope_grid, wall.scope_department):
            raise NotFound()
        for seen_by in (scope, Scope(wall.scope_grid, wall.scope_department)):
            if incident:
                incidents.find(connection, seen_by, incident)
            if order:
                orders.find(connection, seen_by, order)
        about = {"grid": wall.scope_grid, "department": wall.scope_department, "by": identity.name}
        told = Driven(**about, at=now, until=now + LASTS, incident=incident, order=order, pinned=pinned)
        shown = told if incident or order or pinned else None
        draft = Draft(
            at=now,
            actor=identity.actor,
            action="wall.driven",
            subject_type="wall",
            subject_id=wall_id,
            scope_grid=wall.scope_grid,
            scope_department=wall.scope_department,
            body={"set": None if shown is None else msgspec.to_builtins(shown)},
        )
        journal.append(transaction, [draft])
    return shown


def picture(
    database: Database,
    identity: Identity,
    walls: Collection[str],
    deed: str,
    *,
    incident: str = "",
    cameras: Collection[str] = (),
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Say what of the live pictures stays on walls, or off them; an entry each. Raises Forbidden, NotFound, Refused."""
    scope = reach(identity, "wall.drive")
    wanted = {"pin": "incident", "veto": "incident", "keep": "cameras", "veto_camera": "cameras"}.get(deed, "")
    given = "".join(name for name, value in (("incident", incident), ("cameras", cameras)) if value)
    if deed not in DEEDS or given != wanted:
        raise Refused("operations.no_such_panel")
    with database.write(after_commit) as transaction:
        connection = transaction.connection
        living = sa.select(table).where(table.c.id.in_(list(walls)), table.c.revoked_at.is_(None))
        rows = connection.execute(living).all()
        if len(rows) != len(set(walls)) or not all(covers(scope, row.scope_grid, row.scope_department) for row in rows):
            raise NotFound()
        for row in rows if incident else ():
            for seen_by in (scope, Scope(row.scope_grid, row.scope_department)):
                incidents.find(connection, seen_by, incident)
        looked_at = reach(identity, "camera.look")
        if any(reading.get(connection, looked_at, each) is None for each in cameras):
            raise NotFound()
        said = {"deed": deed, "by": identity.name, "incident": incident, "cameras": list(cameras)}
        drafts = [
            Draft(
                at=now,
                actor=identity.actor,
                action="wall.pictured",
                subject_type="wall",
                subject_id=row.id,
                scope_grid=row.scope_grid,
                scope_department=row.scope_department,
                body={"set": {**said, "grid": row.scope_grid, "department": row.scope_department}},
            )
            for row in rows
        ]
        journal.append(transaction, drafts)
