import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
import shapely

from benchmarks.geo import mesh
from geo.grid import DEDICATED, Grid, digest
from geo.shapes import DETAIL_ZOOMS, Shapes
from tests.geo.cities import general


def small(grid):
    """The grid at a twentieth of its size, as grids are in a city; what is shared stays shared to the last bit."""
    return replace(
        grid, polygon=shapely.transform(grid.polygon, lambda xy: (118.0, 35.0) + (xy - (118.0, 35.0)) * 0.05)
    )


CITY = [small(grid) for grid in mesh(6, 5, 26)]


@pytest.fixture(scope="module")
def built():
    return Shapes.build(CITY)


def features(shape):
    return json.loads(shape.plain())["features"]


def test_every_grid_is_there_with_its_properties(built):
    assert built.levels == (4,)
    assert built.deepest == 4
    found = features(built.get(4, 0))
    assert [one["properties"]["code"] for one in found] == sorted(grid.code for grid in CITY)
    first = found[0]["properties"]
    assert list(first) == ["code", "name", "level", "parent", "population", "cx", "cy"]
    assert (first["level"], first["parent"], first["population"]) == (4, CITY[0].parent, 1000)


def test_the_label_stands_in_its_grid(built):
    by_code = {grid.code: grid.polygon for grid in CITY}
    for one in features(built.get(4, 2)):
        said = one["properties"]
        assert by_code[said["code"]].contains(shapely.Point(said["cx"], said["cy"]))


@pytest.mark.parametrize("detail", range(len(DETAIL_ZOOMS)))
def test_neighbours_keep_one_border_without_gaps(built, detail):
    drawn = [shapely.geometry.shape(one["geometry"]) for one in features(built.get(4, detail))]
    assert shapely.coverage_is_valid(drawn)
    union = shapely.coverage_union_all(drawn)
    assert (union.geom_type, len(union.interiors)) == ("Polygon", 0)
    assert union.area == pytest.approx(shapely.coverage_union_all([g.polygon for g in CITY]).area, rel=0.01)


def test_finer_details_have_more_points(built):
    sizes = [len(built.get(4, detail).plain()) for detail in range(len(DETAIL_ZOOMS))]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] / 3


def test_rings_are_counter_clockwise_with_clockwise_holes():
    outer = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2)).reverse()
    drawn = Shapes.build([general("a", outer), general("b", shapely.box(1, 1, 2, 2).reverse())]).get(1, 3)
    for one in features(drawn):
        polygon = shapely.geometry.shape(one["geometry"])
        assert polygon.exterior.is_ccw
        assert not any(hole.is_ccw for hole in polygon.interiors)


def test_bytes_and_tags(built):
    one, other = built.get(4, 0), built.get(4, 1)
    assert gzip.decompress(one.gzipped) == one.plain()
    assert len({one.etag(), one.etag(gzipped=False), other.etag()}) == 3
    assert one.etag().startswith('"')
    assert Shapes.build(list(reversed(CITY))).get(4, 0) == one  # the same bytes, whatever the order


def test_details_are_held_in_bounds_and_levels_are_not(built):
    assert built.get(4, 99) == built.get(4, len(DETAIL_ZOOMS) - 1)
    assert built.get(4, -1) == built.get(4, 0)
    assert built.get(3, 0) is None


def test_borders_that_do_not_match_are_cleaned_for_the_map():
    left = shapely.Polygon([(0, 0), (1, 0), (1, 1), (0, 1)])
    right = shapely.Polygon([(1, 0), (2, 0), (2, 1), (1, 1), (1, 0.5)])  # a node the neighbour lacks
    drawn = Shapes.build([general("a", left), general("b", right)]).get(1, 3)
    assert shapely.coverage_is_valid([shapely.geometry.shape(one["geometry"]) for one in features(drawn)])


def test_only_general_grids_are_drawn():
    school = Grid("school", "", DEDICATED, 2, "a", shapely.box(0, 0, 1, 1))
    assert Shapes.build([general("a", shapely.box(0, 0, 1, 1)), school]).levels == (1,)
    assert Shapes.build([school]).deepest == 0


def test_kept_on_disk_and_not_believed_when_damaged(tmp_path, built):
    assert Shapes.open(CITY, tmp_path).get(4, 1) == built.get(4, 1)
    path = next(tmp_path.iterdir())
    assert Shapes.load(path, digest(CITY)).get(4, 1) == built.get(4, 1)
    assert Shapes.load(path, "other") is None
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert Shapes.load(path, digest(CITY)) is None
    assert Shapes.open(CITY, tmp_path).get(4, 1) == built.get(4, 1)
    assert Shapes.load(path, digest(CITY)) is not None


def test_the_mesh_is_a_partition():
    assert shapely.coverage_is_valid([grid.polygon for grid in CITY])
    assert np.all(shapely.is_valid([grid.polygon for grid in CITY]))
