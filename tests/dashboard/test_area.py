"""The grids in force in the processes of one city: everybody changes at the moment, old incidents stay counted."""

from collections.abc import Callable
from pathlib import Path

import pytest
import shapely
from msgspec import structs

from config import clock
from dashboard import gridcard
from dashboard.api_grids import answer
from dashboard.area import LOOK_SECONDS, Area, Areas, pause
from operations import grids
from operations.database import Database
from operations.duties import Card
from operations.grids import GridRow
from operations.policy import SYSTEM
from operations.report import Place
from operations.scope import WHOLE, Scope
from streams.finder import Finder
from tests.dashboard.conftest import CITY, COUNTY, SQUARE, TOWNS, square
from tests.operations.desk import HOUR, MINUTE, START, report

pytestmark = pytest.mark.database
LATER = START + HOUR
HALVES = ("990101003", "990101004")
WEST = (120 + SQUARE / 4, 30 + SQUARE / 2)
"""A point in the western half of the first town."""
SPLIT = [CITY[0], square(HALVES[0], 2, COUNTY, 0, 0.5), square(HALVES[1], 2, COUNTY, 0.5, 1), CITY[2]]
COUNTS = {TOWNS[0]: 5, TOWNS[1]: 2, "elsewhere": 3, "": 4}

At = Callable[[int], Area]


