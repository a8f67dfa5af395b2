"""What another version of the grids would change 版本差异: the grids, the open incidents, who looks after what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

from geo import difference as differences
from geo.difference import Change
from geo.grid import Grid, standing
from geo.locator import Locator
from operations.board import Board

MOST_DRAWN = 300
"""Grids drawn on the map of a difference, each as it was and as it will be."""
MOST_MOVED = 500
"""Open incidents listed whose place would be in another grid."""
TOLERANCE = 0.00001
"""Degrees: about a metre. What is drawn is a picture, not the border."""


class Point(NamedTuple):
    """An open incident with a position (WGS-84 degrees) and the grid it is kept in."""

    number: str
    grid: str
    lon: float
    lat: float


class Moved(NamedTuple):
    """An open incident that lies in another grid of the new version; `to` is "" where it would lie in none."""

    number: str
    grid: str
    to: str


class Drawn(NamedTuple):
    """A changed grid as it was (dashed) or will be (solid)."""

    code: str
    after: bool
    polygon: BaseGeometry


@dataclass(frozen=True)
class Difference:
    """Between version `before` (0: there is none) and what follows; `idle` grids are not valid when it begins.

    `names` are those of the grids of both; `scopes` the accounts whose area is no longer there.
    """

    before: int
    count: int
    idle: int
    changes: tuple[Change, ...]
    moved: tuple[Moved, ...]
    moved_count: int
    open_count: int
    drawn: tuple[Drawn, ...]
    names: Mapping[str, str]
    scopes: tuple[str, ...] = ()


def points(board: Board) -> tuple[Point, ...]:
    """Return the open incidents with a position."""
    return tuple(
        Point(one.number, one.grid, one.lon, one.lat)
        for one in board.incidents.values()
        if one.is_open and one.lon is not None and one.lat is not None
    )


def compare(
    before: Sequence[Grid], after: Sequence[Grid], at: int, open_points: Sequence[Point], *, version: int
) -> Difference:
    """Return what changes from `before` (grids in force, of `version`) to `after`, which begins at `at`."""
    lasting = standing(after, at)
    changes = tuple(differences.difference(before, lasting))
    moved = _moved(lasting, open_points) if before else []
    touched = [one.code for one in changes if one.kind not in (differences.RENAMED, differences.POPULATION)]
    return Difference(
        before=version,
        count=len(lasting),
        idle=len(after) - len(lasting),
        changes=changes,
        moved=tuple(moved[:MOST_MOVED]),
        moved_count=len(moved),
        open_count=len(open_points),
        drawn=tuple(_drawn(before, lasting, changes, touched)) if before else (),
        names={grid.code: grid.name for grid in (*before, *lasting)},
    )


def _moved(grids: Sequence[Grid], open_points: Sequence[Point]) -> list[Moved]:
    """By the point: where nobody placed by hand, this is where the same report would be placed."""
    if not open_points:
        return []
    found = Locator.build(grids).locate_many([p.lon for p in open_points], [p.lat for p in open_points])
    return [
        Moved(point.number, point.grid, there.code)
        for point, there in zip(open_points, found, strict=True)
        if point.grid != there.code
    ]


def _drawn(
    before: Iterable[Grid], after: Iterable[Grid], changes: Iterable[Change], touched: Iterable[str]
) -> list[Drawn]:
    codes = dict.fromkeys(touched)
    for one in changes:
        codes |= dict.fromkeys(part.code for part in (*one.gained, *one.lost)) if one.code in codes else {}
    chosen = set(list(codes)[:MOST_DRAWN])
    return [
        Drawn(grid.code, is_after, shapely.simplify(grid.polygon, TOLERANCE))
        for is_after, side in ((True, after), (False, before))
        for grid in side
        if grid.code in chosen
    ]
