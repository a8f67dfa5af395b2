"""Drawn cameras, their server and the relay, in a loop of their own beside the test."""

import asyncio
import threading
from collections.abc import Callable, Mapping

from config.settings import Settings
from dashboard.relaying import Cameras
from operations.database import Database
from streams.demo.rtsp_server import Camera, RtspServer
from streams.video import relay

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

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        data = self._settings.data
        async with RtspServer(dict(self._cameras)) as server:
            self._enlist(server)
            self._up.set()
            await relay.serve(relay.place(data), Cameras(data, self._database).source, None, self._over)
