"""Leaf cells of the fictional city: Voronoi cells whose borders are shared point for point, and their grouping.

Mirrored pairs of points along the outline, the river and the main roads make cell borders follow those lines exactly.
"""

import math
import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from streams.demo.plan import Line, Plan, Point

BORDER_WOBBLE = 0.07
"""Sideways displacement of a border's midpoint, as a share of its length."""
SHORTEST_BENT = 40
"""Borders shorter than this many decimetres stay straight."""
ROUNDS = 6
"""Rounds of k-means; enough for groups that look drawn on purpose."""

Corner = tuple[int, int]
Border = tuple[Corner, Corner]
Points = NDArray[np.float64]
Labels = NDArray[np.int64]
Neighbours = dict[int, Counter[int]]


class Cells:
    """Leaf cells as rings of corners in whole decimetres (so that equality is exact)."""

    def __init__(self, corners: list[list[Corner]], seed: int, detail: int) -> None:
        self.corners, self.seed, self.detail = corners, seed, detail

    @classmethod
    def drawn(cls, plan: Plan, detail: int) -> "Cells":
        """`plan.grids` cells, each border bent into 2**detail pieces."""
        inside, outside = _fixed(plan)
        free = _scattered(plan, plan.grids - len(inside), inside)
        for _ in range(4):  # Lloyd: rounder cells, same density
            free = shapely.get_coordinates(shapely.centroid(_voronoi(inside, free, outside)[len(inside) : plan.grids]))
        return cls([_corners(polygon) for polygon in _voronoi(inside, free, outside)[: plan.grids]], plan.seed, detail)

    @cached_property
    def rings(self) -> list[Line]:
        """One closed ring a cell, in metres; a border is bent the same way for both its cells.

        In a sharp corner two bent borders may cross; the borders of such cells are drawn straight.
        """
        self.straight: set[Border] = set()
        while True:
            rings = [self._ring(corners) for corners in self.corners]
            crossed = {border for cell in _at_fault(rings) for border in _borders(self.corners[cell])}
            if crossed <= self.straight:
                return rings
            self.straight |= crossed

    @cached_property
    def centres(self) -> Points:
        """Centroids in metres, shape (cells, 2)."""
        return np.asarray(shapely.get_coordinates(shapely.centroid([shapely.Polygon(ring) for ring in self.rings])))

    def neighbours(self) -> Neighbours:
        """For each cell, its neighbours and the length of the common border in decimetres."""
        owner: dict[Border, int] = {}
        found: Neighbours = defaultdict(Counter)
        for cell, corners in enumerate(self.corners):
            for border in _borders(corners):
                other = owner.setdefault(border, cell)
                if other != cell:
                    length = round(math.dist(*border))
                    found[cell][other] += length
                    found[other][cell] += length
        return found

    def _ring(self, corners: list[Corner]) -> Line:
        ring: list[Corner] = []
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
            border = min(a, b), max(a, b)
            path = self._bent(*border, 0 if border in self.straight else self.detail)
            ring += path[:-1] if a < b else path[:0:-1]
        return [(x / 10, y / 10) for x, y in [*ring, ring[0]]]

    def _bent(self, a: Corner, b: Corner, depth: int) -> list[Corner]:
        """Points from a to b, midpoints pushed sideways by an amount that depends on the ends only."""
        dx, dy = b[0] - a[0], b[1] - a[1]
        if depth == 0 or abs(dx) + abs(dy) < SHORTEST_BENT:
            return [a, b]
        push = BORDER_WOBBLE * (zlib.crc32(f"{self.seed} {a} {b}".encode()) / 2**31 - 1)
        middle = (round((a[0] + b[0]) / 2 - dy * push), round((a[1] + b[1]) / 2 + dx * push))
        return self._bent(a, middle, depth - 1)[:-1] + self._bent(middle, b, depth - 1)


def grouped(points: Points, centres: Points, neighbours: Neighbours, *, weights: Points | None = None) -> Labels:
    """A group number for each point, every group connected.

    Without `weights` by k-means from the given centres; with them each point goes to the centre with the smallest
    squared distance plus weight (square metres), and centres stay.
    """
    if weights is None:
        for _ in range(ROUNDS):
            labels = _nearest(points, centres, np.zeros(len(centres)))
            centres = np.array(
                [points[labels == i].mean(axis=0) if (labels == i).any() else at for i, at in enumerate(centres)]
            )
        weights = np.zeros(len(centres))
    labels = _nearest(points, centres, weights)
    for _ in range(10):
        strays = _strays(labels, neighbours)
        for cell in strays:
            _join_neighbours(cell, labels, neighbours, strays)
        if not strays:
            break
    return labels


def lifted(neighbours: Neighbours, group_of: Labels) -> Neighbours:
    """Neighbourhood of groups from the neighbourhood of their members."""
    found: Neighbours = defaultdict(Counter)
    for cell, others in neighbours.items():
        for other, length in others.items():
            if group_of[cell] != group_of[other]:
                found[int(group_of[cell])][int(group_of[other])] += length
    return found


