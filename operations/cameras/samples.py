"""Samples of the rates of cameras 取样: one each quarter of an hour, kept for two months, and an entry."""

import zlib

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from operations import journal
from operations.cameras.rates import WHOLE, Axes, Sample, tallied
from operations.cameras.reading import within
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.policy import SYSTEM
from operations.scope import WHOLE as EVERYWHERE
from operations.scope import Scope
from operations.tables import camera as camera_table
from operations.tables import camera_sample as table

MINUTE = 60_000_000
EVERY, KEPT = 15 * MINUTE, 62 * 24 * 60 * MINUTE
CHANGED = 0.1
"""Share of a catalogue that has come or gone since the last sample, so that another is taken before its time."""
_COLUMNS = ("path", "owner", "point_class", "vendor", "status", "registered", "picture", "maintenance_until")


def current(connection: Connection, now: int, scope: Scope = EVERYWHERE) -> Axes:
    """Return the cameras within a scope as they stand."""
    columns = [camera_table.c[name] for name in _COLUMNS]
    rows = connection.execute(sa.select(*columns).where(camera_table.c.gone_at.is_(None), *within(scope)))
    return tallied(rows.all(), now)


def kept(connection: Connection, first: int, until: int) -> list[Sample]:
    """Return the samples between two moments and the one before, by rising time."""
    before = sa.select(sa.func.max(table.c.at)).where(table.c.at <= first).scalar_subquery()
    begin = sa.func.coalesce(before, first)
    rows = connection.execute(sa.select(table).where(table.c.at >= begin, table.c.at < until).order_by(table.c.at))
    return [Sample(row.at, msgspec.json.decode(zlib.decompress(row.body), type=Axes)) for row in rows]


def step(database: Database, *, now: int, after_commit: AfterCommit | None = None) -> bool:
    """Take a sample when it is time, once whoever else looks; returns whether one was taken."""
    with database.read() as connection:
        if not _due(connection, now):
            return False
    with database.write(after_commit) as transaction:
        transaction.alone("camera samples")
        connection = transaction.connection
        if not _due(connection, now):
            return False
        axes = current(connection, now)
        whole = axes[WHOLE].get("")
        body = zlib.compress(msgspec.json.encode(axes))
        values = {"at": now, "registered": whole.registered if whole else 0, "body": body}
        connection.execute(sa.delete(table).where(table.c.at < now - KEPT))
        connection.execute(sa.insert(table).values(values))
        told = {"towns": {path: list(one) for path, one in sorted(axes["town"].items())}}
        draft = Draft(
            at=now,
            actor=SYSTEM.actor,
            action="camera.sampled",
            subject_type="camera_sample",
            subject_id="rates",
            body={**told, "judged": whole.judged if whole else 0},
        )
        journal.append(transaction, [draft])
    return True


def _due(connection: Connection, now: int) -> bool:
    """Each quarter of an hour, and when the catalogue is another; where there was and is none, never."""
    query = sa.select(table.c.at, table.c.registered).where(table.c.at <= now).order_by(table.c.at.desc()).limit(1)
    last = connection.execute(query).one_or_none()
    count = sa.select(sa.func.count()).select_from(camera_table).where(camera_table.c.gone_at.is_(None))
    there = connection.execute(count).scalar_one()
    known = last.registered if last else 0
    if not there and not known:
        return False
    changed = abs(there - known) > CHANGED * known
    return last is None or (changed and last.at < now) or now // EVERY != last.at // EVERY
