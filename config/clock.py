"""The only module that reads the clock; everything else takes the time as an argument."""

import time


def now() -> int:
    """Wall-clock time in UTC microseconds since 1970."""
    return time.time_ns() // 1_000


def monotonic() -> float:
    """Seconds on a clock that never steps back; only differences mean anything."""
    return time.monotonic()


def worked() -> float:
    """Seconds of processor time this thread has used: what something cost, whoever else was running."""
    return time.thread_time()
