"""View limits in a real Chromium: masks drawn on the card, and a tile that shows a masked camera and says so."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from config import clock
from config.settings import Settings
from operations import accounts, sessions
from operations.cameras import limits
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.cameras.limits import FORBIDDEN, MASKED, Limit, Wish
from operations.cameras.reading import of_code
from operations.database import Database
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from streams.demo import pattern, scenes
from streams.demo.rtsp_server import Camera, RtspServer
from streams.video.covering import COVER
from tests.dashboard.studio import Studio
from tests.dashboard.web import PASSWORD, Web, signed_in, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
NUMBER = 4711
ADMIN = Identity("account", "a", "admin", "system_admin")
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
DRAWN = ((0.1, 0.1), (0.6, 0.1), (0.6, 0.8))
HIDDEN = Wish(kind=MASKED, why="居民楼窗户", masks=(LEFT,))
TILE = "document.getElementById('tile')"
DARK = f"({TILE}.querySelector('canvas').width === 0 && !{TILE}.querySelector('video').getAttribute('src'))"
PUT = """(camera) => {
  const tile = document.createElement("div");
  tile.id = "tile";
  Object.assign(tile.dataset, { camera, stream: "main" });
  const words = { live: "live", live_masked: "masked 1 fps, {age} s", refused_forbidden_place: "never" };
  tile.dataset.words = JSON.stringify(words);
  Object.assign(tile.style, { position: "fixed", inset: "0 auto auto 0", zIndex: 99999 });
  Object.assign(tile.style, { width: "640px", height: "360px" });
  document.body.append(tile);
  const marks = new MutationObserver(() => tile.querySelector(".tile-mark")?.style.setProperty("visibility", "hidden"));
  marks.observe(tile, { childList: true });
}"""


@pytest.fixture
def studio(settings: Settings, furnished: Database) -> Iterator[Studio]:
    """One drawn camera of the catalogue."""

    def enlist(server: RtspServer) -> None:
        item = Item(
            code="1", name="路口", owner="police", url_main=server.url("1"), url_sub=server.url("1"), status="on"
        )
        with furnished.write() as transaction:
            take(transaction, "s", [item], complete=True, now=clock.now())

    made = Studio(settings, furnished, {"1": Camera(scenes.Scene(NUMBER, "路口"))}, enlist)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def web(settings: Settings, valkey: str, furnished: Database) -> Iterator[Web]:
    made = Web(settings)
    made.start()
    yield made
    made.stop()


def owner_signed_in(page: "Page", web: Web, database: Database) -> None:
    """Sign in somebody of the department whose the camera is."""
    accounts.add(database, SYSTEM, "owner", "operator", now=clock.now(), password=PASSWORD, scope=Scope("", "police"))
    page.goto(f"{web.url}/signin?once={sessions.issue_one_time(database, 'owner', clock.now())}&next=/desk")


def camera(database: Database) -> str:
    with database.read() as connection:
        found = of_code(connection, "s", "1")
    assert found is not None
    return found.id


def kept(database: Database) -> Limit | None:
    with database.read() as connection:
        return limits.of(connection, [camera(database)]).get(camera(database))


def glimpse(page: "Page") -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    shot = page.screenshot(clip={"x": 0, "y": 0, "width": 640, "height": 360})
    image = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_a_masked_camera_is_shown_masked_and_says_so_and_a_forbidden_one_goes_dark(
    page: "Page", web: Web, furnished: Database, studio: Studio
) -> None:
    owner_signed_in(page, web, furnished)
    until(page, "document.querySelector('#desk-facts, main')")
    page.evaluate(PUT, camera(furnished))
    until(page, f"{TILE}.dataset.plays === 'main mse' && {TILE}.dataset.state === 'live'")
    deadline = clock.monotonic() + 5
    while (found := pattern.read(glimpse(page))) is None or found[0] != NUMBER:
        assert clock.monotonic() < deadline
    limits.put(furnished, ADMIN, camera(furnished), HIDDEN, revision=0, now=clock.now())
    until(page, f"{TILE}.dataset.plays === 'main masked' && {TILE}.dataset.state === 'live'")
    image = glimpse(page)
    assert pattern.read(image) is None
    assert np.abs(image[:, :300].astype(int) - COVER).max() <= 3 and image[:, 340:].std() > 10
    first = page.evaluate(f"gridwall.tile({TILE}).shown")
    assert page.evaluate(f"{TILE}.querySelector('p').textContent").startswith("masked 1 fps")
    assert 0 <= float(page.evaluate(f"{TILE}.dataset.age")) < 5
    until(page, f"gridwall.tile({TILE}).shown > {first}")

    forbidden = Wish(kind=FORBIDDEN, why="旅馆客房")
    limits.put(furnished, ADMIN, camera(furnished), forbidden, revision=1, now=clock.now())
    until(page, f"{TILE}.dataset.state !== 'live' && {DARK}")
    until(page, f"{TILE}.dataset.state === 'refused' && {TILE}.querySelector('p').textContent === 'never'")
    assert page.evaluate(DARK)


def test_masks_are_drawn_on_the_card_and_registered_with_a_reason(
    page: "Page", web: Web, furnished: Database, studio: Studio
) -> None:
    signed_in(page, web, furnished, "system_admin", "/cameras")
    page.locator(".camera-row").first.click()
    summary = page.locator("#camera-card-limits summary")
    summary.click()
    area = page.locator(".limit-area.drawing")
    area.scroll_into_view_if_needed()
    box = area.locator("svg").bounding_box()
    assert box is not None
    for x, y in DRAWN:
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    area.focus()
    page.keyboard.press("Enter")
    typed = page.locator("#camera-card-limit-masks").input_value()
    assert len(typed.split()) == len(DRAWN), typed
    assert area.locator("polygon").count() == 1
    page.locator("#camera-card-limit-masks").fill(f"{typed}\n0.7,0.7 0.9,0.7 0.9,0.9")
    until(page, "document.querySelectorAll('.limit-area.drawing polygon').length === 2")
    page.click("#camera-card-limit-save")
    page.locator("#camera-card-limit-said .wrong").wait_for()
    assert kept(furnished) is None, "no reason, no limit"
    page.fill("#camera-card-limit-why", "居民楼窗户")
    page.click("#camera-card-limit-save")
    page.locator("#camera-card-limits .limit-area:not(.drawing) polygon").nth(1).wait_for()
    found = kept(furnished)
    assert found is not None and found.kind == MASKED and found.why == "居民楼窗户"
    assert found.masks[1] == ((0.7, 0.7), (0.9, 0.7), (0.9, 0.9))
    assert np.abs(np.subtract(found.masks[0], DRAWN)).max() < 0.01
    page.locator("#camera-card-limits summary").click()
    page.fill("#camera-card-limit-why", "已拆除")
    page.click("#camera-card-limit-clear")
    page.locator("#camera-card-limits .limit-area:not(.drawing)").wait_for(state="detached")
    assert kept(furnished) is None
