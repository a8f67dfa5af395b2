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


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_the_nearest_is_the_one_found_by_measuring_all(seed):
    random = np.random.default_rng(seed)
    corners = random.uniform((117.0, 34.0), (119.0, 36.0), (12, 2))
    polygons = [
        box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, random.uniform(0.01, 0.3, (12, 2)), strict=True)
    ]
    polygons[0] = MultiPolygon([polygons[0], box(119.5, 36.5, 119.6, 36.6)])
    lon, lat = random.uniform((116.0, 33.0), (120.0, 37.0)).tolist()
    scale = np.cos(np.radians((lat + np.clip(lat, *np.array([shapely.total_bounds(polygons)[[1, 3]]])[0])) / 2))
    flat = shapely.transform(polygons, lambda xy: xy * (scale, 1.0))
    apart = shapely.distance(shapely.boundary(flat), shapely.Point(lon * scale, lat))
    rank, metres = Nearest(polygons).find(lon, lat)
    assert apart[rank] == pytest.approx(apart.min(), abs=1e-7)
    assert metres == pytest.approx(apart.min() * 111_195, rel=0.02, abs=0.1)
