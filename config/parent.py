"""A child that dies with the process that started it, even if that one is killed with -9 (Linux)."""

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # prctl(2)

_prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded before any fork, where loading would not be safe


def die_with_me() -> Callable[[], None]:
    """For `preexec_fn`: ask the kernel to kill the child when the thread that calls this ends."""
    parent = os.getpid()

    def ask() -> None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask
