import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box

from geo.nearest import Nearest, haversine_m


def test_known_distances():
    assert haversine_m(0, 0, 0, 1) == pytest.approx(111_195, abs=1)
    assert haversine_m(0, 0, 180, 0) == pytest.approx(20_015_115, abs=1)
    assert haversine_m(118, 35, 118, 35) == 0.0


def measured(polygon, lon, lat):
    """The way to a border in metres over the ground, by walking along it in steps of 50 m."""
    border = shapely.segmentize(shapely.boundary(polygon), 0.0005)
    return min(haversine_m(lon, lat, x, y) for x, y in shapely.get_coordinates(border).tolist())


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_nearest_is_the_one_found_by_measuring_all(seed):
    random = np.random.default_rng(seed)
    corners = random.uniform((117.0, 34.0), (119.0, 36.0), (12, 2))
    polygons = [
        box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, random.uniform(0.01, 0.3, (12, 2)), strict=True)
    ]
    polygons[0] = MultiPolygon([polygons[0], box(119.5, 36.5, 119.6, 36.6)])
    lon, lat = random.uniform((116.0, 33.0), (120.0, 37.0)).tolist()
    rank, metres = Nearest(polygons).find(lon, lat)
    apart = [measured(polygon, lon, lat) for polygon in polygons]
    assert apart[rank] == pytest.approx(min(apart), rel=1e-4, abs=30), "on the ground, not on a plane"
    assert metres == pytest.approx(min(apart), rel=0.02, abs=30)
