"""One line of time for a camera: RTP's 32 bits unwound, through restarts, jumps and frames that show out of order."""

from typing import NamedTuple

CLOCK = 90_000
JUMP = 10 * CLOCK
"""A step beyond this is no step of the camera's picture but of its clock; then ours counts."""
UNKNOWN = CLOCK // 8
"""How long the first frame is said to last. A browser lets go every frame up to the next key frame after a gap of more
than twice what the frame before was said to last (Media Source Extensions, coded frame processing): so never too short.
"""


class Moment(NamedTuple):
    """When a frame is decoded and how much later it shows, in 1/90000 s; `duration`: until the next, as it seems."""

    decode: int
    shift: int
    duration: int


class Timeline:
    """Goes on for as long as the camera is watched, whatever connection the frames come by."""

    def __init__(self) -> None:
        self._timestamp = -1
        self._shown = 0
        self._decode = -1
        self._duration = UNKNOWN
        self._at = 0.0

    def place(self, timestamp: int, now: float, *, key: bool = True) -> Moment:
        """Return where a frame lies that came at `now` (seconds that never step back)."""
        waited = max(round((now - self._at) * CLOCK), 1) if self._decode >= 0 else 0
        step = (timestamp - self._timestamp + 2**31) % 2**32 - 2**31
        if self._timestamp < 0 or abs(step) > JUMP or step == 0 or waited > JUMP:
            step = waited
        self._timestamp, self._at = timestamp, now
        self._shown += step if key else min(step, 2 * self._duration)  # frames the camera left out
        decode = max(self._shown, self._decode + 1)
        self._shown = max(self._shown, decode - JUMP)
        if 0 < step < CLOCK:
            self._duration = step + step // 2
        self._decode = decode
        return Moment(decode, self._shown - decode, self._duration)

    def restart(self) -> None:
        """Another connection begins: its clock has nothing to do with the one before."""
        self._timestamp = -1
