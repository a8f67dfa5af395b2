import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import datum
from geo.errors import UnknownDatum

# (lat, lon) in WGS-84, GCJ-02 and, where given, BD-09 as a port with the known slip (pi for pi * 3000 / 180) has it
VECTORS = [
    ("Qingdao", (36.0671, 120.3826), (36.0673762, 120.3877332), (36.0735022, 120.3941998)),
    ("Linyi", (35.1047, 118.3564), (35.1043076, 118.3621543), (35.1104548, 118.3686040)),
    ("Zhengzhou", (34.8003, 113.6606), (34.7992268, 113.6667006), (34.8054008, 113.6731596)),
    ("Haizhou", (34.5722, 119.1635), (34.5712392, 119.1691446), None),
    ("Jiagedaqi", (50.4272, 124.1961), (50.4287601, 124.2035022), None),
]
CENTIMETRE = 1.5e-7  # degrees: the vectors are given to seven digits


@pytest.mark.parametrize(("name", "wgs", "gcj", "slipped"), VECTORS)
def test_the_reference_vectors_of_gcj02(name, wgs, gcj, slipped):
    assert datum.from_wgs84(wgs[1], wgs[0], "GCJ02") == pytest.approx(gcj[::-1], abs=CENTIMETRE)
    assert datum.to_wgs84(gcj[1], gcj[0], "GCJ02") == pytest.approx(wgs[::-1], abs=CENTIMETRE)


def test_a_published_point_in_bd09():
    """Beijing railway station as both map makers show it, to five digits (about a metre)."""
    wgs = datum.to_wgs84(116.42703, 39.90245, "GCJ02")
    assert datum.from_wgs84(*wgs, "BD09") == pytest.approx((116.43351, 39.90851), abs=1e-5)


@pytest.mark.parametrize(("name", "wgs", "gcj", "slipped"), [vector for vector in VECTORS if vector[3]])
def test_the_reference_vectors_of_bd09_are_explained_by_the_known_slip(name, wgs, gcj, slipped, monkeypatch):
    """The true constant is 10 to 45 m from them; with the slip they come out to the centimetre."""
    right = np.array(datum.from_wgs84(wgs[1], wgs[0], "BD09"))
    assert 8e-5 < np.abs(right - slipped[::-1]).max() < 4e-4
    monkeypatch.setattr(datum, "BAIDU_TURN", math.pi)
    assert datum.from_wgs84(wgs[1], wgs[0], "BD09") == pytest.approx(slipped[::-1], abs=CENTIMETRE)


@given(st.floats(73.0, 136.0), st.floats(2.0, 55.0), st.sampled_from(datum.DATUMS))
def test_there_and_back_is_the_same_point(lon, lat, code):
    back = datum.to_wgs84(*datum.from_wgs84(lon, lat, code), code)
    assert back == pytest.approx((lon, lat), abs=1e-10)


@given(st.lists(st.tuples(st.floats(60.0, 150.0), st.floats(-10.0, 70.0)), min_size=1), st.sampled_from(datum.DATUMS))
def test_arrays_agree_with_single_points(points, code):
    lons, lats = np.array(points).T
    for many, one in ((datum.to_wgs84_many, datum.to_wgs84), (datum.from_wgs84_many, datum.from_wgs84)):
        expected = [one(lon, lat, code) for lon, lat in points]
        assert np.column_stack(many(lons, lats, code)) == pytest.approx(np.array(expected), abs=1e-10)


@pytest.mark.parametrize("point", [(149.13, -35.28), (0.0, 0.0), (-180.0, 90.0), (138.0, 35.0), (105.0, 56.0)])
@pytest.mark.parametrize("code", datum.DATUMS)
def test_outside_the_box_nothing_moves(point, code):
    assert datum.to_wgs84(*point, code) == point
    assert datum.from_wgs84(*point, code) == point


def test_nan_and_infinity_pass_through():
    assert datum.to_wgs84(math.inf, 30.0, "GCJ02") == (math.inf, 30.0)
    lons, lats = datum.to_wgs84_many([math.nan, math.inf], [30.0, -math.inf], "BD09")
    assert np.isnan(lons[0])
    assert lats[1] == -math.inf


def test_the_given_arrays_are_left_alone():
    lons = np.array([118.3564])
    datum.from_wgs84_many(lons, np.array([35.1047]), "GCJ02")
    assert lons[0] == 118.3564


def test_an_unknown_datum_is_named():
    with pytest.raises(UnknownDatum) as caught:
        datum.to_wgs84(118.0, 35.0, "MARS")
    assert caught.value.params["datum"] == "MARS"