def spread_out(points: Points, count: int, chance: random.Random) -> Points:
    """`count` of the points, each drawn far from those before (k-means++)."""
    chosen = [points[chance.randrange(len(points))]]
    nearest = ((points - chosen[0]) ** 2).sum(axis=1)
    while len(chosen) < count:
        chosen.append(points[int(np.searchsorted(np.cumsum(nearest), chance.random() * nearest.sum()))])
        nearest = np.minimum(nearest, ((points - chosen[-1]) ** 2).sum(axis=1))
    return np.array(chosen)


def _voronoi(inside: Points, free: Points, outside: Points) -> list[shapely.Polygon]:
    cells = shapely.voronoi_polygons(shapely.MultiPoint(np.vstack([inside, free, outside])), ordered=True)
    return [cell for cell in shapely.get_parts(cells) if isinstance(cell, shapely.Polygon)]


def _borders(corners: list[Corner]) -> list[Border]:
    return [(min(a, b), max(a, b)) for a, b in pairwise([*corners, corners[0]])]


def _at_fault(rings: list[Line]) -> list[int]:
    """Cells whose ring crosses itself or a neighbour's."""
    polygons = [shapely.Polygon(ring) for ring in rings]
    wrong = ~shapely.is_valid(polygons)
    if not wrong.any():
        wrong = ~shapely.is_empty(shapely.coverage_invalid_edges(polygons))
    return [int(cell) for cell in np.flatnonzero(wrong)]


def _tree(points: Line) -> shapely.STRtree:
    return shapely.STRtree([shapely.Point(point) for point in points])


def _corners(polygon: shapely.Polygon) -> list[Corner]:
    rounded = [(round(x * 10), round(y * 10)) for x, y in shapely.get_coordinates(polygon.exterior).tolist()]
    return [point for point, after in pairwise(rounded) if point != after]


def _fixed(plan: Plan) -> tuple[Points, Points]:
    """Mirrored pairs along the outline (inside and outside apart), then along river and main roads (both inside)."""
    kept: Line = []
    outside: Line = []
    for left, right in _pairs(plan, [*plan.outline, plan.outline[0]]):
        kept.append(left)
        outside.append(right)
    for line in [plan.river, *(line for _, line, rank in plan.roads if rank == 1)]:
        taken = _tree(kept + outside)
        for pair in _pairs(plan, line):
            room = 0.62 * plan.size(*pair[0])
            if all(plan.inside(*p) and not len(taken.query(shapely.Point(p), "dwithin", room)) for p in pair):
                kept += pair
    return np.array(kept), np.array(outside)


def _pairs(plan: Plan, line: Line) -> Iterator[tuple[Point, Point]]:
    """Pairs on both sides of a line, a leaf's width apart along it, left of the direction first."""
    path = shapely.LineString(line)
    at = 0.0
    while at < path.length:
        here, ahead = path.interpolate(at), path.interpolate(min(path.length, at + 40))
        behind = path.interpolate(max(0.0, at - 40))
        dx, dy = ahead.x - behind.x, ahead.y - behind.y
        size = min(plan.size(here.x, here.y), 1000.0)
        push = 0.42 * size / math.hypot(dx, dy)
        yield (here.x - dy * push, here.y + dx * push), (here.x + dy * push, here.y - dx * push)
        at += size * plan.random.uniform(0.8, 1.1)


def _scattered(plan: Plan, count: int, fixed: Points) -> Points:
    """`count` points inside the outline where people live, not on top of the fixed ones."""
    taken = _tree(fixed.tolist())
    found: Line = []
    while len(found) < count:
        x, y = plan.home()
        if plan.inside(x, y) and not len(taken.query(shapely.Point(x, y), "dwithin", 0.5 * plan.size(x, y))):
            found.append((x, y))
    return np.array(found)


def _nearest(points: Points, centres: Points, weights: Points) -> Labels:
    parts = np.array_split(points, max(1, len(points) * len(centres) // 2_000_000))
    distances = (((part[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2) + weights for part in parts)
    return np.concatenate([distance.argmin(axis=1) for distance in distances])


def _join_neighbours(cell: int, labels: Labels, neighbours: Neighbours, strays: set[int]) -> None:
    """Give a stray cell to the neighbouring group with the longest common border."""
    around: Counter[int] = Counter()
    for other, length in neighbours[cell].items():
        if other not in strays:
            around[int(labels[other])] += length
    if around:
        labels[cell] = max(around, key=lambda group: (around[group], -group))


def _strays(labels: Labels, neighbours: Neighbours) -> set[int]:
    """Members outside the largest connected part of their group."""
    seen: set[int] = set()
    parts: dict[int, list[set[int]]] = defaultdict(list)
    for start in range(len(labels)):
        if start not in seen:
            part = _connected(start, labels, neighbours)
            seen |= part
            parts[int(labels[start])].append(part)
    return {
        cell for group in parts.values() for part in sorted(group, key=lambda p: (-len(p), min(p)))[1:] for cell in part
    }


def _connected(start: int, labels: Labels, neighbours: Neighbours) -> set[int]:
    part, edge = {start}, [start]
    while edge:
        fresh = [other for other in neighbours[edge.pop()] if labels[other] == labels[start] and other not in part]
        part.update(fresh)
        edge += fresh
    return part
