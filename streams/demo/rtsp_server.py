"""A small RTSP server (RFC 2326) of drawn cameras, over TCP with RTP between the lines; with faults on demand.

Each path is one camera. A frame is put into packets once, however many watch, and only while somebody does. The
frame on the wire is a function of the clock (`scenes.index_at`), so age = now - index / RATE wherever it is read.
"""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urlsplit

from config import clock
from streams.demo import rtp
from streams.demo.scenes import GROUP, RATE, Frame, index_at

SESSIONS = 512
LONGEST_REQUEST = 16_384
LONGEST_BODY = 4_096
UNSENT = 2_000_000
"""Octets that may wait for one viewer; then frames are left out up to the next key picture."""
REPORT_FRAMES = RATE * 5
REALM = "Gridwall demo"
METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"


class Film(Protocol):
    """What a camera shows: `scenes.Scene`, or a few frames of a test."""

    @property
    def sets(self) -> tuple[bytes, bytes]:
        """SPS and PPS."""
        ...

    def frame(self, index: int) -> Frame:
        """Return the frame of this number."""
        ...


@dataclass
class Fault:
    """What a camera does wrong; may be changed while it runs. `after`: frames sent of each viewing before it begins."""

    kind: str = ""
    """drop (closes the connection), stall (goes silent), garbage (sends what is no RTP), damage (loses packets),
    redirect (sends elsewhere, `to`), refuse (wrong password whatever is said), absent (no such camera)."""
    after: int = 0
    to: str = ""


