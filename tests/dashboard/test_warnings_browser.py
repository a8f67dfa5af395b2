"""A warning in a real Chromium: sent, on the wall, named and heard; gone by the clock, or when cancelled."""

import urllib.request
from typing import TYPE_CHECKING

import pytest

from config import clock
from operations import accounts, sessions, tokens
from operations.database import Database
from operations.policy import SYSTEM
from tests.dashboard.conftest import PASSWORD
from tests.dashboard.test_live_browser import until
from tests.dashboard.web import Web
from tests.streams.bulletins import HOUR, SECOND, document, info, reference
from tests.walls import as_wall

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def send(web: Web, furnished: Database):  # type: ignore[no-untyped-def]
    token = tokens.add(furnished, SYSTEM, "qxt", "intake", now=clock.now(), source_id="s1")

    def sent(body: bytes) -> None:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/cap+xml"}
        with urllib.request.urlopen(urllib.request.Request(f"{web.url}/api/v1/warnings", body, headers)) as answer:
            assert answer.status == 202

    return sent


@pytest.fixture
def wall(web: Web, page: "Page", furnished: Database) -> "Page":
    """A signed-in wall that has painted its first frame."""
    as_wall(page, web.url, furnished)
    until(page, "window.gridwall && gridwall.paints.length > 0")
    return page


def banner(page: "Page") -> str:
    return page.inner_text("#wall-warnings") if page.is_visible("#wall-warnings") else ""


def test_a_warning_comes_outlined_and_heard_and_is_cancelled(web: Web, wall: "Page", send) -> None:  # type: ignore[no-untyped-def]
    assert banner(wall) == ""
    now = clock.now()
    send(document(sent=now, expires=now + HOUR))
    until(wall, "document.querySelector('.warning-red')?.textContent.includes('暴雨')")
    assert "红色预警" in banner(wall) and "市气象台" in banner(wall)
    until(wall, "document.querySelector('.warning-area').textContent === 'grid 990101001'")
    until(wall, "gridwallSound.heard.filter(([kind]) => kind === 'warning').length === 1")
    send(document("C1", sent=now, kind="Cancel", references=reference("W1", now), infos=""))
    until(wall, "!document.querySelector('.warning')")
    assert banner(wall) == ""


def test_it_goes_by_itself_when_its_time_is_over(web: Web, wall: "Page", send) -> None:  # type: ignore[no-untyped-def]
    now = clock.now()
    send(document(sent=now, expires=now + 8 * SECOND))
    until(wall, "!!document.querySelector('.warning')")
    until(wall, "!document.querySelector('.warning')")


def test_an_exercise_is_marked_and_never_heard(web: Web, wall: "Page", send) -> None:  # type: ignore[no-untyped-def]
    now = clock.now()
    send(document("T1", sent=now, status="Test", expires=now + HOUR))
    send(document("E1", sent=now, status="Exercise", expires=now + HOUR))
    until(wall, "!!document.querySelector('.warning.is-exercise')")
    assert "演练" in banner(wall)
    assert wall.evaluate("[document.querySelectorAll('.warning').length, gridwallSound.heard.length]") == [1, 0]


def test_two_languages_and_the_gravest_first(web: Web, wall: "Page", send) -> None:  # type: ignore[no-untyped-def]
    now = clock.now()
    both = info(expires=now + HOUR) + info(
        expires=now + HOUR, language="en", event="Rainstorm", headline="Red rainstorm warning", issuer="Weather service"
    )
    send(document("B", sent=now, expires=now + HOUR, severity="Minor", headline="高温蓝色预警", event="高温"))
    send(document("A", sent=now, infos=both))
    until(wall, "!!document.querySelector('.warning-others')")
    assert [one.strip() for one in wall.locator(".warning-event").all_inner_texts()] == ["暴雨", "高温"]
    wall.goto(f"{web.url}/wall?lang=en")
    until(wall, "!!document.querySelector('.warning-others')")
    assert "Red warning" in banner(wall) and "Rainstorm" in banner(wall)


TOP_OF_CITY = """(() => { const one = gridwallMap.pictures[0];
  return one.map.latLngToContainerPoint(one.layers.bounds().getNorthWest()).y; })()"""
COVERED = """Math.max(...["wall-call", "wall-warnings"]
  .map((id) => document.getElementById(id).getBoundingClientRect().bottom))
  - document.getElementById("wall-map").getBoundingClientRect().top"""


def test_the_city_fits_below_the_banner_and_below_a_call_with_it(web: Web, wall: "Page", send) -> None:  # type: ignore[no-untyped-def]
    until(wall, "!!gridwallMap.pictures?.[0]?.layers")
    now = clock.now()
    send(document("R", sent=now, expires=now + HOUR, headline="A headline that is far too long for one line " * 4))
    until(wall, f"!!document.querySelector('.warning-red') && {TOP_OF_CITY} > {COVERED}")
    before = wall.evaluate(COVERED)
    wall.evaluate("""document.getElementById("wall-call").innerHTML = '<div class="call-box">特急</div>'""")
    until(wall, f"{COVERED} > {before} && {TOP_OF_CITY} > {COVERED}")


def test_the_sheet_at_the_desk_is_opened_and_closed_by_keys(web: Web, page: "Page", furnished: Database, send) -> None:  # type: ignore[no-untyped-def]
    now = clock.now()
    send(document(sent=now, expires=now + HOUR))
    accounts.add(furnished, SYSTEM, "op", "operator", now=now, password=PASSWORD)
    page.goto(f"{web.url}/signin?once={sessions.issue_one_time(furnished, 'op', clock.now())}&next=/desk")
    until(page, "document.getElementById('desk-me')?.textContent && !!document.querySelector('.warned .warning-mark')")
    sheet = "document.getElementById('desk-warnings').open"
    page.keyboard.press("w")
    until(page, sheet)
    page.keyboard.press("n")  # nothing opens under it
    assert page.evaluate("gridwall.desk.mode()") == "warnings"
    page.keyboard.press("Escape")
    until(page, f"!{sheet}")
