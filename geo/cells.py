"""The cell index: a raster over the city that answers most points by one look-up and the rest by a few edges.

Polygons are numbered by rank (0 is preferred). Each cell of the raster either is owned whole (the rank), is outside
of everything (-1), or is a border cell: a short list of the polygons whose border may pass through it, best rank first,
and the best polygon that covers the cell whole. A candidate is tested exactly, by the crossings of a ray to the east
with its edges in the point's raster row only.

Why rounding cannot lose a point: `column` and `row` are monotone in the coordinate (each of their steps is), so an edge
that touches a point is always listed in the point's row, and cells an edge passes are marked with a margin of a
thousandth of a cell, far more than rounding can move them.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from geo.orientation import BOUND, UNDERFLOW, exact_side, sides

VERSION = 1
NOWHERE = -1
CELLS_PER_VERTEX = 24
MIN_CELLS, MAX_CELLS = 1 << 12, 1 << 24
MIN_CELL_DEGREES = 1e-9
MARGIN = 1e-3  # of a cell
CHUNK = 1 << 17  # points looked up together: bounds the memory and stays in the cache

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Frame(NamedTuple):
    """The raster: its extent in degrees, its size in cells, and cells per degree."""

    west: float
    south: float
    east: float
    north: float
    columns: int
    rows: int
    across: float
    up: float

    def column(self, lons: Floats) -> Longs:
        return np.clip((lons - self.west) * self.across, 0, self.columns - 1).astype(np.int64)

    def row(self, lats: Floats) -> Longs:
        return np.clip((lats - self.south) * self.up, 0, self.rows - 1).astype(np.int64)


class Cells(NamedTuple):
    """The index as flat arrays, ready to be saved. A slab is one polygon's edges in one raster row."""

    table: Ints  # (rows * columns,) rank, NOWHERE, or -2 - number of the border cell
    starts: Ints  # (border cells + 1,) into the candidates
    fallback: Ints  # (border cells,) rank of the best polygon covering the cell whole, or NOWHERE
    candidates: Ints  # rank
    slabs: Ints  # the candidate's slab in this row
    slab_starts: Ints  # (slabs + 1,) into the edges
    x1: Floats  # (edges,) their ends; an edge is repeated for every row it touches
    y1: Floats
    x2: Floats
    y2: Floats


def build(polygons: Sequence[Polygon | MultiPolygon]) -> tuple[Frame, Cells]:
    """The index of polygons given best rank first; at least one of them must not be empty."""
    edges, owner = _edges(polygons)
    frame = _frame(edges)
    low, high = np.minimum(edges[:, 1], edges[:, 3]), np.maximum(edges[:, 1], edges[:, 3])
    first, last = frame.row(low), frame.row(high)
    which, row = _spread(first, last)  # one entry for every edge and row it touches
    strip = owner[which] * frame.rows + row  # one number for every polygon and row
    border = _border_keys(frame, edges[which], row, strip)
    cover = _cover(frame, border, _crossing_keys(frame, edges[which], row, strip), len(polygons))

    order = np.argsort(strip, kind="stable")
    slab_starts = _firsts(strip[order])
    strips = strip[order][slab_starts]
    strip_of, cell = border // frame.columns, _cell(frame, border)
    rank = strip_of // frame.rows
    better = rank < cover[cell]
    strip_of, cell, rank = strip_of[better], cell[better], rank[better]
    by_cell = np.argsort(cell, kind="stable")  # ranks stay in order inside a cell
    starts = _firsts(cell[by_cell])
    numbers = cell[by_cell][starts]
    cover[cover == len(polygons)] = NOWHERE
    fallback = cover[numbers]
    cover[numbers] = -2 - np.arange(len(numbers), dtype=np.int32)
    return frame, Cells(
        table=cover,
        starts=np.append(starts, len(cell)).astype(np.int32),
        fallback=fallback,
        candidates=rank[by_cell].astype(np.int32),
        slabs=np.searchsorted(strips, strip_of[by_cell]).astype(np.int32),
        slab_starts=np.append(slab_starts, len(order)).astype(np.int32),
        x1=edges[which[order], 0],
        y1=edges[which[order], 1],
        x2=edges[which[order], 2],
        y2=edges[which[order], 3],
    )


def owners(frame: Frame, cells: Cells, lons: Floats, lats: Floats) -> Ints:
    """The rank that owns each point, or NOWHERE; not-a-number and infinity are nowhere."""
    found = np.empty(len(lons), dtype=np.int32)
    for start in range(0, len(lons), CHUNK):
        part = slice(start, start + CHUNK)
        found[part] = _owners(frame, cells, lons[part], lats[part])
    return found


