"""Grids without a live camera 视频盲区, kept and told: once as an entry for all of a town, and once when that ends."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from operations import journal
from operations.cameras import charting, coverage
from operations.cameras.condition import condition
from operations.cameras.coverage import Covered, Tally, Void
from operations.cameras.reading import within
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.policy import SYSTEM
from operations.scope import WHOLE, Scope
from operations.tables import camera as camera_table
from operations.tables import camera_void as table

TOLD_AT_ONCE = 500
"""Grids in one entry."""
_AT_ONCE = 300


def tallies(connection: Connection, now: int, scope: Scope = WHOLE) -> dict[str, Tally]:
    """Return {code of any area: its cameras}, as far as a scope reaches."""
    columns = [camera_table.c[name] for name in ("path", *charting.JUDGED)]
    rows = connection.execute(sa.select(*columns).where(camera_table.c.gone_at.is_(None), *within(scope)))
    counts = Counter((row.path, condition(row, now)) for row in rows)
    return coverage.tallied((tuple(path.split("/")), word, number) for (path, word), number in counts.items())


def known(connection: Connection, scope: Scope = WHOLE) -> dict[str, Void]:
    """Return {grid: its void} as kept; those that were told are alerts."""
    rows = connection.execute(sa.select(*(table.c[name] for name in Void._fields)))
    return {row.grid: Void(*row) for row in rows if scope.covers(tuple(row.path.split("/")), scope.department)}


def step(
    database: Database, covered: Iterable[Covered], *, patience: int, now: int, after_commit: AfterCommit | None = None
) -> tuple[int, int]:
    """Keep what is void as of now, and write down what is told or has ended; returns (told, ended)."""
    with database.read() as connection:
        moves = coverage.moved(known(connection), coverage.voids(covered, now), now, patience)
    if not (moves.kept or moves.ended):
        return 0, 0
    over = [one for one in moves.ended if one.told_at]
    with database.write(after_commit) as transaction:
        for part in _parts([one.grid for one in (*moves.kept, *moves.ended)]):
            transaction.connection.execute(sa.delete(table).where(table.c.grid.in_(part)))
        if moves.kept:
            transaction.connection.execute(sa.insert(table), [one._asdict() for one in moves.kept])
        drafts = [*_drafts("coverage.void", moves.told, now), *_drafts("coverage.restored", over, now)]
        journal.append(transaction, drafts)
    return len(moves.told), len(over)


def _drafts(action: str, some: Iterable[Void], now: int) -> list[Draft]:
    """One entry for the grids of one town, so that who is bound to it reads of it."""
    by_town: dict[tuple[str, ...], list[Void]] = defaultdict(list)
    for one in some:
        by_town[tuple(one.path.split("/")[:2])].append(one)
    return [
        Draft(
            at=now,
            actor=SYSTEM.actor,
            action=action,
            subject_type="grid",
            subject_id=town[-1],
            body={"grids": {one.grid: one.why for one in part}},
            scope_grid="/".join(town),
        )
        for town, every in sorted(by_town.items())
        for part in _parts(every, TOLD_AT_ONCE)
    ]


def _parts(values: Sequence[Any], most: int = _AT_ONCE) -> list[Sequence[Any]]:
    return [values[at : at + most] for at in range(0, len(values), most)]
