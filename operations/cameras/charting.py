"""Following the catalogue for the map 目录跟随: the cameras that have a place, and those entries touched since."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from config import access
from operations.cameras.condition import condition
from operations.cameras.limits import by_rules
from operations.cameras.mapping import STATES, Spot
from operations.cameras.near import FIELD_ANGLE, VIEW_DISTANCE
from operations.cameras.reading import within
from operations.scope import Scope
from operations.tables import camera as table
from operations.tables import journal, journal_body

AT_ONCE = 500
AREAS_AT_ONCE = 50
TOUCHED_MOST = 5_000
"""Cameras above which all are read anew."""
ENTRIES_MOST = 200
_COLUMNS = ("id", "name", "lon", "lat", "path", "owner", "direction", "field_angle", "view_distance")
JUDGED = ("status", "registered", "picture", "maintenance_until")
"""Columns that `condition` wants."""
_MORE = ("url_main", "url_sub", "gone_at", "position")


_concerns = journal.c.action.like("camera.%") | journal.c.action.like("coverage.%")


class Touched(NamedTuple):
    """The entry looked at last, and the cameras entries touched since (None: whichever; read all of them)."""

    seq: int
    ids: frozenset[str] | None


def spots(connection: Connection, now: int, ids: Collection[str] | None = None) -> dict[str, Spot | None]:
    """Return cameras by id as they are; None for one that is gone or has no place. Of all, only those that have one."""
    columns = [table.c[name] for name in (*_COLUMNS, *JUDGED, *_MORE)]
    query = sa.select(*columns)
    if ids is None:
        there = query.where(table.c.gone_at.is_(None), table.c.lon.is_not(None))
        return {row.id: _spot(row, now) for row in connection.execute(there)}
    found: dict[str, Spot | None] = dict.fromkeys(ids)
    for part in _parts(sorted(ids)):
        for row in connection.execute(query.where(table.c.id.in_(part))):
            found[row.id] = _spot(row, now) if row.gone_at is None and row.lon is not None else None
    return found


def touched(connection: Connection, after: int) -> Touched:
    """Return what entries after a seq say of cameras."""
    last = int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(journal.c.seq), 0))).scalar_one())
    if last <= after:
        return Touched(last, None if last < after else frozenset())
    query = sa.select(journal.c.subject_type, journal.c.subject_id, journal_body.c.body)
    query = query.join_from(journal, journal_body, journal.c.seq == journal_body.c.seq, isouter=True)
    query = query.where(journal.c.seq > after, journal.c.seq <= last, _concerns)
    rows = connection.execute(query.limit(ENTRIES_MOST)).all()
    ids = _ids(rows) if len(rows) < ENTRIES_MOST else None
    return Touched(last, None if ids is None or len(ids) > TOUCHED_MOST else frozenset(ids))


def views(
    connection: Connection, scope: Scope, areas: Sequence[Sequence[str]]
) -> dict[str, list[tuple[float, float, float, float, float]]]:
    """Return {code of an area: (lon, lat, direction, angle, metres) of the cameras in it whose direction is known}.

    `areas`: their chains. Angle and distance that a record does not tell are those of `near`.
    """
    found: dict[str, list[tuple[float, float, float, float, float]]] = {chain[-1]: [] for chain in areas}
    columns = [table.c[name] for name in ("path", "lon", "lat", "direction", "field_angle", "view_distance")]
    known = (table.c.gone_at.is_(None), table.c.lon.is_not(None), table.c.direction.is_not(None), *within(scope))
    for part in _parts(["/".join(chain) for chain in areas], AREAS_AT_ONCE):
        beginnings = [(table.c.path == path) | table.c.path.startswith(f"{path}/", autoescape=True) for path in part]
        for row in connection.execute(sa.select(*columns).where(sa.or_(*beginnings), *known)):
            view = (row.lon, row.lat, row.direction, row.field_angle or FIELD_ANGLE, row.view_distance or VIEW_DISTANCE)
            for code in row.path.split("/"):
                if code in found:
                    found[code].append(view)
    return found


def until(connection: Connection, now: int) -> int | None:
    """Return when the next planned maintenance ends, for then a camera's state is another (UTC microseconds)."""
    ends = table.c.maintenance_until
    found = connection.execute(sa.select(sa.func.min(ends)).where(ends > now)).scalar_one()
    return None if found is None else int(found)


def _ids(rows: Iterable[Any]) -> set[str] | None:
    """The cameras of entries; None when one does not say which."""
    found: set[str] = set()
    for row in rows:
        if row.subject_type == "camera":
            found.add(row.subject_id)
            continue
        if row.subject_type in ("grid", "camera_sample"):  # of coverage, of rates: no camera is another
            continue
        named = orjson.loads(row.body).get("cameras") if row.body else None
        if not isinstance(named, (dict, list)):
            return None
        found |= set(named)
    return found


def _spot(row: Any, now: int) -> Spot:
    told = {name: getattr(row, name) for name in _COLUMNS}
    closed = bool(by_rules(access.current(), row.name, row.position))
    return Spot(
        **told, state=STATES.index(condition(row, now)), streams=bool(row.url_main or row.url_sub), closed=closed
    )


def _parts(values: list[str], most: int = AT_ONCE) -> list[list[str]]:
    return [values[at : at + most] for at in range(0, len(values), most)]
