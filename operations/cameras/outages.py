"""Mass drops 批量离线 of cameras, kept and told: one entry when one begins, when it has grown much, and at its end."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from msgspec import Struct, to_builtins
from sqlalchemy import Connection

from operations import journal
from operations.cameras.fallen import Fallen
from operations.cameras.item import OFF
from operations.cameras.outage import Behind, Drop, Outage, Point, Told, grouped
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.platforms import source_of
from operations.policy import SYSTEM
from operations.tables import camera as table
from operations.tables import camera_outage, platform

LOST = "lost"
GROWN = 1.5
"""So many times the cameras that were told are told anew."""
NAMED_MOST = 200
"""Towns and owners in one entry."""


class Away(Struct, frozen=True):
    """The cameras that are away, where each is and whose, and how many hang on each point."""

    drops: list[Drop]
    whose: dict[str, tuple[str, str]]
    totals: dict[Point, int]


class Moves(NamedTuple):
    """What changed since it was told last."""

    began: list[Outage]
    grew: list[Outage]
    ended: list[Point]


def away(connection: Connection, now: int) -> Away:
    """Return the cameras that are away and not being worked on as planned."""
    columns = table.c
    there = (columns.gone_at.is_(None), columns.maintenance_until <= now)
    gone = (columns.status == OFF) | (columns.registered == OFF) | (columns.picture == LOST)
    found = connection.execute(sa.select(table).where(*there, gone)).all()
    totals: dict[Point, int] = {}
    counted = sa.select(columns.source, columns.parent, columns.path, sa.func.count().label("many"))
    for row in connection.execute(counted.where(*there).group_by(columns.source, columns.parent, columns.path)):
        for level, name in _behind(row)._asdict().items():
            totals[Point(level, name)] = totals.get(Point(level, name), 0) + row.many
    drops = [Drop(row.id, since(row), _behind(row)) for row in found]
    return Away(drops, {row.id: (row.path, row.owner) for row in found}, totals)


def told(connection: Connection) -> dict[Point, Outage]:
    """Return the mass drops that were told and have not ended, without their cameras."""
    return {
        (point := Point(row.level, row.name)): Outage(point, row.gone, row.total, row.since_at, frozenset())
        for row in connection.execute(sa.select(camera_outage))
    }


def step(database: Database, *, now: int, after_commit: AfterCommit | None = None) -> Told:
    """Look once and write down what began, grew or ended, once whoever else looks; returns what there is to tell."""
    with database.read() as connection:
        found, moves = _looked(connection, now)[1:]
    if not any(moves):
        return found
    with database.write(after_commit) as transaction:
        transaction.alone("camera outages")
        there, found, moves = _looked(transaction.connection, now)
        drafts = [_told(transaction, "outage.began", one, there, now) for one in moves.began]
        drafts += [_told(transaction, "outage.grew", one, there, now) for one in moves.grew]
        drafts += [_ended(transaction, point, now) for point in moves.ended]
        journal.append(transaction, drafts)
    return found


def _looked(connection: Connection, now: int) -> tuple[Away, Told, Moves]:
    there, before = away(connection, now), told(connection)
    found = grouped(there.drops, there.totals, now, {point: one.since for point, one in before.items()})
    return there, found, _moves(before, found)


def _moves(before: Mapping[Point, Outage], found: Told) -> Moves:
    lasting = {one.point for one in found.outages}
    began = [one for one in found.outages if one.point not in before]
    grew = [one for one in found.outages if one.point in before and one.gone >= GROWN * before[one.point].gone]
    return Moves(began, grew, [point for point in before if point not in lasting])


def _told(transaction: Transaction, action: str, one: Outage, there: Away, now: int) -> Draft:
    connection, point = transaction.connection, one.point
    places = [there.whose[id] for id in one.cameras]
    fallen = Fallen(
        level=point.level,
        name=point.name,
        title=title(connection, point),
        gone=one.gone,
        total=one.total,
        since_at=one.since,
        areas=tuple(sorted({_area(path) for path, _ in places} - {""})[:NAMED_MOST]),
        owners=tuple(sorted({owner for _, owner in places} - {""})[:NAMED_MOST]),
    )
    connection.execute(sa.delete(camera_outage).where(*_is(point)))
    values = {"gone": one.gone, "total": one.total, "since_at": one.since}
    connection.execute(sa.insert(camera_outage).values(level=point.level, name=point.name, **values))
    return _draft(action, point, {"set": to_builtins(fallen)}, now)


def _ended(transaction: Transaction, point: Point, now: int) -> Draft:
    transaction.connection.execute(sa.delete(camera_outage).where(*_is(point)))
    return _draft("outage.ended", point, {}, now)


def _draft(action: str, point: Point, body: dict[str, Any], now: int) -> Draft:
    subject = f"{point.level}:{point.name}"
    return Draft(at=now, actor=SYSTEM.actor, action=action, subject_type="outage", subject_id=subject, body=body)


def _is(point: Point) -> tuple[sa.ColumnElement[bool], ...]:
    return camera_outage.c.level == point.level, camera_outage.c.name == point.name


def title(connection: Connection, point: Point) -> str:
    """Return a platform's name, or that of the camera or recorder of this code; "" where none is known."""
    if point.level == "source":
        named = connection.execute(sa.select(platform.c.code, platform.c.name))
        return next((row.name for row in named if source_of(row.code) == point.name), "")
    code = sa.select(platform.c.name).where(platform.c.code == point.name)
    return connection.execute(code).scalar() or ""


def since(row: Any) -> int:
    """Return when a camera went away: at the first signal that says so."""
    said = ((row.status == OFF, row.status_at), (row.registered == OFF, row.registered_at))
    return min(int(at) for holds, at in (*said, (row.picture == LOST, row.picture_at)) if holds)


def _behind(row: Any) -> Behind:
    return Behind(row.source, row.parent, _area(row.path))


def _area(path: str) -> str:
    """The town of a leaf, third from the end of its chain, else the top."""
    chain = path.split("/")
    return chain[-3] if len(chain) > 2 else chain[0]
