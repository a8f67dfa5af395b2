import math

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from geo import cells
from geo.errors import NoGrids
from geo.grid import DEDICATED, Grid, digest
from geo.locator import Located, Locator
from tests.geo.cities import awkward_points, brute_force, general, held, partitions


def codes_of(locator, points):
    """The owners by the way of many points, having checked that single points agree."""
    owners = locator.owners(points[:, 0], points[:, 1]).tolist()
    many = [locator.codes[rank] if rank >= 0 else "" for rank in owners]
    assert [locator.locate(x, y).code for x, y in points.tolist()] == many
    return many


@settings(max_examples=60, deadline=None)
@given(partitions(levels=2))
def test_the_owner_is_the_one_brute_force_finds(city):
    grids, nodes, random = city
    points = awkward_points(grids, nodes, random)
    assert codes_of(Locator.build(grids), points) == brute_force(grids, points)


@settings(max_examples=60, deadline=None)
@given(partitions())
def test_every_point_of_the_union_has_exactly_one_owner_whatever_the_order_of_the_grids(city):
    grids, nodes, random = city
    whole = shapely.coverage_union_all([grid.polygon for grid in grids])
    points = awkward_points(grids, nodes, random)
    points = points[held(whole, points)]
    found = codes_of(Locator.build(grids), points)
    assert "" not in found
    assert codes_of(Locator.build(list(reversed(grids))), points) == found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1e-6, 1e-13]), st.integers(1, 8))
@example(9458, 1e-13, 6)  # of these make_valid leaves one that is not valid
def test_overlapping_shapes_of_any_form_agree_with_brute_force(seed, size, most):
    """Stars with holes over each other: not a partition, yet one owner by the same rule."""
    random = np.random.default_rng(seed)
    grids = []
    for number in range(most):
        count = int(random.integers(3, 60))
        angle = np.sort(random.uniform(0, 2 * np.pi, count))
        radius = random.uniform(0.05, 1.0, count)
        ring = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None] + random.uniform(-1, 1, 2)
        star = shapely.make_valid(Polygon(ring * size + (118.0, 35.0)), method="structure")
        if isinstance(star, Polygon | MultiPolygon) and not star.is_empty:
            grids.append(general(f"{number:02d}", star, int(random.integers(1, 4))))
    if grids:
        nodes = np.vstack([shapely.get_coordinates(grid.polygon) for grid in grids])
        points = awkward_points(grids, nodes, random)
        assert codes_of(Locator.build(grids), points) == brute_force(grids, points)


@pytest.mark.parametrize("thickness", [1e-300, 5e-324, 1e-15, 1e-12])
def test_slivers_thinner_than_any_cell(thickness):
    sliver = Polygon([(0, 0), (1, 0), (1, thickness), (0, thickness)])
    grids = [general("b", sliver), general("a", Polygon([(0, thickness), (1, thickness), (1, 1), (0, 1)]))]
    points = np.array([(x, y) for x in (0.0, 0.3, 1.0) for y in (0.0, -0.0, thickness, thickness / 2, 1.0, -thickness)])
    assert codes_of(Locator.build(grids), points) == brute_force(grids, points)


def test_a_shared_border_belongs_to_the_first_code_and_a_corner_too():
    grids = [
        general(code, box(x, y, x + 1, y + 1)) for code, x, y in (("4", 0, 0), ("3", 1, 0), ("2", 0, 1), ("1", 1, 1))
    ]
    locator = Locator.build(grids)
    assert locator.locate(1.0, 1.0).code == "1"
    assert locator.locate(1.0, 0.5).code == "3"
    assert locator.locate(0.5, 1.0).code == "2"
    assert locator.locate(0.0, -0.0).code == "4"


def test_a_hole_belongs_to_who_fills_it_else_to_the_level_above():
    ring = box(0, 0, 4, 4).difference(box(1, 1, 3, 3))
    grids = [general("9", box(0, 0, 4, 4)), general("901", ring, 2, "9"), general("902", box(1, 1, 2, 3), 2, "9")]
    locator = Locator.build(grids)
    assert locator.locate(1.5, 2.0) == Located("902", ("9", "902"))
    assert locator.locate(2.5, 2.0) == Located("9", ("9",))
    assert locator.locate(3.0, 2.0).code == "901"


def test_the_deepest_level_wins_over_the_code():
    locator = Locator.build([general("1", box(0, 0, 2, 2)), general("2", box(0, 0, 1, 1), 2, "1")])
    assert locator.locate(0.5, 0.5).code == "2"


def test_only_general_grids_own_points():
    school = Grid("school", "", DEDICATED, 5, "1", box(0, 0, 1, 1))
    assert Locator.build([general("1", box(0, 0, 2, 2)), school]).locate(0.5, 0.5).code == "1"
    with pytest.raises(NoGrids):
        Locator.build([school])


