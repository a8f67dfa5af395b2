"""Odd cameras (另路): those our own client cannot read are read by FFmpeg, which OpenCV carries, in a child process.

The child prints whole encoded pictures as they are; nothing is decoded. What foreign code makes of odd bytes ends the
child alone. A picture is known to be whole when the next begins: a frame later than with our own client.
"""

import asyncio
import os
import resource
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import ClassVar
from urllib.parse import quote

from config import parent
from config.settings import ROOT, child_environment
from streams.video import sdp
from streams.video.address import Address
from streams.video.errors import AddressWrong, CameraAway, CameraSilent, Malformed, NoPicture
from streams.video.frames import FRAME_MOST, Assembler
from streams.video.picture import Frame

HEAD = struct.Struct(">BIQ")
"""Kind, length and 1/90000 s of what follows."""
SETS, PICTURE = 0, 1
CODECS = {b"h264": "H264", b"hevc": "H265", b"avc1": "H264", b"hev1": "H265"}
NOT_OPENED, NOT_PLAYED = 3, 4
MEMORY_MOST = 4 * 1024**3
OPEN_MILLISECONDS = 8_000
NICE = 5
CHILDREN_MOST = 16
"""Each is a process of some 25 MB of its own."""
ASKED = "rtsp_flags;prefer_tcp|analyzeduration;1000000|protocol_whitelist;rtsp,rtp,udp,tcp"


class Aside:
    """One child and what it reads. `frames` ends by an error, `close` ends the child."""

    living: ClassVar[set["Aside"]] = set()

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.track: Assembler | None = None

    @classmethod
    async def begin(cls, address: Address) -> "Aside":
        """Start a child. The address goes in by its input, where no list of processes shows the password.

        Raises CameraAway where there are enough; AddressWrong for TLS, where FFmpeg asks no stranger who he is.
        """
        if address.tls:
            raise AddressWrong("a camera over TLS is read by our own client alone")
        if len(cls.living) >= CHILDREN_MOST:
            raise CameraAway(f"{CHILDREN_MOST} cameras are read aside already")
        command = [sys.executable, "-m", "streams.video.aside"]
        given = {
            "cwd": ROOT,
            "env": {**child_environment(), "OPENCV_FFMPEG_CAPTURE_OPTIONS": ASKED},
            "preexec_fn": _bounded(parent.die_with_me()),
        }
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=null, **given)  # type: ignore[arg-type]
        assert process.stdin is not None
        process.stdin.write(_with_password(address).encode() + b"\n")
        process.stdin.close()
        made = cls(process)
        cls.living.add(made)
        return made

    async def frames(self, first: float, stall: float) -> AsyncIterator[Frame]:
        """Yield frames. Raises CameraAway, CameraSilent after `stall` seconds, NoPicture, Malformed."""
        assert self._process.stdout is not None
        wait = first
        while True:
            try:
                async with asyncio.timeout(wait):
                    kind, size, timestamp = HEAD.unpack(await self._process.stdout.readexactly(HEAD.size))
                    if size > FRAME_MOST:
                        raise Malformed("the camera sends pictures larger than any")
                    data = await self._process.stdout.readexactly(size)
            except asyncio.IncompleteReadError:
                raise await self._ended() from None
            except TimeoutError:
                if wait == stall:
                    raise CameraSilent("the camera fell silent") from None
                raise CameraAway(f"no whole key frame came within {first:.0f} s") from None
            for frame in self._take(kind, timestamp, data):
                wait = stall
                yield frame

    async def close(self) -> None:
        """End the child."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self.living.discard(self)
        await self._process.wait()

    def _take(self, kind: int, timestamp: int, data: bytes) -> list[Frame]:
        if kind == SETS:
            self.track = Assembler(sdp.Media("video", 0, CODECS.get(data[:4], "H264"), 90_000, "", {}))
            self.track.whole(units(data[4:]), 0)
            return []
        return self.track.whole(units(data), timestamp & 0xFFFFFFFF) if self.track is not None else []

    async def _ended(self) -> CameraAway | NoPicture:
        code = await self._process.wait()
        if code == NOT_PLAYED:
            return NoPicture("the camera offers no H.264 or H.265")
        return CameraAway("the camera cannot be reached" if code == NOT_OPENED else "the camera ended the connection")


def units(data: bytes) -> list[bytes]:
    """Return the NAL units between start codes (ITU-T H.264 annex B)."""
    return [unit for unit in (part.rstrip(b"\x00") for part in data.split(b"\x00\x00\x01")) if unit]


def _with_password(address: Address) -> str:
    scheme, _, rest = address.url.partition("://")
    if not address.username:
        return address.url
    return f"{scheme}://{quote(address.username, safe='')}:{quote(address.password, safe='')}@{rest}"


def _bounded(also: object) -> object:
    def bound() -> None:
        also()  # type: ignore[operator]
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MOST, MEMORY_MOST))
        os.nice(NICE)

    return bound


def _child(url: str) -> int:
    """Print what a camera sends. TCP first; a camera that knows only UDP is asked by it."""
    import cv2

    asked = [cv2.CAP_PROP_FORMAT, -1, cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MILLISECONDS]
    film = cv2.VideoCapture(url, cv2.CAP_FFMPEG, asked)
    if not film.isOpened():
        return NOT_OPENED
    codec = int(film.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    if codec not in CODECS:
        return NOT_PLAYED
    said = False
    while True:
        came, data = film.read()
        if not came:
            return 0
        if not said:
            said = True
            known, sets = film.retrieve(flag=int(film.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)))
            _print(SETS, 0, codec + (sets.tobytes() if known else b""))
        _print(PICTURE, round(film.get(cv2.CAP_PROP_POS_MSEC) * 90), data.tobytes())


def _print(kind: int, timestamp: int, data: bytes) -> None:
    sys.stdout.buffer.write(HEAD.pack(kind, len(data), max(timestamp, 0)) + data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(_child(sys.stdin.readline().strip()))
