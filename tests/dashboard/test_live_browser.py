"""assets/live.js in a real Chromium: frames, acknowledgements, ages, loss, coming back, a hidden tab, a new version."""

import asyncio
import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from config import clock
from operations import accounts, sessions
from operations.database import Database
from operations.policy import SYSTEM
from tests.dashboard.conftest import PASSWORD
from tests.dashboard.test_live import NORTH, opened, write
from tests.dashboard.web import WAIT_MS, Web, signed_in, until
from tests.walls import as_wall

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route, WebSocketRoute

pytestmark = pytest.mark.browser

VISIBILITY = """state => {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def wall(web: Web, page: "Page", furnished: Database) -> "Page":
    """A signed-in wall that has painted its first frame."""
    as_wall(page, web.url, furnished)
    until(page, "window.gridwall && gridwall.paints.length > 0")
    return page


def link(page: "Page") -> Any:
    return page.evaluate("document.documentElement.dataset.link")


def wait_link(page: "Page", state: str) -> None:
    until(page, f"document.documentElement.dataset.link === '{state}'")


def test_an_incident_is_painted_and_acknowledged(web: Web, wall: "Page", furnished: Database) -> None:
    errors: list[str] = []
    wall.on("pageerror", lambda error: errors.append(str(error)))
    wall.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    write(furnished, opened("a", NORTH, clock.now()))
    wall.wait_for_selector("text=title of a", timeout=WAIT_MS)
    assert link(wall) == "live"
    until(wall, "gridwall.paints.at(-1)[0] === gridwall.state().n")
    painted = wall.evaluate("gridwall.paints.at(-1)[0]")
    wall.wait_for_timeout(300)
    assert web.ask(lambda server: max(one.painted for one in server.parts.hub.screens)) >= painted
    ages = wall.evaluate(
        "[...document.querySelectorAll('[data-at]')].filter(e => +e.dataset.at && !e.textContent).length"
    )
    assert ages == 0 and errors == []


def test_a_server_away_is_shown_within_5_s_and_what_was_missed_when_it_is_back(
    web: Web, wall: "Page", furnished: Database
) -> None:
    write(furnished, opened("a", NORTH, clock.now()))
    wall.wait_for_selector("text=title of a", timeout=WAIT_MS)
    web.stop()
    until(wall, "document.documentElement.dataset.link !== 'live'", 5_000)
    wait_link(wall, "lost")
    assert "连接中断" in wall.inner_text("#live-bar")
    assert wall.is_visible("text=title of a")
    write(furnished, opened("b", NORTH, clock.now()))
    web.start()
    wall.wait_for_selector("text=title of b", timeout=WAIT_MS)
    wait_link(wall, "live")
    until(wall, "document.getElementById('live-bar').textContent.includes('1 起事件有变化')")


def test_an_engine_away_is_said_within_5_s_and_so_is_its_return(web: Web, wall: "Page") -> None:
    async def away() -> dict[str, Any]:
        return await asyncio.Event().wait()  # type: ignore[return-value]  # a stopped engine never answers

    answering = web.ask(lambda server: server.parts.port.gauges)
    web.ask(lambda server: setattr(server.parts.port, "gauges", away))
    backlog = "document.querySelector('[data-backlog]').textContent"
    until(wall, f"{backlog}.includes('来件接收中断')", 5_000)
    as_of = wall.evaluate("Number(document.getElementById('wall-as-of').dataset.at)")
    until(wall, f"gridwall.clock() * 1000 - {as_of} > 5e6")
    assert wall.evaluate("Number(document.getElementById('wall-as-of').dataset.at)") == as_of
    web.ask(lambda server: setattr(server.parts.port, "gauges", answering))
    until(wall, f"!{backlog}", 5_000)
    assert "来件接收已恢复" in wall.inner_text("#live-bar")


def test_a_silent_server_counts_as_lost(web: Web, wall: "Page") -> None:
    web.ask(lambda server: server.parts.hub._tasks[2].cancel())  # its heart
    web.ask(lambda server: server.parts.hub._tasks[0].cancel())
    until(wall, "document.documentElement.dataset.link === 'lost'")


def test_a_new_version_loads_the_page_again_in_its_state(web: Web, wall: "Page") -> None:
    wall.goto(f"{web.url}/wall?lang=en&window=1h")
    until(wall, "window.gridwall && gridwall.paints.length > 0")
    wall.evaluate("window.before = true")
    web.stop()
    web.start(version="another")
    until(wall, "!window.before && window.gridwall?.paints.length > 0")
    assert wall.url.endswith("/wall?lang=en&window=1h")


def test_the_same_version_comes_back_without_loading_again(web: Web, wall: "Page") -> None:
    wall.evaluate("window.before = true")
    epoch = wall.evaluate("gridwall.state().epoch")
    web.stop()
    web.start()
    until(wall, f"gridwall.state().epoch !== '{epoch}'")
    wait_link(wall, "live")
    assert wall.evaluate("window.before") is True


def test_an_ended_session_goes_dark_and_leads_to_sign_in(web: Web, page: "Page", furnished: Database) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    signed_in(page, web, furnished, "leader", "/wall")
    until(page, "window.gridwall && gridwall.paints.length > 0")
    until(page, "gridwallMap?.pictures[0]?.heat")
    secret = next(one["value"] for one in page.context.cookies() if one["name"] == "gridwall_session")
    onward: list[Route] = []
    page.route("**/wall", lambda route: onward.append(route))  # it does not go on before it was read
    sessions.close(furnished, secret, now=clock.now())
    page.wait_for_selector(".dark", timeout=WAIT_MS)  # nothing of the picture stays behind the words that say why
    assert page.locator("#page").count() == 0 and page.inner_text("body").strip() == page.inner_text(".dark").strip()
    page.unroute("**/wall")
    for one in onward:
        one.continue_()
    page.wait_for_url("**/signin?next=%2Fwall&ended=expired", timeout=WAIT_MS)
    assert page.inner_text("[role=alert]") == "登录已结束，请重新登录。"
    assert errors == []  # the map draws nothing on a page that is gone


def test_a_hidden_tab_says_hidden_and_comes_back_with_the_newest(web: Web, wall: "Page", furnished: Database) -> None:
    wall.evaluate(VISIBILITY, "hidden")
    write(furnished, opened("a", NORTH, clock.now()))
    wall.wait_for_selector("text=title of a", timeout=WAIT_MS)
    wall.wait_for_timeout(500)
    assert web.ask(lambda server: [one.hidden for one in server.parts.hub.screens]) == [True]
    wall.evaluate(VISIBILITY, "visible")
    until(wall, "gridwall.paints.at(-1)[0] === gridwall.state().n")
    wall.wait_for_timeout(500)
    assert web.ask(lambda server: [one.hidden for one in server.parts.hub.screens]) == [False]


def test_skipped_frames_are_told_for_a_while_and_never_those_of_a_hidden_tab(
    web: Web, page: "Page", wall: "Page"
) -> None:
    lines: list[WebSocketRoute] = []
    said = {"version": web.ask(lambda server: server.parts.version), "now": clock.now(), "changed": 0, "missed": 0}
    count = itertools.count(1)

    def frame(missed: int) -> None:
        told = {"n": next(count), "as_of": clock.now(), "snapshot": False, "missed": missed}
        lines[-1].send(json.dumps(told | {"props": {}, "keyed": {}, "gauges": {}}))

    def answer(line: "WebSocketRoute") -> None:
        lines.append(line)
        line.send(json.dumps({"hello": said | {"epoch": "1.x"}}))
        frame(0)

    page.route_web_socket("**/live?*", answer)
    page.clock.install()
    page.reload()
    until(page, "window.gridwall?.state().n === 1")
    page.evaluate(VISIBILITY, "hidden")
    frame(50)
    until(page, "gridwall.state().n === 2")
    page.evaluate(VISIBILITY, "visible")
    frame(40)
    until(page, "gridwall.state().n === 3")
    assert page.evaluate("gridwall.state().skipped") == 0
    frame(30)
    until(page, "gridwall.state().skipped === 29")
    page.clock.run_for(1_000)
    assert "29" in page.inner_text("#live-bar")
    for _ in range(14):
        lines[-1].send(json.dumps({"beat": clock.now()}))
        page.evaluate("0")
        page.clock.run_for(1_500)
    assert page.is_hidden("#live-bar")


def test_keyed_rows_reach_who_asks_for_them_whole_and_in_pieces(web: Web, wall: "Page", furnished: Database) -> None:
    wall.evaluate("window.heard = []; gridwall.on('heat', (set, gone, whole) => heard.push(whole.size))")
    write(furnished, opened("a", NORTH, clock.now()))
    wall.wait_for_selector("text=title of a", timeout=WAIT_MS)
    until(wall, "heard.length > 0")
    assert wall.evaluate("heard.at(-1)") == 1


def test_the_sign_in_page_works_without_scripts(web: Web, chromium: Any, furnished: Database) -> None:
    accounts.add(furnished, SYSTEM, "duty", "leader", now=clock.now(), password=PASSWORD)
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(web.url + "/desk?lang=en")
    page.fill("#name", "duty")
    page.fill("#password", "wrong")
    page.click("button")
    assert page.is_visible("[role=alert]")
    page.click("[hreflang]")
    page.fill("#name", "duty")
    page.fill("#password", PASSWORD)
    page.click("button")
    assert "/desk" in page.url
    context.close()
