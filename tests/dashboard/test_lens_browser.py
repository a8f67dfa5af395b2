"""The control of the heat in a real Chromium: live all the while, never mixed, in the address, refused in words."""

from typing import TYPE_CHECKING, Any

import pytest

from config import clock
from dashboard import live
from operations.database import Database
from operations.entry import Draft
from tests.dashboard.test_live import NORTH, SOUTH, opened, write
from tests.dashboard.web import Web, until
from tests.walls import as_wall

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

HEAT = "JSON.stringify([...gridwallMap.pictures[0].heat.counts.keys()].sort())"
SAID = "document.getElementById('wall-map-lens').textContent"
LENS = "((one) => [one.heat, one.type, one.urgency].join())(gridwall.lens())"
NOTE = "document.querySelector('.lens-note').textContent"


def typed(name: str, chain: tuple[str, ...], type: str) -> Draft:
    made = opened(name, chain, clock.now())
    assert made.body is not None
    made.body["set"]["type"] = type
    return made


@pytest.fixture
def wall(furnished: Database, web: Web, page: "Page") -> "Page":
    """A wall of a city with a dispute in the north and a report of public order in the south."""
    write(furnished, typed("a", NORTH, "0101"), typed("b", SOUTH, "0201"))
    as_wall(page, web.url, furnished)
    shown(page)
    return page


def shown(page: "Page") -> None:
    """Wait for the first heat and the words for it, and for the page to call itself live."""
    until(
        page, "Boolean(window.gridwallMap?.pictures?.[0]?.heat?.counts.size && document.querySelector('.lens select'))"
    )
    until(page, f"Boolean({SAID}) && document.documentElement.dataset.link === 'live'")


def test_keys_switch_the_heat_and_never_mix_two_lenses_or_lose_the_picture(wall: "Page") -> None:
    wall.evaluate(
        """() => {
          window.seen = new Set();
          window.links = new Set();
          new MutationObserver(() => links.add(document.documentElement.dataset.link))
            .observe(document.documentElement, { attributes: true, attributeFilter: ["data-link"] });
          const look = () => {
            const said = document.getElementById("wall-map-lens").textContent;
            seen.add(`${said}: ${[...gridwallMap.pictures[0].heat.counts.keys()].sort()}`);
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    for type, leaves in (("01", NORTH[1]), ("02", SOUTH[1])):
        wall.keyboard.press("t")
        until(wall, f"{LENS} === '24h,{type},all' && {HEAT} === '[\"{leaves}\"]'")
    assert wall.url.endswith("/wall?type=02")
    wall.keyboard.press("b")
    until(wall, f"{LENS} === '24h,all,all' && {HEAT} === '[\"{NORTH[1]}\",\"{SOUTH[1]}\"]'")
    assert wall.url.endswith("/wall")
    wall.wait_for_timeout(500)
    assert set(wall.evaluate("[...seen]")) == {
        f"近 24 小时来件: {NORTH[1]},{SOUTH[1]}",
        f"热力只看：近 24 小时来件 · 矛盾纠纷: {NORTH[1]}",
        f"热力只看：近 24 小时来件 · 治安: {SOUTH[1]}",
    }
    assert wall.evaluate("[...links]") == []
    assert wall.evaluate("gridwall.paints.at(-1)[0] === gridwall.state().n")


def test_the_channel_goes_on_after_a_switch(web: Web, wall: "Page", furnished: Database) -> None:
    wall.select_option(".lens select >> nth=0", "1h")
    until(wall, f"{LENS} === '1h,all,all'")
    write(furnished, opened("c", NORTH, clock.now()))
    wall.wait_for_selector("text=title of c")
    until(wall, f"gridwallMap.pictures[0].heat.counts.get('{NORTH[1]}') === 2")
    until(wall, "gridwall.paints.at(-1)[0] === gridwall.state().n")
    wall.wait_for_timeout(300)
    screens: list[Any] = web.ask(lambda server: [(one.painted, one.channel.n) for one in server.parts.hub.screens])
    assert len(screens) == 1 and screens[0][0] > 0


def test_the_address_sets_up_a_wall_without_hands_and_survives_a_reload_and_an_outage(web: Web, wall: "Page") -> None:
    wall.goto(f"{web.url}/wall?heat=15m&type=02")

    def restart() -> None:
        web.stop()
        web.start()

    for again in (wall.reload, restart):
        shown(wall)
        until(wall, f"{SAID} === '热力只看：近 15 分钟来件 · 治安' && {HEAT} === '[\"{SOUTH[1]}\"]'")
        plate = wall.evaluate("getComputedStyle(document.getElementById('wall-map-lens')).backgroundColor")
        assert plate != "rgba(0, 0, 0, 0)"
        again()
    until(wall, "document.documentElement.dataset.link === 'live'")
    assert wall.evaluate(LENS) == "15m,02,all"
    wall.click(".lens-reset")
    until(wall, f"{SAID} === '近 24 小时来件'")
    assert wall.url == f"{web.url}/wall"
    assert not wall.is_visible(".lens-reset")


def test_without_room_the_old_lens_stays_and_the_screen_says_so(
    web: Web, wall: "Page", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_LENSES", 0)
    wall.keyboard.press("h")
    until(wall, f"{NOTE} === '不同热力条件已满，未切换'")
    assert wall.evaluate(LENS) == "24h,all,all"
    assert wall.evaluate("document.querySelector('.lens select').value") == "24h"
    assert wall.url == f"{web.url}/wall"
    assert wall.evaluate("document.documentElement.dataset.link") == "live"
    wall.goto(f"{web.url}/wall?heat=1h")
    shown(wall)
    until(wall, f"{NOTE} === '不同热力条件已满，未切换'")
    until(wall, f"{SAID} === '近 24 小时来件'")
    assert wall.url.endswith("?heat=1h"), "what the wall was set up for stays its wish"


def test_a_wrong_address_shows_the_default_and_says_so(web: Web, wall: "Page") -> None:
    wall.goto(f"{web.url}/wall?lang=zh&heat=2h&type=02")
    shown(wall)
    until(wall, f"{NOTE} === '没有这种热力条件，未切换'")
    until(wall, f"{SAID} === '近 24 小时来件'")
    assert wall.url == f"{web.url}/wall?lang=zh"


def test_the_control_is_reached_and_worked_by_keyboard(wall: "Page") -> None:
    wall.focus(".lens select >> nth=1")
    wall.keyboard.press("ArrowDown")
    until(wall, f"{LENS} === '24h,01,all'")
    wall.keyboard.press("Tab")
    wall.keyboard.press("Tab")
    assert wall.evaluate("document.activeElement.className") == "lens-reset"
    wall.keyboard.press("Enter")
    until(wall, f"{LENS} === '24h,all,all'")
    wall.evaluate("document.activeElement.blur()")
    wall.keyboard.press("Shift+H")
    until(wall, f"{LENS} === '1h,all,all'")
