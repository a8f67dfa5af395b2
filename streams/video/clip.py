"""A clip 片段 of a live picture, with who exported it, which camera and when drawn into each frame; by a child process.

Like a still (`streams/video/still.py`): `python -m streams.video.clip` takes one `Asked` as MessagePack and answers an
MP4 (MPEG-4 Part 2, which OpenCV's own FFmpeg writes), or nothing. Neither the film nor the clip touches a disk.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from streams.video.still import FAINT, INK, Masks, bound, child, fitted, strip, written

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]

SECONDS, CPU_SECONDS = 120.0, 100
PIXELS_MOST = 16_000_000
RATES = (1.0, 60.0)
"""Frames a second of a clip, at least and at most."""


class Asked(msgspec.Struct, frozen=True):
    """A film (fragmented mp4) of so many `seconds` and `frames`; below each frame stand `lines` and what `moments` say
    of its second, `mark` faintly all over it; `masks` hide parts of it.
    """

    film: bytes
    frames: int
    seconds: float
    lines: list[str]
    moments: list[str]
    mark: str
    masks: Masks = ()


class Clips:
    """One at a time."""

    def __init__(self) -> None:
        self._at_once = asyncio.Semaphore(1)

    async def drawn(self, asked: Asked) -> bytes:
        """Return an MP4 with solid masks. Raises NotDrawn."""
        async with self._at_once:
            return await child("streams.video.clip", msgspec.msgpack.encode(asked), SECONDS)


def marked(images: "Iterator[Image]", asked: Asked) -> "Iterator[Image]":
    """Yield the pictures with masks, mark and lines in their pixels."""
    import numpy as np

    from streams.video.covering import covered

    rate, second, below, over = rate_of(asked), -1, None, None
    for number, image in enumerate(images):
        image = fitted(covered(image, asked.masks) if asked.masks else image)
        if over is None:
            over = _faint(image, asked.mark)
        if below is None or int(number / rate) != second:
            second = int(number / rate)
            said = asked.moments[min(second, len(asked.moments) - 1)] if asked.moments else ""
            below = strip([*asked.lines, said], image.shape[1])
        yield np.vstack((_laid(image, over), below))


def rate_of(asked: Asked) -> float:
    """Return the frames a second of a clip."""
    return min(max((asked.frames - 1) / max(asked.seconds, 0.1), RATES[0]), RATES[1])


def _faint(image: "Image", mark: str) -> "Image":
    """Where the mark's letters are, all over a picture of this size."""
    import cv2
    import numpy as np

    blank: Image = np.zeros_like(image)
    where: Image = cv2.cvtColor(written(blank, mark), cv2.COLOR_BGR2GRAY)
    return where


def _laid(image: "Image", where: "Image") -> "Image":
    import cv2
    import numpy as np

    over = cv2.copyTo(np.full_like(image, INK), where, image.copy())
    laid: Image = cv2.addWeighted(over, FAINT, image, 1 - FAINT, 0)
    return laid


def made(asked: Asked) -> bytes:
    """Return the clip, b"" where the film cannot be read."""
    import cv2

    film, clip = os.memfd_create("film"), os.memfd_create("clip")
    Path(f"/proc/self/fd/{film}").write_bytes(asked.film)
    reader = cv2.VideoCapture(f"/proc/self/fd/{film}", cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if reader.get(cv2.CAP_PROP_FRAME_WIDTH) * reader.get(cv2.CAP_PROP_FRAME_HEIGHT) > PIXELS_MOST:
        return b""
    with tempfile.TemporaryDirectory() as folder:
        name = Path(folder, "clip.mp4")  # the name says which kind of file, the link where it is
        name.symlink_to(f"/proc/self/fd/{clip}")
        writer = None
        for image in marked(_frames(reader), asked):
            image = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
            if writer is None:
                code, size = cv2.VideoWriter.fourcc(*"mp4v"), (image.shape[1], image.shape[0])
                writer = cv2.VideoWriter(str(name), cv2.CAP_FFMPEG, code, rate_of(asked), size)
            writer.write(image)
        if writer is None:
            return b""
        writer.release()
    return Path(f"/proc/self/fd/{clip}").read_bytes()


def _frames(reader: Any) -> "Iterator[Image]":
    while True:
        came, image = reader.read()
        if not came:
            return
        yield image


def main() -> int:
    """Answer one question."""
    bound(CPU_SECONDS)
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Asked)
    import cv2

    cv2.setNumThreads(1)
    clip = made(asked)
    sys.stdout.buffer.write(clip)
    return 0 if clip else 1


if __name__ == "__main__":
    sys.exit(main())
