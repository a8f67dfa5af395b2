"""What an area covers: every grid it shares ground with, said by the fewest codes that say the same."""

import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import coverage
from geo.coverage import Coverage, Covered, significant
from geo.grid import GENERAL, Grid

COUNTY = "990101"


def city(towns: int = 3, grids: int = 4, prefix: bool = True) -> list[Grid]:
    """Towns side by side, their grids above one another, each a square of one degree."""
    made = [Grid(COUNTY, "c", GENERAL, 1, "", shapely.box(0, 0, towns, grids))]
    for town in range(towns):
        code = f"{COUNTY}{town + 1:03d}" if prefix else f"town{town}"
        made.append(Grid(code, "t", GENERAL, 2, COUNTY, shapely.box(town, 0, town + 1, grids)))
        for grid in range(grids):
            leaf = f"{code}001{grid + 1:03d}" if prefix else f"leaf{town}.{grid}"
            made.append(Grid(leaf, "g", GENERAL, 3, code, shapely.box(town, grid, town + 1, grid + 1)))
    return made


CITY = Coverage(city())


def test_a_shape_covers_what_it_shares_ground_with_not_what_it_only_touches() -> None:
    assert CITY.of_shape(shapely.box(0, 0, 1, 1)) == {"990101001001001"}
    assert CITY.of_shape(shapely.box(0.5, 0.5, 1.5, 0.6)) == {"990101001001001", "990101002001001"}
    assert CITY.of_shape(shapely.box(10, 10, 11, 11)) == set()
    assert CITY.of_shape(shapely.Point(0.5, 0.5)) == {"990101001001001"}


def test_whole_towns_are_said_by_their_code() -> None:
    assert CITY.said(CITY.of_shape(shapely.box(0, 0, 1, 4))) == Covered(("990101001",), ("990101",))
    assert CITY.said(CITY.of_shape(shapely.box(0, 0, 3, 4))) == Covered((COUNTY,), ())
    assert CITY.said(CITY.of_shape(shapely.box(0, 0, 1.5, 4))).codes == (
        "990101001",
        "990101002",
    )
    mixed = CITY.said(CITY.of_shape(shapely.box(0, 0, 1.5, 1.5)))
    assert mixed.codes == tuple(f"990101{town:03d}001{grid:03d}" for town in (1, 2) for grid in (1, 2))
    assert mixed.above == (COUNTY, "990101001", "990101002")


def test_codes_of_areas() -> None:
    assert CITY.said(CITY.of_code("990101001")).codes == ("990101001",)
    assert CITY.said(CITY.of_code("990101001000")).codes == ("990101001",)
    assert CITY.said(CITY.of_code("990000")).codes == (COUNTY,)
    assert CITY.of_code("990101002001003") == {"990101002001003"}
    assert CITY.of_code("880101") == CITY.of_code("x") == CITY.of_code("") == set()
    assert Coverage(city()[:2]).of_code("990101001001001") == {"990101001"}


def test_zeros_mean_all_of_it() -> None:
    codes = {"990100": "9901", "990000": "99", "990101000000": "990101", "990101001000": "990101001", "99": ""}
    assert {code: significant(code) for code in codes} == codes


def test_a_ragged_area_is_said_by_what_lies_above(monkeypatch: object) -> None:
    ragged = {"990101001001001", "990101002001001", "990101003001001"}
    old, coverage.MOST = coverage.MOST, 2
    try:
        assert CITY.said(ragged).codes == (COUNTY,)
        assert Coverage(city(prefix=False)).said({"leaf0.0", "leaf1.0", "leaf2.0"}) == Covered(("",))
    finally:
        coverage.MOST = old


def test_where_codes_tell_nothing_every_leaf_is_said() -> None:
    odd = Coverage(city(prefix=False))
    assert odd.said(odd.of_shape(shapely.box(0, 0, 1, 4))).codes == tuple(f"leaf0.{grid}" for grid in range(4))


@given(st.sets(st.sampled_from(sorted(grid.code for grid in city() if grid.level == 3))))
def test_the_codes_say_exactly_the_leaves(leaves: set[str]) -> None:
    said = CITY.said(leaves)
    everything = {grid.code for grid in city() if grid.level == 3}
    assert {leaf for leaf in everything if leaf.startswith(said.codes)} == leaves