@pytest.fixture
def at(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> At:
    """The area in force in a fresh web process at a time; the split is to begin an hour after the first version."""
    grids.import_grids(database, SYSTEM, CITY, "whole", now=START)
    grids.import_grids(database, SYSTEM, SPLIT, "split", now=START + MINUTE, valid_from=LATER)

    def look(now: int) -> Area:
        monkeypatch.setattr(clock, "now", lambda: now)
        found = Areas(database, tmp_path)._load()
        assert found is not None
        return found

    return look


async def test_web_and_worker_change_at_the_moment_and_no_clock_goes_back(
    at: At, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = [START]
    web, worker = Areas(database, tmp_path), Finder(database, tmp_path, lambda: time[0])
    monkeypatch.setattr(clock, "now", lambda: time[0])
    here = report(place=Place(*WEST), grid_code="")

    async def placed() -> tuple[str, str]:
        await web._look()
        return web.located(*WEST, "").grid, worker.locate([here])[0].grid

    assert await placed() == (TOWNS[0], TOWNS[0])
    assert web._next == LATER
    time[0] = LATER - 1
    assert await placed() == (TOWNS[0], TOWNS[0])
    before, time[0] = web.key(), LATER
    assert await placed() == (HALVES[0], HALVES[0])
    assert web.key() != before
    grids.begin(database, now=LATER)
    time[0] = LATER - HOUR  # a process whose clock is an hour behind
    assert await placed() == (HALVES[0], HALVES[0])
    assert at(LATER - HOUR).id == 2


def test_the_next_look_does_not_miss_the_moment() -> None:
    assert [pause(moment, START) for moment in (None, START + HOUR, START + 500_000, START, START - HOUR)] == [
        LOOK_SECONDS, LOOK_SECONDS, 0.5, 0.01, 0.01,
    ]  # fmt: skip


def test_old_incidents_are_counted_for_the_area_above_and_none_as_unplaced(at: At) -> None:
    for now, code in ((START, TOWNS[0]), (LATER, COUNTY)):
        told = answer(at(now), COUNTS, WHOLE, ("24h", now, 1000))
        counts = {one.code: one.count for one in told.figures}
        assert (counts[COUNTY], counts.get(TOWNS[1]), told.unplaced, told.earlier) == (7, 2, 4, 3)
        assert counts[code] >= 5
    assert at(LATER).heirs == {TOWNS[0]: COUNTY}


def test_merged_grids_are_counted_for_the_one_they_are_now(at: At, database: Database) -> None:
    grids.import_grids(database, SYSTEM, [CITY[0], structs.replace(CITY[2], wkb=CITY[0].wkb)], "m", now=LATER + 1)
    grids.begin(database, now=LATER + 1)
    area = at(LATER + 1)
    assert area.heirs == {TOWNS[0]: TOWNS[1], HALVES[0]: TOWNS[1], HALVES[1]: TOWNS[1]}
    told = answer(area, COUNTS, WHOLE, ("24h", LATER, 1000))
    assert {one.code: one.count for one in told.figures} == {COUNTY: 7, TOWNS[1]: 7}


def test_a_scope_over_a_new_code_is_told_its_own_figures_only(at: At) -> None:
    told = answer(at(LATER), {HALVES[0]: 1}, Scope(HALVES[0]), ("24h", LATER, 1000))
    assert {one.code: one.count for one in told.figures} == {HALVES[0]: 1}


def test_grids_that_end_inside_a_version_stop_owning_points(database: Database, tmp_path: Path, at: At) -> None:
    ending = [CITY[0], structs.replace(CITY[1], valid_to=LATER + 2 * HOUR), CITY[2]]
    grids.import_grids(database, SYSTEM, ending, "ending", now=LATER + 1)
    grids.begin(database, now=LATER + 1)
    early, late = at(LATER + 2), at(LATER + 2 * HOUR)
    assert (early.id, early.until, late.id, late.until) == (3, LATER + 2 * HOUR, 3, None)
    assert early.key != late.key
    assert [area.locator.locate(*WEST).code for area in (early, late)] == [TOWNS[0], COUNTY]
    assert late.heirs[TOWNS[0]] == COUNTY


def test_the_card_of_a_grid(at: At) -> None:
    area = at(LATER)
    counts: gridcard.Counts = {name: {} for name in ("routine", "urgent", "24h")} | {
        "critical": {HALVES[0]: 1},
        "7d": COUNTS,
    }
    found = gridcard.facts(area, COUNTY, counts, Card(COUNTY), [], (LATER, 1000))
    assert (found.open["critical"], found.received, found.chain) == (1, {"24h": 0, "7d": 7}, ())
    assert found.km2 == pytest.approx(2 * SQUARE**2 * 111.32 * 110.85 * 0.866, rel=0.01)
    assert found.heat is not None and (found.heat.basis, found.population) == ("rate", 20_000)
    leaf = gridcard.facts(area, HALVES[0], counts, Card(HALVES[0]), [], (LATER, 1000))
    assert [grid.code for grid in leaf.chain] == [COUNTY]


def test_grids_are_found_by_code_and_name_inside_the_scope(at: At) -> None:
    area = at(START)
    assert [grid.code for grid in gridcard.found(area, "99010100", WHOLE)] == list(TOWNS)
    assert [grid.code for grid in gridcard.found(area, f"GRID {TOWNS[1]}", WHOLE)] == [TOWNS[1]]
    assert [grid.code for grid in gridcard.found(area, "grid", Scope(TOWNS[0]))] == [TOWNS[0]]
    assert gridcard.found(area, " ", WHOLE) == []


def test_the_history_of_a_code_says_what_changed(at: At, database: Database) -> None:
    moved = shapely.to_wkb(shapely.box(120, 30, 120.005, 30.01))
    changed: list[GridRow] = [CITY[0], structs.replace(CITY[1], name="新名", wkb=moved), CITY[2]]
    grids.begin(database, now=LATER)
    grids.import_grids(database, SYSTEM, changed, "back", now=LATER + 1)
    steps = gridcard.steps(grids.of_code(database, TOWNS[0]))
    assert [(one.version, one.changes) for one in steps] == [(3, ("came",)), (2, ("went",)), (1, ("came",))]
    grids.import_grids(database, SYSTEM, CITY, "again", now=LATER + 2)
    assert gridcard.steps(grids.of_code(database, TOWNS[0]))[0].changes == ("renamed", "moved")
