"""CSV and its relatives: the delimiter is found, rows come one by one."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from streams.tables import encoding
from streams.tables.finding import Findings, TableUnreadable

DELIMITERS = ",\t;|，"
SNIFFED_LINES = 50
LONGEST_CELL = 1024 * 1024
LINES_IN_A_CELL = 200
"""More line ends than this inside one cell: a quotation mark was never closed."""

Cells = list[str]


class Delimited:
    """A text file with one row a line; `encoding` and `delimiter` are what was found."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.encoding, self.whole = encoding.found(data)
        self._skip = 0
        self.delimiter = self._declared() or _sniffed(list(islice(self._lines(), SNIFFED_LINES)))

    def rows(self, findings: Findings) -> Iterator[tuple[int, Cells]]:
        """Yield (number of the line it begins on, cells). Raises TableUnreadable where a quotation mark stays open."""
        csv.field_size_limit(LONGEST_CELL)
        reader = csv.reader(islice(self._lines(), self._skip, None), delimiter=self.delimiter)
        before = 0
        try:
            for cells in reader:
                number, before = before + 1 + self._skip, reader.line_num
                if any(cell.count("\n") > LINES_IN_A_CELL for cell in cells):
                    raise TableUnreadable("quote", row=number)
                yield number, [cell.strip() for cell in cells]
        except csv.Error as error:
            raise TableUnreadable("quote", row=before + 1 + self._skip) from error
        if not self.whole:
            findings.add("encoding_mixed", encoding=self.encoding)

    def _lines(self) -> Iterator[str]:
        text = io.TextIOWrapper(io.BytesIO(self._data), self.encoding, errors="replace", newline="")
        return iter(text)

    def _declared(self) -> str:
        """Excel's own first line "sep=;"."""
        first = next(self._lines(), "").strip()
        if first.lower().startswith("sep=") and len(first) == len("sep=;"):
            self._skip = 1
            return first[-1]
        return ""


def _sniffed(lines: list[str]) -> str:
    """The delimiter by which most rows have the same number of cells, more than one."""
    best = max(DELIMITERS, key=lambda mark: _agreement(lines, mark))
    return best if _agreement(lines, best) > (0, 0) else ","


def _agreement(lines: list[str], mark: str) -> tuple[int, int]:
    """(rows that agree, cells in each)."""
    try:
        counts = Counter(len(cells) for cells in csv.reader(lines, delimiter=mark) if len(cells) > 1)
    except csv.Error:
        return 0, 0
    if not counts:
        return 0, 0
    cells, rows = counts.most_common(1)[0]
    return rows, cells
