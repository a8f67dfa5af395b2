"""What a window of the map gets: what shows there, as it was drawn, of every kind, and never too much."""

import json
from dataclasses import replace

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.geo import EXTENT, mesh
from geo import cutouts
from geo.cutouts import Cutouts, TooMuch
from geo.grid import DEDICATED, GENERAL, MICRO

CITY = mesh(8, 6, 5)
OVER = [replace(grid, code=f"{grid.code}01", kind=MICRO, level=5, parent=grid.code) for grid in mesh(16, 12, 2)]
SCHOOL = replace(CITY[0], code="school", kind=DEDICATED, level=5, parent=CITY[0].code)
ALL = Cutouts([*CITY, *OVER, SCHOOL])
WEST, SOUTH, EAST, NORTH = EXTENT


def codes(blob: bytes | None) -> list[str]:
    assert blob is not None
    return [one["properties"]["code"] for one in json.loads(blob)["features"]]


@given(st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.01, 0.5), st.floats(0.01, 0.5))
def test_a_window_gets_all_that_shows_in_it(x: float, y: float, wide: float, high: float) -> None:
    west, south = WEST + x * (EAST - WEST), SOUTH + y * (NORTH - SOUTH)
    window = (west, south, west + wide * (EAST - WEST), south + high * (NORTH - SOUTH))
    for kind, grids in ((GENERAL, CITY), (MICRO, OVER)):
        found = codes(ALL.cut(kind, 4, window))
        assert found == sorted(found)
        assert {grid.code for grid in grids if grid.polygon.intersects(shapely.box(*window))} <= set(found)


def test_it_is_drawn_as_it_was() -> None:
    x, y = CITY[0].polygon.representative_point().coords[0]
    found = json.loads(ALL.cut(GENERAL, 4, (x, y, x + 1e-6, y + 1e-6)) or b"")["features"]
    drawn = shapely.geometry.shape(found[0]["geometry"])
    assert drawn.hausdorff_distance(CITY[0].polygon) < 1e-5
    assert drawn.exterior.is_ccw


def test_what_is_not_there_is_none_and_nothing_is_empty() -> None:
    assert ALL.cut(GENERAL, 3, EXTENT) is None
    assert Cutouts(CITY).cut(MICRO, 0, EXTENT) is None
    assert codes(ALL.cut(GENERAL, 4, (0, 0, 1, 1))) == []


def test_too_large_a_window_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutouts, "MOST", len(CITY) - 1)
    with pytest.raises(TooMuch):
        ALL.cut(GENERAL, 4, EXTENT)


def test_kinds_over_the_general_grids_are_told_with_their_zoom() -> None:
    kinds = ALL.kinds()
    assert {kind: one.number for kind, one in kinds.items()} == {MICRO: len(OVER), DEDICATED: 1}
    side = (EAST - WEST) / 16 / 360 * 256 * 2 ** kinds[MICRO].zoom  # pixels across
    assert 15 < side < 27
    assert Cutouts(CITY).kinds() == {}
    point = replace(SCHOOL, polygon=shapely.Polygon([(0, 0), (0, 1e-9), (1e-9, 0)]))
    assert Cutouts([point]).kinds()[DEDICATED].zoom == cutouts.DEEPEST_ZOOM
