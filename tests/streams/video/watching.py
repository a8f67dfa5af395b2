"""One who looks in a test: what the relay says and shows, with a bound on how long it is waited for."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import orjson

from config import certificate, clock
from streams.video.address import Sources
from streams.video.port import RelayPort, Watching
from streams.video.relay import Relay
from streams.video.wire import BEGINNING, HEAD, KEY_PICTURE, PICTURE, WORD

SECONDS = 60.0


class Seen(NamedTuple):
    """What came: the film as a browser would be given it, the frames' kinds and times, and the words."""

    film: bytes
    kinds: list[int]
    ticks: list[int]
    words: list[dict[str, Any]]

    @property
    def codec(self) -> str:
        """What the tile is told to play."""
        return next((str(word["codec"]) for word in self.words if "codec" in word), "")


class Port(RelayPort):
    """Keeps what it began, for the end of the test."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.begun: list[Watching] = []

    async def watch(self, camera: str, stream: str, look: str) -> Watching:
        self.begun.append(await super().watch(camera, stream, look))
        return self.begun[-1]


@asynccontextmanager
async def relaying(path: Path, sources: Sources, **given: Any) -> AsyncIterator[tuple[Relay, RelayPort]]:
    """Give a relay on its socket, and end every look afterwards."""
    relay = Relay(sources, **given)
    await relay.start(path)
    port = Port(path)
    try:
        yield relay, port
    finally:
        for watching in port.begun:
            watching.close()
        await relay.stop()


async def seen(watching: Watching, frames: int) -> Seen:
    """Return what came until there were so many frames, or the look ended."""
    got = Seen(b"", [], [], [])
    film: list[bytes] = []
    async with asyncio.timeout(SECONDS):
        async for message in watching.messages():
            if message[0] == WORD:
                got.words.append(orjson.loads(message[1:]))
                continue
            film.append(bytes(message[HEAD.size :]))
            if message[0] in (PICTURE, KEY_PICTURE):
                got.kinds.append(message[0])
                got.ticks.append(HEAD.unpack_from(message)[2])
            elif message[0] == BEGINNING:
                film = film[-1:]
            if len(got.kinds) >= frames:
                break
    return got._replace(film=b"".join(film))


async def said(watching: Watching, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the first word that fits."""
    async with asyncio.timeout(SECONDS):
        async for message in watching.messages():
            if message[0] == WORD and fits(word := orjson.loads(message[1:])):
                return dict(word)
    raise AssertionError("it was never said")


def pictures(film: bytes, folder: Path) -> list[Any]:
    """Return the pictures another decoder finds in a film."""
    file = folder / "film.mp4"
    file.write_bytes(film)
    reader, found = cv2.VideoCapture(str(file)), list[Any]()
    while True:
        came, frame = reader.read()
        if not came:
            reader.release()
            return found
        found.append(frame)


def trusted(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server on 127.0.0.1 answers with over TLS, and what trusts it."""
    certificate.make(folder, ["127.0.0.1"], clock.now())
    return certificate.serving(folder), ssl.create_default_context(cafile=str(folder / "keys" / "ca.crt"))
