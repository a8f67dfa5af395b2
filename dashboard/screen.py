"""One connected screen (屏): what it was sent, what it painted, and whether it is stuck.

A screen has no queue of its own that could grow: it knows the number it was last sent, and its channel can bring it
from there to now in one frame. What was skipped on the way is counted.
"""

import asyncio
from dataclasses import dataclass, field

import orjson

from dashboard.channel import Channel
from operations.policy import Identity

STEP_BY_STEP = 8
"""A screen at most this many frames behind gets them merged without being called slow."""
UNPAINTED = 32
"""Frames sent ahead of the last painted one before a screen that acknowledges is held back."""
STUCK_SECONDS = 15.0


@dataclass(frozen=True)
class Device:
    """What a screen's browser says of itself; `size` in real pixels, such as "3840×2160"."""

    version: str = ""
    agent: str = ""
    address: str = ""
    size: str = ""


@dataclass(eq=False)
class Screen:
    """A screen and its place in its channel; `id` names the device, `n` numbers are the channel's.

    `fresh` says that it has painted something new since it was last looked at, `painted_when` (monotonic seconds) when
    it did so last.
    """

    id: str
    identity: Identity
    channel: Channel
    device: Device = Device()
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0
    painted: int = 0
    acknowledges: bool = False
    fresh: bool = False
    painted_when: float | None = None
    hidden: bool = False
    skipped: int = 0
    behind_since: float | None = None
    beat: str | None = None
    closing: int = 0

    def next(self) -> str | None:
        """Return the text to send now, or None when the screen is up to date, held back or to be closed."""
        if self.closing:
            return None
        if self.beat is not None:
            beat, self.beat = self.beat, None
            if self.held() and self.sent < self.channel.n:
                return self._catch_up()
            return beat
        if self.sent >= self.channel.n or not self.channel.newest or self.held():
            return None
        if self.sent and self.sent == self.channel.n - 1:
            self.sent = self.channel.n
            return self.channel.newest
        return self._catch_up()

    def held(self) -> bool:
        """Return whether the browser is too far behind in painting to be sent each frame."""
        return self.acknowledges and self.sent - self.painted > UNPAINTED

    def note(self, painted: int, now: float) -> None:
        """Take the browser's word that frame `painted` is on the glass; `now` in monotonic seconds.

        A browser answers every beat; only one that says more than before has painted, and begins a new wait.
        """
        self.acknowledges = True
        before, self.painted = self.painted, max(self.painted, min(painted, self.sent))
        self.fresh = self.fresh or self.painted > before
        if self.painted > before or self.painted_when is None:
            self.painted_when = now
        if self.painted >= self.channel.n:
            self.behind_since = None
        elif self.painted > before or self.behind_since is None:
            self.behind_since = now

    def stuck(self, now: float) -> bool:
        """Return whether the screen has painted nothing for too long while there was something to paint."""
        if self.hidden or self.painted >= self.channel.n:
            self.behind_since = None
            return False
        if self.behind_since is None:
            self.behind_since = now
        return now - self.behind_since > STUCK_SECONDS

    def _catch_up(self) -> str:
        behind = self.channel.n - self.sent
        if self.sent and behind > STEP_BY_STEP:
            self.skipped += behind - 1
        text = self.channel.since(self.sent)
        self.sent = self.channel.n
        return text


def parse(text: str) -> dict[str, object]:
    """Return a browser's message as a mapping; anything else is an empty one."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}
