"""The neighbourhood 邻近 of a fault: the few shapes near it, cut to a window and simplified, for a map to draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry

MOST_SHAPES = 80
MOST_POINTS = 20_000
LEAST_DEGREES = 0.0005
"""Half the side of the smallest window, about 50 m."""
WIDER = 1.5
FARTHEST = 0.5
DETAIL = 2_000
"""Parts of a window's side that can be told apart."""


@dataclass(frozen=True)
class Piece:
    """What is drawn of one shape: its lines as (lat, lon) pairs, and whether the fault is about it."""

    code: str
    meant: bool
    lines: list[list[tuple[float, float]]]


@dataclass(frozen=True)
class Neighbourhood:
    """`bounds` are ((south, west), (north, east)), as maps want them."""

    pieces: list[Piece]
    bounds: tuple[tuple[float, float], tuple[float, float]]


class Drawing:
    """Every shape of an import, found by place."""

    def __init__(self, codes: Sequence[str], shapes: Sequence[BaseGeometry]) -> None:
        self._codes = list(codes)
        self._shapes = np.array([*shapes, None], dtype=object)[:-1]
        self._tree = shapely.STRtree(self._shapes)

    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Return what all of it covers; None when there is nothing."""
        if not len(self._shapes):
            return None
        west, south, east, north = shapely.total_bounds(self._shapes).tolist()
        return ((south, west), (north, east))

    def whole(self) -> list[Piece]:
        """Return all of it, coarsely, as far as a map can bear it."""
        found = self.bounds()
        if found is None:
            return []
        (south, west), (north, east) = found
        coarse = shapely.simplify(
            self._shapes[:3_000], max(north - south, east - west) / DETAIL, preserve_topology=False
        )
        return _bounded([Piece(code, False, _lines(one)) for code, one in zip(self._codes, coarse, strict=False)])

    def near(self, lon: float | None, lat: float | None, meant: Sequence[str]) -> Neighbourhood | None:
        """Return what lies around a fault, and the shapes it is about; None when there is nothing to show."""
        own = [number for number, code in enumerate(self._codes) if code in meant]
        window = _window(lon, lat, self._shapes[own])
        if window is None:
            return None
        area, side = box(*window), max(window[2] - window[0], window[3] - window[1])
        numbers = self._tree.query(area).tolist()
        numbers = sorted(numbers, key=lambda number: self._codes[number] not in meant)[:MOST_SHAPES]
        around = box(window[0] - side, window[1] - side, window[2] + side, window[3] + side)
        pieces = []
        for number in numbers:
            lines = shapely.intersection(shapely.boundary(self._shapes[number]), around)
            if lines is not None and not lines.is_empty:
                lines = shapely.simplify(lines, side / DETAIL, preserve_topology=False)
                pieces.append(Piece(self._codes[number], self._codes[number] in meant, _lines(lines)))
        return Neighbourhood(_bounded(pieces), ((window[1], window[0]), (window[3], window[2])))


def _window(lon: float | None, lat: float | None, own: NDArray[np.object_]) -> tuple[float, float, float, float] | None:
    """West, south, east, north of what to look at: the place, as far as the shapes go but not too far."""
    if lon is None or lat is None:
        if not len(own):
            return None
        west, south, east, north = shapely.total_bounds(own).tolist()
        return west, south, east, north
    reach = LEAST_DEGREES
    if len(own):
        sides = shapely.bounds(own)
        reach = max(reach, float(np.max(sides[:, 2:] - sides[:, :2], initial=0.0)) / 2 * WIDER)
    reach = min(reach, FARTHEST)
    return lon - reach, lat - reach, lon + reach, lat + reach


def _lines(shape: BaseGeometry) -> list[list[tuple[float, float]]]:
    """The lines of a shape as (lat, lon) pairs, five digits after the point more than a screen can show."""
    parts = shapely.get_parts(shapely.get_rings(shape) if isinstance(shape, Polygon) else shape).tolist()
    found = []
    for part in parts:
        rings = shapely.get_rings(part).tolist() if isinstance(part, Polygon) else [part]
        for ring in rings:
            if isinstance(ring, LineString) and not ring.is_empty:
                points = np.round(shapely.get_coordinates(ring), 7)
                found.append([(lat, lon) for lon, lat in points.tolist()])
    return found


def _bounded(pieces: list[Piece]) -> list[Piece]:
    """As many pieces as a page can bear."""
    kept: list[Piece] = []
    points = 0
    for piece in pieces:
        points += sum(len(line) for line in piece.lines)
        if points > MOST_POINTS and kept:
            break
        kept.append(piece)
    return kept
