"""Geodetic datums 坐标系: WGS-84, CGCS2000, GCJ-02 (火星坐标) and BD-09 (百度), each to WGS-84 and back.

Every function takes and gives degrees as longitude, latitude. CGCS2000 differs from WGS-84 by centimetres and is
treated as equal. GCJ-02 and BD-09 are published shifts of WGS-84, applied inside a rough box around China only (with
its neighbours) and the identity outside of it; they are inverted by iteration, to well under a millimetre.
Within a kilometre of the box's edge, at sea or abroad, the two directions may disagree about which side a point is on.
"""

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import UnknownDatum

Floats = NDArray[np.float64]
Shift = Callable[[Any, Any, ModuleType], tuple[Any, Any]]  # lon, lat, and the module (math or numpy) to reckon with

WGS84, CGCS2000, GCJ02, BD09 = "WGS84", "CGCS2000", "GCJ02", "BD09"
DATUMS = (WGS84, CGCS2000, GCJ02, BD09)
CHINA = (72.004, 0.8293, 137.8347, 55.8271)  # west, south, east, north, degrees
SEMI_MAJOR_M = 6378245.0  # Krasovsky 1940, as the published GCJ-02 algorithm has it
ECCENTRICITY_SQUARED = 0.00669342162296594323
BAIDU_TURN = math.pi * 3000.0 / 180.0  # some ports of the algorithm have a bare pi here: up to 45 m off
INVERSE_ROUNDS = 8  # each gains more than two digits; from 600 m to below a double's last bit
INVERSE_ENOUGH = 1e-9  # degrees, 0.1 mm: the round that moves less than this leaves an error below a micrometre


def in_china(lon: float, lat: float) -> bool:
    """True inside the box where GCJ-02 and BD-09 are shifted; False for NaN."""
    west, south, east, north = CHINA
    return west <= lon <= east and south <= lat <= north


def to_wgs84(lon: float, lat: float, datum: str) -> tuple[float, float]:
    """The point in WGS-84 degrees; raises UnknownDatum."""
    shift = _shift(datum)
    return (lon, lat) if shift is None or not in_china(lon, lat) else _invert_one(shift, lon, lat)


def from_wgs84(lon: float, lat: float, datum: str) -> tuple[float, float]:
    """The WGS-84 point in `datum` degrees; raises UnknownDatum."""
    shift = _shift(datum)
    return (lon, lat) if shift is None or not in_china(lon, lat) else shift(lon, lat, math)


def to_wgs84_many(lons: ArrayLike, lats: ArrayLike, datum: str) -> tuple[Floats, Floats]:
    """Arrays of points in WGS-84 degrees, as new arrays; raises UnknownDatum."""
    return _shift_many(lons, lats, _shift(datum), _invert)


def from_wgs84_many(lons: ArrayLike, lats: ArrayLike, datum: str) -> tuple[Floats, Floats]:
    """Arrays of WGS-84 points in `datum` degrees, as new arrays; raises UnknownDatum."""
    return _shift_many(lons, lats, _shift(datum), _apply)


def _shift_many(
    lons: ArrayLike, lats: ArrayLike, shift: Shift | None, way: Callable[[Shift, Any, Any, ModuleType], tuple[Any, Any]]
) -> tuple[Floats, Floats]:
    """Both arrays copied, and moved where they are in the box."""
    lon, lat = np.array(lons, dtype=np.float64), np.array(lats, dtype=np.float64)
    if shift is not None:
        west, south, east, north = CHINA
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        lon[inside], lat[inside] = way(shift, lon[inside], lat[inside], np)
    return lon, lat


def _apply(shift: Shift, lon: Any, lat: Any, m: ModuleType) -> tuple[Any, Any]:
    return shift(lon, lat, m)


def _shift(datum: str) -> Shift | None:
    if datum in (WGS84, CGCS2000):
        return None
    if datum == GCJ02:
        return _wgs84_to_gcj02
    if datum == BD09:
        return _wgs84_to_bd09
    raise UnknownDatum("geo.errors.unknown_datum", datum=datum, allowed=", ".join(DATUMS))


def _invert(shift: Shift, lon: Any, lat: Any, m: ModuleType) -> tuple[Any, Any]:
    """The point that `shift` moves to (lon, lat), by fixed-point iteration (the shift is a strong contraction)."""
    x, y = lon, lat
    for _ in range(INVERSE_ROUNDS):
        shifted_x, shifted_y = shift(x, y, m)
        x, y = x - (shifted_x - lon), y - (shifted_y - lat)
    return x, y


def _invert_one(shift: Shift, lon: float, lat: float) -> tuple[float, float]:
    """The same for one point, which may stop as soon as it is there."""
    x, y = lon, lat
    for _ in range(INVERSE_ROUNDS):
        shifted_x, shifted_y = shift(x, y, math)
        too_far_x, too_far_y = shifted_x - lon, shifted_y - lat
        x, y = x - too_far_x, y - too_far_y
        if abs(too_far_x) < INVERSE_ENOUGH and abs(too_far_y) < INVERSE_ENOUGH:
            break
    return x, y


def _wgs84_to_bd09(lon: Any, lat: Any, m: ModuleType) -> tuple[Any, Any]:
    x, y = _wgs84_to_gcj02(lon, lat, m)
    radius = m.sqrt(x * x + y * y) + 0.00002 * m.sin(y * BAIDU_TURN)
    angle = m.atan2(y, x) + 0.000003 * m.cos(x * BAIDU_TURN)
    return radius * m.cos(angle) + 0.0065, radius * m.sin(angle) + 0.006


def _wgs84_to_gcj02(lon: Any, lat: Any, m: ModuleType) -> tuple[Any, Any]:
    """`m` is `math` for two floats or `numpy` for two arrays; the formula is written once."""
    x, y = lon - 105.0, lat - 35.0
    root, ripple = m.sqrt(abs(x)), 20.0 * m.sin(6.0 * x * m.pi) + 20.0 * m.sin(2.0 * x * m.pi)
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north_m += (ripple + 20.0 * m.sin(y * m.pi) + 40.0 * m.sin(y / 3.0 * m.pi)) * 2.0 / 3.0
    north_m += (160.0 * m.sin(y / 12.0 * m.pi) + 320.0 * m.sin(y * m.pi / 30.0)) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east_m += (ripple + 20.0 * m.sin(x * m.pi) + 40.0 * m.sin(x / 3.0 * m.pi)) * 2.0 / 3.0
    east_m += (150.0 * m.sin(x / 12.0 * m.pi) + 300.0 * m.sin(x / 30.0 * m.pi)) * 2.0 / 3.0
    radians = lat / 180.0 * m.pi
    magic = 1.0 - ECCENTRICITY_SQUARED * m.sin(radians) ** 2
    meridian_m = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQUARED) / (magic * m.sqrt(magic))
    parallel_m = SEMI_MAJOR_M / m.sqrt(magic) * m.cos(radians)
    return lon + east_m * 180.0 / (parallel_m * m.pi), lat + north_m * 180.0 / (meridian_m * m.pi)
