"""A way to a server that can fall silent and stay open, as a network does that a phone has left."""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType

from tests import ports

CHUNK = 65_536


class Passage:
    """Passes on what comes for a port of this machine, both ways, while it is open."""

    def __init__(self, target: int) -> None:
        self._target, self._port = target, ports.free()
        self.url = f"http://127.0.0.1:{self._port}"
        self._up, self._thread = threading.Event(), threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> "Passage":
        self._thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def hold(self) -> None:
        """Pass nothing on, and close nothing."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def go_on(self) -> None:
        """Pass on again, what waited first."""
        self._loop.call_soon_threadsafe(self._open.set)

    async def _serve(self) -> None:
        self._loop, self._open, self._over = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        self._open.set()
        server = await asyncio.start_server(self._taken, "127.0.0.1", self._port)
        self._up.set()
        await self._over.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(self._passed(reader, back), self._passed(there, writer))

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(CHUNK):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
