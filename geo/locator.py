"""Which grid a point is in: exact, the same on every machine, a few microseconds.

The rule. A grid contains the points inside it and on its border. Of the general grids (综合网格) that contain a point,
the deepest level owns it; among those, the one whose code comes first. So every point of the city has exactly one
owner, shared borders included, whatever the order of the files; a part of a village that no grid covers belongs to the
village. A point in no grid is unplaced 未定位, with the nearest grid and the distance to it.
"""

import logging
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo import cache, cells
from geo.errors import NoGrids
from geo.grid import GENERAL, Grid, chains, digest
from geo.nearest import Nearest

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Located:
    """Where a point belongs. Unplaced: `code` is "", `chain` empty, `nearest` and `distance_m` say where it nearly was.

    Something that is no place on earth (not a number, beyond 180 or 90 degrees) has no nearest grid either.
    """

    code: str
    chain: tuple[str, ...] = ()
    nearest: str = ""
    distance_m: float = 0.0


class _Saved(msgspec.Struct):
    version: int
    digest: str
    frame: cells.Frame
    arrays: list[tuple[str, tuple[int, ...], bytes]]


class Locator:
    """The index over one version of the grids. Make it with `build`, or with `open`, which keeps it on disk."""

    def __init__(self, every: Iterable[Grid], frame: cells.Frame, index: cells.Cells) -> None:
        """`chains` holds all general grids, `codes` those with a drawing, in order of preference."""
        general = [grid for grid in every if grid.kind == GENERAL]
        grids = _ordered(general)
        self.codes = [grid.code for grid in grids]
        self.chains = chains(general)
        self._frame, self._cells = frame, index
        self._placed = [Located(code, self.chains[code]) for code in self.codes]
        self._nearest = Nearest([grid.polygon for grid in grids])
        self._table, self._starts = index.table.data, index.starts.data
        self._candidates, self._slabs = index.candidates.data, index.slabs.data
        self._slab_starts, self._fallback = index.slab_starts.data, index.fallback.data
        self._ends = index.x1.data, index.y1.data, index.x2.data, index.y2.data

    @classmethod
    def build(cls, grids: Iterable[Grid]) -> "Locator":
        """The index of these grids; raises NoGrids if no general grid is among them."""
        every = list(grids)
        return cls(every, *cells.build([grid.polygon for grid in _ordered(every)]))

    @classmethod
    def open(cls, grids: Sequence[Grid], folder: Path) -> "Locator":
        """The index of these grids from `folder`; built, and saved there, if it is not there or not whole."""
        name = digest(grids)
        path = folder / f"locator-{name[:16]}.bin"
        found = cls.load(path, grids, name)
        if found is None:
            found = cls.build(grids)
            try:
                found.save(path, name)
                cache.sweep(path, "locator-*.bin")
            except OSError as error:
                log.warning("the grid index could not be kept at %s: %s", path, error)
        return found

    def save(self, path: Path, name: str) -> None:
        """Keep the index at `path` under the digest of its grids; raises OSError."""
        arrays = [(array.dtype.str, array.shape, array.tobytes()) for array in self._cells]
        cache.write(path, msgspec.msgpack.encode(_Saved(_version(), name, self._frame, arrays)))

    @classmethod
    def load(cls, path: Path, grids: Iterable[Grid], name: str) -> "Locator | None":
        """The index kept at `path`; None unless it is whole, of this version, and of the grids with this digest."""
        blob = cache.read(path)
        if blob is None:
            return None
        try:
            saved = msgspec.msgpack.decode(blob, type=_Saved)
        except msgspec.DecodeError:
            return None
        if (saved.version, saved.digest) != (_version(), name):
            return None
        arrays = [np.frombuffer(data, dtype).reshape(shape) for dtype, shape, data in saved.arrays]
        return cls(grids, saved.frame, cells.Cells(*arrays))

    def locate(self, lon: float, lat: float) -> Located:
        """The grid that owns the point (WGS-84 degrees), or the nearest one; never raises for any two floats."""
        rank = self._owner(lon, lat)
        return self._placed[rank] if rank >= 0 else self._unplaced(lon, lat)

    def locate_many(self, lons: ArrayLike, lats: ArrayLike) -> list[Located]:
        """`locate` of each point; the two arrays are of one length."""
        x, y = np.asarray(lons, dtype=np.float64), np.asarray(lats, dtype=np.float64)
        placed = self._placed
        return [
            placed[rank] if rank >= 0 else self._unplaced(float(x[i]), float(y[i]))
            for i, rank in enumerate(self.owners(x, y).tolist())
        ]

    def owners(self, lons: ArrayLike, lats: ArrayLike) -> NDArray[np.int32]:
        """The index into `codes` of each point's owner, -1 for unplaced ones: the fast way for many points."""
        x, y = np.asarray(lons, dtype=np.float64), np.asarray(lats, dtype=np.float64)
        return cells.owners(self._frame, self._cells, x, y)

    def _owner(self, lon: float, lat: float) -> int:
        west, south, east, north, columns, rows, across, up = self._frame
        if not (west <= lon <= east and south <= lat <= north):
            return cells.NOWHERE
        column, row = int((lon - west) * across), int((lat - south) * up)
        if column == columns:
            column -= 1
        if row == rows:
            row -= 1
        rank = self._table[row * columns + column]
        if rank >= cells.NOWHERE:
            return rank
        number = -2 - rank
        for i in range(self._starts[number], self._starts[number + 1]):
            slab = self._slabs[i]
            row_edges = slice(self._slab_starts[slab], self._slab_starts[slab + 1])
            if cells.contains(zip(*(ends[row_edges] for ends in self._ends), strict=True), lon, lat):
                return self._candidates[i]
        return self._fallback[number]

    def _unplaced(self, lon: float, lat: float) -> Located:
        if not (math.fabs(lon) <= 180.0 and math.fabs(lat) <= 90.0):
            return Located("")
        rank, metres = self._nearest.find(lon, lat)
        return Located("", (), self.codes[rank], round(metres, 3))


def _ordered(grids: Iterable[Grid]) -> list[Grid]:
    """The general grids with a drawing in order of preference: deepest level first, then by code."""
    general = [grid for grid in grids if grid.kind == GENERAL and not shapely.is_empty(grid.polygon)]
    if not general:
        raise NoGrids("geo.errors.no_grids")
    return sorted(general, key=lambda grid: (-grid.level, grid.code))


def _version() -> int:
    return cells.VERSION if sys.byteorder == "little" else -cells.VERSION
