"""The grid 网格: the smallest area somebody answers for, and the areas above it (village, town, county)."""

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import shapely
from shapely.geometry import MultiPolygon, Polygon

# Kinds. Only general grids partition the city and own points; the two others lie over them.
GENERAL, DEDICATED, MICRO = "general", "dedicated", "micro"  # 综合, 专属, 微网格
KINDS = (GENERAL, DEDICATED, MICRO)

MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Grid:
    """One area. `level` counts from 1 at the top; `parent` is "" at the top; `polygon` is in WGS-84 degrees.

    An empty polygon: the grid is known by its code only (a development zone without a drawing) and owns no points.

    `population` is None where it is unknown. `valid_from` and `valid_to` are UTC microseconds, None for open ends.
    """

    code: str
    name: str
    kind: str
    level: int
    parent: str
    polygon: Polygon | MultiPolygon
    population: int | None = None
    valid_from: int | None = None
    valid_to: int | None = None


def chains(grids: Iterable[Grid]) -> dict[str, tuple[str, ...]]:
    """{code: (root, ..., code)} by the declared parents; a parent that is not among `grids` ends the chain."""
    parents = {grid.code: grid.parent for grid in grids}
    return {code: _chain(code, parents) for code in parents}


def _chain(code: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    chain = [code]
    while (parent := parents[chain[-1]]) in parents and len(chain) < MAX_DEPTH:
        chain.append(parent)
    return tuple(reversed(chain))


def standing(grids: Iterable[Grid], at: int) -> list[Grid]:
    """The grids that stand at `at`: begun, not ended, and nothing above them missing. What ends takes what is under it.

    From `valid_from` on and until just before `valid_to`.
    """
    known = list(grids)
    lasting = {grid.code for grid in known if _lasts(grid, at)}
    lines = chains(known)
    return [grid for grid in known if all(code in lasting for code in lines[grid.code])]


def next_moment(grids: Iterable[Grid], at: int) -> int | None:
    """The first time after `at` when one of the grids begins or ends; None when none will."""
    times = (time for grid in grids for time in (grid.valid_from, grid.valid_to) if time is not None and time > at)
    return min(times, default=None)


def _lasts(grid: Grid, at: int) -> bool:
    begun = grid.valid_from is None or grid.valid_from <= at
    return begun and (grid.valid_to is None or at < grid.valid_to)


def digest(grids: Iterable[Grid]) -> str:
    """SHA-256 (hex) over every field of every grid, whatever their order: the name of this set of grids."""
    total = hashlib.sha256()
    for grid in sorted(grids, key=lambda grid: grid.code):
        texts = (grid.code, grid.name, grid.kind, grid.parent)
        numbers = (grid.level, grid.population, grid.valid_from, grid.valid_to)
        shape = shapely.to_wkb(grid.polygon, byte_order=1)
        for field in (*(text.encode() for text in texts), repr(numbers).encode(), shape):
            total.update(struct.pack("<Q", len(field)))
            total.update(field)
    return total.hexdigest()