@dataclass
class Camera:
    """One path. `authentication`: none, basic, digest."""

    film: Film
    name: str = ""
    authentication: str = "none"
    username: str = ""
    password: str = ""
    fault: Fault = field(default_factory=Fault)
    views: int = 0
    """Viewings begun so far."""
    _sessions: set["_Session"] = field(default_factory=set, repr=False)
    _source: int = field(default_factory=lambda: secrets.randbits(32), repr=False)
    _sequence: int = 0
    _sent: tuple[int, int] = (0, 0)
    _packed: tuple[int, bytes, bool] = (-1, b"", False)

    @property
    def viewers(self) -> int:
        """Sessions that play now."""
        return len(self._sessions)

    def packed(self, index: int) -> tuple[bytes, bool]:
        """Return the frame's packets as they travel (channel 0), and whether it is a key picture."""
        if self._packed[0] != index:
            frame = self.film.frame(index)
            parts = rtp.packets(frame.units, sequence=self._sequence, timestamp=frame.timestamp, source=self._source)
            self._sequence = (self._sequence + len(parts)) & 0xFFFF
            self._sent = (self._sent[0] + len(parts), self._sent[1] + sum(len(part) - 12 for part in parts))
            self._packed = (index, b"".join(rtp.interleaved(0, part) for part in parts), frame.key)
        return self._packed[1:]

    def report(self, index: int) -> bytes:
        """Return the sender report of the moment of a frame (channel 1)."""
        stamp = index * (90000 // RATE)
        return rtp.interleaved(
            1, rtp.sender_report(index / RATE, timestamp=stamp, source=self._source, sent=self._sent)
        )


class RtspServer:
    """Serves cameras by path (without the leading slash) until closed; `async with` opens and closes it.

    `now` returns seconds since 1970 and says which frame is due; `speed` is how fast that clock runs (for tests).
    """

    def __init__(
        self,
        cameras: Mapping[str, Camera],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
        now: Callable[[], float] = lambda: clock.now() / 1_000_000,
    ) -> None:
        self.cameras, self.host, self.port = cameras, host, port
        self._now, self._speed = now, speed
        self._open: set[_Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "RtspServer":
        self._server = await asyncio.start_server(self._serve, self.host, self.port, limit=LONGEST_REQUEST)
        self.port = self._server.sockets[0].getsockname()[1]
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ticking.cancel()
        self._server.close()
        self.cut()
        await asyncio.gather(self._ticking, *self._tasks, return_exceptions=True)

    def url(self, path: str) -> str:
        """Return the address of a camera, without user and password."""
        return f"rtsp://{self.host}:{self.port}/{path}"

    def cut(self, path: str | None = None) -> None:
        """Close the connections to one camera, or all."""
        for session in list(self._open):
            if path is None or session.camera is self.cameras.get(path):
                session.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._open) >= SESSIONS:
            writer.transport.abort()
            return
        session = _Session(self.cameras, reader, writer)
        self._open.add(session)
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                await session.run()
        finally:
            session.stop()
            session.abort()
            self._open.discard(session)
            self._tasks.discard(task)

    async def _tick(self) -> None:
        """Send each frame at its moment; cameras are spread over the frame's time, as real ones are."""
        index = index_at(self._now())
        while True:
            due = index_at(self._now())
            if abs(due - index) > GROUP:  # the machine slept or its clock was moved: all begin anew at a key picture
                index = due
                self._begin_anew()
            index += 1
            cameras = {id(one.camera): one.camera for one in self._open if one.camera is not None}
            watched = [camera for camera in cameras.values() if camera.viewers]
            for step, camera in enumerate(watched):
                await self._until(index / RATE + step / len(watched) * 0.5 / RATE)
                for session in list(camera._sessions):
                    session.send(index)
            await self._until((index + 1) / RATE)

    def _begin_anew(self) -> None:
        for session in self._open:
            session.begun = False

    async def _until(self, moment: float) -> None:
        wait = min(moment - self._now(), 1.0) / self._speed
        if wait > 0:
            await asyncio.sleep(wait)


class _Session:
    """One connection: at most one camera is played on it."""

    def __init__(
        self, cameras: Mapping[str, Camera], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.camera: Camera | None = None
        self._cameras, self._reader, self._writer = cameras, reader, writer
        self._name, self._nonce = secrets.token_hex(8), secrets.token_hex(16)
        self._frames, self.begun = 0, False

    async def run(self) -> None:
        """Answer requests until the other side leaves."""
        while True:
            first = await self._reader.readexactly(1)
            if first == b"$":  # receiver reports
                length = (await self._reader.readexactly(3))[1:]
                await self._reader.readexactly(int.from_bytes(length, "big"))
                continue
            head = first + await self._reader.readuntil(b"\r\n\r\n")
            line, _, rest = head.decode("utf-8", "replace").strip().partition("\r\n")
            fields = {
                name.strip().lower(): value.strip()
                for name, _, value in (one.partition(":") for one in rest.split("\r\n"))
            }
            await self._reader.readexactly(min(int(fields.get("content-length") or 0), LONGEST_BODY))
            method, _, target = line.partition(" ")
            await self._answer(method, target.partition(" ")[0], fields)
            if method == "TEARDOWN":
                return

    def send(self, index: int) -> None:
        """Send one frame, or what the camera's fault makes of it."""
        camera = self.camera
        if camera is None:
            return
        fault = camera.fault.kind if self._frames >= camera.fault.after else ""
        if fault in ("drop", "refuse", "absent"):
            self.abort()
        elif fault == "garbage":
            self._writer.write(b"\x00\xffthis is no RTP " * 64)
        elif fault != "stall":
            self._send_frame(camera, index, fault)

    def _send_frame(self, camera: Camera, index: int, fault: str) -> None:
        octets, key = camera.packed(index)
        full = self._writer.transport.get_write_buffer_size() > UNSENT
        self.begun = not full and (self.begun or key)
        if not self.begun:
            return
        if fault == "damage":
            octets = rtp.beginning(octets)
        self._writer.write(octets)
        self._frames += 1
        if self._frames % REPORT_FRAMES == 1:
            self._writer.write(camera.report(index))

    def stop(self) -> None:
        """Play no more."""
        if self.camera is not None:
            self.camera._sessions.discard(self)

    def abort(self) -> None:
        """Close the connection at once."""
        self._writer.transport.abort()

    async def _answer(self, method: str, target: str, fields: Mapping[str, str]) -> None:
        camera = self._find(target)
        if method == "OPTIONS":
            await self._say(fields, 200, f"Public: {METHODS}")
        elif camera is None or camera.fault.kind == "absent":
            await self._say(fields, 404)
        elif camera.fault.kind == "redirect":
            await self._say(fields, 302, f"Location: {camera.fault.to}")
        elif not self._allowed(camera, method, fields.get("authorization", "")):
            await self._say(fields, 401, self._challenge(camera))
        else:
            await self._do(camera, method, target, fields)

    async def _do(self, camera: Camera, method: str, target: str, fields: Mapping[str, str]) -> None:
        session = f"Session: {self._name};timeout=60"
        if method == "DESCRIBE":
            body = rtp.description(camera.film.sets, camera.name)
            base = target if target.endswith("/") else target + "/"
            await self._say(fields, 200, f"Content-Base: {base}", "Content-Type: application/sdp", body=body)
        elif (
            method == "SETUP"
            and "interleaved" not in fields.get("transport", "")
            and "TCP" not in fields.get("transport", "")
        ):
            await self._say(fields, 461)
        elif method == "SETUP":
            await self._say(fields, 200, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", session)
        elif method == "PLAY":
            await self._say(fields, 200, session, "Range: npt=now-")
            self.stop()
            self.camera, self._frames, self.begun = camera, 0, False
            camera.views += 1
            camera._sessions.add(self)
        elif method in ("PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"):
            if method in ("PAUSE", "TEARDOWN"):
                self.stop()
            await self._say(fields, 200, session)
        else:
            await self._say(fields, 501)

    def _find(self, target: str) -> Camera | None:
        path = unquote(urlsplit(target).path).strip("/")
        return self._cameras.get(path) or self._cameras.get(re.sub(r"/trackID=\d+$", "", path))

    def _challenge(self, camera: Camera) -> str:
        if camera.authentication == "basic":
            return f'WWW-Authenticate: Basic realm="{REALM}"'
        return f'WWW-Authenticate: Digest realm="{REALM}", nonce="{self._nonce}"'

    def _allowed(self, camera: Camera, method: str, said: str) -> bool:
        if camera.fault.kind == "refuse":
            return False
        if camera.authentication == "none":
            return True
        if camera.authentication == "basic":
            wanted = base64.b64encode(f"{camera.username}:{camera.password}".encode()).decode()
            return hmac.compare_digest(said.encode(), b"Basic " + wanted.encode())
        return self._digest_fits(camera, method, said)

    def _digest_fits(self, camera: Camera, method: str, said: str) -> bool:
        """RFC 2069, as cameras have it: MD5 without qop."""
        given = dict(re.findall(r'(\w+)="([^"]*)"', said))
        own = _md5(f"{camera.username}:{REALM}:{camera.password}")
        wanted = _md5(f"{own}:{self._nonce}:" + _md5(f"{method}:{given.get('uri', '')}"))
        return hmac.compare_digest(given.get("response", "").encode(), wanted.encode())

    async def _say(self, fields: Mapping[str, str], status: int, *lines: str, body: str = "") -> None:
        octets = body.encode()
        head = [f"RTSP/1.0 {status} {_STATUS[status]}", f"CSeq: {fields.get('cseq', '0')}", *lines]
        if octets:
            head.append(f"Content-Length: {len(octets)}")
        self._writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + octets)
        await self._writer.drain()


_STATUS = {
    200: "OK",
    302: "Moved Temporarily",
    401: "Unauthorized",
    404: "Not Found",
    461: "Unsupported Transport",
    501: "Not Implemented",
}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
