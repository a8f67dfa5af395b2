"""Differences of two versions: what came, went, moved, was split or merged; and who counts for what went."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box, unary_union

from config import clock
from geo.difference import Change, Part, counts, difference, heirs, successors
from geo.faults import area_m2
from geo.grid import DEDICATED, GENERAL, Grid

ABOVE = Grid("9", "镇", GENERAL, 1, "", box(0, 0, 0.04, 0.01))


def cell(code: str, west: float, east: float, **more: object) -> Grid:
    values: dict[str, object] = {"name": f"网格{code}", "population": 100} | more
    return Grid(code, kind=GENERAL, level=2, parent="9", polygon=box(west, 0, east, 0.01), **values)  # type: ignore[arg-type]


A, B, C, D = (cell(f"9{letter}", at * 0.01, (at + 1) * 0.01) for at, letter in enumerate("ABCD"))
CITY = [ABOVE, A, B, C, D]


def told(after: list[Grid], before: list[Grid] | None = None) -> list[tuple[str, str]]:
    return [(one.kind, one.code) for one in difference(before or CITY, after)]


def only(kind: str, after: list[Grid]) -> Change:
    return next(one for one in difference(CITY, after) if one.kind == kind)


def test_the_same_again_has_no_differences() -> None:
    assert difference(CITY, list(reversed(CITY))) == []


def test_names_parents_kinds_and_populations() -> None:
    other = replace(A, name="新名", parent="", kind=DEDICATED, population=None)
    assert told([ABOVE, other, B, C, D]) == [("parent", "9A"), ("kind", "9A"), ("renamed", "9A"), ("population", "9A")]
    assert (only("renamed", [ABOVE, other, B, C, D]).was, only("population", [ABOVE, other, B, C, D]).now) == (
        A.name,
        "",
    )


def test_a_moved_border_says_how_much_and_from_whom() -> None:
    after = [ABOVE, cell("9A", 0, 0.008), cell("9B", 0.008, 0.02), C, D]
    assert told(after) == [("moved", "9A"), ("moved", "9B")]
    lost, gained = difference(CITY, after)
    strip = area_m2(box(0.008, 0, 0.01, 0.01))
    assert (lost.lost_m2, gained.gained_m2) == (pytest.approx(strip, rel=1e-6), pytest.approx(strip, rel=1e-6))
    assert lost.gained_m2 == pytest.approx(0, abs=1) and [part.code for part in lost.lost] == ["9B"]
    assert [part.code for part in gained.gained] == ["9A"]


def test_ground_that_nobody_had_is_said_to_come_from_no_grid() -> None:
    after = [ABOVE, A, B, C, cell("9D", 0.03, 0.05)]
    (moved,) = difference(CITY, after)
    assert moved.kind == "moved" and [part.code for part in moved.gained] == [""]


def test_split_merged_recoded_added_removed() -> None:
    one, other = cell("9A", 0, 0.005), cell("9E", 0.005, 0.01)
    assert told([ABOVE, one, other, B, C, D]) == [("split", "9A"), ("moved", "9A")]
    assert {part.code for part in only("split", [ABOVE, one, other, B, C, D]).lost} == {"9A", "9E"}
    whole = replace(A, polygon=unary_union([A.polygon, B.polygon]))
    assert told([ABOVE, whole, C, D]) == [("merged", "9A"), ("moved", "9A")]
    assert {part.code for part in only("merged", [ABOVE, whole, C, D]).gained} == {"9A", "9B"}
    assert told([ABOVE, replace(A, code="9Z"), B, C, D]) == [("recoded", "9A")]
    assert told([ABOVE, B, C, D]) == [("removed", "9A")]
    assert told([*CITY, cell("9E", 0.04, 0.05)]) == [("added", "9E")]
    assert counts(difference(CITY, [ABOVE, B, C, D, cell("9E", 0.05, 0.06)])) == {"removed": 1, "added": 1}


def test_who_counts_for_what_went() -> None:
    whole = replace(A, polygon=unary_union([A.polygon, B.polygon]))
    assert successors(CITY, [ABOVE, whole, C, D]) == {"9B": "9A"}
    halves = [cell("9E", 0, 0.005), cell("9F", 0.005, 0.01)]
    assert (successors(CITY, [ABOVE, *halves, B, C, D]), heirs(CITY, [ABOVE, *halves, B, C, D])) == ({}, {"9A": "9"})
    assert heirs(CITY, [ABOVE, whole, C, D]) == {"9B": "9A"}
    far = Grid("8", "别处", GENERAL, 1, "", box(5, 5, 6, 6))
    assert heirs(CITY, [far]) == {}


@given(st.lists(st.integers(1, 39), max_size=5, unique=True), st.lists(st.integers(1, 39), max_size=5, unique=True))
def test_ground_is_kept(one: list[int], other: list[int]) -> None:
    """What some lose others gain, and the same cuts are the same grids."""
    before, after = ([cell(f"9{n}", *ends) for n, ends in enumerate(cuts(points))] for points in (one, other))
    changes = difference(before, after)
    assert (changes == []) == (sorted(one) == sorted(other))
    for change in changes:
        if change.kind == "moved":
            for parts, total in ((change.gained, change.gained_m2), (change.lost, change.lost_m2)):
                assert sum(Part(*part).area_m2 for part in parts) == pytest.approx(total, rel=1e-3, abs=5)


def cuts(points: list[int]) -> list[tuple[float, float]]:
    marks = [0, *sorted(points), 40]
    return [(a / 1000, b / 1000) for a, b in pairwise(marks)]


def test_six_thousand_grids_are_compared_in_seconds() -> None:
    side, step = 78, 0.001

    def city(shift: float) -> list[Grid]:
        return [
            replace(
                A,
                code=f"{x:03d}{y:03d}",
                polygon=box(x * step + shift, y * step, (x + 1) * step + shift, (y + 1) * step),
            )
            for x in range(side)
            for y in range(side)
        ]

    begun = clock.worked()
    changes = difference(city(0), city(step / 4))
    assert clock.worked() - begun < 10
    assert len(changes) == side * side and {one.kind for one in changes} == {"moved"}
