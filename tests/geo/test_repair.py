"""Repairs: told one by one, within their bounds, and nothing left to repair afterwards."""

import json

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box, mapping

from geo import importing, problem
from geo.faults import METRES_PER_DEGREE
from geo.mapping import GridMapping

METRE = 1 / METRES_PER_DEGREE
SIDE = 0.01
FAULTS = ("none", "crack", "overlap", "spike", "bow", "repeat", "sliver", "touch")


def cell(row, column, fault, size):
    """One cell of a lattice with a fault of its own, `size` from 0 to 1 of what is safe."""
    x, y = 118 + column * SIDE, 35 + row * SIDE
    ring = [(x, y), (x + SIDE, y), (x + SIDE, y + SIDE), (x, y + SIDE), (x, y)]
    by = size * METRE * 0.9
    if fault == "crack":
        ring[0] = ring[4] = (x, y + by)
        ring[1] = (x + SIDE, y + by)
    elif fault == "overlap":
        ring[0] = ring[4] = (x - size * SIDE * 0.009, y)
    elif fault == "spike":
        ring.insert(3, (x + SIDE / 2, y + SIDE))
        ring.insert(4, (x + SIDE / 2, y + SIDE * 1.5))
        ring.insert(5, (x + SIDE / 2, y + SIDE))
    elif fault == "bow":
        near = size * SIDE * 0.03
        ring[3:3] = [(x + SIDE / 2, y + SIDE), (x + SIDE / 2, y + SIDE - near), (x + SIDE / 2 + near, y + SIDE - near),
                     (x + SIDE / 2 - near, y + SIDE)]  # fmt: skip
    elif fault == "repeat":
        ring.insert(1, ring[1])
    elif fault == "touch":
        ring[3:3] = [(x + SIDE / 2, y + SIDE), (x + SIDE / 2, y + SIDE / 3), (x + SIDE / 3, y + SIDE / 2),
                     (x + SIDE / 2, y + SIDE)]  # fmt: skip
    shape = mapping(Polygon(ring))
    if fault == "sliver":
        tiny = box(x + 0.5, y, x + 0.5 + METRE / 2, y + METRE / 2)
        shape = mapping(shapely.MultiPolygon([Polygon(ring), tiny]))
    return shape


def document(path, shapes):
    features = [
        {"type": "Feature", "properties": {"code": code, "name": code}, "geometry": shape} for code, shape in shapes
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def told(found, *kinds):
    return {one.text_code.removeprefix("geo.problems.") for one in found.problems if one.kind in kinds}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(FAULTS), min_size=9, max_size=9), st.floats(0.1, 1.0))
def test_what_was_repaired_has_nothing_left_to_repair(tmp_path, faults, size):
    shapes = [(f"990101001{n:03d}", cell(n // 3, n % 3, fault, size)) for n, fault in enumerate(faults)]
    before = importing.read(document(tmp_path / "before.geojson", shapes), GridMapping(repair=True))
    assert before.ok, before.problems
    assert told(before, problem.WARNING) <= {"gap", "tiny"}
    if set(faults) & {"spike", "bow", "repeat", "sliver", "touch"}:
        assert told(before, problem.REPAIRED)
    polygons = np.array([grid.polygon for grid in before.grids], dtype=object)
    assert shapely.is_valid(polygons).all()
    after = importing.read(
        document(tmp_path / "after.geojson", [(grid.code, mapping(grid.polygon)) for grid in before.grids]),
        GridMapping(repair=True),
    )
    assert after.ok and not told(after, problem.ERROR, problem.REPAIRED)
    for one, other in zip(before.grids, after.grids, strict=True):
        assert one.polygon.equals(other.polygon)


def test_an_overlap_goes_to_the_first_code_and_both_areas_are_told(tmp_path):
    left, right = box(118, 35, 118.01, 35.01), box(118.00995, 35, 118.02, 35.01)
    shapes = [("990101001001", mapping(left)), ("990101001002", mapping(right))]
    plain = importing.read(document(tmp_path / "a.geojson", shapes))
    assert told(plain, problem.WARNING) == {"small_overlap"} and plain.ok
    found = importing.read(document(tmp_path / "a.geojson", shapes), GridMapping(repair=True))
    first, second = (grid.polygon for grid in found.grids)
    assert first.equals(box(118, 35, 118.01, 35.01)) and second.equals(box(118.01, 35, 118.02, 35.01))
    assert told(found, problem.REPAIRED) == {"overlap_given", "reshaped", "matched"} and not told(
        found, problem.WARNING
    )
    lost = next(one for one in found.problems if one.text_code.endswith("reshaped")).params["lost_m2"]
    assert lost == pytest.approx(5e-5 * 0.01 * METRES_PER_DEGREE**2 * np.cos(np.radians(35.005)), rel=0.01)


def test_what_is_too_large_to_be_safe_stays_an_error(tmp_path):
    bow = Polygon([(118, 35), (118.01, 35.01), (118.01, 35), (118, 35.01)])
    wide = box(118.015, 35, 118.03, 35.01)
    shapes = [(f"99010100100{n}", mapping(one)) for n, one in enumerate((bow, box(118.01, 35, 118.02, 35.01), wide), 1)]
    found = importing.read(document(tmp_path / "a.geojson", shapes), GridMapping(repair=True))
    assert not found.ok and told(found, problem.ERROR) == {"self_crossing", "overlap"}
    assert not told(found, problem.REPAIRED)


def test_the_same_grid_twice_is_one_and_another_of_its_code_is_not(tmp_path):
    one, other = mapping(box(118, 35, 118.01, 35.01)), mapping(box(118.01, 35, 118.02, 35.01))
    found = importing.read(document(tmp_path / "a.geojson", [("1", one), ("1", one)]), GridMapping(repair=True))
    assert len(found.grids) == 1 and told(found, problem.REPAIRED) == {"double_dropped"}
    found = importing.read(document(tmp_path / "b.geojson", [("1", one), ("1", other)]), GridMapping(repair=True))
    assert told(found, problem.ERROR) == {"duplicate_code"}


def test_nothing_is_touched_without_being_asked(tmp_path):
    shapes = [(f"990101001{n:03d}", cell(n // 3, n % 3, "crack", 1.0)) for n in range(9)]
    found = importing.read(document(tmp_path / "a.geojson", shapes))
    assert [grid.polygon for grid in found.grids] == [shapely.geometry.shape(shape) for _, shape in shapes]


def test_files_of_one_vendor_touching_themselves_in_51_of_62_come_in(tmp_path):
    shapes = [(f"990101001{n:03d}", cell(n // 8, n % 8, "touch" if n < 51 else "none", 1.0)) for n in range(62)]
    for repair in (False, True):
        found = importing.read(document(tmp_path / "a.geojson", shapes), GridMapping(repair=repair))
        assert found.ok and len(found.grids) == 62
