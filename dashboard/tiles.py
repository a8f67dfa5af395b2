"""Tiles of the base map (瓦片): fetched by us from the one server in the settings, kept on disk; or files of ours.

The browser asks `/tiles/Z/X/Y` only: it learns neither the server nor its key. A server that is away is left alone for
a while, and what was kept before is shown however old it is: an old map is better than none.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx

from config.base_map import BaseMap
from config.clock import monotonic
from geo import cache

log = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log whole addresses, keys and all

SECONDS = 6.0
"""For one tile, from asking to its last byte."""
LARGEST = 1024 * 1024
AT_ONCE = 8
WAITING_MOST = 256
KEPT_BYTES = 1024 * 1024 * 1024
KEPT_SECONDS = 30 * 86_400
SWEPT_TO = 0.9
REST_SECONDS = 15.0
"""How long a server that failed is not asked again."""
KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
KEY = "base-map.key"

Place = tuple[int, int, int]
"""Zoom, column, row."""


class NoTile(Exception):
    """There is no such tile."""


class TilesAway(Exception):
    """The tile cannot be had now."""


class Tile(NamedTuple):
    """One picture."""

    body: bytes
    kind: str


class Tiles:
    """The tiles of one base map; `folder` is the data folder, `age` tells the seconds since a file was written."""

    def __init__(self, base: BaseMap | None, folder: Path, age: Callable[[Path], float]) -> None:
        self.base = base
        self._data = folder
        self._age = age
        name = hashlib.sha256(base.url.encode()).hexdigest()[:16] if base else ""
        self._kept = folder / "cache" / "tiles" / name
        self._client: httpx.AsyncClient | None = None
        self._room = asyncio.Semaphore(AT_ONCE)
        self._coming: dict[Place, asyncio.Task[Tile]] = {}
        self._rest_until = 0.0
        self._said = False
        self._bytes = -1

    async def get(self, place: Place) -> Tile:
        """Return a tile: kept lately, else fetched, else kept long ago. Raises NoTile, TilesAway."""
        if self.base is None or not self.base.holds(*place):
            raise NoTile
        if self.base.local:
            return await asyncio.to_thread(self._own, self.base, place)
        kept, fresh = await asyncio.to_thread(self._look, place)
        if kept is not None and fresh:
            return kept
        try:
            return await self._fetched(self.base, place)
        except TilesAway:
            if kept is None:
                raise
            return kept

    async def close(self) -> None:
        """End what is under way."""
        for task in list(self._coming.values()):
            task.cancel()
        await asyncio.gather(*self._coming.values(), return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def _own(self, base: BaseMap, place: Place) -> Tile:
        path = base.path(self._data / "tiles", *place)
        try:
            body = path.read_bytes() if path.stat().st_size <= LARGEST else b""
        except OSError:
            raise NoTile from None
        return tile(body)

    def _look(self, place: Place) -> tuple[Tile | None, bool]:
        """The tile kept on disk, and whether it is still fresh."""
        path = self._file(place)
        body = cache.read(path)
        if body is None:
            return None, False
        return tile(bytes(body)), self._age(path) < KEPT_SECONDS

    def _file(self, place: Place) -> Path:
        z, x, y = place
        return self._kept / str(z) / str(x) / f"{y}.tile"

    async def _fetched(self, base: BaseMap, place: Place) -> Tile:
        """Fetch a tile once, however many ask for it."""
        task = self._coming.get(place)
        if task is None:
            if len(self._coming) >= WAITING_MOST or monotonic() < self._rest_until:
                raise TilesAway
            task = self._coming[place] = asyncio.create_task(self._fetch(base, place))
            task.add_done_callback(lambda _: self._coming.pop(place, None))
        return await asyncio.shield(task)

    async def _fetch(self, base: BaseMap, place: Place) -> Tile:
        try:
            async with self._room, asyncio.timeout(SECONDS):
                found = tile(await self._body(base.address(self._key(), *place)))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, TilesAway) as error:
            self._failed(type(error).__name__)
            raise TilesAway from None  # its address, and with it the key, goes no further
        self._said = False
        await asyncio.to_thread(self._keep, place, found.body)
        return found

    async def _body(self, address: str) -> bytes:
        if self._client is None:
            limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
            self._client = httpx.AsyncClient(timeout=SECONDS, limits=limits, follow_redirects=False)
        async with self._client.stream("GET", address) as answer:
            if answer.status_code == 404:
                raise NoTile
            if answer.status_code != 200:
                raise TilesAway
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise TilesAway
        return body

    def _key(self) -> str:
        try:
            return (self._data / "keys" / KEY).read_text("utf-8").strip()
        except OSError:
            return ""

    def _failed(self, why: str) -> None:
        """Leave the server alone for a while; said once until it is back."""
        self._rest_until = monotonic() + REST_SECONDS
        if not self._said:
            log.warning("the base map cannot be had (%s); grids and marks are shown without it", why)
        self._said = True

    def _keep(self, place: Place, body: bytes) -> None:
        try:
            if self._bytes < 0:
                self._bytes = sum(size for _, size, _ in self._files())
            cache.write(self._file(place), body)
            self._bytes += len(body)
            if self._bytes > KEPT_BYTES:
                self._sweep()
        except OSError as error:
            log.warning("a tile of the base map could not be kept: %s", error.strerror)

    def _sweep(self) -> None:
        """Remove the oldest until there is room again."""
        for _, size, path in sorted(self._files()):
            if self._bytes <= KEPT_BYTES * SWEPT_TO:
                break
            Path(path).unlink(missing_ok=True)
            self._bytes -= size

    def _files(self) -> list[tuple[float, int, str]]:
        """(written at, bytes, path) of every tile kept, of any base map."""
        found = []
        for folder, _, names in os.walk(self._kept.parent):
            for name in names:
                path = Path(folder, name)
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, str(path)))
        return found


def tile(body: bytes) -> Tile:
    """Return a picture with its kind, by its first bytes, whatever a server calls it. Raises TilesAway."""
    for start, kind in KINDS.items():
        if body.startswith(start) and (kind != "image/webp" or body[8:12] == b"WEBP"):
            return Tile(body, kind)
    raise TilesAway
