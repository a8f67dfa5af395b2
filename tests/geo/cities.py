"""Small cities to test with: partitions whose neighbours share their borders to the last bit."""

import itertools
from fractions import Fraction

import numpy as np
import shapely
from hypothesis import strategies as st

from geo.grid import GENERAL, Grid


def general(code, polygon, level=1, parent="", population=None, name=""):
    return Grid(code, name or code, GENERAL, level, parent, polygon, population)


@st.composite
def partitions(draw, *, levels=1):
    """A lattice with shaken nodes, its cells handed out at random: holes, several parts, touching corners."""
    width, height = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    seed = draw(st.integers(0, 2**32 - 1))
    shake = draw(st.sampled_from([0.0, 1e-15, 0.25]))
    step = draw(st.sampled_from([1.0, 0.1, 1 / 3, 1e-7]))
    west, south = draw(st.sampled_from([(0.0, 0.0), (118.3, 35.1), (-0.3, -0.2), (179.4 - 5 * step, 89.0 - 5 * step)]))
    random = np.random.default_rng(seed)
    nodes = np.stack(np.meshgrid(np.arange(width + 1.0), np.arange(height + 1.0)), axis=-1)
    nodes = (nodes + random.uniform(-shake, shake, nodes.shape)) * step + (west, south)
    cells = [
        shapely.Polygon([nodes[r, c], nodes[r, c + 1], nodes[r + 1, c + 1], nodes[r + 1, c]])
        for r in range(height)
        for c in range(width)
    ]
    grids = []
    for level in range(1, levels + 1):
        labels = random.integers(0, draw(st.integers(1, 6)), len(cells))
        for label in np.unique(labels).tolist():
            parts = [cell for cell, own in zip(cells, labels.tolist(), strict=True) if own == label]
            grids.append(general(f"{level}{label:02d}", shapely.coverage_union_all(parts), level))
    order = random.permutation(len(grids)).tolist()
    return [grids[i] for i in order], nodes.reshape(-1, 2), random


def awkward_points(grids, nodes, random, count=60):
    """Nodes, middles and thirds of edges, all of them also a hair away, level with nodes, and anywhere."""
    ends = np.vstack([shapely.get_coordinates(grid.polygon) for grid in grids])
    share = random.choice([0.5, 1 / 3, 0.1], len(ends) - 1)[:, None]
    along = ends[:-1] + share * (ends[1:] - ends[:-1])
    level = np.column_stack([random.choice(nodes[:, 0], count), random.choice(nodes[:, 1], count)])
    low, high = nodes.min(axis=0), nodes.max(axis=0)
    anywhere = low + (high - low) * random.uniform(-0.1, 1.1, (count, 2))
    exact = np.vstack([nodes, along, level])
    hair = np.nextafter(exact, exact + random.choice([-1.0, 1.0], exact.shape))
    return np.vstack([exact, hair, anywhere])


def brute_force(grids, points):
    """The owner of each point by asking about every grid: deepest level, then first code; "" if none."""
    found = np.array([""] * len(points), dtype=object)
    for grid in sorted(grids, key=lambda grid: (-grid.level, grid.code), reverse=True):
        found[held(grid.polygon, points)] = grid.code
    return found.tolist()


def held(polygon, points):
    """Which of the points (n, 2) are in or on the polygon, by GEOS where it is exact, in rational numbers elsewhere.

    It is not where a coordinate is next to zero (below 1e-300: its double-double numbers underflow), and of a polygon
    that is not valid it promises nothing.
    """
    doubtful = ((points != 0) & (np.abs(points) < 1e-300)).any(axis=1) | (not polygon.is_valid)
    found = shapely.intersects(polygon, shapely.points(points))
    found[doubtful] = [holds_exactly(polygon, *point) for point in points[doubtful].tolist()]
    return found


def holds_exactly(polygon, x, y):
    """Whether the point is in or on the polygon, in rational numbers."""
    px, py, odd = Fraction(x), Fraction(y), False
    for ring in shapely.get_rings(shapely.get_parts(polygon)).tolist():
        nodes = [(Fraction(a), Fraction(b)) for a, b in ring.coords]
        for (x1, y1), (x2, y2) in itertools.pairwise(nodes):
            turn = (x2 - x1) * (py - y1) - (y2 - y1) * (px - x1)
            if turn == 0 and min(x1, x2) <= px <= max(x1, x2) and min(y1, y2) <= py <= max(y1, y2):
                return True
            odd ^= (y1 > py) != (y2 > py) and (turn > 0) == (y2 > y1)
    return odd
