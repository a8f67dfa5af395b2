"""An administrator imports a later version in Chromium: sees what it changes, withdraws one, and one takes effect."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
import shapely
from msgspec import structs

from config import clock
from config.settings import Settings
from dashboard.moment import FORMATS
from operations import duties, grids, journal
from operations.database import Database
from operations.grids import GridRow
from operations.policy import SYSTEM
from tests.dashboard.conftest import CITY, COUNTY, TOWNS, square
from tests.dashboard.web import Web, signed_in, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
SECOND = 1_000_000
AFTER = [
    structs.replace(CITY[0], name="新区"),
    square(TOWNS[0], 2, COUNTY, 0, 1.5),
    square(TOWNS[1], 2, COUNTY, 1.5, 2),
]


def geojson(rows: list[GridRow]) -> bytes:
    """The rows as a file an administrator would have."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": row.code, "name": row.name, "population": row.population},
            "geometry": orjson.Fragment(shapely.to_geojson(shapely.from_wkb(row.wkb))),
        }
        for row in rows
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture
def page_of_grids(settings: Settings, valkey: str, furnished: Database, page: "Page") -> Iterator["Page"]:
    """The page of grids in English, signed in as an administrator, live."""
    web = Web(settings)
    web.start()
    signed_in(page, web, furnished, "system_admin", "/grids?lang=en")
    until(page, "document.documentElement.dataset.link === 'live'")
    until(page, "document.querySelector('#versions-list table')")
    yield page
    web.stop()


def send(page: "Page", file: Path, start: str) -> None:
    """Send a file, wait for what it changes, and take it over from a time on."""
    with page.expect_file_chooser() as chooser:
        page.click("#grids-file-choose")
    chooser.value.set_files(file)
    until(
        page,
        "!document.querySelector('#grids-take').hidden && document.querySelector('#grids-difference .difference-map')",
    )
    page.fill("#grids-from", start)
    page.click("#grids-take")


def states(page: "Page") -> str:
    return page.inner_text("#versions-list")


def test_a_later_version_is_seen_withdrawn_and_takes_effect(
    page_of_grids: "Page", furnished: Database, settings: Settings, tmp_path: Path
) -> None:
    page, file = page_of_grids, tmp_path / "later.geojson"
    file.write_bytes(geojson(AFTER))
    far = datetime.fromtimestamp(clock.now() / SECOND + 86_400, settings.zone).strftime(FORMATS[1])
    send(page, file, far)
    until(page, "document.querySelector('#grids-taken').textContent.includes('takes effect at')")
    told = page.inner_text("#grids-difference")
    assert "2 with another border, 1 renamed" in told and TOWNS[0] in told
    page.click("[data-tab=versions]")
    until(page, "document.querySelector('#versions-list').textContent.includes('To come')")
    page.click("[id*='version-compare']")
    until(page, "document.querySelector('#versions-compared .difference-map path.grid-was')")
    page.click("[id*='withdraw']")
    page.click("#versions-yes")
    until(page, "document.querySelector('#versions-list').textContent.includes('Withdrawn')")
    page.click("[data-tab=import]")
    soon = datetime.fromtimestamp(clock.now() / SECOND + 3, settings.zone).strftime(FORMATS[0])
    page.fill("#grids-from", soon)
    page.click("#grids-take")
    page.click("[data-tab=versions]")
    until(page, "/3\\s+In force/.test(document.querySelector('#versions-list').innerText)")
    assert grids.current_id(furnished, clock.now()) == 3
    actions = [entry.action for entry in journal.read(furnished, 0) if entry.subject_type == "grids"]
    assert actions == ["grids.imported", "grids.in_force", "grids.imported", "grids.withdrawn", "grids.imported"]


def test_a_time_that_has_passed_or_is_none_is_refused(page_of_grids: "Page", tmp_path: Path) -> None:
    page, file = page_of_grids, tmp_path / "later.geojson"
    file.write_bytes(geojson(AFTER))
    send(page, file, "2020-01-01")
    until(page, "document.querySelector('#grids-taken').textContent.includes('has passed')")
    page.fill("#grids-from", "tomorrow")
    page.click("#grids-take")
    until(page, "document.querySelector('#grids-taken').textContent.includes('no time: tomorrow')")


def test_duties_are_changed_on_the_card(page_of_grids: "Page", furnished: Database) -> None:
    page = page_of_grids
    page.click("[data-tab=card]")
    page.fill("#card-search", TOWNS[0])
    page.click(f"#card-hits button:has-text('{TOWNS[0]}')")
    until(page, "document.querySelector('#card-shown .gridcard')")
    page.fill("#card-duties", "leader, Wang, 0371-60001234")
    page.click("#card-save")
    until(page, "document.querySelector('#card-shown').textContent.includes('0371-60001234')")
    assert duties.card(furnished, SYSTEM_READER, (TOWNS[0],)).duties == (
        duties.Duty("leader", "Wang", "0371-60001234"),
    )


SYSTEM_READER = structs.replace(SYSTEM, role="system_admin")


def test_everything_on_the_desks_map_changes_with_the_grids(
    settings: Settings, valkey: str, furnished: Database, page: "Page"
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    web = Web(settings)
    web.start()
    signed_in(page, web, furnished, "operator", "/desk")
    until(page, "Boolean(gridwallMap.pictures[0]?.marks && gridwallMap.pictures[0].warnings)")
    until(page, "document.documentElement.dataset.link === 'live'")
    until(page, "document.body.innerText.includes('目前没有事件')")
    flat = [structs.replace(one, level=1, parent="") for one in CITY if one.code in TOWNS]
    grids.import_grids(furnished, SYSTEM, flat, "flat", now=clock.now())
    until(page, "gridwallMap.pictures[0].layers.levels.length === 1")
    parts = "[one.cells, one.cells.fine, one.marks, one.warnings].every((part) => part.layers === one.layers)"
    assert page.evaluate(f"((one) => {parts})(gridwallMap.pictures[0])")
    assert errors == []
    web.stop()
