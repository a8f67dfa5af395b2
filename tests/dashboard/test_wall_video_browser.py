"""A wall's live pictures in a real Chromium: the right cameras, those a desk wants, and back after the relay died."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error

from config import clock
from config.settings import Settings
from operations import driving, pairings
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.database import Database
from operations.policy import SYSTEM
from operations.seal import KeyStore
from operations.walls import Plan
from streams.demo import scenes
from streams.demo.rtsp_server import Camera, RtspServer
from tests import leave
from tests.dashboard.studio import Studio, seen
from tests.dashboard.test_desk_browser import at
from tests.dashboard.test_live import NORTH
from tests.dashboard.web import Web, until
from tests.operations.desk import OPERATOR, Desk

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
NEAR, FAR = (11, 12), (21, 22)
PLACES = {11: (120.005, 30.006), 12: (120.006, 30.005), 21: (122.0, 31.001), 22: (122.001, 31.0)}
LIVE = "document.querySelectorAll('#wall-video-tiles [data-state=live]').length"


@pytest.fixture
def studio(settings: Settings, furnished: Database) -> Iterator[Callable[[], Studio]]:
    """Starts the cameras and the relay; those of before are gone."""
    running: list[Studio] = []

    leave.everywhere(furnished, ("",))

    def enlist(server: RtspServer) -> None:
        items = [
            Item(code=str(n), name=f"C{n}", url_main=server.url(str(n)), lon=lon, lat=lat, chain=NORTH, status="on")
            for n, (lon, lat) in PLACES.items()
        ]
        with furnished.write() as transaction:
            take(transaction, "s", items, complete=True, now=clock.now())

    def begun() -> Studio:
        running.append(Studio(settings, furnished, {str(n): Camera(scenes.Scene(n, f"C{n}")) for n in PLACES}, enlist))
        running[-1].start()
        return running[-1]

    yield begun
    running[-1].stop()


@pytest.fixture
def desk(settings: Settings, furnished: Database) -> Iterator[Desk]:
    """Two incidents, far from each other, the nearer to the graver."""
    keys = KeyStore(settings.data / "keys")
    made = Desk(furnished, keys, now=clock.now())
    made.send(at("near", 120.005, 30.005, urgency="critical"), at("far", 122.0, 31.0, grid_code="", urgency="urgent"))
    yield made
    keys.close()


def shown(page: "Page") -> set[int | None]:
    """The marks of all tiles as they stand on the glass."""
    tiles = page.locator("#wall-video-tiles [data-state=live] video").all()
    try:
        return {seen(one) for one in tiles}
    except Error:  # a tile has just given its place to another
        return set()


def shows(page: "Page", cameras: tuple[int, ...]) -> None:
    """Wait until the wall shows these cameras."""
    deadline = clock.monotonic() + 20
    until(page, f"{LIVE} === {len(cameras)}")
    while (found := shown(page)) != set(cameras):
        assert clock.monotonic() < deadline, found


def test_a_wall_shows_the_gravest_obeys_a_desk_and_comes_back_after_the_relay_died(
    page: "Page", web: Web, furnished: Database, desk: Desk, studio: Callable[[], Studio]
) -> None:
    first = studio()
    waiting, claim = pairings.begin(furnished, "", now=clock.now(), agent="Chromium", address="127.0.0.1")
    wall = pairings.confirm(furnished, SYSTEM, waiting.code, Plan("大厅"), now=clock.now())
    page.context.add_cookies([{"name": "gridwall_wall", "value": claim, "url": web.url}])
    page.goto(f"{web.url}/wall?video=4")
    shows(page, NEAR)

    far = next(one.id for one in desk.board().incidents.values() if one.title == "title of far")
    driving.picture(furnished, OPERATOR, [wall], "pin", incident=far, now=clock.now())
    shows(page, FAR)
    until(page, "document.getElementById('wall-video').dataset.notes.includes('operator 固定')")

    first.stop()
    until(page, f"{LIVE} === 0")
    assert page.locator("#wall-video-tiles [data-camera]").count() == 2, "dark, said so, and still there"
    studio()
    shows(page, FAR)
    driving.picture(furnished, OPERATOR, [wall], "veto", incident=far, now=clock.now())
    shows(page, NEAR)
