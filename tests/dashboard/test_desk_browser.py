"""The desk in a real Chromium on a small city: what a role is offered."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from config import clock
from config.settings import Settings
from operations.database import Database
from operations.report import Place, Report
from operations.seal import KeyStore
from tests.dashboard.web import Web, signed_in, until
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
def city(settings: Settings, furnished: Database) -> Iterator[Desk]:
    """One incident in the city, and one far outside."""
    keys = KeyStore(settings.data / "keys")
    desk = Desk(furnished, keys, now=clock.now())
    desk.send(at("near", 120.005, 30.005), at("far", 122.0, 31.0, grid_code=""))
    yield desk
    keys.close()


@pytest.fixture
def signed(settings: Settings, valkey: str, furnished: Database, city: Desk, page: "Page") -> Iterator[Signed]:
    """Signs a role in to a page, with one report in quarantine."""
    city.send(refusal(b'{"id": 1,\n' + b'"line": 0,\n' * 200 + b'"title": NaN}', received_at=clock.now()))
    web = Web(settings)
    web.start()

    def opened(role: str, path: str = "/desk") -> "Page":
        signed_in(page, web, furnished, role, path)
        until(page, "document.documentElement.dataset.link === 'live'")
        until(page, "document.querySelector('[role=listbox] [role=option]')")
        return page

    yield opened
    web.stop()


def choose(page: "Page", title: str) -> None:
    """Open an incident by a click on its row."""
    page.click(f".desk-row:has-text('{title}')")
    page.wait_for_selector(f"#desk-head:has-text('{title}')")


def test_a_link_of_another_page_opens_its_incident_and_leaves_the_desks_address(signed: Signed, city: Desk) -> None:
    near = next(one for one in city.board().incidents.values() if one.title == "title of near")
    page = signed("operator", f"/desk?incident={near.id}")
    page.wait_for_selector("#desk-head:has-text('title of near')")
    until(page, "document.querySelector('#desk-details')?.dataset.id && !location.search.includes('incident')")


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


PALE = """(button) => {
  const [text, key] = [button, button.querySelector("kbd")].map((one) => getComputedStyle(one).color);
  return text === key;
}"""


def test_a_reader_of_quarantine_reads_from_the_top_and_writes_nothing(signed: Signed) -> None:
    page = signed("operator", "/quarantine")
    page.keyboard.press("j")
    page.keyboard.press("v")
    page.keyboard.type("核对来源")
    page.keyboard.press("Control+Enter")
    until(page, "document.activeElement?.id === 'quarantine-content'")
    content = page.locator("#quarantine-content")
    assert content.evaluate("(one) => [one.readOnly, one.scrollTop, one.selectionStart]") == [True, 0, 0]
    assert content.evaluate("(one) => one.scrollHeight > one.clientHeight")
    assert page.locator("label:has(#quarantine-content) span").inner_text() == "内容"
    assert page.locator(".quarantine-repair .primary").evaluate(PALE)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#desk-toast:has-text('须由值班长办理')")


def test_a_leader_sees_the_keys_of_what_others_may_do_and_no_way_to_closed_pages(signed: Signed) -> None:
    page = signed("leader")
    assert page.locator("#desk-new[aria-disabled=true]").evaluate(PALE)
    shown = page.locator(".desk-nav a:visible").all_inner_texts()
    open_to_leaders = ["值班台", "实时画面", "视频调阅", "热力分析", "信息报送", "摄像机", "通讯录与值班", "指挥大屏"]
    assert [text.strip() for text in shown] == open_to_leaders
    choose(page, "title of near")
    page.wait_for_selector("#desk-details .desk-denied:has-text('以领导身份看不到')")


TWINS = "document.querySelectorAll('#desk-side:not([data-loading]) [data-twin]').length"
ROWS = "document.querySelectorAll('.desk-row .desk-double').length"


def test_what_may_be_one_event_is_opened_told_apart_and_taken_back_by_keys(signed: Signed, city: Desk) -> None:
    city.send(at("again", 120.0051, 30.005, source="worker"))
    page = signed("operator")
    page.wait_for_selector(".desk-row:has-text('title of near') .desk-double:has-text('疑似同一事件 2 件')")
    choose(page, "title of near")
    until(page, f"{TWINS} === 1")
    assert "相距 10 米" in page.locator("#desk-details [data-twin]").inner_text()
    page.keyboard.press("o")
    page.wait_for_selector("#desk-head:has-text('title of again')")
    until(page, f"{TWINS} === 1")
    page.keyboard.press("d")
    page.wait_for_selector("#desk-toast:has-text('不再提示')")
    until(page, f"{ROWS} === 0 && {TWINS} === 0")
    page.keyboard.press("d")
    none = page.locator("#desk-toast:has-text('没有疑似同一事件')")
    while not none.count():  # a key is not taken while the one before is being answered
        page.keyboard.press("d")
        page.wait_for_timeout(300)
    city.send(at("third", 120.0051, 30.005, source="media"))
    page.wait_for_selector("#desk-details [data-twin]:has-text('title of third')")
    assert page.evaluate(f"{ROWS}") == 3, "near and third, again and third, but not near and again"


def test_telling_apart_can_be_taken_back(signed: Signed, city: Desk) -> None:
    city.send(at("again", 120.0051, 30.005, source="worker"))
    page = signed("operator")
    choose(page, "title of near")
    until(page, f"{TWINS} === 1")
    page.click("#desk-details [data-distinct]")
    page.wait_for_selector("#desk-toast:has-text('不再提示')")
    until(page, f"{TWINS} === 0")
    page.keyboard.press("z")
    page.wait_for_selector("#desk-toast:has-text('恢复提示')")
    until(page, f"{TWINS} === 1 && {ROWS} === 2")


def test_who_may_not_tell_apart_is_told_so(signed: Signed, city: Desk) -> None:
    city.send(at("again", 120.0051, 30.005, source="worker"))
    page = signed("leader")
    choose(page, "title of near")
    until(page, f"{TWINS} === 1")
    page.keyboard.press("d")
    page.wait_for_selector("#desk-toast:has-text('领导不能做这项操作')")
