"""A place as points: bounded, always the same, inside and on the border, wherever it lies."""

import math

import numpy as np
import pytest
import shapely
from shapely.geometry import GeometryCollection, LineString, MultiPoint, MultiPolygon, Point, Polygon, box

from geo.samples import around, samples
from geo.sight import METRES_PER_DEGREE

PLACES = {
    "square": box(118, 35, 118.002, 35.002),
    "a long street": box(118, 35, 118.05, 35.00005),
    "slanting and thin": Polygon([(118, 35), (118.05, 35.04), (118.05, 35.0401), (118, 35.0001)]),
    "with a hole": box(118, 35, 118.01, 35.01) - box(118.001, 35.001, 118.009, 35.009),
    "two parts": MultiPolygon([box(118, 35, 118.001, 35.001), box(118.2, 35.2, 118.201, 35.201)]),
    "the world": box(-180, -90, 180, 90),
    "near the pole": around(20, 89.9, 500),
    "round": around(118, 35, 50),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("most", [1, 5, 64, 400])
def test_they_are_bounded_in_the_place_and_always_the_same(place: Polygon, most: int) -> None:
    found = samples(place, most)
    assert 1 <= len(found.points) <= most
    assert shapely.dwithin(place, shapely.points(found.points), 1e-9).all()
    assert np.array_equal(found.points, samples(place, most).points)


def test_most_lie_inside_and_some_on_the_border() -> None:
    for name in ("square", "with a hole", "round"):
        points = shapely.points(samples(PLACES[name], 400).points)
        at_border = int(shapely.dwithin(PLACES[name].boundary, points, 1e-9).sum())
        assert at_border == 80 and len(points) > 300


def test_they_are_spread_evenly() -> None:
    """A quarter of the area has about a quarter of the points, and the step is that of the grid."""
    found = samples(box(118, 35, 118.002, 35.002), 400)
    assert ((found.points < (118.001, 35.001)).all(axis=1)).mean() == pytest.approx(0.25, abs=0.02)
    sides = 0.002 * METRES_PER_DEGREE * np.array([math.cos(math.radians(35)), 1.0])
    assert found.metres == pytest.approx(math.sqrt(sides.prod() / 320), rel=0.1)


def test_points_and_lines_are_places_too() -> None:
    assert samples(Point(118, 35), 400).points.tolist() == [[118, 35]]
    assert samples(around(118, 35, 0), 400).points.tolist() == [[118, 35]]
    assert len(samples(MultiPoint([(118 + i / 1000, 35) for i in range(999)]), 400).points) <= 400
    street = samples(LineString([(118, 35), (118, 35.01), (118.01, 35.01)]), 100)
    assert len(street.points) == 100 and street.metres == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize("nothing", [Polygon(), MultiPolygon(), GeometryCollection(), Point(), LineString()])
def test_an_empty_place_has_none(nothing: Polygon) -> None:
    assert len(samples(nothing, 400).points) == 0


def test_what_the_date_line_cuts_is_one_place() -> None:
    cut = MultiPolygon([box(179.99, -17, 180, -16.99), box(-180, -17, -179.99, -16.99)])
    points = samples(cut, 400).points
    assert points[:, 0].min() >= 179.99 and points[:, 0].max() <= 180.01 + 1e-9
    assert len(points) > 300


def test_a_circle_is_round_on_the_ground() -> None:
    corners = shapely.get_coordinates(around(118, 60, 100))
    away = (corners - (118, 60)) * METRES_PER_DEGREE * (math.cos(math.radians(60)), 1)
    assert np.hypot(*away.T) == pytest.approx(100)
    assert around(0, 90, 100).bounds[3] <= 90
