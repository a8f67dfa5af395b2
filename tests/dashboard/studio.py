"""Drawn cameras, their server and the relay, in a loop of their own beside the test."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import cv2
import numpy as np

from config.settings import Settings
from dashboard.relaying import Cameras
from operations.database import Database
from streams.demo import pattern, scenes
from streams.demo.rtsp_server import Camera, RtspServer
from streams.video import relay

if TYPE_CHECKING:
    from playwright.sync_api import Locator

Enlist = Callable[[RtspServer], None]


class Studio:
    """`enlist(server)` tells the program where the cameras' streams are."""

    def __init__(self, settings: Settings, database: Database, cameras: Mapping[str, Camera], enlist: Enlist) -> None:
        self._settings, self._database, self._cameras, self._enlist = settings, database, cameras, enlist
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def start(self) -> None:
        self._thread.start()
        assert self._up.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def again(self) -> None:
        """Start anew after `stop`, as after a crash; it knows nothing of before."""
        self._up.clear()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.start()

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        data = self._settings.data
        async with RtspServer(dict(self._cameras)) as server:
            self._enlist(server)
            self._up.set()
            listed = Cameras(data, self._database)
            await relay.serve(relay.place(data), listed.source, None, self._over, listed.leaves)


def seen(plays: "Locator") -> int | None:
    """The camera whose mark stands on the glass, in the middle of an element at the picture's own shape."""
    image = cv2.imdecode(np.frombuffer(plays.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    wide = image.shape[0] * scenes.MAIN[0] // scenes.MAIN[1]
    if wide < image.shape[1]:
        left = (image.shape[1] - wide) // 2
        image = image[:, left : left + wide]
    else:
        high = image.shape[1] * scenes.MAIN[1] // scenes.MAIN[0]
        top = (image.shape[0] - high) // 2
        image = image[top : top + high]
    found = pattern.read(image, scenes.MAIN[1])
    return None if found is None else found[0]
