"""One stream of one camera while it is watched: its state, its last group of pictures, and who looks."""

from collections.abc import Callable
from typing import Protocol

from streams.video import fmp4, wire
from streams.video.frames import Assembler
from streams.video.picture import Frame, Parameters
from streams.video.timeline import Timeline
from streams.video.viewer import Viewer
from streams.video.wire import BEGINNING, KEY_PICTURE, PICTURE, Message

GROUP_MOST = 4 * 1024 * 1024
"""Bytes of a group kept for those who come; of a longer one they wait for the next key frame."""
SEQUENCE = 2**32


class Looker(Protocol):
    """Whoever owns a viewer and writes what waits for it."""

    viewer: Viewer

    def pump(self) -> None:
        """Write what can be written now."""


class Stream:
    """`clock`: UTC microseconds. `now` everywhere: seconds that never step back."""

    def __init__(self, camera: str, name: str, clock: Callable[[], int]) -> None:
        self.camera, self.name = camera, name
        self.state, self.code, self.since = "connecting", "", 0.0
        self.lookers: set[Looker] = set()
        self.frames = self.bytes = self.key_frames = self.swallowed = 0
        self.frame_at = -1.0
        self.frame_wall = 0
        self._clock = clock
        self._timeline = Timeline()
        self._parameters: Parameters | None = None
        self._beginning: list[Message] = []
        self._group: list[Message] = []
        self._group_bytes = 0
        self._key_boxes: tuple[bytes, int] | None = None

    def join(self, looker: Looker, now: float) -> None:
        """Let somebody in: how it stands, and the pictures from the last key frame on."""
        self.lookers.add(looker)
        looker.viewer.offer(self._said(now), now)
        if self.state in ("live", "stalled"):
            for message in (*self._beginning, *self._group):
                looker.viewer.offer(message._replace(at=now), now)  # it waited here, not in their line
        looker.pump()

    def leave(self, looker: Looker) -> None:
        """Let somebody go."""
        self.lookers.discard(looker)

    def connected(self) -> None:
        """Another connection to the camera begins to give frames."""
        self._timeline.restart()

    def become(self, state: str, now: float, code: str = "") -> None:
        """Take on a state and tell everybody."""
        if (state, code) != (self.state, self.code):
            self.state, self.code, self.since = state, code, now
            self._tell(self._said(now), now)

    def take(self, frame: Frame, track: Assembler, now: float) -> None:
        """Pass a frame on to all."""
        if frame.key and track.parameters is not None and track.parameters != self._parameters:
            self._begin(track.parameters, now)
        if self._parameters is None:
            return
        self.frames += 1
        self.bytes += len(frame.sample)
        self.frame_at, self.frame_wall = now, self._clock()
        moment = self._timeline.place(frame.timestamp, now, key=frame.key)
        boxes = fmp4.fragment(frame.sample, moment, frame.key, self.frames % SEQUENCE)
        kind = KEY_PICTURE if frame.key else PICTURE
        shown = moment.decode + moment.shift
        message = wire.picture(kind, boxes, sequence=self.frames, ticks=max(shown, 0), wall=self.frame_wall, at=now)
        if frame.key:
            self.key_frames += 1
            self._key_boxes = (boxes, self.frame_wall)
        self._remember(message, frame.key)
        self.become("live", now)
        self._tell(message, now)

    def key_picture(self) -> tuple[bytes, int] | None:
        """Return the last key frame as a file of its own and when it came (UTC microseconds)."""
        if self._parameters is None or self._key_boxes is None:
            return None
        boxes, wall = self._key_boxes
        return fmp4.beginning(self._parameters) + boxes, wall

    def told(self, now: float) -> dict[str, object]:
        """Return what is known of it, for whoever looks after it."""
        age = round(now - self.frame_at, 3) if self.frame_at >= 0 else None
        size = {"width": self._parameters.width, "height": self._parameters.height} if self._parameters else {}
        codec = {"codec": self._parameters.codec} if self._parameters else {}
        return {
            **{"camera": self.camera, "stream": self.name, "state": self.state, "code": self.code, "age": age},
            **{"viewers": len(self.lookers), "frames": self.frames, "bytes": self.bytes, "swallowed": self.swallowed},
            **{"group_bytes": self._group_bytes, "dropped": sum(one.viewer.dropped for one in self.lookers)},
            **size,
            **codec,
        }

    def _begin(self, parameters: Parameters, now: float) -> None:
        self._parameters = parameters
        said = wire.word(now, codec=parameters.codec, width=parameters.width, height=parameters.height)
        boxes = fmp4.beginning(parameters)
        made = wire.picture(BEGINNING, boxes, sequence=0, ticks=0, wall=self._clock(), at=now)
        self._beginning, self._group, self._group_bytes = [said, made], [], 0
        for message in self._beginning:
            self._tell(message, now)

    def _remember(self, message: Message, key: bool) -> None:
        if key:
            self._group, self._group_bytes = [], 0
        elif not self._group:  # the group was too long
            return
        self._group.append(message)
        self._group_bytes += len(message.framed)
        if self._group_bytes > GROUP_MOST:
            self._group, self._group_bytes = [], 0

    def _said(self, now: float) -> Message:
        age = round(now - self.frame_at, 3) if self.frame_at >= 0 else None
        return wire.word(now, state=self.state, code=self.code, age=age, stream=self.name)

    def _tell(self, message: Message, now: float) -> None:
        for looker in tuple(self.lookers):
            looker.viewer.offer(message, now)
            looker.pump()
