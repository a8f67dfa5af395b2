"""The datum tab in a real Chromium: an administrator is told, looks at the evidence, confirms, and goes back."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from config import clock
from config.settings import Settings
from operations import datums, sources
from operations.database import Database
from operations.policy import SYSTEM
from operations.report import Place
from operations.seal import KeyStore
from operations.sources import Source
from tests.dashboard.web import Web, signed_in, until
from tests.operations.desk import Desk, report
from tests.operations.story import EVIDENCE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

Opened = Callable[[str], "Page"]


@pytest.fixture
def opened(settings: Settings, furnished: Database, web: Web, page: "Page") -> Iterator[Opened]:
    """Signs a role in to the page of sources, one of which is proposed another datum for."""
    keys = KeyStore(settings.data / "keys")
    now = clock.now()
    sources.add(furnished, SYSTEM, Source("hotline", "12345 热线"), now=now)
    city = Desk(furnished, keys, now=now)
    city.send(report("A", place=Place(120.005, 30.005, 120.005, 30.005, "WGS84"), received_at=now, occurred_at=now))
    datums.propose(furnished, "hotline", EVIDENCE, now=now)

    def sign_in(role: str) -> "Page":
        signed_in(page, web, furnished, role, "/sources")
        page.click("button:has-text('12345 热线')")
        page.click("[data-tab=datum]")
        page.wait_for_selector("#source-datum h2:has-text('坐标系核对')")
        return page

    yield sign_in
    keys.close()


def test_an_administrator_confirms_and_goes_back(opened: Opened, furnished: Database) -> None:
    page = opened("system_admin")
    page.wait_for_selector("#desk-datums:has-text('坐标系待确认：12345 热线')")
    told = page.locator("#source-datum").inner_text()
    assert "80 件写明地点的来件" in told and "95.0 %" in told
    page.click("button:has-text('确认，改用并重新换算')")
    page.wait_for_selector("#source-datum:has-text('已改用新坐标系')")
    page.wait_for_selector("#source-datum:has-text('还有 1 起事件')")
    until(page, "document.getElementById('desk-datums').hidden")
    assert _datum(furnished) == "GCJ02"
    page.click("button:has-text('改回')")
    page.wait_for_selector("#source-datum:has-text('已改回')")
    assert _datum(furnished) == "WGS84"


def test_an_administrator_keeps_the_declared_one(opened: Opened, furnished: Database) -> None:
    page = opened("system_admin")
    page.click("button:has-text('不改，维持原坐标系')")
    page.wait_for_selector("#source-datum:has-text('已记下：维持原坐标系')")
    assert _datum(furnished) == "WGS84"
    assert datums.standing(furnished, "hotline").refused_at


def test_a_duty_commander_looks_and_decides_nothing(opened: Opened, furnished: Database) -> None:
    page = opened("duty_commander")
    page.wait_for_selector("#source-datum:has-text('由系统管理员决定')")
    assert page.locator("#source-datum button:disabled").count() == 2
    assert not page.locator("#desk-datums").is_visible()


def _datum(database: Database) -> str:
    found = sources.get(database, "hotline")
    assert found is not None
    return found.datum
