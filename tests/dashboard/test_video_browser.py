"""One tile in a real Chromium: the right camera in the right order, honest when it stands still, dark when ended."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from config import clock
from config.settings import Settings
from dashboard.relaying import LISTED
from operations import journal, looks
from operations.database import Database
from operations.policy import SYSTEM
from streams.demo import pattern, scenes
from streams.demo.rtsp_server import Camera, Fault, RtspServer
from tests import leave
from tests.dashboard.studio import Studio
from tests.dashboard.web import Web, signed_in, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
NUMBER = 4711
TILE = "document.getElementById('tile')"
PUT = """() => {
  const tile = document.createElement("div");
  tile.id = "tile";
  tile.dataset.camera = "c-1";
  tile.dataset.stream = "main";
  Object.assign(tile.style, { position: "fixed", inset: "0 auto auto 0", zIndex: 99999 });
  Object.assign(tile.style, { width: "640px", height: "360px" });
  document.body.append(tile);
}"""


@pytest.fixture
def camera() -> Camera:
    """The camera before the tile."""
    return Camera(scenes.Scene(NUMBER, "测试"), authentication="digest", username="op", password="pw")


@pytest.fixture
def studio(settings: Settings, furnished: Database, camera: Camera) -> Iterator[Studio]:
    """It runs, listed by hand."""

    leave.everywhere(furnished, ("",))

    def enlist(server: RtspServer) -> None:
        (settings.data / "keys").mkdir(exist_ok=True)
        line = f'["c-1"]\nmain = "{server.url("live")}"\nusername = "op"\npassword = "pw"\ngrids = ["990101"]\n'
        (settings.data / LISTED).write_text(line, encoding="utf-8")

    made = Studio(settings, furnished, {"live": camera}, enlist)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def web(settings: Settings, valkey: str, furnished: Database) -> Iterator[Web]:
    made = Web(settings)
    made.start()
    yield made
    made.stop()


def seen(page: "Page", after: int = -1) -> tuple[int, int]:
    """Camera and frame as they stand on the glass, once there is one later than `after`."""
    deadline = clock.monotonic() + 5
    while (found := glimpse(page)) is None or found[1] <= after:
        assert clock.monotonic() < deadline, found
    return found


def glimpse(page: "Page") -> tuple[int, int] | None:
    """What one screenshot shows; None while the picture is grey."""
    shot = page.screenshot(clip={"x": 0, "y": 0, "width": 640, "height": 360})
    image = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return pattern.read(image)


def test_a_tile_shows_its_camera_and_never_passes_a_frozen_picture_for_live(
    page: "Page", web: Web, furnished: Database, studio: Studio, camera: Camera
) -> None:
    signed_in(page, web, furnished, "operator", "/desk")
    until(page, "document.querySelector('#desk-facts, main')")
    page.evaluate(PUT)
    until(page, f"{TILE}.dataset.state === 'live'")
    first = seen(page)
    second = seen(page, first[1])
    assert first[0] == second[0] == NUMBER
    assert float(page.evaluate(f"{TILE}.dataset.age")) < 1.0

    camera.fault = Fault("stall")
    stalled_at = clock.monotonic()
    until(page, f"{TILE}.dataset.state === 'stalled'")
    assert clock.monotonic() - stalled_at < 3.5
    assert float(page.evaluate(f"{TILE}.dataset.age")) >= 2
    camera.fault = Fault()
    until(page, f"{TILE}.dataset.state === 'live'")
    assert seen(page, second[1])[0] == NUMBER

    (look,) = [one.subject_id for one in journal.read(furnished, 0) if one.action == "look.began"]
    with closing(Database(web.settings.database_url)) as database:
        assert looks.close(database, SYSTEM, [look], now=clock.now()) == 1
    closed_at = clock.monotonic()
    until(page, f"{TILE}.dataset.state === 'refused' && !{TILE}.querySelector('video').getAttribute('src')")
    assert clock.monotonic() - closed_at < 1.0
