"""Having a camera's pictures (拉流): one connection, begun again when it ends or falls silent, while it is wanted."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import cast

from streams.video import rtsp
from streams.video.address import Address, StreamSource, parse
from streams.video.aside import Aside
from streams.video.errors import (
    AddressUnknown,
    CameraAway,
    CameraSilent,
    Malformed,
    NoPicture,
    PasswordWrong,
    VideoError,
)
from streams.video.frames import Assembler
from streams.video.stream import Stream

CONNECT_SECONDS = 5.0
FIRST_SECONDS = 10.0
"""How long a camera has until its first key frame."""
ASIDE_SECONDS = 20.0
"""How long it has where a child has to start and to look at what comes."""
STALL_SECONDS = 3.0
LOOK_EVERY = 0.25
WAIT_LEAST, WAIT_MOST = 0.5, 10.0
PASSWORD_WAIT = 60.0
"""Cameras lock out whoever offers a wrong password again and again."""
REDIRECTS_MOST = 5
ODD_AFTER = 3
"""So many connections our own client could make nothing of, one after the other, and the camera is read aside."""

log = logging.getLogger(__name__)
Find = Callable[[str], Awaitable[StreamSource | None]]


class Pull:
    """Keeps one stream supplied until it is cancelled."""

    def __init__(self, stream: Stream, find: Find, clock: Callable[[], float], trust: ssl.SSLContext | None) -> None:
        self._stream, self._find, self._clock, self._trust = stream, find, clock, trust
        self._wait = WAIT_LEAST
        self._fault = ""
        self._odd = 0

    async def run(self) -> None:
        """Pull for ever."""
        while True:
            frames = self._stream.frames
            try:
                await self._once()
                error: VideoError = CameraAway("the camera ended the connection")
            except VideoError as trouble:
                error = trouble
            except (OSError, ssl.SSLError, TimeoutError) as trouble:
                error = CameraAway(f"the camera cannot be reached: {_reason(trouble)}")
            except Exception as trouble:  # noqa: BLE001 process edge: one odd camera must not end its pulling for good
                error = CameraAway(f"{type(trouble).__name__}: {trouble}")
            if self._stream.frames != frames:
                self._wait, self._fault = WAIT_LEAST, ""
            elif isinstance(error, Malformed | NoPicture):  # nothing comes aside either: our own asks again
                self._odd = (self._odd + 1) % (2 * ODD_AFTER)
            self._say(error)
            if not isinstance(error, CameraSilent):
                self._stream.become("lost", self._clock(), error.code)
            await asyncio.sleep(PASSWORD_WAIT if isinstance(error, PasswordWrong) else self._wait)
            self._wait = min(self._wait * 2, WAIT_MOST)

    async def _once(self) -> None:
        """One connection, from its address to its end, by way of where the camera sends us."""
        source = await self._find(self._stream.camera)
        if source is None or not source.url(self._stream.name):
            raise AddressUnknown("no address is known of this camera's pictures")
        address = parse(source.url(self._stream.name), source.username, source.password)
        if source.via == "ffmpeg" or self._odd >= ODD_AFTER:
            await self._aside(address)
            return
        for _turn in range(REDIRECTS_MOST):
            there = await self._connected(address)
            if there is None:
                return
            address = there
        raise CameraAway("the camera sends us from one place to the next")

    async def _aside(self, address: Address) -> None:
        """One connection of a child's."""
        child = await Aside.begin(address)
        self._stream.connected()
        try:
            async for frame in child.frames(ASIDE_SECONDS, STALL_SECONDS):
                assert child.track is not None
                self._stream.take(frame, child.track, self._clock())
        except CameraSilent:
            self._stream.become("stalled", self._clock())
            raise
        finally:
            await child.close()

    async def _connected(self, address: Address) -> Address | None:
        loop = asyncio.get_running_loop()
        wire = _Wire(rtsp.Client(address), self._stream, self._clock)
        trust = (self._trust or ssl.create_default_context()) if address.tls else None
        async with asyncio.timeout(CONNECT_SECONDS):
            await loop.create_connection(lambda: wire, address.host, address.port, ssl=trust)
        try:
            return await self._watched(wire)
        finally:
            wire.close()

    async def _watched(self, wire: "_Wire") -> Address | None:
        """Wait for the end, looking meanwhile whether frames come."""
        began = self._clock()
        while True:
            await asyncio.wait((wire.over,), timeout=LOOK_EVERY)
            if wire.over.done():
                return wire.over.result()
            now = self._clock()
            wire.alive(now)
            if wire.frame_at is None:
                if now - began > FIRST_SECONDS:
                    raise CameraAway(f"no whole key frame came within {FIRST_SECONDS:.0f} s")
            elif now - wire.frame_at > STALL_SECONDS:
                self._stream.become("stalled", now)
                raise CameraSilent("the camera fell silent")

    def _say(self, error: VideoError) -> None:
        if str(error) != self._fault:
            self._fault = str(error)
            log.warning("camera %s (%s): %s", self._stream.camera, self._stream.name, error)


class _Wire(asyncio.Protocol):
    """The connection's bytes to the client's state, and its packets to frames."""

    def __init__(self, client: rtsp.Client, stream: Stream, clock: Callable[[], float]) -> None:
        self._client, self._stream, self._clock = client, stream, clock
        self._track: Assembler | None = None
        self._transport: asyncio.Transport | None = None
        self.frame_at: float | None = None
        self.over: asyncio.Future[Address | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self._transport = transport
        transport.write(self._client.begin())

    def data_received(self, data: bytes) -> None:
        if self.over.done():
            return
        now = self._clock()
        try:
            packets, events = self._client.receive(data, now)
            for event in events:
                self._happened(event, now)
            if self._track is not None and packets:
                self._frames(self._track, packets, now)
        except VideoError as error:
            self._end(error)
        else:
            self._send(self._client.outgoing())

    def connection_lost(self, error: Exception | None) -> None:
        self._end(CameraAway("the camera ended the connection") if error is None else CameraAway(_reason(error)))

    def alive(self, now: float) -> None:
        """Give a sign of life when it is time."""
        self._send(self._client.due(now))

    def close(self) -> None:
        """End the connection in order."""
        if self._transport is not None and not self._transport.is_closing():
            self._send(self._client.goodbye())
            self._transport.close()
        if not self.over.cancel():
            self.over.exception()  # it has been looked at

    def _happened(self, event: rtsp.Event, now: float) -> None:
        if isinstance(event, rtsp.Playing):
            self._track = Assembler(event.media)
            self._stream.connected()
        elif isinstance(event, rtsp.Redirected):
            if not self.over.done():
                self.over.set_result(event.address)
        else:
            self._end(CameraAway("the camera ended the session"))

    def _frames(self, track: Assembler, packets: list[bytes], now: float) -> None:
        swallowed = track.swallowed
        for packet in packets:
            for frame in track.feed(packet):
                self.frame_at = now
                self._stream.take(frame, track, now)
        self._stream.swallowed += track.swallowed - swallowed

    def _end(self, error: VideoError) -> None:
        if not self.over.done():
            self.over.set_exception(error)

    def _send(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _reason(error: BaseException) -> str:
    """Return why, without an address in it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", "") or type(error).__name__)
