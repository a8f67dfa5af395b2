"""Reading the catalogue of cameras 目录查询, each within the reach of whoever asks."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection

from operations.cameras.item import Item
from operations.looks import Whereabouts
from operations.scope import Scope
from operations.tables import camera as table
from operations.tables import camera_version

SHOWN_MOST = 500


class Camera(Struct, frozen=True, kw_only=True):
    """A camera as kept; `item` is its record, `lon`, `lat` and `chain` where it is now. Times: UTC microseconds."""

    id: str
    source: str
    item: Item
    lon: float | None
    lat: float | None
    chain: tuple[str, ...]
    placed: bool
    status: str
    status_at: int
    registered: str
    registered_at: int
    picture: str
    picture_at: int
    maintenance_until: int
    revision: int
    since_at: int
    gone_at: int | None


class Version(Struct, frozen=True):
    """A record of a camera as it was from `valid_from` to `valid_to` (None: it is)."""

    revision: int
    valid_from: int
    valid_to: int | None
    item: Item
    actor: str


def within(scope: Scope) -> Iterable[ColumnElement[bool]]:
    """Conditions on the camera's row that say whether a scope reaches it; every query of others has them."""
    if scope.grid:
        yield ("/" + table.c.path + "/").contains(f"/{scope.grid}/", autoescape=True)
    if scope.department:
        yield table.c.owner == scope.department
    if "" in scope.hidden:  # whoever sees no incident has no place to look from
        yield sa.false()


def get(connection: Connection, scope: Scope, id: str) -> Camera | None:
    """Return a camera by its id; None: there is none, or not within the scope."""
    if not (id.isascii() and id.isprintable()):  # none of ours; a database would not take it
        return None
    row = connection.execute(sa.select(table).where(table.c.id == id, *within(scope))).one_or_none()
    return None if row is None else _camera(row)


def of(connection: Connection, scope: Scope, ids: Collection[str]) -> list[Camera]:
    """Return the cameras of these ids that are there within a scope, in their order."""
    wanted = [id for id in ids if id.isascii() and id.isprintable()]
    query = sa.select(table).where(table.c.id.in_(wanted), table.c.gone_at.is_(None), *within(scope))
    found = {row.id: _camera(row) for row in connection.execute(query)}
    return [found[id] for id in wanted if id in found]


def of_code(connection: Connection, source: str, code: str) -> Camera | None:
    """Return the camera a source calls by this code, whoever asks; for the program itself."""
    row = connection.execute(sa.select(table).where(table.c.source == source, table.c.code == code)).one_or_none()
    return None if row is None else _camera(row)


def whereabouts(connection: Connection, id: str) -> Whereabouts | None:
    """Return where a camera is and whose; None for one that is none, or gone."""
    query = sa.select(table.c.path, table.c.owner).where(table.c.id == id, table.c.gone_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else Whereabouts(_chain(row.path), row.owner)


def addresses(connection: Connection, id: str) -> tuple[str, str] | None:
    """Return where a camera's main and small stream are; None for one that is none, or gone."""
    query = sa.select(table.c.url_main, table.c.url_sub).where(table.c.id == id, table.c.gone_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.url_main, row.url_sub)


def every(
    connection: Connection, scope: Scope, *, after: str = "", most: int = SHOWN_MOST, sources: Collection[str] = ()
) -> list[Camera]:
    """Return cameras that are there within a scope, by id from the one after `after`, at most `most`."""
    query = sa.select(table).where(table.c.gone_at.is_(None), table.c.id > after, *within(scope))
    if sources:
        query = query.where(table.c.source.in_(list(sources)))
    return [_camera(row) for row in connection.execute(query.order_by(table.c.id).limit(most))]


def inside(connection: Connection, scope: Scope, box: tuple[float, float, float, float], most: int) -> list[Camera]:
    """Return cameras of a scope in a box (west, south, east, north, degrees), at most so many."""
    west, south, east, north = box
    columns = table.c
    query = sa.select(table).where(columns.lat.between(south, north), columns.lon.between(west, east))
    query = query.where(columns.gone_at.is_(None), *within(scope))
    return [_camera(row) for row in connection.execute(query.order_by(columns.id).limit(most))]


def filmed(connection: Connection, scope: Scope, most: int) -> list[Camera]:
    """Return the first cameras of a scope by name, those with pictures before the others."""
    columns = table.c
    query = sa.select(table).where(columns.gone_at.is_(None), *within(scope))
    shown = sa.case((columns.url_main + columns.url_sub != "", 0), else_=1)
    return [_camera(row) for row in connection.execute(query.order_by(shown, columns.name, columns.id).limit(most))]


def history(connection: Connection, scope: Scope, id: str) -> list[Version]:
    """Return the records a camera had, the newest first; none for one that is none or not within the scope."""
    if get(connection, scope, id) is None:
        return []
    columns = camera_version.c
    query = sa.select(camera_version).where(columns.camera == id).order_by(columns.revision.desc()).limit(SHOWN_MOST)
    return [
        Version(row.revision, row.valid_from, row.valid_to, _item(row.record), row.actor)
        for row in connection.execute(query)
    ]


def _camera(row: sa.Row[Any]) -> Camera:
    values = {name: value for name, value in row._mapping.items() if name in Camera.__struct_fields__}
    values["placed"] = bool(row.placed)
    return Camera(**values, item=_item(row.record), chain=_chain(row.path))


def _item(record: bytes) -> Item:
    return msgspec.json.decode(bytes(record), type=Item)


def _chain(path: str) -> tuple[str, ...]:
    return tuple(path.split("/")) if path else ()
