"""Where a warning is: its polygons, circles and codes as one shape and the grids it covers. Pure.

CAP says "lat,lon", GeoJSON "lon,lat": they are turned round here, once. The radius of a circle is in kilometres on the
ground.
"""

import hashlib
from collections.abc import Iterable
from itertools import pairwise

import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geo.coverage import Coverage, Covered
from operations.warning import COVERED, OUTSIDE, UNKNOWN
from streams.cap import GB_35965, Alert, Area

CORNERS = 64
ADMINISTRATIVE = ("CN-ADMIN", "CN-GRID")
"""Schemes of geocodes that are codes of ours; others (SAME, FIPS, UGC …) say nothing here."""
LARGEST_KM = 3_000.0
"""A larger circle no longer lies on one side of the earth as a plane ring has it; it is cut to this."""
LONGEST_MENDED, MOST_CROSSINGS = 300, 20
"""Corners, and crossings of itself, of a polygon that is mended: the time it takes grows with their cube."""
MOST_MET, MOST_INTERLOCKED, EDGES_AT_ONCE = 12, 20_000, 200
"""Edges that one of a plain border touches, and crossings beyond, of several polygons that are joined as drawn."""
SIMPLIFIED = 1e-4  # degrees, 10 m
EARTH = pyproj.Geod(ellps="WGS84")


class Placed:
    """Where a warning is: the simplified shape (WKB, "" for none), and what it covers."""

    def __init__(self, where: str, covered: Covered, shape: BaseGeometry | None) -> None:
        self.where = where
        self.covered = covered
        self.wkb: bytes = b"" if shape is None else shapely.to_wkb(shape.simplify(SIMPLIFIED))
        self.sha256 = hashlib.sha256(self.wkb).hexdigest() if self.wkb else ""


def placed(alert: Alert, coverage: Coverage | None) -> Placed:
    """Return where an alert is; words alone leave it unknown, which the area in a GB/T 35965 identifier may mend."""
    areas = [area for info in alert.infos for area in info.areas]
    shape = shape_of(areas)
    codes = ours(pair for area in areas for pair in area.codes)
    if shape is None and not codes:
        codes = given_area(alert.identifier)
    return Placed(*covers(shape, codes, coverage), shape)


def ours(codes: Iterable[tuple[str, str]]) -> list[str]:
    """Return the values of the (scheme, value) pairs whose scheme means something here."""
    return [value for scheme, value in codes if scheme.upper() in ADMINISTRATIVE]


def given_area(identifier: str) -> list[str]:
    """Return the area a GB/T 35965 identifier begins with, if it is one."""
    found = GB_35965.fullmatch(identifier)
    return [next(filter(None, found.groups()))] if found else []


def covers(shape: BaseGeometry | None, codes: Iterable[str], coverage: Coverage | None) -> tuple[str, Covered]:
    """Return where a shape and codes are, over the grids there are."""
    codes = list(codes)
    if coverage is None or (shape is None and not codes):
        return UNKNOWN, Covered()
    leaves: set[str] = set() if shape is None else coverage.of_shape(shape)
    for code in codes:
        leaves |= coverage.of_code(code)
    return (COVERED, coverage.said(leaves)) if leaves else (OUTSIDE, Covered())


def shape_of(areas: Iterable[Area]) -> BaseGeometry | None:
    """Return all polygons and circles as one shape in WGS-84, longitude first; None where there are none."""
    shapes: list[BaseGeometry] = []
    for area in areas:
        shapes += [sound([(lon, lat) for lat, lon in ring]) for ring in area.polygons]
        shapes += [circle(*one) for one in area.circles]
    if not shapes:
        return None
    return shapely.union_all([shapely.convex_hull(one) for one in shapes] if interlocked(shapes) else shapes)


def interlocked(shapes: list[BaseGeometry]) -> bool:
    """Return whether borders cross so often that joining the shapes would take long; neighbours share theirs only."""
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(shapes))]
    pairs = [pair for ring in rings for pair in pairwise(ring.tolist())]
    if len(shapes) == 1 or not pairs:
        return False
    edges = shapely.linestrings(pairs)
    tree, met, most = shapely.STRtree(edges), 0, MOST_MET * len(edges) + MOST_INTERLOCKED
    for start in range(0, len(edges), EDGES_AT_ONCE):
        met += len(tree.query(edges[start : start + EDGES_AT_ONCE], predicate="intersects")[0])
        if met > most:
            return True
    return False


def sound(ring: list[tuple[float, float]]) -> BaseGeometry:
    """Return a ring as a valid shape; one tangled beyond mending, which would take hours, as what lies around it."""
    polygon = shapely.Polygon(ring)
    if polygon.is_valid:
        return polygon
    tangled = len(ring) > LONGEST_MENDED or crossings(ring) > MOST_CROSSINGS
    return polygon.convex_hull if tangled else shapely.make_valid(polygon)


def crossings(ring: list[tuple[float, float]]) -> int:
    """Return how many pairs of a ring's edges touch, those beside each other not counted."""
    edges = shapely.linestrings([list(pair) for pair in pairwise(ring)])
    met, _ = shapely.STRtree(edges).query(edges, predicate="intersects")
    return max(0, (len(met) - 3 * len(edges)) // 2)


def circle(lat: float, lon: float, radius_km: float) -> BaseGeometry:
    """Return the circle on the ground as a polygon; one of no radius is its point."""
    if radius_km == 0:
        return shapely.Point(lon, lat)
    metres = min(radius_km, LARGEST_KM) * 1_000
    bearings = [at * 360 / CORNERS for at in range(CORNERS)]
    lons, lats, _ = EARTH.fwd([lon] * CORNERS, [lat] * CORNERS, bearings, [metres] * CORNERS)
    near = [one + 360 * round((lon - one) / 360) for one in lons]  # over the date line it goes on
    return shapely.make_valid(shapely.Polygon(list(zip(near, lats, strict=True))))
