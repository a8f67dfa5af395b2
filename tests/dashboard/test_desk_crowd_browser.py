"""The desk with more open than its queue holds, in a real Chromium: the rest is counted, found by filters, and kept."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from config import clock
from config.settings import Settings
from dashboard.panels import desk_queue
from dashboard.selection import Choice
from operations.database import Database
from operations.seal import KeyStore
from tests.dashboard.web import Web, signed_in, until
from tests.operations.desk import Desk, report

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ROWS = "[...document.querySelectorAll('.desk-row-title')].map((one) => one.textContent).sort().join()"
REST = "document.querySelector('.desk-rest')"


@pytest.fixture
def town(settings: Settings, furnished: Database) -> Iterator[Desk]:
    """Where reports come from; four are there."""
    with closing(KeyStore(settings.data / "keys")) as keys:
        made = Desk(furnished, keys, now=clock.now())
        come(made, *"abcd")
        yield made


def come(town: Desk, *titles: str, urgency: str = "routine") -> None:
    for title in titles:
        at = town.tick()
        town.send(report(title, title=title, urgency=urgency, occurred_at=at, received_at=at))


@pytest.fixture
def desk(
    settings: Settings, valkey: str, town: Desk, furnished: Database, page: "Page", monkeypatch: pytest.MonkeyPatch
) -> Iterator["Page"]:
    """A desk that holds two open incidents."""
    held = (Choice(2, desk_queue.rank_open), Choice(2, desk_queue.rank_closed))
    monkeypatch.setitem(desk_queue.CHOSEN, "queue", held)
    web = Web(settings)
    web.start()
    signed_in(page, web, furnished, "operator", "/desk")
    until(page, f"{ROWS} === 'c,d'")
    yield page
    web.stop()


def test_what_the_queue_does_not_hold_is_counted_and_found_by_a_filter(desk: "Page") -> None:
    until(desk, f"{REST}.textContent.startsWith('在办 4 起，其中 2 起')")
    assert desk.inner_text(".desk-chip >> nth=2").endswith("4")
    desk.keyboard.press("3")
    until(desk, f"{ROWS} === 'a,b,c,d'")
    until(desk, f"{REST}.hidden")
    desk.keyboard.press("0")
    until(desk, f"{ROWS} === 'c,d' && !{REST}.hidden")


def test_what_somebody_works_on_stays_though_graver_ones_come(desk: "Page", town: Desk) -> None:
    desk.keyboard.press("J")
    desk.keyboard.press("Enter")
    until(desk, "document.querySelector('#desk-head').textContent.includes('一般')")
    come(town, "e", "f", urgency="critical")
    until(desk, f"{ROWS} === 'c,e,f'")
    desk.keyboard.press("a")
    until(desk, "document.querySelector('[data-action=acknowledge]')?.getAttribute('aria-disabled') === 'true'")
    assert desk.evaluate(ROWS) == "c,e,f"
    desk.keyboard.press("Home")
    until(desk, f"{ROWS} === 'e,f'")
