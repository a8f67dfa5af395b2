"""Workbooks: XLSX, XLSM, XLSB, ODS and XLS by calamine, which is native code: only ever run inside the child process.

What a bomb would fill is counted from the archive's directory before anything is unpacked.
"""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import python_calamine as calamine

from streams.tables.finding import MOST_COLUMNS, MOST_ROWS, Findings, TableUnreadable

MEBI = 1024 * 1024
MOST_UNPACKED = 512 * MEBI
MOST_RATIO = 250
"""Unpacked to packed bytes of one part; sheets of real workbooks reach about 30."""
MOST_PARTS = 2_000
EXACT_TO = 10**15
"""Excel keeps 15 digits of a number: what is longer has lost the rest."""

Merged = list[tuple[tuple[int, int], tuple[int, int]]]


class Workbook:
    """The first visible sheet that holds anything. `merged`: ((row, column), (row, column)) from 0, of the sheet."""

    def __init__(self, path: Path, findings: Findings) -> None:
        _weighed(path)
        self._book = _opened(path)
        self.sheet = self._chosen(findings)
        height, width = self.sheet.total_height, self.sheet.total_width
        if width > MOST_COLUMNS:
            raise TableUnreadable("columns", count=width, most=MOST_COLUMNS)
        if height > MOST_ROWS + 1_000:
            raise TableUnreadable("rows", count=height, most=MOST_ROWS)
        try:
            self.merged: Merged = list(self.sheet.merged_cell_ranges or [])
        except Exception:  # noqa: BLE001 - native code: some kinds of workbooks do not tell; names are then not joined
            self.merged = []

    def rows(self, findings: Findings) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number from 1, cells as texts)."""
        left = self.sheet.start[1] if self.sheet.start else 0  # rows come from the first on, columns from here
        for number, given in enumerate(self.sheet.iter_rows(), start=1):
            row = [None] * left + given
            _lost_digits(row, number, findings)
            yield number, [_text(value) for value in row]

    def _chosen(self, findings: Findings) -> Any:
        sheets = [one.name for one in self._book.sheets_metadata if one.visible == calamine.SheetVisibleEnum.Visible]
        for name in sheets:
            sheet = self._book.get_sheet_by_name(name)
            if sheet.height:
                others = [one for one in sheets if one != name]
                if others:
                    findings.add("other_sheets", sheet=name, others=", ".join(others))
                return sheet
        raise TableUnreadable("empty")


def _weighed(path: Path) -> None:
    """Refuse an archive that would unpack to more than a workbook of MOST_ROWS can be."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if len(parts) > MOST_PARTS:
        raise TableUnreadable("bomb", size=len(parts))
    total = sum(part.file_size for part in parts)
    worst = max((part.file_size / max(part.compress_size, 1) for part in parts if part.file_size > MEBI), default=0)
    if total > MOST_UNPACKED or worst > MOST_RATIO:
        raise TableUnreadable("bomb", size=total // MEBI)


def _opened(path: Path) -> Any:
    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except calamine.PasswordError:
        raise TableUnreadable("password") from None
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise TableUnreadable("workbook", detail=error) from error


def _text(value: object) -> str:
    """A cell as text: whole numbers without a point, dates as ISO 8601 with a blank between date and time."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e18 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds") if value.time() != time() else value.date().isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return "" if value is None else str(value)


def _lost_digits(row: list[object], number: int, findings: Findings) -> None:
    for column, value in enumerate(row):
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) >= EXACT_TO:
            findings.add("digits_lost", number, column_letter(column), value=_text(value))


def column_letter(index: int) -> str:
    """The letter a workbook shows for a column counted from 0."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
