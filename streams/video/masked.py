"""Masked pictures 遮挡画面 of cameras with registered view limits: JPEGs of key frames, made by one child process.

What cameras send is foreign, and what is under a mask must never leave: `python -m streams.video.masked` decodes a key
frame, lays the masks over it and answers a JPEG, or nothing; it is bounded in memory and time, lives as long as the
server, and is started again when it has died. A question is `Asked` as MessagePack, an answer the JPEG, each after a
head of number and length: an answer to another question is none.
"""

import asyncio
import resource
import struct
import subprocess
import sys
from contextlib import suppress
from typing import IO

import msgspec

from config import parent
from config.settings import ROOT, child_environment
from streams.video.still import Masks

HEAD = struct.Struct(">II")
"""Number of the question, and length of what follows."""
ASKED_MOST, MADE_MOST = 20 * 1024 * 1024, 20 * 1024 * 1024
SECONDS, BEGIN_SECONDS = 5.0, 20.0
"""How long one picture may take, and a child that starts."""
MEMORY_BYTES = 3 << 30
PICTURES_MOST, CPU_SECONDS = 2_000, 900
"""After so many pictures another child takes over."""
WAITING_MOST = 64
QUALITY = 80
TROUBLES = (OSError, TimeoutError, asyncio.IncompleteReadError, subprocess.SubprocessError)


class Asked(msgspec.Struct, frozen=True):
    """A film of one frame (mp4), the masks to lay over it, and the words that stand faintly all over the rest."""

    film: bytes
    masks: Masks
    mark: str


class NotMasked(Exception):
    """No masked picture could be made, so there is none; the message says why."""


class Masker:
    """One child at most; questions wait for each other."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._number = self._made = self._waiting = 0
        self._tasks: set[asyncio.Task[bytes]] = set()

    async def ready(self) -> None:
        """Return when a child answers. Raises NotMasked."""
        await self._asked(b"")

    async def picture(self, film: bytes, masks: Masks, mark: str) -> bytes:
        """Return a JPEG of a key frame with its masks. Raises NotMasked."""
        if not masks:
            raise NotMasked("there is no mask to lay over the picture")
        jpeg = await self._asked(msgspec.msgpack.encode(Asked(film, masks, mark)))
        if not jpeg:
            raise NotMasked("the frame cannot be read, or not be masked")
        return jpeg

    async def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _asked(self, asked: bytes) -> bytes:
        """Whoever goes away meanwhile leaves the question to its answer: none may stay behind for another's."""
        if self._waiting >= WAITING_MOST:
            raise NotMasked("too many masked pictures are asked for at once")
        task = asyncio.create_task(self._exchanged(asked))
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return await asyncio.shield(task)

    def _over(self, task: asyncio.Task[bytes]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone

    async def _exchanged(self, asked: bytes) -> bytes:
        self._waiting += 1
        try:
            async with self._turn:
                try:
                    answer = await self._exchange(asked)
                except BaseException as error:
                    await self.close()  # what it would still answer is nobody's
                    if isinstance(error, TROUBLES):
                        raise NotMasked("the process that masks pictures does not answer") from error
                    raise
                if self._made >= PICTURES_MOST:
                    await self.close()
                return answer
        finally:
            self._waiting -= 1

    async def _exchange(self, asked: bytes) -> bytes:
        if self._child is None or self._child.returncode is not None:
            await self._begin()
        async with asyncio.timeout(SECONDS):
            return await self._answer(asked)

    async def _begin(self) -> None:
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        self._child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streams.video.masked"), cwd=ROOT, env=child_environment(),
            stdin=pipe, stdout=pipe, stderr=null, preexec_fn=parent.die_with_me(),
        )  # fmt: skip
        self._made = 0
        async with asyncio.timeout(BEGIN_SECONDS):
            await self._answer(b"")

    async def _answer(self, asked: bytes) -> bytes:
        child = self._child
        assert child is not None and child.stdin is not None and child.stdout is not None
        self._number, self._made = (self._number + 1) & 0xFFFFFFFF, self._made + 1
        child.stdin.write(HEAD.pack(self._number, len(asked)) + asked)
        await child.stdin.drain()
        number, size = HEAD.unpack(await child.stdout.readexactly(HEAD.size))
        if number != self._number or size > MADE_MOST:
            raise OSError("the process that masks pictures answers another question")
        return await child.stdout.readexactly(size)


# ---- the child -------------------------------------------------------------------------------------------------------


def made(asked: Asked) -> bytes:
    """Return the JPEG of one question, b"" where the frame or a mask is none."""
    import cv2

    from streams.health import keyframe
    from streams.video.covering import NotCovered, covered
    from streams.video.still import faint

    image = keyframe.decoded(asked.film)
    if image is None:
        return b""
    try:
        shown = covered(faint(image, asked.mark), asked.masks)
    except (NotCovered, cv2.error, MemoryError):
        return b""
    done, jpeg = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return jpeg.tobytes() if done else b""


def _serve(given: IO[bytes], taken: IO[bytes]) -> None:
    """Answer until nobody asks any more."""
    while len(head := given.read(HEAD.size)) == HEAD.size:
        number, size = HEAD.unpack(head)
        if size > ASKED_MOST:
            return
        asked = given.read(size)
        jpeg = made(msgspec.msgpack.decode(asked, type=Asked)) if asked else b""
        taken.write(HEAD.pack(number, len(jpeg)) + jpeg)
        taken.flush()


def main() -> int:
    """Serve the process that began this one."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import cv2

    cv2.setNumThreads(1)
    _serve(sys.stdin.buffer, sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
