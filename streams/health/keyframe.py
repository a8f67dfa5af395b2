"""A camera's last key frame, asked of the relay over its UNIX socket, and decoded by OpenCV's own reader."""

import asyncio
import os
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import cv2
import numpy as np
import numpy.typing as npt

SECONDS = 12.0
"""How long an answer may take; the relay itself waits 8 s for a key frame."""
OCTETS_MOST = 16 * 1024 * 1024
PIXELS_MOST = 16_000_000


class RelayAway(Exception):
    """The relay could not be asked; that says nothing about a camera."""


class NotShown(Exception):
    """The relay has no pictures of such a camera, so that nothing can be said about them."""


class KeyFrame(NamedTuple):
    """A film of one frame (mp4), and when it came (UTC us)."""

    film: bytes
    at: int


async def asked(path: Path, camera: str, *, stream: str = "sub", seconds: float = SECONDS) -> KeyFrame | None:
    """Return the relay's last key frame of a camera; None where none comes. Raises RelayAway, NotShown."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(os.fspath(path))
            try:
                writer.write(f"GET /keyframe/{quote(camera, safe='')}?stream={stream} HTTP/1.1\r\n\r\n".encode())
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                status, fields = _read(head)
                if status == 404:
                    raise NotShown(camera)
                if status != 200:
                    return None
                return KeyFrame(await reader.readexactly(fields["content-length"]), fields["x-frame-at"])
            finally:
                writer.close()
    except (
        OSError,
        TimeoutError,
        asyncio.IncompleteReadError,
        asyncio.LimitOverrunError,
        KeyError,
        ValueError,
    ) as error:
        raise RelayAway(f"the relay at {path} does not answer: {error!r}") from error


def _read(head: str) -> tuple[int, dict[str, int]]:
    """The status, and the fields that are numbers."""
    first, *lines = head.strip().split("\r\n")
    pairs = ((name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    fields = {name: int(value) for name, value in pairs if value.isdecimal()}
    if fields.get("content-length", 0) > OCTETS_MOST:
        raise ValueError("a key frame of that size is none")
    return int(first.split(" ")[1]), fields


def decoded(film: bytes) -> npt.NDArray[Any] | None:
    """Return the first frame of an mp4 as a BGR image; None where it cannot be read. It never touches a disk."""
    kept = os.memfd_create("keyframe")
    try:
        os.write(kept, film)
        reader = cv2.VideoCapture(f"/proc/self/fd/{kept}", cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        try:
            if reader.get(cv2.CAP_PROP_FRAME_WIDTH) * reader.get(cv2.CAP_PROP_FRAME_HEIGHT) > PIXELS_MOST:
                return None
            came, image = reader.read()
        finally:
            reader.release()
    except cv2.error:
        return None
    finally:
        os.close(kept)
    return np.asarray(image) if came else None