def test_outside_is_unplaced_with_the_nearest_grid_and_its_distance():
    locator = Locator.build([general("b", box(118.0, 35.0, 118.1, 35.1)), general("a", box(118.1, 35.0, 118.2, 35.1))])
    assert locator.locate(118.3, 35.05) == Located("", (), "a", pytest.approx(9103, rel=1e-3))
    assert locator.locate(118.05, 34.0) == Located("", (), "b", pytest.approx(111195, rel=1e-4))
    assert locator.locate(118.1, 34.9).nearest == "a"  # equally near: the first code
    assert locator.locate_many([118.3, 118.05], [35.05, 35.05]) == [locator.locate(118.3, 35.05), Located("b", ("b",))]


@pytest.mark.parametrize(
    "point", [(math.nan, 35.0), (118.0, math.nan), (math.inf, 0.0), (0.0, -math.inf), (118.0, 95.0)]
)
def test_what_is_no_place_has_no_nearest_grid(point):
    locator = Locator.build([general("a", box(118.0, 35.0, 118.1, 35.1))])
    assert locator.locate(*point) == Located("")
    assert locator.locate_many([point[0]], [point[1]]) == [Located("")]


@pytest.mark.parametrize("point", [(0.0, 90.0), (0.0, -90.0), (180.0, 0.0), (-180.0, 0.0), (-61.9, -35.0), (0.0, 0.0)])
def test_poles_antimeridian_and_the_other_side_of_the_earth(point):
    located = Locator.build([general("a", box(118.0, 35.0, 118.1, 35.1))]).locate(*point)
    assert located.nearest == "a"
    assert 5e6 < located.distance_m < 20.1e6


def test_a_grid_at_the_date_line_is_near_from_the_other_side():
    locator = Locator.build([general("a", box(179.0, -17.0, 180.0, -16.0))])
    assert locator.locate(-179.9, -16.5).distance_m == pytest.approx(10660, rel=1e-2)
    assert locator.locate(180.0, -16.5).code == "a"


def test_one_grid_of_one_cell_and_repeated_vertices():
    grid = general("a", Polygon([(0, 0), (0, 0), (1e-13, 0), (1e-13, 1e-13), (1e-13, 1e-13), (0, 1e-13)]))
    points = np.array([(0, 0), (5e-14, 5e-14), (1e-13, 1e-13), (2e-13, 0)])
    assert codes_of(Locator.build([grid]), points) == ["a", "a", "a", ""]


def test_no_points_are_no_answer():
    assert Locator.build([general("a", box(0, 0, 1, 1))]).locate_many([], []) == []


class TestKeptOnDisk:
    grids = (general("b", box(0, 0, 1, 1)), general("a", box(1, 0, 2, 1)))

    def test_what_was_kept_answers_the_same(self, tmp_path):
        built = Locator.open(self.grids, tmp_path)
        assert len(list(tmp_path.iterdir())) == 1
        loaded = Locator.load(next(tmp_path.iterdir()), self.grids, digest(self.grids))
        points = np.random.default_rng(1).uniform(-0.5, 2.5, (500, 2))
        assert codes_of(loaded, points) == codes_of(built, points)

    @pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text"])
    def test_a_damaged_file_is_built_again(self, tmp_path, damage):
        Locator.open(self.grids, tmp_path)
        path = next(tmp_path.iterdir())
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 1
        path.write_bytes({"cut": raw[:-9], "flip": raw, "empty": b"", "text": b"nonsense"}[damage])
        assert Locator.load(path, self.grids, digest(self.grids)) is None
        assert Locator.open(self.grids, tmp_path).locate(1.0, 0.5).code == "a"
        assert Locator.load(path, self.grids, digest(self.grids)) is not None

    def test_only_the_last_version_is_kept(self, tmp_path):
        Locator.open(self.grids, tmp_path)
        Locator.open(self.grids[:1], tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [f"locator-{digest(self.grids[:1])[:16]}.bin"]

    def test_other_grids_or_another_version_are_not_believed(self, tmp_path, monkeypatch):
        Locator.open(self.grids, tmp_path)
        path = next(tmp_path.iterdir())
        assert Locator.load(path, self.grids, "other") is None
        monkeypatch.setattr(cells, "VERSION", cells.VERSION + 1)
        assert Locator.load(path, self.grids, digest(self.grids)) is None

    def test_a_folder_that_cannot_be_written_is_done_without(self, tmp_path, caplog):
        (tmp_path / "file").write_text("")
        assert Locator.open(self.grids, tmp_path / "file").locate(0.5, 0.5).code == "b"
        assert "could not be kept" in caplog.text