def _owners(frame: Frame, cells: Cells, lons: Floats, lats: Floats) -> Ints:
    within = (lons >= frame.west) & (lons <= frame.east) & (lats >= frame.south) & (lats <= frame.north)
    if not within.all():
        some = np.full(len(lons), NOWHERE, dtype=np.int32)
        some[within] = _owners(frame, cells, lons[within], lats[within])
        return some
    found: Ints = cells.table[frame.row(lats) * frame.columns + frame.column(lons)]
    asked = np.flatnonzero(found < NOWHERE)
    number = -2 - found[asked]
    found[asked] = cells.fallback[number]
    at, end = cells.starts[number], cells.starts[number + 1]
    while len(asked):
        inside = _contain(cells, cells.slabs[at], lons[asked], lats[asked])
        found[asked[inside]] = cells.candidates[at[inside]]
        on = ~inside & (at + 1 < end)
        asked, at, end = asked[on], at[on] + 1, end[on]
    return found


def _contain(cells: Cells, slabs: Ints, lons: Floats, lats: Floats) -> Bools:
    """Whether each point is in or on the polygon whose slab is given; point and slab are of one row."""
    first = cells.slab_starts[slabs].astype(np.int64)
    point, edge = _spread(first, cells.slab_starts[slabs + 1].astype(np.int64) - 1)
    y, y1, y2 = lats[point], cells.y1[edge], cells.y2[edge]
    straddles = (y1 > y) != (y2 > y)
    ends = np.flatnonzero(((y1 == y) | (y2 == y)) & ~straddles)  # at an end's height, not between the two
    touching = point[ends][_touch(cells, edge[ends], lons[point[ends]], y[ends])]
    point, edge = point[straddles], edge[straddles]
    x, x1, x2 = lons[point], cells.x1[edge], cells.x2[edge]
    crosses = (x < x1) & (x < x2)
    doubtful = np.flatnonzero(~crosses & ((x <= x1) | (x <= x2)))
    asked, at = edge[doubtful], point[doubtful]
    turn = sides(x1[doubtful], cells.y1[asked], x2[doubtful], cells.y2[asked], x[doubtful], lats[at])
    crosses[doubtful] = (turn > 0) == (cells.y2[asked] > cells.y1[asked])
    inside: Bools = np.bincount(point[crosses], minlength=len(slabs)) % 2 == 1
    inside[at[turn == 0]] = True
    inside[touching] = True
    return inside


def _touch(cells: Cells, edge: Longs, x: Floats, y: Floats) -> Bools:
    """Whether a point at the height of an edge's end, but not between the two ends' heights, is on the edge."""
    x1, y1, x2, y2 = cells.x1[edge], cells.y1[edge], cells.x2[edge], cells.y2[edge]
    level = (y1 == y2) & (np.minimum(x1, x2) <= x) & (x <= np.maximum(x1, x2))
    touch: Bools = level | ((x1 == x) & (y1 == y)) | ((x2 == x) & (y2 == y))
    return touch


def contains(edges: Iterable[tuple[float, float, float, float]], px: float, py: float) -> bool:
    """Whether the point is in or on the polygon of which these are the edges x1 y1 x2 y2 of the point's row."""
    inside = False
    for x1, y1, x2, y2 in edges:
        if (y1 > py) != (y2 > py):
            if px < x1 and px < x2:
                inside = not inside
            elif px <= x1 or px <= x2:
                left, right = (x2 - x1) * (py - y1), (y2 - y1) * (px - x1)
                turn = left - right  # orientation.side, written out: this is the hot path of a single point
                if abs(turn) <= BOUND * (abs(left) + abs(right)) + UNDERFLOW:
                    turn = exact_side(x1, y1, x2, y2, px, py)
                    if turn == 0:
                        return True
                if (turn > 0) == (y2 > y1):
                    inside = not inside
        elif (px == x1 and py == y1) or (px == x2 and py == y2) or (py == y1 == y2 and (px > x1) != (px > x2)):
            return True
    return inside


