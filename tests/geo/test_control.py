"""Control points, and the rules of codes."""

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import coding, control
from geo.crs import UnknownSystem
from geo.problem import ERROR, NOTE, Findings


def local(lon, lat, *, turn=0.03, move=(-3_200_000.0, 40_000.0), scale=1.0, stretch=1.0):
    """A city's own system: a Gauss-Krüger map, turned, moved and scaled."""
    x, y = pyproj.Proj(proj="tmerc", lon_0=118.0, k=1, x_0=500_000, ellps="krass")(lon, lat)
    east = scale * (np.cos(turn) * x - np.sin(turn) * y) * stretch + move[0]
    return east, scale * (np.sin(turn) * x + np.cos(turn) * y) + move[1]


PLACES = [(118.1, 35.0), (118.5, 35.05), (118.45, 35.4), (118.12, 35.38), (118.3, 35.2), (118.2, 35.3)]


def text(places=PLACES, wrong=None, **how):
    lines = []
    for number, (lon, lat) in enumerate(places):
        x, y = local(lon, lat, **how)
        lines.append(f"{x + (80 if number == wrong else 0):.3f}, {y:.3f}, {lon}, {lat}")
    return "\n".join(lines)


def made(said, most=2.0):
    findings = Findings()
    try:
        return control.system(said, most, findings), findings.problems()
    except UnknownSystem:
        return None, findings.problems()


@given(st.floats(118.1, 118.5), st.floats(35.0, 35.4), st.floats(-3, 3))
def test_a_turned_and_moved_map_comes_back_within_a_metre(lon, lat, turn):
    system, problems = made(text(turn=turn))
    assert [one.kind for one in problems] == [NOTE]
    found = system.convert(np.array([local(lon, lat, turn=turn)]))[0]
    assert np.hypot(*((found - (lon, lat)) * (91_000, 111_000))) < 1.0


def test_six_parameters_take_a_stretched_map_and_four_do_not():
    said = text(stretch=1.001)
    _, problems = made(said)
    assert [(one.kind, one.text_code) for one in problems] == [(ERROR, "geo.problems.control_misfit")]
    assert made("affine\n" + said)[0] is not None


def test_the_one_wrong_point_is_named():
    system, (told,) = made(text(wrong=3))
    assert system is None and told.text_code == "geo.problems.control_outlier"
    assert told.params["number"] == 4 and told.params["worst_m"] > 2


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("1,2,118,35\n3,4,118.1,35.1", "control_few"),
        ("1,2,118,35\n3,4,x,35.1\n5,6,118,35.2", "control_line"),
        ("1,2,118\n3,4,118.1,35.1\n5,6,118,35.2", "control_line"),
        ("affine\n0,0,118,35\n10,10,118.1,35.1\n20,20,118.2,35.2\n30,30,118.3,35.3", "control_flat"),
        ("0,0,35,118\n1,1,36,80\n5,6,35.2,18.1", "control_line"),
        ("0,0,118,35\n1000,0,98,35\n5000,6000,118,35.2", "control_far"),
    ],
)
def test_points_that_fix_nothing_are_refused_by_name(said, name):
    system, (told,) = made(said)
    assert system is None and told.text_code == f"geo.problems.{name}"


@pytest.mark.parametrize(
    ("rule", "code", "level", "parent"),
    [
        ("6,9,12,15", "990101001002003", 4, "990101001002"),
        ("12+2", "99010100100207", 4, "990101001002"),
        ("12+3", "990101001002", 3, "990101001"),
        ("6,9,12,20@6", "01020399010100100207", 4, "990101001002"),
        ("6+3+3+3", "990101001002003", 4, "990101001002"),
    ],
)
def test_rules_of_codes(rule, code, level, parent):
    found = coding.parse(rule)
    assert found.level(code) == level and found.above(code, level - 1) == parent


@pytest.mark.parametrize("rule", ["", "x", "9,6", "6,6", "0,3", "6,9,12,20@18", "+3", "6,9,99999"])
def test_rules_that_are_none(rule):
    with pytest.raises(ValueError):
        coding.parse(rule)
