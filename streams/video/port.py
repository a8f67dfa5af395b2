"""The relay as others reach it: one connection a look over its UNIX socket, and short questions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlencode

from streams.video import wire
from streams.video.errors import Malformed, NoPicture, NotGranted, RelayAway

ANSWER_SECONDS = 10.0
BUFFER = 256 * 1024
ANSWER_MOST = 16 * 1024 * 1024


class Watching:
    """One look's messages. `close` ends it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def messages(self) -> AsyncIterator[memoryview]:
        """Yield message by message, the length cut off; ends when the relay ends it."""
        try:
            while True:
                size = wire.length(await self._reader.readexactly(wire.LENGTH))
                if size > wire.LONGEST:
                    raise Malformed("the relay sent a message of no length")
                yield memoryview(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, OSError):
            return

    def close(self) -> None:
        """Let the relay know that nobody looks any more."""
        self._writer.close()


class RelayPort:
    """`path`: where the relay listens (`relay.place`)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def watch(self, camera: str, stream: str, look: str, grant: str = "") -> Watching:
        """Begin a look. Raises RelayAway, NotGranted; NoPicture where there are no such pictures or no room."""
        given = {"stream": stream, "look": look, "grant": grant}
        reader, writer, head = await self._ask("GET", f"/watch/{quote(camera, safe='')}", given)
        if head.startswith("HTTP/1.1 403"):
            writer.close()
            raise NotGranted("the grant lets nobody look any more")
        if not head.startswith("HTTP/1.1 200"):
            writer.close()
            raise NoPicture("there are no pictures of this camera")
        return Watching(reader, writer)

    async def key_picture(self, camera: str, stream: str) -> tuple[bytes, int]:
        """Return a film of the last key frame and when it came. Raises RelayAway, NoPicture."""
        reader, writer, head = await self._ask("GET", f"/keyframe/{quote(camera, safe='')}", {"stream": stream})
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                body = await reader.read(ANSWER_MOST)
                while not reader.at_eof() and len(body) < ANSWER_MOST:
                    body += await reader.read(ANSWER_MOST)
        except (OSError, TimeoutError) as error:
            raise RelayAway("the relay does not answer") from error
        finally:
            writer.close()
        if not head.startswith("HTTP/1.1 200"):
            raise NoPicture("there are no pictures of this camera now")
        at = next((line for line in head.lower().split("\r\n") if line.startswith("x-frame-at:")), ":0")
        return body, int(at.partition(":")[2])

    async def close(self, looks: list[str]) -> None:
        """End looks at once; the relay being away, there are none."""
        with suppress(RelayAway):
            _, writer, _ = await self._ask("POST", "/close", {"look": ",".join(looks)})
            writer.close()

    async def pin(self, cameras: list[str]) -> None:
        """Keep these cameras warm, and no others. Raises RelayAway."""
        _, writer, _ = await self._ask("POST", "/pin", {"camera": ",".join(cameras)})
        writer.close()

    async def _ask(
        self, method: str, path: str, given: dict[str, str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self._path, limit=BUFFER)
                writer.write(f"{method} {path}?{urlencode(given)} HTTP/1.1\r\n\r\n".encode())
                head = await reader.readuntil(b"\r\n\r\n")
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise RelayAway("the relay does not answer; it is started again by itself") from error
        return reader, writer, head.decode("latin-1")
