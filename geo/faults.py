"""Faults of polygons: what is wrong with one, and with neighbours among themselves.

Areas in m² are areas in degrees times the square of a degree's length at that latitude: good to half a per cent.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.grid import Grid
from geo.problem import Findings

METRES_PER_DEGREE = 111_319.49  # along the equator of WGS-84
SAME_AREA = 1e-9  # a repair that moves less of the area than this changes nothing
NESTED_SHARE = 0.9  # a grid overlapped so far looks like one of another level
WHOLE_SHARE = 0.99  # so much of a grid in its parent is wholly in it
TINY_M2 = 1.0
MAX_GAPS_EACH = 100

Shape = Polygon | MultiPolygon
PLACE = re.compile(r"\[(\S+) (\S+?)\]")


def area_m2(shape: BaseGeometry) -> float:
    """The area of a shape in WGS-84 degrees, in square metres."""
    if shape.is_empty:
        return 0.0
    _, south, _, north = shape.bounds
    return float(shape.area) * METRES_PER_DEGREE**2 * math.cos(math.radians((south + north) / 2))


def place(shape: BaseGeometry) -> tuple[float, float]:
    """A point in the shape."""
    point = shape.representative_point()
    return float(point.x), float(point.y)


def sound(shape: Shape, code: str, findings: Findings) -> Shape | None:
    """The shape, repaired where that leaves its area as it was (self-touching rings, spikes); None after an error."""
    if shape.is_empty:
        findings.error("empty", code)
        return None
    if not shape.is_valid:
        reason, at = shapely.is_valid_reason(shape), fault_place(shape)
        repaired = even_odd(shape)
        drawn = drawn_area(shape)
        if abs(repaired.area - drawn) > SAME_AREA * drawn:
            findings.error("self_crossing", code, at, reason=reason.split("[")[0])
            return None
        findings.warning("self_touching", code, at, reason=reason.split("[")[0])
        shape = repaired
    size = area_m2(shape)
    if size == 0.0:
        findings.error("empty", code)
        return None
    if size < TINY_M2:
        findings.warning("tiny", code, place(shape), area_m2=size)
    return shape


def fault_place(shape: Shape) -> tuple[float, float]:
    """Where a shape is not valid."""
    found = PLACE.search(shapely.is_valid_reason(shape))
    return (float(found[1]), float(found[2])) if found else place(shape.envelope)


def even_odd(shape: Shape) -> Shape:
    """The ground that the rings enclose an odd number of times: what is left of a shape when lines enclose nothing."""
    parts = shapely.get_parts(
        shapely.get_parts(shapely.make_valid(shape))
    )  # twice: a collection may hold multipolygons
    polygons = [part for part in parts.tolist() if isinstance(part, Polygon)]
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)


def drawn_area(shape: Shape) -> float:
    """The area by the rings as drawn: shells less holes, ground run round against the sense counted off."""
    return sum(
        Polygon(part.exterior).area - sum(Polygon(hole).area for hole in part.interiors)
        for part in shapely.get_parts(shape).tolist()
    )


def neighbours(
    grids: Sequence[Grid], overlap_share: float, rounding_m2: float, findings: Findings, *, gaps: bool = True
) -> None:
    """Overlaps of, and (where all grids are there) gaps between, the grids of one level."""
    shapes = np.array([*(grid.polygon for grid in grids), None], dtype=object)[:-1]
    unmatched = ~shapely.is_empty(shapely.coverage_invalid_edges(shapes))
    if unmatched.any():
        for one, other, common, share in neighbour_pairs(grids, shapes, unmatched):
            _overlap(one, other, common, share, overlap_share, rounding_m2, findings)
    if gaps:
        union = shapely.union_all(shapes) if unmatched.any() else shapely.coverage_union_all(shapes)
        _gaps(grids, union, rounding_m2, findings)


def neighbour_pairs(
    grids: Sequence[Grid], shapes: NDArray[np.object_], unmatched: NDArray[np.bool_]
) -> list[tuple[Grid, Grid, BaseGeometry, float]]:
    """Return the pairs that cover the same ground: that ground, and its share of the smaller one. Order as given."""
    a, b = shapely.STRtree(shapes).query(shapes)
    ask = (a < b) & (unmatched[a] | unmatched[b])
    a, b = a[ask], b[ask]
    common = shapely.intersection(shapes[a], shapes[b])
    return [
        (grids[a[i]], grids[b[i]], common[i], common[i].area / min(shapes[a[i]].area, shapes[b[i]].area))
        for i in np.flatnonzero(shapely.area(common) > 0).tolist()
    ]


def _overlap(
    one: Grid, other: Grid, common: BaseGeometry, share: float, most: float, rounding_m2: float, findings: Findings
) -> None:
    """An error above the share of the smaller one, else a warning."""
    size = area_m2(common)
    said: dict[str, Any] = {"other": other.code, "area_m2": size, "percent": 100 * share}
    if share > NESTED_SHARE:
        findings.error("nested", one.code, place(common), **said)
    elif size > rounding_m2 and share > most:
        findings.error("overlap", one.code, place(common), most=100 * most, **said)
    elif size > rounding_m2:
        findings.warning("small_overlap", one.code, place(common), most=100 * most, **said)


def _gaps(grids: Sequence[Grid], union: BaseGeometry, rounding_m2: float, findings: Findings) -> None:
    """Holes enclosed by grids: a warning each, a point there belongs to the level above or to nobody."""
    tree = shapely.STRtree([grid.polygon for grid in grids])
    holes = [Polygon(hole) for part in shapely.get_parts(union).tolist() for hole in part.interiors]
    sized = sorted(((area_m2(hole), hole) for hole in holes), key=lambda one: -one[0])
    for size, hole in sized[:MAX_GAPS_EACH]:
        if size > rounding_m2:
            around = sorted(grids[i].code for i in tree.query(hole, predicate="intersects").tolist())
            findings.warning("gap", around[0], place(hole), area_m2=size, around=", ".join(around[:6]))


def parents(grids: Sequence[Grid], parent_share: float, rounding_m2: float, findings: Findings) -> None:
    """Grids that do not lie in the parent they name: outside of it an error, across its border a warning.

    And parents that their children do not fill: a warning each, points there belong to the parent itself.
    """
    by_code: Mapping[str, Grid] = {grid.code: grid for grid in grids}
    below = [grid for grid in grids if grid.parent in by_code]
    inside = shares((g.polygon for g in below), (by_code[g.parent].polygon for g in below))
    children: dict[str, list[Shape]] = {}
    filled: dict[str, float] = {}
    for grid, share in zip(below, inside.tolist(), strict=True):
        children.setdefault(grid.parent, []).append(grid.polygon)
        filled[grid.parent] = filled.get(grid.parent, 0.0) + share * grid.polygon.area
        if share < parent_share:
            findings.error("outside_parent", grid.code, place(grid.polygon), parent=grid.parent, percent=100 * share)
        elif share < WHOLE_SHARE:
            findings.warning("straddles", grid.code, place(grid.polygon), parent=grid.parent, percent=100 * share)
    for code, area in sorted(filled.items()):
        shape = by_code[code].polygon
        if area < WHOLE_SHARE * shape.area:
            rest = shape.difference(shapely.union_all(children[code]))
            size = area_m2(rest)
            if size > rounding_m2:
                findings.warning("uncovered", code, place(rest), area_m2=size, percent=100 * size / area_m2(shape))


def shares(inner: Iterable[Shape], outer: Iterable[Shape]) -> NDArray[np.float64]:
    """How much of each inner shape lies in its outer one, from 0 to 1."""
    one, other = np.array(list(inner), dtype=object), np.array(list(outer), dtype=object)
    shapely.prepare(other)
    result = np.ones(len(one))
    for i in np.flatnonzero(~shapely.covers(other, one)).tolist():
        result[i] = shapely.area(shapely.intersection(one[i], other[i])) / one[i].area
    return result
