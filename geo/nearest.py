"""The grid nearest to a point that lies in none, and how far away it is."""

import math
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

EARTH_RADIUS_M = 6371008.8  # mean radius, IUGG 1980
TIE_M = 0.001  # two grids this close are equally near: the better rank is named


def haversine_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Great-circle distance in metres on the mean sphere (within 0.6 % of the ellipsoid)."""
    a, b = math.radians(lat1), math.radians(lat2)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


class Nearest:
    """Borders of polygons by rank. Distances are compared on a plane true to scale at the point's middle latitude."""

    def __init__(self, polygons: Sequence[Polygon | MultiPolygon]) -> None:
        self._polygons = polygons
        self._boxes = shapely.bounds(np.asarray(polygons, dtype=object))
        self._south, self._north = float(self._boxes[:, 1].min()), float(self._boxes[:, 3].max())
        self._centre = float(self._boxes[:, 0].min() + self._boxes[:, 2].max()) / 2

    def find(self, lon: float, lat: float) -> tuple[int, float]:
        """(rank, metres) of the nearest border; the point must be finite. Boxes bound what has to be measured."""
        lon = self._centre + math.remainder(lon - self._centre, 360.0)
        scale = math.cos(math.radians((lat + min(max(lat, self._south), self._north)) / 2))
        west, south, east, north = self._boxes.T
        across = np.maximum(np.maximum(west - lon, lon - east), 0.0) * scale
        up = np.maximum(np.maximum(south - lat, lat - north), 0.0)
        least = np.hypot(across, up)
        best, best_m, bound = 0, math.inf, math.inf
        for rank in np.argsort(least, kind="stable").tolist():
            if least[rank] > bound:
                break
            x, y, apart = self._closest(rank, lon, lat, scale)
            metres = haversine_m(lon, lat, x, y)
            if (metres + TIE_M, rank) < (best_m, best) or (abs(metres - best_m) <= TIE_M and rank < best):
                best, best_m = rank, metres
            bound = min(bound, apart * (1 + 1e-6) + 1e-8)
        return best, best_m

    def _closest(self, rank: int, lon: float, lat: float, scale: float) -> tuple[float, float, float]:
        """The nearest point of a polygon's border and its distance on the plane, in degrees of latitude."""
        points, ring = _border(self._polygons[rank])
        start = (points[:-1] - (lon, lat)) * (scale, 1.0)
        step = (points[1:] - points[:-1]) * (scale, 1.0)
        squared = (step * step).sum(axis=1)
        share = np.clip(-(start * step).sum(axis=1) / np.where(squared > 0.0, squared, 1.0), 0.0, 1.0)
        apart = np.hypot(*(start + share[:, None] * step).T)
        apart[ring[1:] != ring[:-1]] = np.inf
        i = int(apart.argmin())
        x, y = points[i] + share[i] * (points[i + 1] - points[i])
        return float(x), float(y), float(apart[i])


def _border(polygon: Polygon | MultiPolygon) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """All points of all rings (n, 2), and the number of the ring each belongs to."""
    points, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(polygon)), return_index=True)
    return points, ring
