"""On which side of an edge a point lies: exact on doubles, so the same on every machine.

The sign of (x2-x1)(py-y1) - (y2-y1)(px-x1) is taken from doubles when it is surely right, by the error bound of
Shewchuk, Adaptive Precision Floating-Point Arithmetic (1997), section 4.1; otherwise from exact rational numbers.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

UNIT = 2.0**-53
BOUND = (3.0 + 16.0 * UNIT) * UNIT
UNDERFLOW = 1e-290  # the bound says nothing about products that underflow; smaller ones are reckoned exactly


def side(x1: float, y1: float, x2: float, y2: float, px: float, py: float) -> int:
    """1 if the point is left of the edge 1 -> 2, -1 if right of it, 0 if exactly on its line."""
    left, right = (x2 - x1) * (py - y1), (y2 - y1) * (px - x1)
    difference = left - right
    doubt = BOUND * (abs(left) + abs(right)) + UNDERFLOW
    if difference > doubt:
        return 1
    if -difference > doubt:
        return -1
    return exact_side(x1, y1, x2, y2, px, py)


def exact_side(x1: float, y1: float, x2: float, y2: float, px: float, py: float) -> int:
    """`side` in rational arithmetic: slow, and right for any finite doubles."""
    x, y = Fraction(x1), Fraction(y1)
    left, right = (Fraction(x2) - x) * (Fraction(py) - y), (Fraction(y2) - y) * (Fraction(px) - x)
    return (left > right) - (left < right)


def sides(x1: Floats, y1: Floats, x2: Floats, y2: Floats, px: Floats, py: Floats) -> NDArray[np.int8]:
    """`side` of many: six arrays of one length."""
    left, right = (x2 - x1) * (py - y1), (y2 - y1) * (px - x1)
    difference = left - right
    doubt = BOUND * (np.abs(left) + np.abs(right)) + UNDERFLOW
    result: NDArray[np.int8] = np.sign(difference).astype(np.int8)
    for i in np.flatnonzero(np.abs(difference) <= doubt).tolist():
        result[i] = exact_side(*(float(array[i]) for array in (x1, y1, x2, y2, px, py)))
    return result
