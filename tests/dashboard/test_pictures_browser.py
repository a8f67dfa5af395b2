"""The page of pictures in a real Chromium: no look without a reason, the right camera in each tile, an entry a look."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from config import clock
from config.settings import Settings
from operations import journal
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.database import Database
from streams.demo import scenes
from streams.demo.rtsp_server import Camera, RtspServer
from tests import leave
from tests.dashboard.studio import Studio, seen
from tests.dashboard.web import Web, signed_in, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
NUMBERS = (11, 22)
LIVE = "document.querySelectorAll('[data-camera][data-state=live]').length === {}"
JUDGED = """() => {
  const steady = {frames: 0, dropped: 0, lag: 0.1, errors: 0, stream: "sub"};
  const window = (dropped, stream) =>
    [0, 1, 2, 3, 4].map((n) => ({...steady, stream, frames: 24 * n, dropped: dropped * n}));
  const judge = (tiles, late = 0) => {
    const told = gridwall.desk.pictures.judge(tiles, [0, 0, 0, 0, 0].fill(late));
    return `${told.act} ${told.most}`;
  };
  const good = window(0, "sub"), bad = window(8, "sub"), large = window(8, "main");
  const four = [good, good, good, good];
  return [judge(four), judge([good, good, bad, bad]), judge([good, large]), judge(four, 900), judge([bad]),
    judge([bad, bad, bad, bad])];
}"""


@pytest.fixture
def studio(settings: Settings, furnished: Database) -> Iterator[Studio]:
    """Two cameras of the catalogue, drawn."""

    leave.everywhere(furnished, ("",))

    def enlist(server: RtspServer) -> None:
        items = [
            Item(code=str(n), name=f"路口 {n}", url_main=server.url(str(n)), url_sub=server.url(str(n)), status="on")
            for n in NUMBERS
        ]
        with furnished.write() as transaction:
            take(transaction, "s", items, complete=True, now=clock.now())

    made = Studio(settings, furnished, {str(n): Camera(scenes.Scene(n, f"路口 {n}")) for n in NUMBERS}, enlist)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def web(settings: Settings, valkey: str, furnished: Database) -> Iterator[Web]:
    """The application."""
    made = Web(settings)
    made.start()
    yield made
    made.stop()


def shown(page: "Page", tile: int) -> int | None:
    """The camera whose mark a tile shows."""
    return seen(page.locator(".pictures-tile").nth(tile).locator("video:not([hidden]), canvas:not([hidden])").first)


def shows(page: "Page", tile: int, number: int) -> None:
    """Wait until a tile shows a camera."""
    deadline = clock.monotonic() + 5
    while shown(page, tile) != number:
        assert clock.monotonic() < deadline, (tile, number)


def looks(database: Database, action: str = "look.began") -> int:
    return sum(one.action == action for one in journal.read(database, 0))


def test_tiles_are_filled_swapped_kept_and_cleared_and_each_look_is_one_entry(
    page: "Page", web: Web, furnished: Database, studio: Studio
) -> None:
    signed_in(page, web, furnished, "operator", "/pictures")
    until(page, "document.querySelectorAll('.pictures-found').length === 2")
    page.keyboard.press("Slash")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, "document.getElementById('pictures-why').open")
    assert looks(furnished) == 0, "nobody looks before saying why"
    page.keyboard.press("Enter")
    until(page, LIVE.format(1))
    page.locator(".pictures-found").nth(1).drag_to(page.locator(".pictures-tile").nth(1))
    until(page, LIVE.format(2))
    shows(page, 0, NUMBERS[0])
    shows(page, 1, NUMBERS[1])
    page.keyboard.press("Shift+ArrowLeft")
    shows(page, 0, NUMBERS[1])
    assert looks(furnished) == 2, "a swap is no new look"

    page.click(".pictures-views > button >> nth=0")
    page.fill(".pictures-naming input", "路口")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.pictures-views select').value !== ''")
    page.keyboard.press("Delete")
    until(page, LIVE.format(1))
    page.keyboard.press("Shift+Digit1")
    until(page, LIVE.format(2))
    shows(page, 0, NUMBERS[1])

    page.keyboard.press("Enter")
    until(page, "document.querySelector('[data-plays$=webcodecs][data-state=live] canvas:not([hidden])')")
    shows(page, 0, NUMBERS[1])
    with page.expect_download() as download:
        page.keyboard.press("KeyS")
    assert download.value.suggested_filename.startswith(f"{NUMBERS[1]}_")
    assert page.evaluate(JUDGED) == [" 4", "fewer 2", "small 2", "fewer 3", " 1", "fewer 2"]

    began = looks(furnished)
    page.goto("about:blank")
    deadline = clock.monotonic() + 5
    while looks(furnished, "look.ended") < began:
        assert clock.monotonic() < deadline
