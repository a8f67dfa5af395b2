"""A token bucket for each source, in this process; of several web processes each allows its share."""

from collections.abc import Callable

from streams.errors import RateExceeded

BURST_SECONDS = 10.0
MOST_SOURCES = 10_000


class Limiter:
    """Lets `rate` reports a second through on average, and ten seconds' worth at once; 0 = no limit."""

    def __init__(self, monotonic: Callable[[], float], processes: int = 1) -> None:
        self._monotonic = monotonic
        self._processes = processes
        self._buckets: dict[str, tuple[float, float]] = {}
        """source → (tokens, when)."""

    def take(self, source: str, rate: float, count: int) -> None:
        """Take `count` tokens, or raise RateExceeded with the seconds until they are there.

        One request larger than the bucket passes when the bucket is full, and leaves a debt.
        """
        if rate <= 0:
            return
        rate /= self._processes
        full = max(rate * BURST_SECONDS, 1.0)
        now = self._monotonic()
        tokens, then = self._buckets.get(source, (full, now))
        tokens = min(full, tokens + (now - then) * rate)
        needed = min(float(count), full)
        if tokens < needed:
            wait = int((needed - tokens) / rate) + 1
            raise RateExceeded("rate_exceeded", f"this source may send {rate:g} reports a second", retry_after=wait)
        if len(self._buckets) >= MOST_SOURCES:
            self._buckets.clear()
        self._buckets[source] = (tokens - count, now)

    def give_back(self, source: str, count: int) -> None:
        """Undo `take`: what it was for did not happen."""
        if source in self._buckets:
            tokens, then = self._buckets[source]
            self._buckets[source] = (tokens + count, then)
