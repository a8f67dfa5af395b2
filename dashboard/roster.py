"""A roster of duties 网格员名册: lines of a CSV file or a form, read into cards, and what is wrong with them. Pure."""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from operations.duties import MOST_DUTIES, ROLES, Card, Duty, wrong_with

MOST_LINES = 100_000
COLUMNS = {
    "code": ("code", "grid", "grid_code", "网格编码", "编码", "wgbm"),
    "role": ("role", "post", "职责", "职务", "角色", "岗位"),
    "name": ("name", "姓名", "名称", "人员"),
    "phone": ("phone", "duty phone", "duty_phone", "tel", "值班电话", "值守电话", "联系电话", "联系方式", "电话"),
}
NAMED = {
    "leader": ("leader", "grid leader", "网格长"),
    "full_time": ("full_time", "full-time", "专职", "专职网格员"),
    "part_time": ("part_time", "part-time", "兼职", "兼职网格员"),
    "department": ("department", "责任部门", "部门"),
    "post": ("post", "duty post", "值守", "值班", "值守电话", "值班电话"),
}
ROLE_OF = {word: role for role in ROLES for word in NAMED[role]}


@dataclass(frozen=True)
class Fault:
    """What is wrong in a line: `kind` columns, code, role, name, phone, most or lines. Never who stands there."""

    line: int
    kind: str
    value: str = ""


@dataclass
class Roster:
    """The cards read, by code, and the faults; with any fault nothing should be kept."""

    duties: dict[str, list[Duty]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def cards(self) -> list[Card]:
        """The cards in the order of the file."""
        return [Card(code, tuple(duties)) for code, duties in self.duties.items()]


def read(blob: bytes, known: Collection[str]) -> Roster:
    """Return what a CSV file holds (UTF-8 or GB 18030; comma, semicolon or tab), of grids whose codes are `known`."""
    found = Roster()
    text = _decoded(blob)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=None), delimiter=_delimiter(text))) if text else []
    except csv.Error:  # a cell longer than the reader takes
        lines = []
    columns = _columns(lines[0]) if lines else {}
    if not {"code", "role", "name"} <= columns.keys():
        found.faults.append(Fault(1, "columns"))
        return found
    if len(lines) > MOST_LINES:
        found.faults.append(Fault(MOST_LINES, "lines", str(MOST_LINES)))
        return found
    for number, line in _filled(lines):
        values = {name: line[at].strip() if at < len(line) else "" for name, at in columns.items()}
        if values["code"] not in known:
            found.faults.append(Fault(number, "code", values["code"][:40]))
            continue
        _add(found, number, values["code"], values["role"], values["name"], values.get("phone", ""))
    return found


def of_lines(text: str, code: str) -> Roster:
    """Return what somebody typed for one grid: a line for each post, "role, name, phone"; Chinese commas count too."""
    found = Roster({code: []})
    for number, line in enumerate(text.splitlines(), 1):
        parts = [part.strip() for part in line.replace("，", ",").replace("\t", ",").split(",")]
        if any(parts):
            role, name, phone = [*parts, "", ""][:3]
            _add(found, number, code, role, name, phone)
    return found


def _add(found: Roster, number: int, code: str, role: str, name: str, phone: str) -> None:
    duty = Duty(ROLE_OF.get(role.lower(), ""), name, phone)
    duties = found.duties.setdefault(code, [])
    wrong = wrong_with(duty)
    if wrong:
        found.faults.append(Fault(number, wrong, role[:20] if wrong == "role" else ""))
    elif len(duties) >= MOST_DUTIES:
        found.faults.append(Fault(number, "most", str(MOST_DUTIES)))
    else:
        duties.append(duty)


def _filled(lines: list[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines[1:], 2):
        if any(value.strip() for value in line):
            yield number, line


def _columns(head: list[str]) -> dict[str, int]:
    names = [cell.strip().lower() for cell in head]
    return {column: names.index(name) for column, words in COLUMNS.items() for name in reversed(words) if name in names}


def _delimiter(text: str) -> str:
    head = text.splitlines()[0] if text.splitlines() else ""
    return max(",;\t", key=head.count)


def _decoded(blob: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return blob.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""
