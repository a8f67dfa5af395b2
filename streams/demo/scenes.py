"""Drawn pictures of demonstration cameras: a street, moving shapes, the camera's name, a clock and a mark.

They look drawn on purpose and say 模拟画面 SIMULATED. What moves repeats every two groups and is written once;
name, clock and mark are written into each frame, so that a picture always tells its own moment: frame `n` is shown
at `n / RATE` seconds since 1970, whoever serves it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from streams.demo import h264, pattern

RATE = 12
GROUP = 24
"""Frames from one key picture to the next: two seconds."""
CYCLE = 2 * GROUP
MAIN = (640, 360)
SUB = (320, 180)
HEAD = 4
"""Rows of macroblocks with name and clock, in a picture of 640 × 360."""
PANEL_ROWS = 2
"""Rows of a panel of lights between the houses, which is another one in each group: two key pictures never agree."""
SIGN = "模拟画面 SIMULATED"

Image = npt.NDArray[Any]

_SKIES = ((196, 164, 120), (150, 140, 132), (120, 96, 70), (204, 188, 160))
_WALLS = ((120, 136, 168), (104, 116, 120), (140, 120, 108), (92, 124, 148), (128, 150, 150))
_CARS = ((60, 60, 200), (190, 110, 40), (70, 170, 90), (40, 170, 220), (200, 200, 200))
_WHITE = (235, 235, 235)
_BAR = (24, 24, 24)


@dataclass(frozen=True)
class Frame:
    """One access unit: NAL units without start codes, whether it is a key picture, its number and RTP time."""

    units: tuple[bytes, ...]
    key: bool
    index: int

    @property
    def timestamp(self) -> int:
        """RTP time at 90 kHz."""
        return self.index * (90000 // RATE) % (1 << 32)


def index_at(seconds: float) -> int:
    """Return the number of the frame shown at a moment (seconds since 1970)."""
    return int(seconds * RATE)


class Scene:
    """One camera's endless film at one size. Frames can be asked for in any order, all cameras alike by number."""

    def __init__(self, number: int, name: str, *, size: tuple[int, int] = MAIN, zone: tzinfo = UTC) -> None:
        self.number, self.name, self.size, self._zone = number, name, size, zone
        width, height = size
        self.sets = h264.parameter_sets(width, height, RATE)
        self._heads: dict[int, h264.Picture] = {}
        self._unit = max(1, width // 320)
        self._head = HEAD * self._unit // 2
        self._foot = pattern.top(height) // 16
        street = [h264.picture(self._painted(phase)) for phase in range(CYCLE)]
        bands = [picture.band(self._head, self._foot - self._head) for picture in street]
        self._panel = _ground(height) // 16 - PANEL_ROWS
        above = [picture.band(self._head, self._panel - self._head) for picture in (street[0], street[GROUP])]
        road = self._panel + PANEL_ROWS
        below = [picture.band(road, self._foot - road) for picture in (street[0], street[GROUP])]
        self._above = [h264.key_slice(band, first=self._head, identity=turn) for turn, band in enumerate(above)]
        self._below = [h264.key_slice(band, first=road, identity=turn) for turn, band in enumerate(below)]
        self._moves = [h264.changed(bands[phase - 1], bands[phase], first=self._head) for phase in range(CYCLE)]
        self._blocks = street[0].rows * street[0].columns

    def frame(self, index: int) -> Frame:
        """Return the frame of this number."""
        phase = index % CYCLE
        if phase % GROUP == 0:
            return Frame((*self.sets, *self._key(index, phase // GROUP)), True, index)
        pieces = [*self._clock_pieces(index), *self._moves[phase], *self._mark_pieces(index)]
        return Frame((h264.next_slice(pieces, number=phase % GROUP, size=self._blocks),), False, index)

    def image(self, index: int) -> Image:
        """Return the frame as a BGR image, drawn without the codec."""
        drawn = self._painted(index % CYCLE)
        drawn[: self._head * 16] = self._bar(index)
        _light(drawn[self._panel * 16 :][: PANEL_ROWS * 16], self.number, index, self._unit)
        pattern.draw(drawn, self.number, index)
        return drawn

    def _key(self, index: int, turn: int) -> tuple[bytes, ...]:
        shown = _street(self.number, self.size)[self._panel * 16 :][: PANEL_ROWS * 16].copy()
        _light(shown, self.number, index, self._unit)
        panel = h264.key_slice(h264.picture(shown), first=self._panel, identity=turn)
        head = h264.key_slice(self._head_picture(index), identity=turn)
        foot = h264.key_slice(self._foot_picture(index), first=self._foot, identity=turn)
        return head, self._above[turn], panel, self._below[turn], foot

    def _foot_picture(self, index: int) -> h264.Picture:
        drawn = np.full((self.size[1] - self._foot * 16, self.size[0], 3), _BAR, np.uint8)
        pattern.draw(drawn, self.number, index, low=0)
        return h264.picture(drawn)

    def _mark_pieces(self, index: int) -> list[h264.Piece]:
        first = self._foot * (self.size[0] // 16)
        return [
            (first + column, new)
            for column, (old, new) in enumerate(
                zip(_mark_row(self.number, index - 1), _mark_row(self.number, index), strict=True)
            )
            if old != new
        ]

    def _clock_pieces(self, index: int) -> list[h264.Piece]:
        if (index - 1) // RATE == index // RATE:
            return []
        return h264.changed(self._head_picture(index - 1), self._head_picture(index))

    def _head_picture(self, index: int) -> h264.Picture:
        """The head of this second; the last two are kept."""
        second = index // RATE
        if second not in self._heads:
            self._heads = {kept: drawn for kept, drawn in self._heads.items() if kept == second - 1}
            self._heads[second] = h264.picture(self._bar(index))
        return self._heads[second]

    def _bar(self, index: int) -> Image:
        """The head: name on the left, clock on the right, the word that it is simulated below."""
        unit = self._unit
        bar = np.full((self._head * 16, self.size[0], 3), _BAR, np.uint8)
        shown = datetime.fromtimestamp(index // RATE, self._zone).strftime("%Y-%m-%d %H:%M:%S")
        _write(bar, self.name, (6, 14 * unit), 11 * unit)
        _write(bar, shown, (self.size[0] - 122 * unit, 14 * unit), 11 * unit)
        _write(bar, SIGN, (6, 27 * unit), 9 * unit)
        return bar

    def _painted(self, phase: int) -> Image:
        image = _street(self.number, self.size).copy()
        turn = phase // 2 * 2 / CYCLE  # things move in every second frame, which halves what is sent
        for lane in range(2):
            _car(image, lane, self.number, turn, self._unit)
        return image


class Still:
    """One image shown for ever, as by a camera that is frozen, covered, out of focus or in the dark."""

    def __init__(self, image: Image) -> None:
        height, width = image.shape[:2]
        shown = h264.picture(image)
        self.sets = h264.parameter_sets(width, height, RATE)
        self._keys = [h264.key_slice(shown, identity=turn) for turn in range(2)]
        self._blocks = shown.rows * shown.columns

    def frame(self, index: int) -> Frame:
        """Return the frame of this number."""
        turn, number = divmod(index % CYCLE, GROUP)
        if number == 0:
            return Frame((*self.sets, self._keys[turn]), True, index)
        return Frame((h264.next_slice([], number=number, size=self._blocks),), False, index)


def _light(rows: Image, number: int, index: int, unit: int) -> None:
    """Light the panel anew, in flat squares of a macroblock."""
    random = np.random.default_rng((number, index // GROUP))
    for square in range(8 * unit):
        line, column = divmod(square, 4 * unit)
        left = (rows.shape[1] // 32 + column) * 16
        rows[line * 16 : line * 16 + 16, left : left + 16] = random.integers(40, 220, 3)


def _ground(height: int) -> int:
    return height * 9 // 16 // 16 * 16


def _write(image: Image, words: str, at: tuple[int, int], size: int) -> None:
    """Write with the font that OpenCV carries itself, which has Chinese: no font of the system is needed."""
    cv2.putText(image, words, at, _WHITE, _font(), size)


@lru_cache(1)
def _font() -> Any:
    return cv2.FontFace("sans")


def _mark_row(camera: int, index: int) -> list[bytes]:
    """The mark's macroblocks; each holds two blocks of both lines."""
    mark = pattern.bits(camera, index)
    low = mark[pattern.COLUMNS :]
    return [_mark_piece(mark[at : at + 2] + low[at : at + 2]) for at in range(0, pattern.COLUMNS, 2)]


@lru_cache(16)
def _mark_piece(mark: str) -> bytes:
    return h264.picture(cv2.merge([pattern.blocks(mark, 2)] * 3)).piece(0)[1]


@lru_cache(64)
def _street(number: int, size: tuple[int, int]) -> Image:
    """Sky, houses with windows, a road, trees: drawn from the camera's number, on whole macroblocks where it can."""
    width, height = size
    random = np.random.default_rng(number)
    image = np.full((height, width, 3), _SKIES[number % len(_SKIES)], np.uint8)
    ground, unit = _ground(height), width // 320
    left = 0
    while left < width:
        wide = int(random.integers(2, 5)) * 16 * unit
        high = int(random.integers(3, 6)) * 16 * unit
        wall = _WALLS[int(random.integers(len(_WALLS)))]
        image[max(0, ground - high) : ground, left : left + wide] = wall
        for x in range(left + 6 * unit, left + wide - 4 * unit, 16 * unit):
            lit = (90, 190, 230) if random.random() < 0.3 else (70, 70, 66)
            image[max(0, ground - high + 8 * unit) : ground - 8 * unit, x : x + 5 * unit] = lit
        left += wide
    image[ground:] = (84, 84, 84)
    image[ground : ground + 8 * unit] = (140, 140, 140)
    line = ground + (height - ground) // 2
    for x in range(0, width, 32 * unit):
        image[line : line + 3 * unit, x : x + 16 * unit] = (210, 210, 210)
    for x in random.integers(0, width, 4).tolist():
        cv2.circle(image, (x, ground - 14 * unit), 12 * unit, (52, 110, 60), -1)
        cv2.rectangle(image, (x - unit, ground - 6 * unit), (x + unit, ground + 4 * unit), (40, 60, 80), -1)
    low = pattern.top(height)
    image[low:] = _BAR
    return image


def _car(image: Image, lane: int, number: int, turn: float, unit: int) -> None:
    """A box with two wheels; it crosses the picture once a cycle, each lane from another place."""
    width, height = image.shape[1], image.shape[0]
    ground = _ground(height)
    low = ground + max(18 * unit, (2 * lane + 1) * (pattern.top(height) - ground) // 4)
    start = (number * 7 + lane * 13) % 10 / 10
    along = (turn + start) % 1.0
    along = 1 - along if lane == 0 else along
    x = int(along * (width + 80 * unit)) - 40 * unit
    colour = _CARS[(number + lane) % len(_CARS)]
    cv2.rectangle(image, (x, low - 10 * unit), (x + 34 * unit, low), colour, -1)
    cv2.rectangle(image, (x + 7 * unit, low - 17 * unit), (x + 25 * unit, low - 10 * unit), colour, -1)
    for wheel in (8, 26):
        cv2.circle(image, (x + wheel * unit, low), 4 * unit, (30, 30, 30), -1)
