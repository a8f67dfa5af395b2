"""What can be measured on one picture of a camera, and the faults it shows. Pure; OpenCV, one thread.

Metrics after published practice: grey mean and spread, variance of the Laplacian, Immerkaer's noise estimate, share of
the largest area without detail, difference from the picture before. Nothing in a picture is recognised.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from config.pictures import Bounds, Judging

SIZE = (640, 360)
THUMB = (64, 36)
CUT = (480, 270)
CELL = 16
SMOOTH = 2.5
"""Spread of grey in a cell below which it shows no detail."""
ALIKE = 10
"""Cells without detail that differ less in grey belong to one area."""
COLOURLESS = 3.0
"""Mean distance from grey below which a picture is one of infrared."""

Image = npt.NDArray[Any]
FAULTS = ("lost", "black", "bright", "frozen", "covered", "contrast", "noise", "blurred")
"""Gravest first; a picture is called by its gravest fault. `lost`: there was no picture to measure."""


class Measures(NamedTuple):
    """What was measured. `still` is the difference from the picture before, None where there was none to compare."""

    mean: float
    contrast: float
    sharpness: float
    noise: float
    blank: float
    still: float | None
    night: bool


class Finding(NamedTuple):
    """One fault with what was measured and the bound it passed."""

    fault: str
    value: float
    bound: float


class Look(NamedTuple):
    """What a round keeps of a picture: its measures, and the thumb that the next round compares with."""

    measures: Measures
    thumb: Image


def look(image: Image, judging: Judging, before: Image | None = None) -> Look:
    """Measure a BGR image of any size; `before` is the thumb of the round before."""
    native = _inner(image, judging)
    small = cv2.resize(native, SIZE, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    thumb = cv2.resize(grey, THUMB, interpolation=cv2.INTER_AREA)
    still = None
    if before is not None and before.shape == thumb.shape:
        still = float(cv2.absdiff(thumb, before).mean())
    mean, spread = cv2.meanStdDev(grey)
    measures = Measures(
        mean=float(mean[0, 0]),
        contrast=float(spread[0, 0]),
        sharpness=float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        noise=_noise(native),
        blank=_blank(grey),
        still=still,
        night=_colourless(small),
    )
    return Look(measures, thumb)


def faults(measures: Measures, judging: Judging) -> tuple[Finding, ...]:
    """Return what is wrong, gravest first. What a graver fault brings with it is not told beside it."""
    bounds = judging.night if measures.night else judging.day
    tests = (
        ("black", measures.mean, bounds.black_mean, measures.mean < bounds.black_mean),
        ("bright", measures.mean, bounds.bright_mean, measures.mean > bounds.bright_mean),
        ("frozen", measures.still or 0.0, bounds.frozen, _stands(measures, bounds)),
        ("covered", measures.blank, bounds.covered, measures.blank > bounds.covered),
        ("contrast", measures.contrast, bounds.contrast, measures.contrast < bounds.contrast),
        ("noise", measures.noise, bounds.noise, measures.noise > bounds.noise),
        ("blurred", measures.sharpness, bounds.blur, measures.sharpness < bounds.blur),
    )
    found = [Finding(name, value, bound) for name, value, bound, wrong in tests if wrong]
    if found and found[0].fault in ("black", "bright", "covered"):
        return tuple(found[:1])
    return tuple(found)


def _stands(measures: Measures, bounds: Bounds) -> bool:
    return measures.still is not None and measures.still < bounds.frozen


def _inner(image: Image, judging: Judging) -> Image:
    """The picture without the lines of name and clock, which go on when the picture behind them stands."""
    height = image.shape[0]
    return image[int(height * judging.mask_top) : height - int(height * judging.mask_bottom)]


def _noise(native: Image) -> float:
    """Immerkaer's estimate of sigma on the middle of the picture as it came, in its quieter half.

    Downscaling would hide noise. The median over cells keeps edges of the scene from passing as noise.
    """
    height, width = native.shape[:2]
    wide, tall = min(CUT[0], width), min(CUT[1], height)
    top, left = (height - tall) // 2, (width - wide) // 2
    grey = cv2.cvtColor(native[top : top + tall, left : left + wide], cv2.COLOR_BGR2GRAY)
    response = np.abs(cv2.filter2D(grey, cv2.CV_32F, _IMMERKAER))
    cells = cv2.resize(response, (max(1, wide // CELL), max(1, tall // CELL)), interpolation=cv2.INTER_AREA)
    return float(np.median(cells)) * 1.2533 / 6  # sqrt(pi / 2)


_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def _blank(grey: Image) -> float:
    """The share of the largest connected area without detail and of one brightness."""
    rows, columns = grey.shape[0] // CELL, grey.shape[1] // CELL
    cells = grey[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL).astype(np.float32)
    smooth: npt.NDArray[Any] = cells.std(axis=(1, 3)) < SMOOTH
    means = cells.mean(axis=(1, 3))
    largest = 0
    while smooth.any():
        at = int(np.argmax(smooth))
        row, column = divmod(at, columns)
        mask = np.pad((~smooth).astype(np.uint8), 1, constant_values=1)
        filled = cv2.floodFill(means, mask, (column, row), 0, ALIKE, ALIKE, _FILL)
        largest = max(largest, int(filled[0]))
        smooth &= mask[1:-1, 1:-1] == 0
        if largest * 2 > rows * columns or int(smooth.sum()) <= largest:
            break
    share: float = largest / (rows * columns)
    return share


_FILL = 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8)


def _colourless(small: Image) -> bool:
    chroma = cv2.cvtColor(small, cv2.COLOR_BGR2YUV)[..., 1:].astype(np.int16)
    return bool(np.abs(chroma - 128).mean() < COLOURLESS)
