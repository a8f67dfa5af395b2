"""Files as departments send them, made by code: workbooks, text in old encodings, bombs."""

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import openpyxl

from streams.tables import child
from streams.tables.child import Row
from streams.tables.reading import Summary

LOCAL = datetime(2025, 11, 22, 11, 50)  # noqa: DTZ001 - a workbook's cell has no zone
HEADER = ("工单编号", "诉求标题", "受理时间", "经度", "纬度")
LINES = (
    ("A1", "路灯不亮", "2025-11-22 11:50:00", "119.16", "34.57"),
    ("A2", "井盖缺失", "2025-11-22 11:51:00", "", ""),
)


def text(lines: Sequence[Sequence[str]] = (HEADER, *LINES), delimiter: str = ",") -> str:
    """Rows as text, unquoted."""
    return "\r\n".join(delimiter.join(line) for line in lines) + "\r\n"


def workbook(lines: Sequence[Sequence[object]], merged: Sequence[str] = ()) -> bytes:
    """A workbook with these rows on its first sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    for line in lines:
        sheet.append(list(line))
    for area in merged:
        sheet.merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def hotline_book() -> bytes:
    """A hotline's export as they come: a title, a header over two rows, dates as cells and as numbers, a total."""
    return workbook(
        [
            ["12345 热线工单", None, None, None, None, None],
            ["工单编号", "位置", None, "受理时间", "诉求内容", "诉求内容"],
            [None, "经度", "纬度", None, None, None],
            [20251122000124, 119.16, 34.57, LOCAL, "路灯不亮", "旧"],
            [202511220001234567, 119.17, 34.58, 45983.493055555555, "井盖缺失", None],
            [None] * 6,
            ["合计", None, None, None, 2, None],
        ],
        ["A1:F1", "A2:A3", "B2:C2", "D2:D3", "E2:E3", "F2:F3"],
    )


def bomb(size: int = 600) -> bytes:
    """A workbook whose one sheet unpacks to `size` MiB of blanks."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(size):
                part.write(b" " * 1024 * 1024)
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


def sparse() -> bytes:
    """A workbook with one cell at the first and one at the very last place of the sheet."""
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "工单编号", "x"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(folder: Path, name: str, data: bytes) -> tuple[Summary, list[Row]]:
    """What the child process makes of a file, and its rows."""
    (folder / name).write_bytes(data)
    found = child.examine(folder / name, folder / f"{name}.read")
    return found, list(child.rows(folder / f"{name}.read"))
