"""A tiny H.264 writer for drawn pictures (ITU-T H.264, constrained baseline, level 3.0, CAVLC). No codec library.

Nothing is lost and nothing is transformed: a macroblock is either copied by prediction (from the row above it, from
the column left of it, from the same place in the picture before) or written as its samples (I_PCM). Drawn scenes are
mostly flat, so that is small enough; a change costs 384 bytes a macroblock. Samples are kept within 16-235.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

MACROBLOCK = 16
FRAME_NUMBER_BITS = 8
LONGEST_GROUP = 1 << FRAME_NUMBER_BITS

Plane = npt.NDArray[np.uint8]
Piece = tuple[int, bytes]
"""A macroblock's address in raster order, and its 384 samples."""

_START = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_PCM_IN_I, _PCM_IN_P = 25, 30
_DOWN, _ACROSS = 0, 1
"""Intra 16x16 prediction modes: vertical and horizontal (table 8-4); for chroma the other way round (table 8-5)."""


class Bits:
    """Bits put one after another, most significant first."""

    def __init__(self) -> None:
        self._done: list[bytes] = []
        self._open: list[str] = []

    def put(self, bits: str) -> None:
        """Add bits given as 0 and 1."""
        self._open.append(bits)

    def number(self, value: int, width: int) -> None:
        """Add an unsigned number, u(width)."""
        self._open.append(format(value, f"0{width}b"))

    def golomb(self, *values: int) -> None:
        """Add unsigned Exp-Golomb numbers, ue(v)."""
        self._open.extend(golomb(value) for value in values)

    def samples(self, octets: bytes) -> None:
        """Align with zeros and add whole bytes."""
        self._align("0")
        self._done.append(octets)

    def finish(self) -> bytes:
        """Return all of it, with the stop bit."""
        self._open.append("1")
        self._align("0")
        return b"".join(self._done)

    def _align(self, filling: str) -> None:
        bits = "".join(self._open)
        bits += filling * (-len(bits) % 8)
        if bits:
            self._done.append(int(bits, 2).to_bytes(len(bits) // 8, "big"))
        self._open.clear()


@lru_cache(2048)
def golomb(value: int) -> str:
    """Return ue(v) of H.264 clause 9.1."""
    bits = format(value + 1, "b")
    return "0" * (len(bits) - 1) + bits


def unit(kind: int, body: bytes, *, important: int = 3) -> bytes:
    """Return a NAL unit without start code, its body protected against looking like one (clause 7.4.1)."""
    return bytes([important << 5 | kind]) + _START.sub(b"\x00\x00\x03", body)


@dataclass(frozen=True)
class Picture:
    """Three planes in 4:2:0; luma padded to whole macroblocks."""

    luma: Plane
    blue: Plane
    red: Plane

    @property
    def rows(self) -> int:
        """Rows of macroblocks."""
        return int(self.luma.shape[0]) // MACROBLOCK

    @property
    def columns(self) -> int:
        """Macroblocks in a row."""
        return int(self.luma.shape[1]) // MACROBLOCK

    def piece(self, address: int) -> Piece:
        """Return one macroblock's samples."""
        row, column = divmod(address, self.columns)
        y, x = row * 16, column * 16
        u, v = y // 2, x // 2
        planes = (self.luma[y : y + 16, x : x + 16], self.blue[u : u + 8, v : v + 8], self.red[u : u + 8, v : v + 8])
        return address, b"".join(plane.tobytes() for plane in planes)

    def band(self, first: int, rows: int) -> "Picture":
        """Return some of its rows of macroblocks."""
        half, full = slice(first * 8, (first + rows) * 8), slice(first * 16, (first + rows) * 16)
        return Picture(self.luma[full], self.blue[half], self.red[half])


def picture(image: npt.NDArray[Any]) -> Picture:
    """Return the planes of a BGR image (studio range, BT.601); its lower edge is repeated up to a whole macroblock."""
    height, width = image.shape[:2]
    padded = cv2.copyMakeBorder(image, 0, -height % 16, 0, -width % 16, cv2.BORDER_REPLICATE)
    planes = cv2.cvtColor(padded, cv2.COLOR_BGR2YUV_I420)
    tall, wide = padded.shape[:2]
    luma = np.clip(planes[:tall], 16, 235)
    chroma = np.clip(planes[tall:].reshape(2, tall // 2, wide // 2), 16, 240)
    return Picture(luma, chroma[0], chroma[1])


def parameter_sets(width: int, height: int, rate: int) -> tuple[bytes, bytes]:
    """Return SPS and PPS of pictures of this size, shown in the order they are sent, none held back."""
    columns, rows = -(-width // 16), -(-height // 16)
    bits = Bits()
    bits.number(66, 8)
    bits.number(0b11000000, 8)
    bits.number(30, 8)
    bits.golomb(0, FRAME_NUMBER_BITS - 4, 2, 1)  # id, frame numbers, order as sent, one reference
    bits.put("0")
    bits.golomb(columns - 1, rows - 1)
    bits.put("11")  # frames, direct 8x8
    right, below = (columns * 16 - width) // 2, (rows * 16 - height) // 2
    bits.put("1")
    bits.golomb(0, right, 0, below)
    bits.put("1")  # VUI
    bits.put("0000" + "1")  # only timing
    bits.number(1, 32)
    bits.number(rate * 2, 32)
    bits.put("1" + "00" + "0" + "1" + "1")  # fixed rate, no HRD, no structure, restriction, vectors may leave
    bits.golomb(0, 0, 10, 10, 0, 1)  # nothing reordered, one picture held
    sequence = unit(7, bits.finish())
    bits = Bits()
    bits.golomb(0, 0)
    bits.put("00")
    bits.golomb(0, 0, 0)
    bits.put("0" + "00")
    bits.golomb(0, 0, 0)
    bits.put("100")  # the deblocking filter can be switched off
    return sequence, unit(8, bits.finish())


def key_slice(part: Picture, *, first: int = 0, identity: int = 0) -> bytes:
    """Return an IDR slice of these rows, the first of which is row `first` of the picture.

    `identity` (0 or 1) differs between one key picture and the next.
    """
    bits = Bits()
    bits.golomb(first * part.columns, 7, 0)
    bits.number(0, FRAME_NUMBER_BITS)
    bits.golomb(identity)
    bits.put("00" + golomb(0) + golomb(1))  # marking, quantiser, no deblocking
    full = np.zeros(part.columns, bool)  # which macroblocks of the row above were samples
    modes = _modes(part)
    for row in range(part.rows):
        before = False
        for column in range(part.columns):
            code = modes[row][column]
            if code < 0:
                bits.golomb(_PCM_IN_I)
                bits.samples(part.piece(row * part.columns + column)[1])
            else:
                crowded = before or (row > 0 and bool(full[column]))
                bits.put(_COPIED[code] + ("000011" if crowded else "1"))
            before = code < 0
            full[column] = before
    return unit(5, bits.finish())


_COPIED = {
    _DOWN: golomb(1 + _DOWN) + golomb(2) + "1",
    _ACROSS: golomb(1 + _ACROSS) + golomb(1) + "1",
}
"""Type with prediction and without residual, chroma mode, quantiser unchanged; the empty DC block follows."""


def _modes(part: Picture) -> list[list[int]]:
    """Return for each macroblock how it is copied exactly, -1 where it cannot be."""
    shape = (part.rows, part.columns)
    down, across = np.ones(shape, bool), np.ones(shape, bool)
    for plane, size in ((part.luma, 16), (part.blue, 8), (part.red, 8)):
        blocks = plane.reshape(part.rows, size, part.columns, size)
        down[1:] &= (blocks[1:] == blocks[:-1, -1:]).all(axis=(1, 3))
        across[:, 1:] &= (blocks[:, :, 1:] == blocks[:, :, :-1, -1:]).all(axis=(1, 3))
    down[0] = False
    across[:, 0] = False
    chosen: list[list[int]] = np.where(down, _DOWN, np.where(across, _ACROSS, -1)).tolist()
    return chosen


def next_slice(pieces: Iterable[Piece], *, number: int, size: int) -> bytes:
    """Return a P slice of the whole picture of `size` macroblocks: these pieces are new, the rest stays.

    `pieces` come by rising address; `number` counts pictures since the key picture.
    """
    bits = Bits()
    bits.golomb(0, 5, 0)
    bits.number(number, FRAME_NUMBER_BITS)
    bits.put("00" + "0" + golomb(0) + golomb(1))  # references as they are, marking, quantiser, no deblocking
    reached = 0
    for address, samples in pieces:
        bits.golomb(address - reached, _PCM_IN_P)
        bits.samples(samples)
        reached = address + 1
    if reached < size:
        bits.golomb(size - reached)
    return unit(1, bits.finish(), important=2)


def changed(before: Picture, after: Picture, *, first: int = 0) -> list[Piece]:
    """Return the macroblocks that differ, addressed as rows from `first` on."""
    differs = np.zeros((after.rows, after.columns), bool)
    for old, new, size in ((before.luma, after.luma, 16), (before.blue, after.blue, 8), (before.red, after.red, 8)):
        blocks = (old != new).reshape(after.rows, size, after.columns, size)
        differs |= blocks.any(axis=(1, 3))
    offset = first * after.columns
    return [(offset + address, after.piece(address)[1]) for address in np.flatnonzero(differs).tolist()]


def stream(pictures: Sequence[Picture], size: tuple[int, int], rate: int) -> list[list[bytes]]:
    """Return the access units of a short film that begins with a key picture; NAL units without start codes."""
    units = [[*parameter_sets(*size, rate), key_slice(pictures[0])]]
    count = pictures[0].rows * pictures[0].columns
    for number, (before, after) in enumerate(pairwise(pictures), 1):
        units.append([next_slice(changed(before, after), number=number % LONGEST_GROUP, size=count)])
    return units


def annex_b(units: Iterable[Iterable[bytes]]) -> bytes:
    """Return access units as a byte stream with start codes (annex B)."""
    return b"".join(b"\x00\x00\x00\x01" + nal for access_unit in units for nal in access_unit)
