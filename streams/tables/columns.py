"""The columns of a file or of stored items: where they lie, what stands in them, which words. Pure and bounded."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from streams.masking import masked
from streams.moment import SERIALS

MOST_PATHS = 400
MOST_WORDS = 200
"""Different values counted in one column; a column with more holds no words but texts."""
LONGEST_WORD = 40
SAMPLES = 3
LONGEST_SAMPLE = 60
DEEPEST = 6
MOST_IN_A_LIST = 2

SERIAL = re.compile(r"\d{5}\.\d{3,12}")

Path = tuple[str, ...]


class Column(msgspec.Struct):
    """One column: `path` of steps, how many rows have it, a few masked values, and its words with counts."""

    path: Path
    filled: int = 0
    samples: list[str] = []
    words: dict[str, int] = {}
    varied: bool = False
    """More different values than MOST_WORDS, or long ones: `words` is then empty."""

    @property
    def name(self) -> str:
        """The path as people read it."""
        return ".".join(self.path)


class Columns:
    """Collects them row by row."""

    def __init__(self) -> None:
        self._found: dict[Path, Column] = {}
        self._words: dict[Path, Counter[str]] = {}

    def declare(self, path: Path) -> None:
        """Know of a column even where no row fills it."""
        self._column(path)

    def take(self, row: Mapping[str, object]) -> None:
        """Look at one row."""
        for path, value in _leaves(row, ()):
            column = self._column(path)
            if column is not None:
                self._see(column, str(value).strip())

    def all(self) -> list[Column]:
        """Return the columns in the order they were met."""
        for path, column in self._found.items():
            column.words = {} if column.varied else dict(self._words[path].most_common())
        return list(self._found.values())

    def _column(self, path: Path) -> Column | None:
        if path not in self._found:
            if len(self._found) == MOST_PATHS:
                return None
            self._found[path] = Column(path)
            self._words[path] = Counter()
        return self._found[path]

    def _see(self, column: Column, text: str) -> None:
        if not text:
            return
        column.filled += 1
        if len(column.samples) < SAMPLES:
            shown = _shown(text)[:LONGEST_SAMPLE]
            if shown not in column.samples:
                column.samples = [*column.samples, shown]
        if column.varied:
            return
        words = self._words[column.path]
        words[text] += 1
        if len(text) > LONGEST_WORD or len(words) > MOST_WORDS:
            column.varied = True
            words.clear()


def _shown(text: str) -> str:
    """The text masked; a workbook's serial number of a time is cut to its second, and is no phone number."""
    if SERIAL.fullmatch(text) and SERIALS[0] <= float(text) <= SERIALS[1]:
        return f"{float(text):.6f}"
    return masked(text)


def _leaves(value: object, at: Path) -> Iterator[tuple[Path, object]]:
    """Every plain value with its path; of a list only the first members."""
    if isinstance(value, Mapping) and len(at) < DEEPEST:
        for name, inner in value.items():
            yield from _leaves(inner, (*at, str(name)))
    elif isinstance(value, list) and len(at) < DEEPEST:
        for index, inner in enumerate(value[:MOST_IN_A_LIST]):
            yield from _leaves(inner, (*at, str(index)))
    elif value is not None and not isinstance(value, (Mapping, list)):
        yield at, value
