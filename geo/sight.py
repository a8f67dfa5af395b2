"""What cameras look at 可视扇区: sectors on the ground, and the share of an area that lies in one. Pure.

What stands in the way is unknown: a share is the most that can be seen, on flat and empty ground.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

METRES_PER_DEGREE = 111_320.0
STEP = 15.0
"""Degrees between two corners of a sector's arc."""
ROUND = 359.0


class View(NamedTuple):
    """Where a camera stands (degrees), where it looks and how widely (degrees, clockwise from north), how far (m)."""

    lon: float
    lat: float
    direction: float
    angle: float
    metres: float


def sector(view: View) -> Polygon:
    """Return a view's sector in degrees; a full circle from `ROUND` degrees on."""
    steps = max(2, math.ceil(view.angle / STEP) + 1)
    half = view.angle / 2
    bearings = np.radians(np.linspace(view.direction - half, view.direction + half, steps))
    high = view.metres / METRES_PER_DEGREE
    wide = high / max(0.01, math.cos(math.radians(view.lat)))
    arc = np.column_stack([view.lon + wide * np.sin(bearings), view.lat + high * np.cos(bearings)])
    corners = arc if view.angle >= ROUND else np.vstack([[view.lon, view.lat], arc])
    return Polygon(corners)


def share(area: BaseGeometry, views: Iterable[View]) -> float | None:
    """Return the share of an area (0-1) that lies in one of the sectors; None without any, or without an area."""
    sectors = [sector(one) for one in views if one.angle > 0 and one.metres > 0]
    if not sectors or area.is_empty or not area.area:
        return None
    seen = shapely.union_all([one if one.is_valid else one.buffer(0) for one in sectors])
    return float(seen.intersection(area).area / area.area)
