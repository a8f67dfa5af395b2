"""A folder 文件落地: one line of JSON a message, a file a day, on disk before it counts as sent.

A line that a crash cut short is ended before the next one, so no later line is spoiled by it.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from pathlib import Path

from config import clock
from config.words import Words
from operations.outlets.outbox import SENT
from operations.outlets.outlet import Outlet
from operations.outlets.recording import Outcome
from streams.outlets.letter import Letter, document


async def carry(
    outlet: Outlet, folder: Path, letters: Sequence[Letter], words: Words
) -> AsyncGenerator[tuple[Letter, Outcome]]:
    """Write letters below `folder`; yields what became of each."""
    day = datetime.fromtimestamp(clock.now() / 1e6, words.city.zone).strftime("%Y-%m-%d")
    lines = [document(letter, outlet, words) + b"\n" for letter in letters]
    try:
        await asyncio.to_thread(append, folder / outlet.name / f"{day}.jsonl", lines)
    except OSError as error:
        outcome = Outcome("failed", f"no_writing {error.errno}", away=True)
    else:
        outcome = Outcome(SENT)
    for letter in letters:
        yield letter, outcome


def append(file: Path, lines: Sequence[bytes]) -> None:
    """Add lines to a file, alone, and have them on disk. Raises OSError."""
    file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
    with os.fdopen(descriptor, "ab", buffering=0) as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        size = out.seek(0, os.SEEK_END)
        whole = not size or os.pread(out.fileno(), 1, size - 1) == b"\n"
        data = b"".join([b"" if whole else b"\n", *lines])
        while data:
            data = data[out.write(data) :]
        os.fsync(out.fileno())
