"""A place as a bounded number of points 样点: a grid inside it and points along its border, always the same. Pure."""

import math
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.sight import METRES_PER_DEGREE

AT_BORDER = 0.2
"""The share of the points that lie on the border, for a place that has an inside."""
BOXED = 8_000
"""Points of the grid that are tried at most: what is thin and winding gets fewer inside and no slower answer."""
CORNERS = 64
FLATTEST = 0.01


class Samples(NamedTuple):
    """Points (n, 2) in degrees, east of 180 where the place lies across the date line; metres between two of them."""

    points: NDArray[np.float64]
    metres: float


def around(lon: float, lat: float, metres: float) -> BaseGeometry:
    """Return the circle round a point, in degrees; the point itself without a radius."""
    if metres <= 0:
        return Point(lon, lat)
    turns = np.linspace(0.0, 2 * math.pi, CORNERS, endpoint=False)
    high = metres / METRES_PER_DEGREE
    corners = np.column_stack([lon + high / flattened(lat) * np.sin(turns), lat + high * np.cos(turns)])
    return Polygon(np.clip(corners, (-math.inf, -90.0), (math.inf, 90.0)))


def flattened(lat: float) -> float:
    """Return how long a degree of longitude is, as a share of one of latitude."""
    return max(FLATTEST, math.cos(math.radians(lat)))


def samples(place: BaseGeometry, most: int) -> Samples:
    """Return at most `most` points of a place: of an area, of a line, or the points it consists of; none if empty."""
    parts = _together(place)
    areas = [one for one in parts if isinstance(one, Polygon) and one.area > 0]
    lines = [one for one in parts if one.length > 0]
    if not lines:
        points = shapely.get_coordinates(parts)
        return Samples(points[:: max(1, math.ceil(len(points) / most))], 0.0)
    along, length = _along(lines, max(1, round(most * AT_BORDER)) if areas else most)
    if not areas:
        return Samples(along, length / len(along))
    inside, metres = _inside(shapely.MultiPolygon(areas), max(1, most - len(along)))
    return Samples(np.vstack([inside, along])[:most], metres)


def _together(place: BaseGeometry) -> list[BaseGeometry]:
    """Return the parts, those across the date line moved beside the first."""
    parts = [one for one in shapely.get_parts(shapely.get_parts([place])) if not one.is_empty]
    if not parts or place.bounds[2] - place.bounds[0] <= 180:
        return parts
    first = _middle(parts[0])
    moves = [first + math.remainder(_middle(one) - first, 360.0) - _middle(one) for one in parts]
    return [_moved(one, east) if east else one for one, east in zip(parts, moves, strict=True)]


def _moved(part: BaseGeometry, east: float) -> BaseGeometry:
    return shapely.transform(part, lambda corners: np.asarray(corners + np.array([east, 0.0])))


def _middle(part: BaseGeometry) -> float:
    west, _, east, _ = part.bounds
    return float(west + east) / 2


def _along(parts: list[BaseGeometry], count: int) -> tuple[NDArray[np.float64], float]:
    """Return points evenly along borders and lines, and how long these are in metres."""
    rings = [ring for one in parts for ring in (shapely.get_rings(one) if one.area > 0 else [one])]
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    scale = flattened(float(corners[:, 1].mean()))
    steps = np.hypot(*((corners[1:] - corners[:-1]) * (scale, 1.0)).T)
    steps[ring[1:] != ring[:-1]] = 0.0
    at = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = (np.arange(count) + 0.5) * at[-1] / count
    after = np.clip(np.searchsorted(at, wanted), 1, len(at) - 1)
    share = (wanted - at[after - 1]) / (at[after] - at[after - 1])
    return corners[after - 1] + share[:, None] * (corners[after] - corners[after - 1]), at[-1] * METRES_PER_DEGREE


def _inside(area: BaseGeometry, count: int) -> tuple[NDArray[np.float64], float]:
    """Return the points of a square grid that lie inside, at most `count`, and the metres between two."""
    west, south, east, north = area.bounds
    scale = flattened((south + north) / 2)
    step = math.sqrt(max(area.area * scale / count, (east - west) * scale * (north - south) / BOXED))
    shapely.prepare(area)
    while True:
        across, up = _middles(west, east, step / scale), _middles(south, north, step)
        points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
        points = points[shapely.contains_xy(area, points)]
        if len(points) <= count:
            return points, step * METRES_PER_DEGREE
        step *= 1.03


def _middles(low: float, high: float, step: float) -> NDArray[np.float64]:
    count = max(1, math.ceil((high - low) / step - 1e-9))
    return low + (np.arange(count) + 0.5) * (high - low) / count
