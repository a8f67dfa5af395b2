"""What the kernel says of its clock (adjtimex(2), read only): followed by a reference or not, how far it may be off."""

import ctypes
import os
from collections.abc import Callable

from operations import clock_state
from operations.database import AfterCommit, Database

STA_UNSYNC = 0x0040
TIME_ERROR = 5
SETTLED = 3
"""Times in a row another state must be seen before it is believed: at its bounds it would come and go."""


class _Timex(ctypes.Structure):
    """`struct timex` of <sys/timex.h>; of what follows `esterror` and `status` nothing is read."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def kernel() -> tuple[bool | None, int]:
    """Return whether the clock is followed (None: the kernel does not tell) and its largest error in microseconds."""
    told = _Timex()
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    except (OSError, AttributeError):
        return None, 0
    if answer < 0:
        return None, 0
    return answer != TIME_ERROR and not told.status & STA_UNSYNC, int(told.maxerror)


class ClockWatch:
    """Writes down when the state of this machine's clock changes; `read` as `kernel`."""

    def __init__(
        self, database: Database, ring: AfterCommit, read: Callable[[], tuple[bool | None, int]] = kernel
    ) -> None:
        self._database, self._ring, self._read = database, ring, read
        self._machine = os.uname().nodename
        self._known: str | None = None
        self._seen: tuple[str, int] = ("", 0)

    def step(self, now: int) -> None:
        """Look at the clock; what was not known before, or changed for good, is an entry."""
        synchronised, error_us = self._read()
        state = clock_state.state_of(synchronised, error_us)
        if self._known is None:
            last = clock_state.latest(self._database, self._machine)
            self._known = last.state if last is not None else ""
        self._seen = (state, self._seen[1] + 1 if self._seen[0] == state else 1)
        if state != self._known and (not self._known or self._seen[1] >= SETTLED):
            clock_state.mark(self._database, self._machine, state, error_us, now=now, after_commit=self._ring)
            self._known = state
