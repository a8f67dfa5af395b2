"""The heat page in a real Chromium: what it shows is what the API says; by keys alone; on a phone; empty and away."""

from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from config import clock
from operations import accounts, grids, sessions
from operations.database import Database
from operations.policy import SYSTEM
from tests.dashboard.conftest import CITY, PASSWORD, TOWNS
from tests.dashboard.test_live import NORTH, SOUTH, opened, write
from tests.dashboard.web import Web, until

if TYPE_CHECKING:
    from playwright.sync_api import Page


pytestmark = pytest.mark.browser
ROWS = (
    "[...document.querySelectorAll('.heat-table tbody tr')].map((one) => [one.dataset.code, one.cells[2].textContent])"
)
SHOWN = "document.querySelectorAll('.heat-table tbody tr').length"


def entered(web: Web, page: "Page", furnished: Database, query: str = "") -> None:
    accounts.add(furnished, SYSTEM, "chief", "leader", now=clock.now(), password=PASSWORD)
    once = sessions.issue_one_time(furnished, "chief", clock.now())
    page.goto(f"{web.url}/signin?once={once}&next=/heat{query}")
    until(page, "Boolean(document.querySelector('.heat-what'))")


def test_the_page_shows_what_the_api_says(web: Web, page: "Page", furnished: Database) -> None:
    write(furnished, *(opened(name, NORTH, clock.now()) for name in "abc"), opened("d", SOUTH, clock.now()))
    entered(web, page, furnished)
    until(page, f'JSON.stringify({ROWS}) === \'[["{TOWNS[0]}","3"],["{TOWNS[1]}","1"]]\'')
    said = page.inner_text(".heat-said")
    assert "共 4 件" in said and "往周数据不足" in said and "截至" in said and "网格第 1 版" in said
    page.focus(f"tr[data-code='{TOWNS[1]}'] .heat-name")
    page.keyboard.press("Enter")
    assert page.get_attribute(f"tr[data-code='{TOWNS[1]}']", "aria-selected") == "true"
    page.focus(".heat-choice[data-name=unit]")
    page.keyboard.press("ArrowDown")
    until(page, f"{ROWS}[0]?.[1] === '0.75'")  # 3 of 40,000 people
    assert "unit=people" in page.url and "unit=people" in (page.get_attribute(".heat-csv", "href") or "")
    painted = page.evaluate("((one) => [one.width, one.height, one.toDataURL().length > 20000])(gridwallHeat.draw())")
    assert painted == [1920, 1080, True]
    page.reload()
    until(page, f"{ROWS}[0]?.[1] === '0.75'")


def test_a_phone_has_all_of_it_without_scrolling_sideways(web: Web, page: "Page", furnished: Database) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    entered(web, page, furnished, "?lang=en")
    assert page.is_visible(".heat-nothing")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_wrong_dates_and_a_server_that_is_away_are_said(web: Web, page: "Page", furnished: Database) -> None:
    entered(web, page, furnished)
    page.select_option(".heat-choice[data-name=window]", "dates")
    page.fill("#heat-first", "2099-01-02")
    page.fill("#heat-last", "2099-01-03")
    page.dispatch_event("#heat-last", "change")
    until(page, "document.querySelector('.heat-said').dataset.kind === 'wrong'")
    assert "日期" in page.inner_text(".heat-said")
    page.route("**/api/v1/heat/areas*", lambda route: route.abort())
    page.select_option(".heat-choice[data-name=window]", "1h")
    until(page, "document.querySelector('.heat-said').textContent.includes('连接不上')")
    page.unroute("**/api/v1/heat/areas*")
    page.click(".heat-refresh")
    until(page, f"{SHOWN} === 2 && document.querySelector('.heat-said').dataset.kind === ''")


def test_a_city_of_one_level_is_shown_and_a_fault_of_the_page_is_not_the_servers(
    web: Web, page: "Page", furnished: Database
) -> None:
    flat = [structs.replace(one, level=1, parent="") for one in CITY if one.code in TOWNS]
    version = grids.import_grids(furnished, SYSTEM, flat, "flat", now=clock.now())
    await_version = "fetch('/api/v1/grids/about').then((one) => one.json()).then((told) => told.version)"
    entered(web, page, furnished, "?level=1")
    until(page, f"(async () => (await {await_version}).startsWith('{version}.'))()")
    page.goto(f"{web.url}/heat")
    until(page, f"{SHOWN} === 2 && document.querySelector('.heat-said').dataset.kind === ''")
    assert page.input_value(".heat-choice[data-name=level]") == "1" and "level=1" in page.url
    page.evaluate("void (gridwallHeat.shapes = () => { throw new Error('no canvas') })")
    page.click(".heat-refresh")
    until(page, "document.querySelector('.heat-said').textContent.includes('no canvas')")
    assert "连接不上" not in page.inner_text(".heat-said")
