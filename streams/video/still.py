"""A still 截图 of a key frame, with who took it, which camera and when drawn into it; drawn by a child process.

What cameras send is foreign: `python -m streams.video.still` decodes it within bounds of memory and time, and nothing
but the child ends when native code breaks. It takes one `Asked` as MessagePack and answers a JPEG, or nothing. Texts
are drawn with the font that OpenCV carries itself, which has Chinese: no font is shipped, none of the system needed.
"""

import asyncio
import resource
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from config import parent
from config.settings import ROOT, child_environment

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[Any]

Masks = tuple[tuple[tuple[float, float], ...], ...]
SECONDS, CPU_SECONDS = 15.0, 10
MEMORY_BYTES = 3 << 30
AT_ONCE, WAITING_MOST = 2, 8
QUALITY = 88
SIZE_MOST, SIZE_LEAST = 28, 8
WIDTH_LEAST = 480
"""Pixels; a narrower picture gets a border, so that what stands below it can be read."""
STRIP = (24, 24, 24)
INK = (235, 235, 235)
FAINT = 0.16
"""How much of the texts over the picture shows."""
LINE = 1.5
"""Height of a line in sizes of its letters."""


class Asked(msgspec.Struct, frozen=True):
    """A film of one frame (mp4); `masks` hide parts of it, `lines` stand below it, `mark` faintly all over it."""

    film: bytes
    lines: list[str]
    mark: str
    masks: Masks = ()


class NotDrawn(Exception):
    """No still could be made: the frame cannot be read, or too many are asked for at once."""


class Stills:
    """At most so many children at once."""

    def __init__(self) -> None:
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def drawn(self, film: bytes, lines: list[str], mark: str, masks: Masks = ()) -> bytes:
        """Return a JPEG, solid where a mask is. Raises NotDrawn."""
        if self._waiting >= WAITING_MOST:
            raise NotDrawn("too many stills are asked for at once")
        self._waiting += 1
        try:
            async with self._at_once:
                asked = msgspec.msgpack.encode(Asked(film, lines, mark, masks))
                return await child("streams.video.still", asked, SECONDS)
        finally:
            self._waiting -= 1


async def child(module: str, asked: bytes, seconds: float) -> bytes:
    """Return what a process that runs a module answers. Raises NotDrawn."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module), cwd=ROOT, env=child_environment(), stdin=pipe, stdout=pipe,
        preexec_fn=parent.die_with_me(),
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            made, _ = await process.communicate(asked)
    except TimeoutError:
        raise NotDrawn("the picture took too long") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not made:
        raise NotDrawn("the picture cannot be read")
    return made


def marked(image: "Image", lines: list[str], mark: str) -> "Image":
    """Return the picture with a strip of lines below it and the mark faintly over it."""
    import numpy as np

    image = fitted(image)
    return np.vstack((faint(image, mark), strip(lines, image.shape[1])))


def fitted(image: "Image") -> "Image":
    """Return the picture as wide as the lines below it need."""
    import cv2

    more = max(0, WIDTH_LEAST - image.shape[1])
    wide: Image = cv2.copyMakeBorder(image, 0, 0, 0, more, cv2.BORDER_CONSTANT, value=STRIP)
    return wide


def strip(lines: list[str], width: int) -> "Image":
    """Return lines as a picture of that width."""
    import cv2
    import numpy as np

    font = cv2.FontFace("sans")
    size = _fitting(cv2, font, lines, width)
    made = np.full((round(size * LINE * (len(lines) + 0.5)), width, 3), STRIP, np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(made, line, (size // 2, round(size * LINE * (number + 1))), INK, font, size)
    return made


def faint(image: "Image", mark: str) -> "Image":
    """Return the picture with the mark faintly all over it."""
    import cv2

    shown: Image = cv2.addWeighted(written(image, mark), FAINT, image, 1 - FAINT, 0)
    return shown


def written(image: "Image", mark: str) -> "Image":
    """Return the picture with the mark all over it."""
    import cv2

    height, width = image.shape[:2]
    font, over = cv2.FontFace("sans"), image.copy()
    step = max(48, height // 4)
    for row, top in enumerate(range(step // 2, height, step)):
        for left in range(-(row % 2) * width // 4, width, max(width // 2, 1)):
            cv2.putText(over, mark, (left, top), INK, font, max(SIZE_LEAST, width // 40))
    return over


def _fitting(cv2: Any, font: Any, lines: list[str], width: int) -> int:
    """The largest size of letters in which every line fits, down to the least."""
    size = min(SIZE_MOST, max(SIZE_LEAST, width // 45))
    while size > SIZE_LEAST and any(
        cv2.getTextSize((width, width), line, (0, 0), font, size)[2] > width - size for line in lines
    ):
        size -= 1
    return size


def bound(cpu_seconds: int) -> None:
    """Bound what this process may take, for it reads what cameras send."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Answer one question."""
    bound(CPU_SECONDS)
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Asked)
    import cv2

    from streams.health import keyframe
    from streams.video.covering import covered

    cv2.setNumThreads(1)
    image = keyframe.decoded(asked.film)
    if image is None:
        return 1
    image = covered(image, asked.masks) if asked.masks else image
    made, jpeg = cv2.imencode(".jpg", marked(image, asked.lines, asked.mark), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if made:
        sys.stdout.buffer.write(jpeg.tobytes())
    return 0 if made else 1


if __name__ == "__main__":
    sys.exit(main())
