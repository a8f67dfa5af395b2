"""Cameras on the map 摄像机图层: which stand in a view, gathered by squares of the screen where there are many. Pure.

All that have a place lie in arrays, so that a view of 50,000 is a few passes of numpy; what an answer may hold is
bounded by the squares of a screen, however many cameras there are.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from operations.scope import Scope

STATES = ("live", "dark", "off", "faulty", "unknown", "maintenance")
"""What can be said of a camera, by the numbers answers carry."""
LIVE = 0
SQUARE = 80
"""Pixels of the side of a square whose cameras are gathered."""
SQUARES_MOST = 1_500
SINGLES_MOST = 300
"""Cameras of one view that are shown one by one when it is a near one."""
NEAR_ZOOM = 14.0
HELD = 0.25
"""Share of a square round its middle in which its sign stands, so that two do not lie on each other."""
MERCATOR_MOST = 85.05
PLACES = 6
"""Decimals of degrees in an answer: a tenth of a metre."""

_ROW = np.dtype(
    [(n, "f8") for n in ("lon", "lat", "x", "y")] + [("mark", "u8"), ("area", "i4"), ("state", "i1"), ("closed", "?")]
)

Box = tuple[float, float, float, float]
"""West, south, east, north, degrees."""


class Spot(NamedTuple):
    """A camera that has a place (WGS-84 degrees); `path`, `owner`: whose it is; `streams`: it has pictures.

    `closed`: it stands where none may be, so nobody is granted it (Decree 799, article 8).
    """

    id: str
    name: str
    lon: float
    lat: float
    state: int
    path: str
    owner: str
    direction: float | None
    field_angle: float | None
    view_distance: float | None
    streams: bool
    closed: bool = False


class Gathered(Struct, frozen=True, array_like=True):
    """So many cameras of a square and how many of them are not live; where their sign stands."""

    lon: float
    lat: float
    count: int
    not_live: int


class Single(Struct, frozen=True, array_like=True):
    """One camera; the last three as its record tells them: degrees, degrees, metres."""

    id: str
    name: str
    lon: float
    lat: float
    state: int
    streams: bool
    direction: float | None
    field_angle: float | None
    view_distance: float | None


class Seen(Struct, frozen=True):
    """What a view shows; `states`: how many of STATES stand in it. `voids`: grids of the whole reach without a live one
    that were told.
    """

    total: int
    states: list[int]
    gathered: list[Gathered]
    singles: list[Single]
    voids: int = 0


class Chart:
    """All cameras that have a place. Immutable: `changed` returns another."""

    def __init__(self, spots: Iterable[Spot] = ()) -> None:
        self._spots = list(spots)
        self._index = {one.id: number for number, one in enumerate(self._spots)}
        self._areas: dict[tuple[str, str], int] = {}
        self._rows = np.zeros(len(self._spots), _ROW)
        self._put(range(len(self._spots)))

    def __len__(self) -> int:
        return len(self._spots)

    def changed(self, spots: Mapping[str, Spot | None]) -> "Chart":
        """Return the chart with these as they are now (None: not there any more); the same, cheaply, for known ones."""
        if any(one is None or id not in self._index for id, one in spots.items()):
            kept = (one for one in self._spots if one.id not in spots)
            return Chart([*kept, *(one for one in spots.values() if one is not None)])
        made = Chart()
        made._spots, made._index, made._areas = self._spots.copy(), self._index, self._areas.copy()
        made._rows = self._rows.copy()
        for id, one in spots.items():
            assert one is not None
            made._spots[self._index[id]] = one
        made._put([self._index[id] for id in spots])
        return made

    def _put(self, numbers: Sequence[int]) -> None:
        """Work out the rows of these."""
        self._masks: dict[Scope, NDArray[np.bool_]] = {}
        if not numbers:
            return
        some = [self._spots[number] for number in numbers]
        at = np.array(numbers)
        self._rows["lon"][at] = lon = np.array([one.lon for one in some])
        self._rows["lat"][at] = lat = np.array([one.lat for one in some])
        self._rows["x"][at], self._rows["y"][at] = _mercator(lon, lat)
        self._rows["state"][at] = [one.state for one in some]
        self._rows["mark"][at] = [_mark(one) for one in some]
        self._rows["closed"][at] = [one.closed for one in some]
        areas = self._areas
        self._rows["area"][at] = [areas.setdefault((one.path, one.owner), len(areas)) for one in some]

    def spot(self, id: str) -> Spot | None:
        """Return a camera by its id."""
        number = self._index.get(id)
        return None if number is None else self._spots[number]

    def inside(self, scope: Scope) -> NDArray[np.bool_]:
        """Return which of them a scope covers."""
        if scope not in self._masks:
            covered = [scope.covers(tuple(path.split("/")), owner) for path, owner in self._areas]
            self._masks[scope] = np.array(covered, bool)[self._rows["area"]] if covered else np.zeros(0, bool)
        return self._masks[scope]

    def key(self, scope: Scope) -> str:
        """Return what changes when a camera of this scope does, and not when another does."""
        there = self.inside(scope)
        marks = self._rows["mark"][there].sum(dtype=np.uint64)
        return f"{int(there.sum()):x}.{int(marks):x}"

    def seen(self, scope: Scope, box: Box, zoom: float, *, closed: bool = True) -> Seen:
        """Return what a view at a zoom of web maps (256 pixels the world at 0) shows somebody; `closed`: also cameras
        that nobody is granted.
        """
        west, south, east, north = box
        lon, lat = self._rows["lon"], self._rows["lat"]
        there = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        there &= self.inside(scope)
        at = np.flatnonzero(there if closed else there & ~self._rows["closed"])
        states = np.bincount(self._rows["state"][at], minlength=len(STATES)).tolist()
        if zoom >= NEAR_ZOOM and len(at) <= SINGLES_MOST:
            return Seen(len(at), states, [], self._singles(at))
        return self._squared(at, states, math.floor(zoom))

    def _squared(self, at: NDArray[np.intp], states: list[int], zoom: int) -> Seen:
        across = 256 * 2.0**zoom / SQUARE
        while True:
            column, row = (np.floor(self._rows[axis][at] * across).astype(np.int64) for axis in "xy")
            keys = column << 32 | row
            squares, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
            if len(squares) <= SQUARES_MOST:
                break
            across /= 2
        x = _held(np.bincount(which, self._rows["x"][at]) / counts, squares >> 32, across)
        y = _held(np.bincount(which, self._rows["y"][at]) / counts, squares & 0xFFFFFFFF, across)
        lon, lat = _degrees(x, y)
        not_live = np.bincount(which, self._rows["state"][at] != LIVE)
        alone = counts == 1
        lon, lat = lon.round(PLACES), lat.round(PLACES)
        gathered = [
            Gathered(float(lon[one]), float(lat[one]), int(counts[one]), int(not_live[one]))
            for one in np.flatnonzero(~alone)
        ]
        return Seen(len(at), states, gathered, self._singles(at[alone[which]]))

    def _singles(self, at: NDArray[np.intp]) -> list[Single]:
        found = (self._spots[number] for number in at.tolist())
        return [
            Single(
                one.id,
                one.name,
                round(one.lon, PLACES),
                round(one.lat, PLACES),
                one.state,
                one.streams,
                one.direction,
                one.field_angle,
                one.view_distance,
            )
            for one in found
        ]


def _held(mean: NDArray[np.float64], square: NDArray[np.int64], across: float) -> NDArray[np.float64]:
    """Means of squares, held near the middles of these."""
    middle = (square + 0.5) / across
    return np.clip(mean, middle - HELD / across, middle + HELD / across)


def _mercator(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Degrees as shares of the world's square, from its north-west corner."""
    sine = np.sin(np.radians(np.clip(lat, -MERCATOR_MOST, MERCATOR_MOST)))
    return (lon + 180) / 360, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * math.pi)


def _degrees(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return x * 360 - 180, np.degrees(np.arctan(np.sinh(math.pi * (1 - 2 * y))))


def _mark(spot: Spot) -> int:
    return crc32(repr(tuple(spot)).encode())
