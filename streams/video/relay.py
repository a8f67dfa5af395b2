"""The relay (转发): its own process, on a UNIX socket in the data folder. One pull a stream, however many look.

`GET /watch/CAMERA?stream=main&look=ID&grant=ID` answers with messages (`streams.video.wire`) until somebody ends it,
or the grant does: a relay that does not hear of grants for 5 s passes nothing on by them (`streams.video.guard`).
`GET /keyframe/CAMERA` a film of the last key frame. `GET /state` what is going on. `POST /close?look=ID,ID` ends looks
at once. `POST /pin?camera=ID,ID` says which cameras stay warm. Nobody but this installation can reach the socket; who
may look is decided before (`operations.grants.admission`) and held to here.
"""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from config import clock
from streams.video import wire
from streams.video.address import Sources, StreamSource
from streams.video.errors import VideoError
from streams.video.guard import Guard, Leave
from streams.video.pull import Pull
from streams.video.stream import Stream
from streams.video.viewer import Viewer

STAYS_SECONDS = 20.0
"""How long a stream is pulled after the last has left."""
SWEEP_EVERY = 0.5
HEAR_EVERY, GUARD_EVERY = 0.25, 0.1
"""Seconds between two questions for the grants in force, and between two looks whether one is over."""
KEY_SECONDS = 8.0
"""How long a key frame is waited for."""
HEAD_MOST = 8_192
STREAMS_MOST, VIEWERS_MOST, PINNED_MOST = 512, 4_096, 64
BUFFER = 128 * 1024
"""Bytes the kernel and the transport may hold for one who looks; the rest waits where its age is known."""
STREAMS = ("main", "sub")

log = logging.getLogger(__name__)
Leaves = Callable[[], Mapping[str, Leave] | None]
"""The port to the grants: those in force, or None when they are as they were; it may block. Raises VideoError."""


