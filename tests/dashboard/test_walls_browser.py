"""A screen and an administrator in two browsers: paired by its code, shows the city, revoked and dark."""

import threading
from typing import TYPE_CHECKING

import pytest

from config import clock
from dashboard.panels import wall_list
from operations import walls
from operations.database import Database
from operations.policy import SYSTEM
from tests.dashboard.test_live import NORTH, opened, write
from tests.dashboard.web import Web, signed_in, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
DARK = "document.documentElement.dataset.link === 'dark'"


def field(page: "Page", name: str) -> str:
    return f"""[id='{{"wall-field":"{name}"}}'] input, input[id='{{"wall-field":"{name}"}}']"""


def test_a_screen_is_paired_shows_the_city_and_goes_dark_when_it_is_revoked(
    web: Web, page: "Page", chromium: "Browser", furnished: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(furnished, opened("a", NORTH, clock.now()))
    screen = chromium.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    screen.goto(f"{web.url}/wall?lang=en")
    code = screen.inner_text(".pair-code").replace("\n", " ")
    fits = "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"
    assert screen.evaluate(fits)

    signed_in(page, web, furnished, "system_admin", "/walls?lang=en")
    page.fill("#wall-code input, input#wall-code", code.lower())
    page.click("#wall-find")
    page.wait_for_selector("text=1920×1080")
    page.fill(field(page, "name"), "Hall 1")
    page.click("""[id='{"wall-save":"pair"}']""")
    page.wait_for_selector("text=“Hall 1” is paired")

    until(screen, "location.pathname === '/wall' && window.gridwall && gridwall.paints.length > 0", 5_000)
    screen.wait_for_selector("text=title of a")
    until(page, "document.querySelector('.wall-state.connected') && /frame \\d/.test(document.body.textContent)")
    (hall,) = walls.listed(furnished, SYSTEM)
    assert hall.rotated_at > 0, "the secret that was a claim has replaced itself"
    held = {one["name"]: one for one in screen.context.cookies()}
    assert held["gridwall_wall"]["httpOnly"] and held["gridwall_wall"]["expires"] - clock.now() / 1e6 > 399 * 86_400

    page.on("dialog", lambda dialog: dialog.accept())
    held_up, drawn = threading.Event(), threading.Semaphore(0)
    asked, listed = wall_list.opened, wall_list.listed
    monkeypatch.setattr(wall_list, "opened", lambda *given: held_up.wait(30) and asked(*given))
    monkeypatch.setattr(wall_list, "listed", lambda *given: (listed(*given), drawn.release())[0])
    page.click(f"""[id='{{"of":"{hall.id}","wall-act":"revoke"}}']""")
    for pulse in range(3):  # the list is drawn anew while the answer to the press is on its way
        page.evaluate(f"dash_clientside.set_props('wall-pulse', {{data: {pulse}}})")
        assert drawn.acquire(timeout=30)
    held_up.set()
    page.wait_for_selector("text=“Hall 1” is revoked")
    until(screen, f"{DARK} || location.pathname === '/pair'", 3_000)
    assert "title of a" not in screen.inner_text("body")
    until(screen, "location.pathname === '/pair' && document.querySelector('.pair-notice')")
    assert "An administrator has revoked this screen" in screen.inner_text("body")
    screen.context.close()
