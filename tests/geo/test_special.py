"""Dedicated and micro-grids at a point; and which grids stand at a time."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from geo.grid import DEDICATED, GENERAL, MICRO, Grid, next_moment, standing
from geo.special import Special

HERE = box(0, 0, 1, 1)
TOWN, VILLAGE, LEAF = (
    Grid("1", "", GENERAL, 1, "", HERE),
    Grid("11", "", GENERAL, 2, "1", HERE),
    Grid("111", "", GENERAL, 3, "11", HERE),
)
SCHOOL = Grid("S", "", DEDICATED, 4, "111", box(0, 0, 0.5, 0.5))
BLOCK = Grid("M", "", MICRO, 4, "111", box(0.5, 0, 1, 0.5))
TIMES = st.one_of(st.none(), st.integers(0, 9))


def test_special_grids_are_found_by_point_border_included() -> None:
    special = Special([TOWN, BLOCK, SCHOOL])
    assert special.at(0.25, 0.25) == ("S",)
    assert special.at(0.5, 0.25) == ("S", "M")
    assert special.at(0.9, 0.9) == special.at(9, 9) == Special([]).at(0, 0) == ()


def test_what_ends_takes_what_is_under_it() -> None:
    ended = replace(VILLAGE, valid_to=5)
    assert standing([TOWN, ended, LEAF], 4) == [TOWN, ended, LEAF]
    assert standing([TOWN, ended, LEAF], 5) == [TOWN]
    assert (next_moment([TOWN, ended], 4), next_moment([TOWN, ended], 5)) == (5, None)


@given(st.lists(st.tuples(TIMES, TIMES), min_size=3, max_size=3), st.integers(-1, 10))
def test_between_two_moments_nothing_changes(times: list[tuple[int | None, int | None]], at: int) -> None:
    grids = [
        replace(grid, valid_from=begun, valid_to=ended)
        for grid, (begun, ended) in zip((TOWN, VILLAGE, LEAF), times, strict=True)
    ]
    moment = next_moment(grids, at)
    for later in range(at, 12 if moment is None else moment):
        assert standing(grids, later) == standing(grids, at)
    codes = {grid.code for grid in standing(grids, at)}
    assert all(not grid.parent or grid.parent in codes for grid in standing(grids, at))