class Relay:
    """All streams, found by camera and name; all who look, found by what let them in."""

    def __init__(
        self,
        sources: Sources,
        *,
        now: Callable[[], float] = clock.monotonic,
        wall: Callable[[], int] = clock.now,
        stays: float = STAYS_SECONDS,
        trust: ssl.SSLContext | None = None,
        leaves: Leaves | None = None,
    ) -> None:
        self._leaves, self.guard, self._silent = leaves, Guard(), False
        self._asking = asyncio.Lock()
        self._sources, self.now, self._wall, self._stays, self._trust = sources, now, wall, stays, trust
        self.streams: dict[tuple[str, str], Stream] = {}
        self.lookers: dict[str, set[Connection]] = {}
        self._pulls: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._left_at: dict[tuple[str, str], float] = {}
        self._pinned: frozenset[str] = frozenset()
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, path: Path) -> None:
        """Listen; whatever a relay before left there is replaced."""
        listening = _listening(path)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Connection(self), sock=listening, backlog=256)
        self._tasks = [
            asyncio.create_task(self._sweep(), name="sweep"),
            asyncio.create_task(self._hear(), name="grants"),
            asyncio.create_task(self._guard(), name="guard"),
        ]

    async def stop(self) -> None:
        """End every look and every pull."""
        if self._server is not None:
            self._server.close()
        tasks = [*self._tasks, *self._pulls.values()]
        for task in tasks:
            task.cancel()
        self.close(list(self.lookers))
        await asyncio.gather(*tasks, return_exceptions=True)

    async def find(self, camera: str) -> StreamSource | None:
        """Ask the catalogue for a camera's addresses, beside the loop."""
        return await asyncio.to_thread(self._sources, camera)

    async def stream(self, camera: str, name: str) -> Stream | None:
        """Return a stream, pulled from now on; None where no such camera has pictures, or there are too many."""
        source = await self.find(camera)
        if source is None or not source.url(name):
            return None
        if source.url("sub") == source.url("main"):
            name = "main"
        key = (camera, name)
        found = self.streams.get(key)
        if found is None:
            if len(self.streams) >= STREAMS_MOST:
                return None
            found = self.streams[key] = Stream(camera, name, self._wall)
            pull = Pull(found, self.find, self.now, self._trust)
            self._pulls[key] = asyncio.create_task(pull.run(), name=f"pull {camera} {name}")
        self._left_at[key] = self.now()
        return found

    def enter(self, looker: "Connection") -> bool:
        """Note one who looks by what let them in; False when there is no room."""
        if sum(map(len, self.lookers.values())) >= VIEWERS_MOST:
            return False
        self.lookers.setdefault(looker.viewer.look, set()).add(looker)
        return True

    def leave(self, looker: "Connection") -> None:
        """Forget one who looked."""
        held = self.lookers.get(looker.viewer.look, set())
        held.discard(looker)
        if not held:
            self.lookers.pop(looker.viewer.look, None)
        key = (looker.viewer.camera, looker.viewer.stream)
        if (stream := self.streams.get(key)) is not None:
            stream.leave(looker)
            self._left_at[key] = self.now()

    def close(self, looks: list[str]) -> int:
        """End these looks at once; returns how many connections that were."""
        found = [one for look in looks for one in self.lookers.get(look, ())]
        for one in found:
            one.end()
        return len(found)

    async def admits(self, grant: str, camera: str) -> str:
        """Return why a look by a grant may not begin, "" when it may; one just given is asked for at once."""
        if not grant:
            return ""
        if self.guard.why_not(grant, camera, self.now()):
            await self._ask()
        return self.guard.why_not(grant, camera, self.now())

    def hold(self) -> None:
        """End the looks whose grant is over, or of which nothing is known any more."""
        now = self.now()
        for lookers in list(self.lookers.values()):
            for one in list(lookers):
                if one.grant and (why := self.guard.why_not(one.grant, one.viewer.camera, now)):
                    one.finish(why)

    async def _hear(self) -> None:
        while True:
            await self._ask()
            await asyncio.sleep(HEAR_EVERY)

    async def _ask(self) -> None:
        if self._leaves is None:
            return
        async with self._asking:  # of two answers the older one must not be believed last
            await self._heard(self._leaves)

    async def _heard(self, leaves: Leaves) -> None:
        try:
            found = await asyncio.to_thread(leaves)
        except VideoError as error:
            if not self._silent:
                log.warning("nobody knows which grants are in force: %s", error)
            self._silent = True
            return
        self._silent = False
        if found is None:
            self.guard.still(self.now())
        else:
            self.guard.heard(found, self.now(), self._wall())
        self.hold()

    async def _guard(self) -> None:
        """Beside what asks: a question that hangs must not keep a picture on a screen."""
        while True:
            await asyncio.sleep(GUARD_EVERY)
            self.hold()

    async def pin(self, cameras: list[str]) -> None:
        """Keep these cameras' small streams warm from now on, and no others."""
        self._pinned = frozenset(cameras[:PINNED_MOST])
        for camera in self._pinned:
            await self.stream(camera, "sub")

    def told(self) -> dict[str, object]:
        """Return what is going on."""
        now = self.now()
        streams = [one.told(now) for one in self.streams.values()]
        return {"streams": streams, "looks": len(self.lookers), "tasks": len(asyncio.all_tasks())}

    def sweep(self, now: float) -> None:
        """Stop pulling what nobody has wanted for a while."""
        for key, stream in list(self.streams.items()):
            if stream.lookers or key[0] in self._pinned:
                self._left_at[key] = now
            elif now - self._left_at.get(key, now) > self._stays:
                self._pulls.pop(key).cancel()
                del self.streams[key], self._left_at[key]

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            self.sweep(self.now())


