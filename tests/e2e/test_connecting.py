"""From an empty installation to a connected district by the screens alone: grids with faults, a workbook, a feed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from config import clock
from config.words import Words
from tests.conftest import Running, program
from tests.dashboard.web import until
from tests.e2e import district
from tests.e2e.district import Feed

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.whole, pytest.mark.browser]
PATIENCE_MS = 60_000
WORDS = Words()
QUARTER_OF_AN_HOUR = 900


def china() -> datetime:
    """The wall clock of the city."""
    return datetime.fromtimestamp(clock.now() / 1e6, ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def empty() -> Iterator[Running]:
    """A program nobody has set anything up in."""
    with program() as made:
        yield made


@pytest.fixture
def feed() -> Iterator[Feed]:
    """The weather service's feed, with one alert for the next three hours."""
    made = Feed(china(), china() + timedelta(hours=3))
    yield made
    made.close()


def test_an_administrator_connects_a_district_within_a_quarter_of_an_hour(
    empty: Running, feed: Feed, page: "Page", tmp_path: Path
) -> None:
    began = clock.monotonic()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(empty.link("admin"))
    page.wait_for_selector(".admin-steps li >> nth=2")
    bring_in_grids(page, empty, district.shapefile(tmp_path))
    connect_hotline(page, empty, district.workbook(tmp_path, china()))
    connect_weather(page, empty, feed)
    page.goto(empty.link("duty"))  # who administers sees no incident
    page.goto(f"{empty.url}/wall")
    until(page, "document.body.innerText.includes('暴雨')", PATIENCE_MS)
    until(page, "gridwallMap.pictures[0].heat.counts.size > 0", PATIENCE_MS)
    page.goto(f"{empty.url}/desk")
    until(page, f"document.body.innerText.includes('{district.ORDERS} / {district.ORDERS}')", PATIENCE_MS)
    assert page.inner_text("button:has-text('未落格')").split()[-1] == "0"
    assert clock.monotonic() - began < QUARTER_OF_AN_HOUR


def bring_in_grids(page: "Page", empty: Running, packed: Path) -> None:
    """The file's faults are told, what is safe is repaired, and the version is taken over."""
    page.goto(f"{empty.url}/grids")
    give(page, "#grids-file-choose", packed)
    page.wait_for_selector(".admin-notice.wrong", timeout=PATIENCE_MS)
    page.click("#grids-repair [type=checkbox]")
    page.click("#grids-again")
    page.wait_for_selector("#grids-take:visible", timeout=PATIENCE_MS)
    page.click("#grids-take")
    page.wait_for_selector(".admin-notice:has-text('已启用第 1 版，共 16 个网格')", timeout=PATIENCE_MS)


def connect_hotline(page: "Page", empty: Running, book: Path) -> None:
    """A workbook with merged header cells: its columns are proposed, saved and sent."""
    new_source(page, empty, "file", {"id": "hotline", "name": "12345 热线"})
    page.click("[role=tab][data-tab=files]")
    give(page, "#files-file-choose", book)
    page.wait_for_selector(".admin-notice:has-text('30 行')", timeout=PATIENCE_MS)
    page.click("[role=tab][data-tab=mapping]")
    page.wait_for_selector("#mapping-preview:has-text('噪音扰民')", timeout=PATIENCE_MS)
    page.click("#mapping-save")
    page.wait_for_selector("#mapping-told .admin-notice.good", timeout=PATIENCE_MS)
    page.click("[role=tab][data-tab=files]")
    page.click("#files-go")
    page.wait_for_selector("#files-progress:has-text('30')", timeout=PATIENCE_MS)


def connect_weather(page: "Page", empty: Running, feed: Feed) -> None:
    """The feed is asked once to see what it holds, then pulled."""
    new_source(page, empty, "cap_pull", {"id": "weather", "name": "气象预警", "url": feed.url})


def new_source(page: "Page", empty: Running, kind: str, values: dict[str, str]) -> None:
    """Fill in the form of a kind and save it."""
    page.goto(f"{empty.url}/sources")
    page.click("#source-add")
    page.click(f"#form-kind [type=radio][value={kind}]")
    page.wait_for_selector(f"#form-body .desk-hint:has-text('{WORDS.text(f'sources.kind_hint.{kind}')}')")
    for name, value in values.items():
        page.fill(f"""[id='{{"field":"{name}"}}']""", value)
    page.click("#form-save")
    page.wait_for_selector(f".admin-row:has-text('{values['name']}')", timeout=PATIENCE_MS)


def give(page: "Page", button: str, file: Path) -> None:
    """Choose a file as a person does."""
    with page.expect_file_chooser() as chooser:
        page.click(button)
    chooser.value.set_files(file)
