"""Cutouts: the areas that show in one window of the map, as they were drawn, for zooms too deep to load a whole city.

`geo.shapes` holds whole levels, simplified for each depth of zoom; here nothing is simplified and nothing prepared.
Kinds that lie over the general grids (微网格, 专属) are drawn from here only.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import orjson
import shapely

from geo.grid import GENERAL, KINDS, Grid
from geo.shapes import collection, rounded

Window = tuple[float, float, float, float]
"""West, south, east, north, WGS-84 degrees."""

MOST = 4_000
"""Areas in one cutout; a window that shows more is too large."""
TOLD_APART = 400.0
"""CSS pixels² an area needs on average to be worth drawing over the general grids."""
TILE = 256.0  # pixels
DEEPEST_ZOOM = 20.0


class Kind(NamedTuple):
    """One kind of grids over the general ones: how many there are, and from which zoom they can be told apart."""

    number: int
    zoom: float


class TooMuch(Exception):
    """The window shows more than MOST areas."""


class Cutouts:
    """The grids of one version by kind and level, found by window."""

    def __init__(self, grids: Iterable[Grid]) -> None:
        self._layers: dict[tuple[str, int], tuple[list[Grid], shapely.STRtree]] = {}
        by_layer: dict[tuple[str, int], list[Grid]] = {}
        for grid in sorted(grids, key=lambda grid: grid.code):
            by_layer.setdefault((grid.kind, grid.level if grid.kind == GENERAL else 0), []).append(grid)
        for layer, same in by_layer.items():
            self._layers[layer] = same, shapely.STRtree([grid.polygon for grid in same])

    def kinds(self) -> dict[str, Kind]:
        """{kind: how many, from which zoom} of every kind that lies over the general grids and has any."""
        found = {kind: self._layers[kind, 0][0] for kind in KINDS if kind != GENERAL and (kind, 0) in self._layers}
        return {kind: Kind(len(same), told_apart(same)) for kind, same in found.items()}

    def cut(self, kind: str, level: int, window: Window) -> bytes | None:
        """GeoJSON of the areas whose box meets the window; None for a layer there is not. Raises TooMuch.

        `level` counts for general grids only.
        """
        layer = self._layers.get((kind, level if kind == GENERAL else 0))
        if layer is None:
            return None
        same, tree = layer
        hits = np.sort(tree.query(shapely.box(*window)))
        if len(hits) > MOST:
            raise TooMuch
        chosen = [same[hit] for hit in hits.tolist()]
        if not chosen:
            return orjson.dumps({"type": "FeatureCollection", "features": []})
        return collection(chosen, rounded(np.array([grid.polygon for grid in chosen], dtype=object)))


def told_apart(grids: Iterable[Grid]) -> float:
    """The zoom of web maps (256-pixel tiles) at which the median of these areas has TOLD_APART pixels²."""
    shapes = np.array([grid.polygon for grid in grids], dtype=object)
    boxes = shapely.bounds(shapes)
    stretch = np.cos(np.radians((boxes[:, 1] + boxes[:, 3]) / 2))  # on Mercator a degree of latitude is so much longer
    side = math.sqrt(max(float(np.median(shapely.area(shapes) / stretch)), 1e-14))  # degrees of longitude
    return min(DEEPEST_ZOOM, max(0.0, math.log2(math.sqrt(TOLD_APART) * 360.0 / (side * TILE))))
