"""The desk in a real Chromium on a small city: what a role is offered."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from config import clock
from config.settings import Settings
from operations import accounts, sessions
from operations.database import Database
from operations.policy import SYSTEM
from operations.report import Place, Report
from operations.seal import KeyStore
from tests.dashboard.conftest import PASSWORD
from tests.dashboard.test_live_browser import until
from tests.dashboard.web import Web
from tests.operations.desk import Desk, refusal, report

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

Signed = Callable[..., "Page"]


def at(id: str, lon: float, lat: float, **more: object) -> Report:
    """A report at a point; the city reaches from 120 to 120.02 degrees and from 30 to 30.01."""
    now = clock.now()
    place = Place(lon, lat, lon, lat)
    return report(id, title=f"title of {id}", place=place, occurred_at=now, received_at=now, **more)


@pytest.fixture
def signed(settings: Settings, valkey: str, furnished: Database, page: "Page") -> Iterator[Signed]:
    """Signs a role in to a page, with one incident in the city, one far outside, and one report in quarantine."""
    keys = KeyStore(settings.data / "keys")
    desk = Desk(furnished, keys, now=clock.now())
    desk.send(at("near", 120.005, 30.005), at("far", 122.0, 31.0, grid_code=""))
    desk.send(refusal(b'{"id": 1,\n' + b'"line": 0,\n' * 200 + b'"title": NaN}', received_at=clock.now()))
    web = Web(settings)
    web.start()

    def opened(role: str, path: str = "/desk") -> "Page":
        accounts.add(furnished, SYSTEM, role, role, now=clock.now(), password=PASSWORD)
        page.goto(f"{web.url}/signin?once={sessions.issue_one_time(furnished, role, clock.now())}&next={path}")
        until(page, "document.documentElement.dataset.link === 'live'")
        until(page, "document.querySelector('[role=listbox] [role=option]')")
        return page

    yield opened
    web.stop()
    keys.close()


def choose(page: "Page", title: str) -> None:
    """Open an incident by a click on its row."""
    page.click(f".desk-row:has-text('{title}')")
    page.wait_for_selector(f"#desk-head:has-text('{title}')")


def test_only_who_may_reopen_is_offered_to_undo_closing(signed: Signed) -> None:
    page = signed("operator")
    choose(page, "title of near")
    page.keyboard.press("c")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#desk-toast:has-text('已办结')")
    assert page.locator("#desk-toast button").count() == 0
    until(page, "document.querySelector('[data-action=place]').getAttribute('aria-disabled') === 'true'")
    page.keyboard.press("g")
    page.wait_for_selector("#desk-toast:has-text('这起事件已办结')")
    assert page.locator("#desk-action form").count() == 0


CENTRE = "JSON.stringify(gridwallMap.pictures[0].map.getCenter())"
ELSEWHERE = "void gridwallMap.pictures[0].map.setView([30.005, 120.1], 15, { animate: false })"
AWAY = "document.querySelector('.desk-away')"


def test_the_map_stays_in_the_city_and_where_it_is_locked(signed: Signed) -> None:
    page = signed("operator")
    until(page, f"Boolean({AWAY})")
    before = page.evaluate(CENTRE)
    choose(page, "title of far")
    until(page, f"{AWAY}.textContent.endsWith('0.1 公里') && !{AWAY}.hidden")
    assert page.evaluate(CENTRE) == before
    choose(page, "title of near")
    assert page.evaluate(f"{AWAY}.hidden") and page.evaluate(CENTRE) == before
    page.evaluate(ELSEWHERE)
    elsewhere = page.evaluate(CENTRE)
    page.keyboard.press("Escape")
    choose(page, "title of near")
    assert page.evaluate(CENTRE) != elsewhere, "what lies in the city is shown"
    page.click(".map-lock")
    page.evaluate(ELSEWHERE)
    choose(page, "title of far")
    choose(page, "title of near")
    assert page.evaluate(CENTRE) == elsewhere, "a locked view stays"