def _edges(polygons: Sequence[Polygon | MultiPolygon]) -> tuple[Floats, Longs]:
    """All edges (n, 4) of all rings, and the number of the polygon each belongs to."""
    parts, polygon_of = shapely.get_parts(np.asarray(polygons, dtype=object), return_index=True)
    rings, part_of = shapely.get_rings(parts, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    joined = (ring_of[1:] == ring_of[:-1]) & (points[1:] != points[:-1]).any(axis=1)
    edges = np.hstack([points[:-1], points[1:]])[joined]
    return edges, polygon_of[part_of[ring_of[:-1][joined]]].astype(np.int64)


def _frame(edges: Floats) -> Frame:
    """A raster of nearly square cells, their number in proportion to the edges'."""
    west, south = edges[:, 0].min(), edges[:, 1].min()
    east, north = edges[:, 0].max(), edges[:, 1].max()
    width, height = east - west, north - south
    wanted = min(max(CELLS_PER_VERTEX * len(edges), MIN_CELLS), MAX_CELLS)
    size = max(np.sqrt(width * height / wanted), width / wanted, height / wanted, MIN_CELL_DEGREES)
    columns, rows = max(int(width / size), 1), max(int(height / size), 1)
    extent = float(west), float(south), float(east), float(north)
    return Frame(*extent, columns, rows, float(columns / width), float(rows / height))


def _spread(first: Longs, last: Longs) -> tuple[Longs, Longs]:
    """For each pair the numbers first..last: (index of the pair, number)."""
    count = last - first + 1
    which = np.repeat(np.arange(len(count)), count)
    return which, np.arange(len(which)) + (first - (np.cumsum(count) - count))[which]


def _at_height(edges: Floats, lats: NDArray[np.floating]) -> Floats:
    """The longitude of each edge at a latitude, held between its ends; its first end's where the edge is level."""
    x1, y1, x2, y2 = edges.T
    rise = y2 - y1
    held = np.clip(lats, np.minimum(y1, y2), np.maximum(y1, y2))  # before dividing: a rise may be next to nothing
    share = (held - y1) / np.where(rise == 0.0, 1.0, rise)
    x: Floats = np.clip(x1 + share * (x2 - x1), np.minimum(x1, x2), np.maximum(x1, x2))
    return x


def _border_keys(frame: Frame, edges: Floats, row: Longs, strip: Longs) -> Longs:
    """Sorted unique keys strip * columns + column of the cells that the edges, each in one row, may pass."""
    bottom = (row - MARGIN) / frame.up + frame.south
    top = (row + 1 + MARGIN) / frame.up + frame.south
    a, b = _at_height(edges, bottom), _at_height(edges, top)
    level = edges[:, 1] == edges[:, 3]
    a[level], b[level] = edges[level, 0], edges[level, 2]
    margin = MARGIN / frame.across
    first, last = frame.column(np.minimum(a, b) - margin), frame.column(np.maximum(a, b) + margin)
    which, column = _spread(first, last)
    return _distinct(np.sort(strip[which] * frame.columns + column))


def _crossing_keys(frame: Frame, edges: Floats, row: Longs, strip: Longs) -> Longs:
    """Sorted keys of the cells where the edges cross the middle of the row."""
    middle = frame.south + (row + 0.5) / frame.up
    crosses = (edges[:, 1] > middle) != (edges[:, 3] > middle)
    column = frame.column(_at_height(edges[crosses], middle[crosses]))
    return np.sort(strip[crosses] * frame.columns + column)


def _cover(frame: Frame, border: Longs, crossings: Longs, count: int) -> Ints:
    """For every cell the best rank that covers it whole, or `count`, the number of polygons.

    Between two neighbouring border cells of a polygon's row lies a run of cells wholly in or wholly out; it is in when
    the number of crossings before it is odd (every ring crosses every line an even number of times).
    """
    strip = border // frame.columns
    gap = np.flatnonzero((strip[1:] == strip[:-1]) & (border[1:] > border[:-1] + 1))
    first, last = border[gap] + 1, border[gap + 1]
    inside = np.searchsorted(crossings, first) % 2 == 1
    first, length = first[inside], (last - first)[inside]
    rank = first // (frame.columns * frame.rows)
    start = first - rank * (frame.columns * frame.rows)
    cover = np.full(frame.rows * frame.columns, count, dtype=np.int32)
    for value, begin, cells in zip(rank[::-1].tolist(), start[::-1].tolist(), length[::-1].tolist(), strict=True):
        cover[begin : begin + cells] = value  # worst rank first, so the best one stays
    return cover


def _firsts(ordered: Longs) -> Longs:
    """Where each run of equal numbers begins."""
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])


def _distinct(ordered: Longs) -> Longs:
    return ordered[_firsts(ordered)]


def _cell(frame: Frame, keys: Longs) -> Longs:
    return keys % (frame.columns * frame.rows)
