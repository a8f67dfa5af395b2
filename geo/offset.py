"""A systematic offset of a source's coordinates 坐标偏移: are they in another datum than declared?

A report that also names where it is (a grid's code, or a grid's or town's name in its address or title) is a witness:
read in the right datum its point lies in the grid it names. So each reading (WGS-84, GCJ-02, BD-09) is judged by the
witnesses it brings into their grids against those it takes out of them. Honest data cannot be mistaken this way: other
readings take nearly all witnesses out. Outside China the readings are one, and nothing is ever found.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from geo.datum import BD09, CGCS2000, GCJ02, WGS84, to_wgs84_many

LEAST = 50
"""Witnesses there must be."""
CHANCE_MOST = 1e-6
"""How likely may chance alone be to bring so many more witnesses into their grids than out of them (sign test), …"""
GAINED_TO_LOST = 5
"""… and how many times as many at least."""
SHARE_LEAST = 0.6
"""Share of the witnesses inside under another reading: what is wrong in some further way is not mended by a datum."""
AHEAD_LEAST, AHEAD_OF_GAINED = 5, 0.25
"""Witnesses, and share of those gained, by which it must be ahead of any third reading."""
READINGS = (WGS84, GCJ02, BD09)
METRES_A_DEGREE = 111_195.0

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Shape = Polygon | MultiPolygon


class Witness(NamedTuple):
    """A point as its source gave it (degrees), and the code of the grid it says it lies in."""

    lon: float
    lat: float
    grid: str


class Finding(NamedTuple):
    """What speaks for another datum: of `total` witnesses so many lie inside as `declared` and as `datum`.

    `metres` and `bearing` (degrees clockwise from north) say how far and where to the points move on the mean.
    """

    declared: str
    datum: str
    total: int
    inside_declared: int
    inside_datum: int
    metres: float
    bearing: float


def find(witnesses: Sequence[Witness], declared: str, grids: Mapping[str, Shape]) -> Finding | None:
    """Return the datum the witnesses speak for, if it is another than `declared` and the evidence suffices."""
    known = [one for one in witnesses if one.grid in grids]
    own = WGS84 if declared == CGCS2000 else declared
    if len(known) < LEAST:
        return None
    readings = {datum: _read(known, datum) for datum in READINGS}
    shapes = np.array([grids[one.grid] for one in known], dtype=object)
    inside = {datum: np.asarray(shapely.intersects_xy(shapes, *points)) for datum, points in readings.items()}
    best = max((datum for datum in READINGS if datum != own), key=lambda datum: int(inside[datum].sum()))
    if not _speaks(inside, own, best, len(known)):
        return None
    metres, bearing = _moved(readings[own], readings[best])
    return Finding(declared, best, len(known), int(inside[own].sum()), int(inside[best].sum()), metres, bearing)


def _read(witnesses: Sequence[Witness], datum: str) -> tuple[Floats, Floats]:
    return to_wgs84_many([one.lon for one in witnesses], [one.lat for one in witnesses], datum)


def _speaks(inside: Mapping[str, Bools], own: str, best: str, count: int) -> bool:
    gained = int((inside[best] & ~inside[own]).sum())
    lost = int((inside[own] & ~inside[best]).sum())
    third = max(int(inside[datum].sum()) for datum in READINGS if datum not in (own, best))
    found = int(inside[best].sum())
    enough = gained >= GAINED_TO_LOST * lost and _chance(gained, lost) <= CHANCE_MOST
    return enough and found >= SHARE_LEAST * count and found - third >= max(AHEAD_LEAST, AHEAD_OF_GAINED * gained)


def _chance(gained: int, lost: int) -> float:
    """The probability of at least so many gains among all changes if either way were as likely."""
    total = gained + lost
    return float(sum(math.comb(total, k) for k in range(gained, total + 1)) / 2**total)


def _moved(there: tuple[Floats, Floats], here: tuple[Floats, Floats]) -> tuple[float, float]:
    """Mean displacement in metres and its bearing, from one reading to another."""
    north = float(np.mean(here[1] - there[1])) * METRES_A_DEGREE
    east = float(np.mean((here[0] - there[0]) * np.cos(np.radians(there[1])))) * METRES_A_DEGREE
    return round(math.hypot(east, north), 1), round(math.degrees(math.atan2(east, north)) % 360, 1)
