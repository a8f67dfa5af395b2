"""One file into rows: FOLDER/rows.jsonl holds them one a line, what is returned says what was found. Runs in the child.

A line is [row number, fault, JSON text of the row]: the fault is "" or why the row cannot be taken as it is.
"""

import re
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import msgspec

from streams.tables import heading
from streams.tables.columns import Column, Columns
from streams.tables.delimited import Delimited
from streams.tables.documents import Documents
from streams.tables.finding import MOST_COLUMNS, MOST_ROWS, Finding, Findings, TableUnreadable
from streams.tables.usual import LISTED, NAMES
from streams.tables.workbook import Workbook, column_letter

ROWS = "rows.jsonl"
LARGEST = 64 * 1024 * 1024
FOOT = 5
"""Rows at the end that may be totals."""
BOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
FOREIGN = {
    b"%PDF": "pdf",
    b"<html": "web_page",
    b"<!doct": "web_page",
    b"<table": "web_page",
    b"<?xml": "xml",
    b"Rar!": "archive",
}
_ROUNDED = re.compile(r"[-+]?\d(\.\d+)?E\+?(1[1-9]|2\d)", re.IGNORECASE)

_ENCODE = msgspec.json.Encoder().encode
Cells = Iterator[tuple[int, list[str]]]


class Summary(msgspec.Struct):
    """What was found. `kind`: csv, book or json; `header`: its row number; what does not apply is ""."""

    kind: str
    rows: int = 0
    header: int = 0
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    inside: str = ""
    columns: list[Column] = []
    findings: list[Finding] = []


def read(path: Path, folder: Path) -> Summary:
    """Read a file of any of the known kinds; rows go to FOLDER/rows.jsonl. Raises TableUnreadable."""
    size = path.stat().st_size
    if not size:
        raise TableUnreadable("empty")
    if size > LARGEST:
        raise TableUnreadable("size", most=LARGEST // 1024 // 1024)
    with path.open("rb") as file:
        head = file.read(1_024)
    findings = Findings()
    with (folder / ROWS).open("xb") as out:
        if head.startswith(BOOKS):
            book = Workbook(path, findings)
            summary = _table(book.rows(findings), book.merged, findings, out)
            summary.kind, summary.sheet = "book", book.sheet.name
        else:
            _refuse_foreign(head)
            summary = _text(path, head, findings, out)
    summary.findings = findings.all()
    if not summary.rows:
        raise TableUnreadable("empty")
    return summary


def _refuse_foreign(head: bytes) -> None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for mark, code in FOREIGN.items():
        if start.startswith(mark.lower()):
            raise TableUnreadable(code)


def _text(path: Path, head: bytes, findings: Findings, out: object) -> Summary:
    data = path.read_bytes()
    start = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1]
    if start in (b"{", b"[") or path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        documents = Documents(data)
        summary = _objects(documents, out)
        summary.kind, summary.encoding, summary.inside = "json", documents.encoding, documents.inside
        return summary
    file = Delimited(data)
    del data
    summary = _table(file.rows(findings), [], findings, out)
    summary.kind, summary.encoding, summary.delimiter = "csv", file.encoding, file.delimiter
    return summary


def _objects(documents: Documents, out: object) -> Summary:
    columns, count = Columns(), 0
    for number, raw in documents.rows():
        count += 1
        out.write(_ENCODE((number, "", raw.decode("utf-8", "replace"))) + b"\n")  # type: ignore[attr-defined]
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            continue  # intake says what is wrong with it
        if isinstance(value, dict):
            columns.take(value)
    return Summary("json", count, columns=columns.all())


def _table(rows: Cells, merged: heading.Merged, findings: Findings, out: object) -> Summary:
    """Rows of cells below their header; empty rows are passed over, totals at the end left out."""
    first = _first(rows)
    head = heading.found(first, [*heading.names_of(NAMES), *LISTED], merged, findings)
    if head is None:
        raise TableUnreadable("header")
    if len(head.names) > MOST_COLUMNS:
        raise TableUnreadable("columns", count=len(head.names), most=MOST_COLUMNS)
    taker = _Taker(head.names, findings, out)
    rest = first[head.at + 1 :]
    held: deque[tuple[int, list[str]]] = deque()
    for number, cells in chain(rest, rows):
        if not any(cells):
            taker.empty += 1
            continue
        held.append((number, cells))
        if len(held) > FOOT:
            taker.take(*held.popleft())
    for number, cells in held:
        if heading.is_total([*cells, *[""] * (len(head.names) - len(cells))]):
            findings.add("total_row", number)
        else:
            taker.take(number, cells)
    return taker.summary(head.number)


def _first(rows: Cells) -> list[tuple[int, list[str]]]:
    """The rows the header is among."""
    return list(islice(rows, heading.LOOKED_AT))


class _Taker:
    """Writes rows down and notes what is odd about them."""

    def __init__(self, names: list[str], findings: Findings, out: object) -> None:
        self._names = names
        self._findings = findings
        self._out = out
        self._columns = Columns()
        for name in names:
            self._columns.declare((name,))
        self._count = 0
        self.empty = 0

    def take(self, number: int, cells: list[str]) -> None:
        self._count += 1
        if self._count > MOST_ROWS:
            raise TableUnreadable("rows", count=f">{MOST_ROWS}", most=MOST_ROWS)
        fault = self._fault(number, cells)
        row = {name: cell for name, cell in zip(self._names, cells, strict=False) if cell}
        if fault == "more_cells":
            row |= {f"#{index + 1}": cell for index, cell in enumerate(cells) if cell and index >= len(self._names)}
        text = _ENCODE(row).decode()
        self._out.write(_ENCODE((number, fault, text)) + b"\n")  # type: ignore[attr-defined]
        if not fault:
            self._columns.take(row)

    def _fault(self, number: int, cells: list[str]) -> str:
        """What makes a row unfit: more cells than names (a delimiter inside a cell), characters that were lost."""
        if any(cells[len(self._names) :]):
            self._findings.add("more_cells", number, column_letter(len(self._names)), count=len(cells))
            return "more_cells"
        for index, cell in enumerate(cells):
            if "\ufffd" in cell:
                self._findings.add("encoding_broken", number, self._names[index])
                return "encoding_broken"
            if _ROUNDED.fullmatch(cell):
                self._findings.add("digits_lost", number, self._names[index], value=cell)
        return ""

    def summary(self, header: int) -> Summary:
        if self.empty:
            self._findings.add("empty_rows", count=self.empty)
        columns = [one for one in self._columns.all() if one.filled or not one.path[0].startswith("#")]
        return Summary("", self._count, header, columns=columns)
