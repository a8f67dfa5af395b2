"""Ports for what is started on a port known beforehand.

They lie below those a system gives out by itself (32768 and up on Linux, 49152 and up elsewhere), so no connection and
no server on "any port" takes one between the choice and the start. Each process chooses from a slice of its own, locked
until it ends, so no other test process does either.
"""

import fcntl
import functools
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

_FIRST, _LAST, _SLICE = 20_000, 32_000, 200


def free() -> int:
    """Returns a TCP port of 127.0.0.1 nobody uses; the same one again after 200 others at the earliest.

    Raises:
        OSError: none is left.
    """
    for port in itertools.islice(_numbers(), _SLICE):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no port of the {_SLICE} this process may use is free")


@functools.cache
def _numbers() -> Iterator[int]:
    """The ports of this process, over and over; their slice is locked while it lives."""
    folder = Path(tempfile.gettempdir(), f"gridwall-ports-{os.getuid()}")
    folder.mkdir(exist_ok=True)
    for first in range(_FIRST, _LAST, _SLICE):
        lock = os.open(folder / str(first), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return itertools.cycle(range(first, first + _SLICE))
    raise OSError(f"every slice of the ports from {_FIRST} to {_LAST} is taken")
