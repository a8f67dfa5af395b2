"""Names of grids in plain words 地名: which grid an address or a title names."""

import re
import unicodedata
from collections.abc import Iterable

from geo.grid import Grid

SHORTEST = 3
"""Characters of a name that can be told in a text; shorter ones are in too many words."""
LONGEST = 40
TEXT_MOST = 300
"""Characters of a text that are looked through."""

_LETTER = re.compile(r"[a-z0-9]")


class Gazetteer:
    """The names that belong to one grid only. Of several in a text the smallest area counts, then the longest name."""

    def __init__(self, grids: Iterable[Grid]) -> None:
        self._named: dict[str, tuple[int, str]] = {}
        twice: set[str] = set()
        for grid in grids:
            name = _plain(grid.name)
            if not SHORTEST <= len(name) <= LONGEST:
                continue
            if name in self._named:
                twice.add(name)
            self._named[name] = (grid.level, grid.code)
        for name in twice:
            del self._named[name]
        self._lengths = sorted({len(name) for name in self._named})

    def find(self, text: str) -> str:
        """Return the code of the grid a text names, "" for none."""
        plain = _plain(text)[:TEXT_MOST]
        best: tuple[int, int, str] | None = None
        for length in self._lengths:
            for start in range(len(plain) - length + 1):
                found = self._named.get(plain[start : start + length])
                if found is not None and _whole(plain, start, start + length):
                    best = max(best or (0, 0, ""), (found[0], length, found[1]))
        return best[2] if best else ""


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _whole(text: str, start: int, end: int) -> bool:
    """Whether a word of a script with spaces is not cut: "ash" is not in "ashfield"; Chinese has no such borders."""
    before, after = text[start - 1 : start], text[end : end + 1]
    cut_before = _LETTER.match(before) and _LETTER.match(text[start])
    cut_after = _LETTER.match(after) and _LETTER.match(text[end - 1])
    return not cut_before and not cut_after
