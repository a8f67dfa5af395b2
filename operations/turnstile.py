"""A fair queue in front of SQLite's one write lock, across threads and processes.

SQLite lets waiters poll, so a busy worker that begins again at once can starve an operator's command. Whoever wants
to write first holds the `next` lock, then waits for the `turn` lock: a writer that just finished cannot pass it.
The locks are advisory and die with their process; SQLite's own lock stays the one that protects the data.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import clock
from operations.errors import DatabaseLocked

POLL_S = 0.001


class Turnstile:
    """The queue for one database file."""

    def __init__(self, file: Path, timeout_s: float) -> None:
        self.file = file
        self._timeout_s = timeout_s
        self._next = file.with_name(file.name + "-next")
        self._turn = file.with_name(file.name + "-turn")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn to write and hold it. Raises DatabaseLocked after the timeout."""
        deadline = clock.monotonic() + self._timeout_s
        waiting = _lock(self._next, deadline)
        try:
            held = _lock(self._turn, deadline)
        finally:
            os.close(waiting)
        try:
            yield
        finally:
            os.close(held)


def _lock(path: Path, deadline: float) -> int:
    """Return a descriptor that holds the lock; closing it lets go."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if clock.monotonic() > deadline:
                os.close(descriptor)
                raise DatabaseLocked from None
            time.sleep(POLL_S)
