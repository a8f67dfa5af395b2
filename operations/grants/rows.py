"""Requests and grants in the database: the whole as JSON in one row, with columns for finding."""

from collections.abc import Collection, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from operations.database import Transaction
from operations.errors import NotFound
from operations.grants.grant import Held, common
from operations.grants.request import Request, next_at
from operations.tables import access_grant, access_grant_camera, access_grant_wall, access_request, access_seat

LIVING_MOST = 20_000
_request = msgspec.json.Decoder(Request)
_grant = msgspec.json.Decoder(Held)


def request(connection: Connection, id: str, *, lock: bool = False) -> Request:
    """Return a request. Raises NotFound."""
    query = sa.select(access_request.c.body).where(access_request.c.id == _plain(id))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound()
    return _request.decode(row.body)


def requests(connection: Connection, query: "sa.Select[tuple[bytes]]") -> list[Request]:
    """Return the requests whose bodies a query finds."""
    return [_request.decode(row.body) for row in connection.execute(query)]


def put_request(transaction: Transaction, one: Request) -> None:
    """Write a request as it is now, new or known."""
    values = {
        "number": one.number,
        "state": one.state,
        "applicant": one.applicant,
        "department": one.unit,
        "incident": one.incident,
        "urgency": one.urgency,
        "path": common([each.path for each in one.cameras]),
        "made_at": one.made_at,
        "sent_at": one.sent_at,
        "decided_at": one.decided_at,
        "next_at": next_at(one),
        "revision": one.revision,
        "body": msgspec.json.encode(one),
    }
    connection = transaction.connection
    change = sa.update(access_request).where(access_request.c.id == one.id).values(values)
    if not connection.execute(change).rowcount:
        connection.execute(sa.insert(access_request).values({"id": one.id, **values}))
    connection.execute(sa.delete(access_seat).where(access_seat.c.request == one.id))
    seats = [
        {
            "request": one.id,
            "key": seat.key,
            "kind": seat.kind,
            "department": seat.department,
            "state": seat.state if one.is_open else "over",
            "level": seat.level,
            "since_at": seat.since_at,
            "decided_at": seat.at,
            "decided_by": seat.by,
        }
        for seat in one.seats
    ]
    if seats:
        connection.execute(sa.insert(access_seat), seats)


def grant(connection: Connection, id: str, *, lock: bool = False) -> Held:
    """Return a grant. Raises NotFound."""
    query = sa.select(access_grant.c.body).where(access_grant.c.id == _plain(id))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound()
    return _grant.decode(row.body)


def grants(connection: Connection, *conditions: ColumnElement[bool], most: int = 500, lock: bool = False) -> list[Held]:
    """Return grants for which conditions on `access_grant` hold, the newest first."""
    query = sa.select(access_grant.c.body).where(*conditions).order_by(access_grant.c.from_at.desc()).limit(most)
    return [_grant.decode(row.body) for row in connection.execute(query.with_for_update() if lock else query)]


def living(connection: Connection, *conditions: ColumnElement[bool], lock: bool = False) -> list[Held]:
    """Return grants that have not ended, the newest first."""
    return grants(connection, access_grant.c.ended_at.is_(None), *conditions, most=LIVING_MOST, lock=lock)


def of_camera(camera: str) -> ColumnElement[bool]:
    """The condition that a grant is for a camera."""
    columns = access_grant_camera.c
    mine = sa.select(columns.grant_id).where(columns.camera == camera, columns.grant_id == access_grant.c.id)
    return mine.exists()


def of_holder(holder: str) -> ColumnElement[bool]:
    """The condition that a grant is somebody's, or shown on this wall ("wall:ID") too."""
    kind, _, id = holder.partition(":")
    if kind != "wall":
        return access_grant.c.holder == holder
    shown = sa.select(access_grant_wall.c.grant_id).where(access_grant_wall.c.wall == id)
    return sa.or_(access_grant.c.holder == holder, access_grant.c.id.in_(shown))


def add_grant(transaction: Transaction, one: Held) -> None:
    """Write a new grant, its cameras and its walls."""
    transaction.connection.execute(sa.insert(access_grant).values({"id": one.id, **_values(one)}))
    cameras = [{"grant_id": one.id, "camera": camera} for camera in one.cameras]
    transaction.connection.execute(sa.insert(access_grant_camera), cameras)
    if one.walls:
        walls = [{"grant_id": one.id, "wall": wall} for wall in one.walls]
        transaction.connection.execute(sa.insert(access_grant_wall), walls)


def put_grants(transaction: Transaction, changed: Sequence[Held]) -> None:
    """Write grants as they are now."""
    for one in changed:
        change = sa.update(access_grant).where(access_grant.c.id == one.id).values(_values(one))
        transaction.connection.execute(change)


def told(connection: Connection, ids: Collection[str]) -> dict[str, tuple[int | None, str, int]]:
    """Return {id: (ended at, how it ended or will, until)} of grants; for whoever serves pictures by them."""
    columns = access_grant.c
    query = sa.select(columns.id, columns.ended_at, columns.ended_how, columns.until_at)
    found = connection.execute(query.where(columns.id.in_(list(ids))))
    return {row.id: (row.ended_at, row.ended_how, row.until_at) for row in found}


def _values(one: Held) -> dict[str, object]:
    return {
        "number": one.number,
        "kind": one.kind,
        "request": one.request,
        "standing": one.standing,
        "holder": one.holder,
        "unit": one.unit,
        "department": one.department,
        "incident": one.incident,
        "path": one.path,
        "from_at": one.from_at,
        "until_at": one.until_at,
        "ended_at": one.ended_at,
        "ended_how": one.ended_how or one.by_time,
        "ratify_by": None if one.ratified_at or one.unratified else one.ratify_by,
        "revision": one.revision,
        "body": msgspec.json.encode(one),
    }


def _plain(id: str) -> str:
    if not (id.isascii() and id.isprintable()):
        raise NotFound()
    return id
