"""A WebSocket client that speaks ASGI directly to an application: no server, no network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import orjson

from dashboard.asgi import ASGI


class Closed(Exception):
    """The server closed the socket, or refused it; `code` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Wire:
    """One connection; `text()` gives the next message, `send` sends one."""

    def __init__(self, app: ASGI, scope: dict[str, Any]) -> None:
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._in.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: ASGI, scope: dict[str, Any]) -> None:
        await app(scope, self._in.get, self._out.put)

    async def message(self) -> dict[str, Any]:
        """Return the next ASGI message; raises Closed, or what the application raised."""
        wanted = asyncio.create_task(self._out.get())
        await asyncio.wait({wanted, self._task}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        if not wanted.done():
            wanted.cancel()
            assert self._task.done(), "nothing was said for 10 seconds"
            self._task.result()
            raise Closed(1006)
        found = wanted.result()
        if found["type"] == "websocket.close":
            raise Closed(found.get("code", 1000))
        return found

    async def text(self) -> str:
        """Return the next text."""
        return str((await self.message())["text"])

    async def json(self) -> dict[str, Any]:
        """Return the next text as JSON."""
        return dict(orjson.loads(await self.text()))

    def send(self, value: object) -> None:
        """Send a value as JSON."""
        self._in.put_nowait({"type": "websocket.receive", "text": orjson.dumps(value).decode()})

    async def leave(self) -> None:
        """Go away, as a browser that is closed."""
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait({self._task}, timeout=10)
        self._task.cancel()


@asynccontextmanager
async def connected(app: ASGI, address: str, headers: dict[str, str] | None = None) -> AsyncIterator[Wire]:
    """Connect to `address` (path and query); raises Closed when the handshake is refused."""
    split = urlsplit(address)
    scope = {
        "type": "websocket",
        "scheme": "ws",
        "path": split.path,
        "raw_path": split.path.encode(),
        "query_string": split.query.encode(),
        "headers": [(b"host", b"testserver")]
        + [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "subprotocols": [],
        "client": ("127.0.0.1", 50_000),
        "server": ("testserver", 80),
        "root_path": "",
        "http_version": "1.1",
    }
    wire = Wire(app, scope)
    try:
        first = await wire.message()
        assert first["type"] == "websocket.accept"
        yield wire
    finally:
        await wire.leave()
