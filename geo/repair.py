"""Repairs 修复 that are safe: each is told with its grid, its place and the area it changed; nothing else is touched.

What moves more than the bounds of `GridMapping` allow is no repair: it stays the error it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException
from shapely.geometry import MultiPolygon, Polygon

from geo.faults import (
    METRES_PER_DEGREE,
    TINY_M2,
    Shape,
    area_m2,
    drawn_area,
    even_odd,
    fault_place,
    neighbour_pairs,
    place,
)
from geo.grid import Grid
from geo.problem import Findings

MENDABLE = frozenset({"self_crossing", "self_touching", "small_overlap", "gap", "unclosed", "duplicate_code"})
"""Findings that a repair may mend; whether it does, the bounds decide."""
TOLD_M2 = 0.01  # what is smaller is told in one sum for a level


@dataclass(frozen=True)
class Bounds:
    """`share` of a grid's area that a repair may move; cracks up to `width_m` metres are closed."""

    share: float
    width_m: float


def polygon(shape: Shape, code: str, bounds: Bounds, findings: Findings) -> Shape:
    """Return the shape mended where that is safe, else as it is."""
    shape = _without_repeats(shape, code, findings)
    shape = _uncrossed(shape, code, bounds, findings)
    return _without_slivers(shape, code, findings) if shape.is_valid else shape


def _without_repeats(shape: Shape, code: str, findings: Findings) -> Shape:
    """The shape without points that follow themselves."""
    less = shapely.remove_repeated_points(shape)
    count = int(shapely.get_num_coordinates(shape) - shapely.get_num_coordinates(less))
    if count <= 0 or not isinstance(less, Polygon | MultiPolygon) or less.is_empty:
        return shape
    findings.repaired("repeats_dropped", code, place(shape.envelope), count=count)
    return less


def _uncrossed(shape: Shape, code: str, bounds: Bounds, findings: Findings) -> Shape:
    """Touching rings, spikes and small bow-ties mended: the ground that the rings enclose an odd number of times."""
    if shape.is_valid:
        return shape
    mended, drawn = even_odd(shape), drawn_area(shape)
    moved = abs(mended.area - drawn)
    if mended.is_empty or not mended.is_valid or moved > bounds.share * min(drawn, mended.area):
        return shape
    size = area_m2(mended) * moved / mended.area
    findings.repaired("uncrossed", code, fault_place(shape), area_m2=size)
    return mended


def _without_slivers(shape: Shape, code: str, findings: Findings) -> Shape:
    """Parts and holes below a square metre left out, as long as something stays."""
    parts = shapely.get_parts(shape).tolist()
    large = [part for part in parts if area_m2(part) >= TINY_M2]
    if not large:
        return shape
    kept, dropped = [], [part for part in parts if area_m2(part) < TINY_M2]
    for part in large:
        holes = [Polygon(hole) for hole in part.interiors]
        small = [hole for hole in holes if area_m2(hole) < TINY_M2]
        dropped += small
        wide = [hole.exterior for hole in holes if area_m2(hole) >= TINY_M2]
        kept.append(Polygon(part.exterior, wide) if small else part)
    if not dropped:
        return shape
    size = sum(area_m2(one) for one in dropped)
    findings.repaired("slivers_dropped", code, place(dropped[0].envelope), count=len(dropped), area_m2=size)
    return kept[0] if len(kept) == 1 else MultiPolygon(kept)


def neighbours(grids: Sequence[Grid], bounds: Bounds, findings: Findings) -> list[Grid]:
    """Return the grids of one level with small overlaps given to the first code and narrow cracks closed.

    Grids in an overlap that is too large stay as they are, and so does their error.
    """
    ordered = sorted(grids, key=lambda grid: grid.code)
    shapes = np.array([*(grid.polygon for grid in ordered), None], dtype=object)[:-1]
    width = bounds.width_m / METRES_PER_DEGREE
    faulty = ~shapely.is_empty(shapely.coverage_invalid_edges(shapes, gap_width=width))
    if not faulty.any():
        return list(grids)
    pairs = neighbour_pairs(ordered, shapes, faulty)
    wide = {code for one, other, _, share in pairs if share > bounds.share for code in (one.code, other.code)}
    chosen = np.array([grid.code not in wide for grid in ordered])
    cleaned = _cleaned(shapes[chosen], width, bounds.share)
    if cleaned is None:
        return list(grids)
    result = {grid.code: grid for grid in grids}
    spoilt: set[str] = set()
    small: list[float] = []
    for number, after in zip(np.flatnonzero(chosen).tolist(), cleaned.tolist(), strict=True):
        grid = ordered[number]
        changed = _reshaped(grid, after, bounds, small, findings)
        if changed is None:
            spoilt.add(grid.code)
        else:
            result[grid.code] = changed
    if small:
        findings.repaired("matched", count=len(small), area_m2=sum(small))
    for one, other, common, share in pairs:
        told = share <= bounds.share and area_m2(common) > TOLD_M2
        if told and not {one.code, other.code} & (spoilt | wide):
            findings.repaired("overlap_given", other.code, place(common), other=one.code, area_m2=area_m2(common))
    return [result[grid.code] for grid in grids]


def _cleaned(shapes: NDArray[np.object_], width: float, share: float) -> NDArray[np.object_] | None:
    """The shapes as a coverage, the first owning what two of them claim; no point moves that need not.

    Without snapping GEOS now and then loses a polygon whose border nearly meets another's: then with it.
    """
    best, spoilt = None, len(shapes)
    for snapping in (0.0, -1.0):
        try:
            found: NDArray[np.object_] = shapely.coverage_clean(  # type: ignore[attr-defined]  # stubs are of 2.1
                shapes, gap_width=width, snapping_distance=snapping, merge_strategy="min_index"
            )
        except GEOSException:
            continue
        if shapely.is_valid(found).all() and shapely.coverage_is_valid(found):
            moved = shapely.area(shapely.symmetric_difference(shapes, found))
            count = int((moved > 2 * share * shapely.area(shapes)).sum())
            best, spoilt = (found, count) if count < spoilt else (best, spoilt)
        if not spoilt:
            break
    return best


def _reshaped(grid: Grid, after: Shape, bounds: Bounds, small: list[float], findings: Findings) -> Grid | None:
    """The grid with its new shape, told with the area it gained and lost; None when that would be too much.

    What is hardly anything goes into `small`, m² a grid.
    """
    before = grid.polygon
    if after.is_empty:
        return None
    if shapely.equals_exact(before, after) or shapely.equals_exact(before.normalize(), after.normalize()):
        return grid
    gained, lost = after.difference(before), before.difference(after)
    if gained.area + lost.area > bounds.share * before.area * 2:
        return None
    if area_m2(gained) + area_m2(lost) > TOLD_M2:
        where = gained if gained.area >= lost.area else lost
        findings.repaired("reshaped", grid.code, place(where), gained_m2=area_m2(gained), lost_m2=area_m2(lost))
    else:
        small.append(area_m2(gained) + area_m2(lost))
    return replace(grid, polygon=after)
