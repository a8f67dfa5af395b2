"""Dedicated and micro-grids 专属网格、微网格: they lie over the general ones and say more of a point, they own none."""

from collections.abc import Iterable

import shapely

from geo.grid import GENERAL, Grid


class Special:
    """The special grids of one version, found by point."""

    def __init__(self, grids: Iterable[Grid]) -> None:
        chosen = sorted((grid for grid in grids if grid.kind != GENERAL), key=lambda grid: (grid.kind, grid.code))
        self._codes = [grid.code for grid in chosen]
        self._tree = shapely.STRtree([grid.polygon for grid in chosen])

    def at(self, lon: float, lat: float) -> tuple[str, ...]:
        """The codes of those that contain a point (WGS-84 degrees) or have it on their border: kind, then code."""
        hits = self._tree.query(shapely.Point(lon, lat), predicate="intersects")
        return tuple(self._codes[number] for number in sorted(hits.tolist()))
