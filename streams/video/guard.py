"""Which grants 授权 let pictures pass, as the relay knows it: until when, by a clock that nobody can put back. Pure.

Whoever owns a guard tells it what is in force, again and again. What it has not heard of for `PATIENCE` seconds passes
no more: a relay that knows nothing lets nobody look by a grant.
"""

from collections.abc import Mapping
from typing import NamedTuple

PATIENCE = 5.0
"""Seconds without a word after which nothing is known any more."""
SECOND = 1_000_000


class Leave(NamedTuple):
    """A grant in force: from when to when (UTC us), and for which cameras."""

    from_at: int
    until_at: int
    cameras: frozenset[str]


class _Known(NamedTuple):
    leave: Leave
    begins: float
    ends: float


class Guard:
    """Times given are `now`, seconds that never step back, and `wall`, UTC microseconds."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._heard_at = -PATIENCE

    def heard(self, found: Mapping[str, Leave], now: float, wall: int) -> None:
        """Take in everything that is in force. A clock that was moved meanwhile moves no end; who extends one does."""
        self._heard_at = now
        self._known = {id: self._timed(id, leave, now, wall) for id, leave in found.items()}

    def still(self, now: float) -> None:
        """Nothing has changed since what was heard last."""
        self._heard_at = now

    def why_not(self, grant: str, camera: str, now: float) -> str:
        """Return why a picture does not pass by a grant: "unheard", "ended", "time", "later"; "" when it does."""
        if now - self._heard_at >= PATIENCE:
            return "unheard"
        known = self._known.get(grant)
        if known is None or camera not in known.leave.cameras:
            return "ended"
        if now >= known.ends:
            return "time"
        return "later" if now < known.begins else ""

    def run_out(self, now: float) -> list[str]:
        """Return the grants whose time is over by the clock that nobody can put back."""
        return [id for id, known in self._known.items() if now >= known.ends]

    def _timed(self, id: str, leave: Leave, now: float, wall: int) -> _Known:
        before = self._known.get(id)
        if before is None:
            return _Known(leave, now + (leave.from_at - wall) / SECOND, now + (leave.until_at - wall) / SECOND)
        moved = (leave.until_at - before.leave.until_at) / SECOND
        return _Known(leave, before.begins, before.ends + moved)
