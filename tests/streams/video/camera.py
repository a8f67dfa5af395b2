"""A camera of our own on 127.0.0.1: real RTSP over real TCP, made-up slices, and what cameras do wrong on demand."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.streams.video.track import PPS, SPS, packets, unit

SOUND = b"m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:sound\r\n"
PICTURE = b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n"
EVERY = 0.02
GROUP = 10


class Camera:
    """`connections`: how many ever came. `quiet`: keeps the connection and sends nothing. `size`: bytes of a frame.

    `timeout`: of its session, in seconds. `knows`: methods it answers with 200. `garbage`: sent once instead of a
    frame. `lose`: of a packet's number, whether it is lost. `to`: where it sends everybody. `asked`: what was asked.
    """

    def __init__(self) -> None:
        self.connections = self.living = 0
        self.quiet = False
        self.size = 2_000
        self.port = 0
        self.timeout = 60
        self.knows = {b"DESCRIBE", b"SETUP", b"PLAY", b"GET_PARAMETER", b"OPTIONS", b"TEARDOWN"}
        self.garbage = self.to = b""
        self.lose: Callable[[int], bool] = lambda number: False
        self.asked: asyncio.Queue[bytes] = asyncio.Queue()
        self.trust: ssl.SSLContext | None = None
        self.idle = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"rtsp{'s' if self.trust else ''}://127.0.0.1:{self.port}/live"

    def drop(self) -> None:
        """End every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests and play."""
        self.connections += 1
        self.living += 1
        self.idle.clear()
        self._writers.add(writer)
        playing: asyncio.Task[None] | None = None
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method = head[head.find(b"\n$") + 1 :].split(b" ")[0].lstrip()
                self.asked.put_nowait(method)
                writer.write(self._answer(method, head.split(b"CSeq: ")[1].split(b"\r\n")[0]))
                if method == b"PLAY":
                    playing = asyncio.create_task(self._play(writer))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            if playing is not None:
                playing.cancel()
            self.living -= 1
            self._writers.discard(writer)
            writer.transport.abort()
            if not self.living:
                self.idle.set()

    def unit(self, key: bool, number: int) -> bytes:
        """Return the slice of a frame; it tells its number all over."""
        return unit(key, 6) + number.to_bytes(4, "big") * (self.size // 4)

    def _answer(self, method: bytes, sequence: bytes) -> bytes:
        body = b"v=0\r\ns=x\r\n" + SOUND + PICTURE if method == b"DESCRIBE" else b""
        more = b"Session: 1;timeout=%d\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n" % self.timeout
        status = b"200 OK" if method in self.knows else b"501 No"
        if self.to and method == b"DESCRIBE":
            status, body, more = b"302 Moved", b"", b"Location: " + self.to + b"\r\n"
        more = more if method == b"SETUP" or self.to else b""
        said = b"RTSP/1.0 %b\r\nCSeq: %b\r\n%bContent-Length: %d\r\n\r\n%b"
        return said % (status, sequence, more, len(body), body)

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        sequence = 0
        for number in range(10**9):
            if self.garbage:
                garbage, self.garbage = self.garbage, b""
                writer.write(garbage)
            elif not self.quiet:
                key = number % GROUP == 0
                units = [SPS, PPS, self.unit(key, number)] if key else [self.unit(key, number)]
                for one in packets(units, sequence, number * 1_800):
                    sequence += 1
                    if not self.lose(sequence):
                        writer.write(b"$\0" + len(one).to_bytes(2, "big") + one)
                writer.write(b"$\2\0\x04\x80\x08\0\0")  # sound nobody asked for
                await writer.drain()
            await asyncio.sleep(EVERY)


@asynccontextmanager
async def camera(trust: ssl.SSLContext | None = None) -> AsyncIterator[Camera]:
    """Give a camera that plays, and take it away. `trust`: it is spoken to over TLS."""
    made = Camera()
    made.trust = trust
    server = await asyncio.start_server(made.serve, "127.0.0.1", made.port, ssl=trust)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.drop()
        if made.living:
            await made.idle.wait()
