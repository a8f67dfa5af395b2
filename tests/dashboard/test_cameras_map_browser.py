"""Cameras on the desk's map in a real Chromium: shown by a key, changed by the live channel, opened by Enter."""

from typing import TYPE_CHECKING

import pytest

from config import clock
from dashboard import cameramap
from operations.cameras import keeping
from operations.cameras.item import Item
from operations.database import Database
from tests.dashboard.test_live import NORTH
from tests.dashboard.web import Web, signed_in, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SIGNS = "document.querySelectorAll('.camera-sign')"
STATES = f"[...{SIGNS}].map((one) => one.dataset.condition).sort().join()"
SEEN = "window.gridwallMap?.pictures?.[0]?.cameras?.seen"


def camera(code: str, lon: float, status: str) -> Item:
    url = "rtsp://127.0.0.1:1/main"
    return Item(code=code, name=code, lon=lon, lat=30.005, chain=NORTH, status=status, url_main=url, direction=90.0)


def test_cameras_come_by_a_key_follow_the_catalogue_and_open_by_enter(
    monkeypatch: pytest.MonkeyPatch, furnished: Database, web: Web, page: "Page"
) -> None:
    monkeypatch.setattr(cameramap, "LOOK_SECONDS", 0.2)
    with furnished.write() as transaction:
        items = [camera("a", 120.004, "on"), camera("b", 120.008, "off")]
        keeping.take(transaction, "s", items, complete=True, now=clock.now())
    signed_in(page, web, furnished, "operator", "/desk")
    until(page, "Boolean(window.gridwallMap?.pictures?.[0]?.cameras?.switched)")
    page.keyboard.press("Shift+M")
    until(page, f"{SEEN}?.total === 2")
    page.evaluate("gridwallMap.pictures[0].map.setView([30.005, 120.006], 16, { animate: false })")
    until(page, f"{STATES} === 'live,off'")

    with furnished.write() as transaction:
        keeping.signal(transaction, "s", "status", {"a": "off"}, now=clock.now())
    until(page, f"{STATES} === 'off,off'")

    page.evaluate(f"{SIGNS}[0].focus()")
    page.keyboard.press("Enter")
    until(page, "Boolean(document.querySelector('#desk-cameras-sheet[open] [data-camera][data-why=patrol]'))")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+M")
    until(page, f"{SIGNS}.length === 0")
