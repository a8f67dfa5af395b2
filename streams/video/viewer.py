"""One who looks: what waits for them, bounded by age and bytes. Pure; whoever owns it writes what `take` gives.

Over a bound everything that waits is let go, and the picture goes on at the next key frame; the tile is told. Twice in
ten seconds, and it is told to take the small stream.
"""

from collections import deque

from streams.video.wire import BEGINNING, KEY_PICTURE, PICTURE, WORD, Message, word

AGE_MOST = 1.0
BYTES_MOST = 6 * 1024 * 1024
AGAIN = 10.0
"""Seconds within which falling behind twice says that the stream is too much."""


class Viewer:
    """`look`: what let them in; they are found by it. `stream`: "main" or "sub"."""

    def __init__(self, look: str, camera: str, stream: str) -> None:
        self.look, self.camera, self.stream = look, camera, stream
        self.dropped = 0
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._for_key = True
        self._behind_at = -AGAIN

    @property
    def held(self) -> int:
        """Bytes that wait."""
        return self._bytes

    def offer(self, message: Message, now: float) -> None:
        """Put a message in line, or let go what is too old for anybody to want."""
        if message.kind == KEY_PICTURE:
            self._for_key = False
        elif message.kind == PICTURE and self._for_key:
            self.dropped += 1
            return
        self._waiting.append(message)
        self._bytes += len(message.framed)
        if message.kind in (PICTURE, KEY_PICTURE):
            self._bound(now)

    def take(self) -> Message | None:
        """Return the next message to write."""
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self._bytes -= len(message.framed)
        return message

    def _bound(self, now: float) -> None:
        oldest = next((one for one in self._waiting if one.kind in (PICTURE, KEY_PICTURE)), None)
        if oldest is None or (now - oldest.at <= AGE_MOST and self._bytes <= BYTES_MOST):
            return
        last = self._waiting[-1]
        kept = [one for one in self._waiting if one.kind in (WORD, BEGINNING)][-4:]
        fresh = [last] if last.kind == KEY_PICTURE and len(last.framed) <= BYTES_MOST else []
        self.dropped += len(self._waiting) - len(kept) - len(fresh)
        too_much = now - self._behind_at < AGAIN
        self._behind_at = now
        told = word(now, state="behind", smaller=too_much and self.stream == "main")
        self._waiting = deque([*kept, told, *fresh])
        self._bytes = sum(len(one.framed) for one in self._waiting)
        self._for_key = not fresh
