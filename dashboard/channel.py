"""A live channel (频道): one scope, page, language and lens; every change becomes one frame for all its screens."""

from collections import deque
from typing import NamedTuple

from dashboard import frame
from dashboard.frame import Delta, State
from dashboard.lens import WIDE, Lens
from operations.scope import Scope

RING_FRAMES = 1_200
"""Frames kept for resuming: one minute at the highest pace (one frame each 50 ms)."""
RING_BYTES = 2 * 1024 * 1024


class Topic(NamedTuple):
    """What a channel shows: screens with the same topic share every frame."""

    scope: Scope
    page: str
    lang: str
    lens: Lens = WIDE


class Step(NamedTuple):
    """One change of a channel: its number, its delta and its size in bytes."""

    n: int
    delta: Delta
    size: int


class Channel:
    """The state of one topic, its dense counter `n`, and the last changes for screens that come back."""

    def __init__(self, topic: Topic, after: int = 0) -> None:
        """Start the counter so that screens of an earlier channel of this topic, which ended at `after`, see a gap."""
        self.topic = topic
        self.n = after + 1 if after else 0
        self.as_of = 0
        self.state: State = {}
        self.newest = ""
        self._ring: deque[Step] = deque()
        self._ring_bytes = 0
        self._answers: dict[int, str] = {}

    def publish(self, drawn: Delta, as_of: int) -> bool:
        """Take what was drawn; return whether it changed anything and so became frame `n + 1`."""
        delta = frame.changed(self.state, drawn)
        if not delta:
            return False
        self.n += 1
        self.as_of = as_of
        frame.apply(self.state, delta)
        self.newest = frame.text(self.n, as_of, delta, snapshot=False)
        self._remember(Step(self.n, delta, len(self.newest)))
        self._answers.clear()
        return True

    def since(self, n: int | None) -> str:
        """Return the one frame that brings a screen from `n` to now: merged changes, or a snapshot when too old.

        `missed` counts the frames the screen did not see one by one; -1 when it cannot be known (another run).
        """
        seen = -1 if n is None or not 0 < n <= self.n else n
        if seen not in self._answers:
            self._answers[seen] = self._answer(seen)
        return self._answers[seen]

    def _answer(self, seen: int) -> str:
        steps = [step.delta for step in self._ring if step.n > seen] if self._reaches(seen) else None
        if steps is None:
            missed = self.n - seen if seen > 0 else -1
            return frame.text(self.n, self.as_of, self.state, snapshot=True, missed=missed)
        return frame.text(self.n, self.as_of, frame.merge(steps), snapshot=False, missed=self.n - seen)

    def _reaches(self, seen: int) -> bool:
        if seen <= 0:
            return False
        return seen == self.n or (bool(self._ring) and self._ring[0].n <= seen + 1)

    def _remember(self, step: Step) -> None:
        self._ring.append(step)
        self._ring_bytes += step.size
        while len(self._ring) > RING_FRAMES or self._ring_bytes > RING_BYTES:
            self._ring_bytes -= self._ring.popleft().size
