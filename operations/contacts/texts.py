"""Many short texts crossed in one pass 一遍查找: which of them hold what was typed, and how nearly."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from operations.contacts.spelling import SYLLABLE

EXACT, BEGINS, WITHIN, TAGGED, NOT = range(5)
"""How near a text is to a word: it is the word, begins with it, holds it, is tagged with it, has nothing of it."""


class Texts:
    """Many short texts in one, so that a search crosses them in one call."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._whole = "\n".join(texts) + "\n"
        self._lengths = np.array([len(one) for one in texts], np.int64)
        self._starts = np.cumsum(self._lengths + 1) - self._lengths - 1

    def mark(self, wanted: re.Pattern[str], found: NDArray[np.uint8], *, readings: bool) -> None:
        """Lower to its nearness each text in which a pattern is found; every reading in a text has a beginning."""
        spans = np.array([match.span() for match in wanted.finditer(self._whole)], np.int64).reshape(-1, 2)
        at = self._texts(spans[:, 0])
        near = np.full(len(at), WITHIN, np.uint8)
        if readings:
            near[[self._whole[one - 1] == " " for one in spans[:, 0]]] = BEGINS
        else:
            within = spans[:, 0] - self._starts[at]
            near[within == 0] = BEGINS
            near[(within == 0) & (spans[:, 1] - spans[:, 0] == self._lengths[at])] = EXACT
        np.minimum.at(found, at, near)

    def mark_syllables(self, letter: str, found: NDArray[np.uint8]) -> None:
        """The same for one letter that begins a syllable of readings: most texts hold it, too many to match singly."""
        signs = np.frombuffer(self._whole.encode("ascii"), np.uint8)
        begun = np.flatnonzero((signs[:-1] == ord(SYLLABLE)) & (signs[1:] == ord(letter)))
        near = np.where(signs[begun - 1] == ord(" "), BEGINS, WITHIN).astype(np.uint8)
        for how in (WITHIN, BEGINS):
            those = self._texts(begun[near == how])
            found[those] = np.minimum(found[those], how)

    def _texts(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which texts hold these places of the whole."""
        return np.searchsorted(self._starts, places, side="right") - 1