class Connection(asyncio.Protocol):
    """One request; a look stays until it is ended from either side."""

    viewer: Viewer

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self.grant = ""
        self._head = b""
        self._asked = False
        self._paused = False
        self._entered = False
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self._transport = transport
        transport.set_write_buffer_limits(BUFFER)
        if (raw := transport.get_extra_info("socket")) is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)

    def data_received(self, data: bytes) -> None:
        if self._asked:
            return
        self._head += data
        if b"\r\n\r\n" in self._head:
            self._asked = True
            self._task = asyncio.create_task(self._answer(self._head.partition(b"\r\n")[0]))
        elif len(self._head) > HEAD_MOST:
            self.end()

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        if self._entered:
            self._entered = False
            self._relay.leave(self)
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.pump()

    def pump(self) -> None:
        """Write what can be written now."""
        if not self._entered:
            return
        while not self._paused and self._transport is not None and (message := self.viewer.take()) is not None:
            self._transport.write(message.framed)

    def end(self) -> None:
        """End it at once; what is not yet written is never written."""
        if self._transport is not None:
            self._transport.abort()

    def finish(self, why: str) -> None:
        """End it at once and say why, if whoever looks takes what is sent; nothing more of the picture is."""
        if self._transport is None:
            return
        if self._paused or self._transport.get_write_buffer_size():
            self._transport.abort()
            return
        self._transport.write(wire.word(self._relay.now(), state="ended", code=why).framed)
        self._transport.close()

    # ---- the requests ----

    async def _answer(self, line: bytes) -> None:
        words = line.decode("ascii", "replace").split(" ")
        parts = urlsplit(words[1]) if len(words) == 3 else urlsplit("")
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        what, _, camera = parts.path.removeprefix("/").partition("/")
        stream = given.get("stream", "main")
        try:
            await self._routed(words[0], what, unquote(camera), stream, given)
        except VideoError as error:
            self._say(503, str(error).encode())

    async def _routed(self, method: str, what: str, camera: str, stream: str, given: dict[str, str]) -> None:
        if stream not in STREAMS:
            self._say(400, b"stream is main or sub")
        elif (method, what) == ("GET", "watch"):
            await self._watch(camera, stream, given.get("look", ""), given.get("grant", ""))
        elif (method, what) == ("GET", "keyframe"):
            await self._key(camera, stream)
        else:
            await self._other(f"{method} {what}", given)

    async def _other(self, asked: str, given: dict[str, str]) -> None:
        if asked == "GET state":
            self._say(200, orjson.dumps(self._relay.told()), "application/json")
        elif asked == "POST close":
            closed = self._relay.close(given.get("look", "").split(","))
            self._say(200, orjson.dumps({"closed": closed}), "application/json")
        elif asked == "POST pin":
            await self._relay.pin([one for one in given.get("camera", "").split(",") if one])
            self._say(200, b"{}", "application/json")
        else:
            self._say(404, b"there is no such thing")

    async def _watch(self, camera: str, name: str, look: str, grant: str) -> None:
        if why := await self._relay.admits(grant, camera):
            self._say(403, why.encode())
            return
        self.grant = grant
        stream = await self._relay.stream(camera, name)
        if stream is None or not look:
            self._say(404, b"there are no pictures of this camera")
            return
        self.viewer = Viewer(look, camera, stream.name)
        if self._transport is None or not self._relay.enter(self):
            self._say(503, b"too many look")
            return
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n")
        self._entered = True
        stream.join(self, self._relay.now())

    async def _key(self, camera: str, name: str) -> None:
        stream = await self._relay.stream(camera, name)
        if stream is None:
            self._say(404, b"there are no pictures of this camera")
            return
        found = stream.key_picture()
        until = self._relay.now() + KEY_SECONDS
        while (found is None or stream.state != "live") and self._relay.now() < until:
            await asyncio.sleep(0.05)
            found = stream.key_picture()
        if found is None:
            self._say(504, b"no key frame came")
            return
        self._say(200, found[0], "video/mp4", {"X-Frame-At": str(found[1]), "X-State": stream.state})

    def _say(self, status: int, body: bytes, kind: str = "text/plain", more: dict[str, str] | None = None) -> None:
        if self._transport is None:
            return
        heads = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close", **(more or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in heads.items())
        self._transport.write(f"HTTP/1.1 {status} -\r\n{lines}\r\n".encode() + body)
        self._transport.close()


def _listening(path: Path) -> socket.socket:
    """A socket nobody but this user can reach."""
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        made.bind(os.fspath(path))
    finally:
        os.umask(mask)
    return made


def place(data: Path) -> Path:
    """Return where the relay of a data folder listens."""
    return data / "relay.sock"


async def serve(
    path: Path, sources: Sources, trust: ssl.SSLContext | None, over: asyncio.Event, leaves: Leaves | None = None
) -> None:
    """Relay until `over`."""
    relay = Relay(sources, trust=trust, leaves=leaves)
    await relay.start(path)
    try:
        await over.wait()
    finally:
        await relay.stop()
