"""What cameras look at: sectors in metres on the ground, and the share of an area they cover together."""

import math

import pytest
from shapely.geometry import Point, Polygon, box

from geo.sight import METRES_PER_DEGREE, View, sector, share

LAT = 36.0
HIGH = 100 / METRES_PER_DEGREE
WIDE = HIGH / math.cos(math.radians(LAT))


def square(side: float = 1.0) -> Polygon:
    """Of 200 m × `side` round the camera."""
    return box(119 - WIDE * side, LAT - HIGH * side, 119 + WIDE * side, LAT + HIGH * side)


WAYS = [(0, 0, 1), (90, 1, 0), (180, 0, -1), (270, -1, 0), (360, 0, 1)]


@pytest.mark.parametrize(("direction", "east", "north"), WAYS)
def test_a_sector_lies_where_the_camera_looks(direction: float, east: int, north: int) -> None:
    found = sector(View(119, LAT, direction, 60, 100))
    assert found.is_valid and found.contains(Point(119 + east * WIDE / 2, LAT + north * HIGH / 2))
    assert not found.contains(Point(119 - east * WIDE / 2, LAT - north * HIGH / 2))


def test_the_share_is_of_what_is_covered_once_or_more() -> None:
    whole = share(square(), [View(119, LAT, 0, 360, 100)])
    assert whole == pytest.approx(math.pi / 4, abs=0.02)
    half = share(square(), [View(119, LAT, 0, 180, 100), View(119, LAT, 10, 160, 100)])
    assert half == pytest.approx(math.pi / 8, abs=0.02)
    assert share(square(0.1), [View(119, LAT, 0, 360, 1000)]) == 1


def test_nothing_known_is_no_share_and_not_none_of_it() -> None:
    assert share(square(), []) is None and share(Polygon(), [View(119, LAT, 0, 90, 100)]) is None
    assert share(square(), [View(119, LAT, 0, 0, 100)]) is None
    assert share(square(), [View(120, LAT, 0, 90, 100)]) == 0
