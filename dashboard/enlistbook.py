"""Lists of accounts and departments as pages import them 导入: read, shown, taken over; in the name of whoever asks."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from config import clock
from config.city import City
from config.words import LANGUAGES, Words
from dashboard import access, personnel
from dashboard.area import Area
from dashboard.personnel import CHANGED, NEW, WRONG, Known, Line, Row
from dashboard.spreadsheet import MARK, cell
from dashboard.uploads import Upload, Uploads
from operations import departments, enlistment, roll
from operations.database import AfterCommit, Database
from operations.enlistment import Enlisted, List
from operations.errors import NotFound, Refused
from operations.policy import ADMINISTRATORS, PEOPLE, require
from operations.rules import Rules
from streams.tables import child
from streams.tables.reading import Summary

READ = ".read"
MOST_LINES = 2_000
OTHER_NAMES = {"联络员": "liaison", "坐席": "operator", "值班员（坐席）": "operator", "带班领导": "duty_commander"}
"""What lists call roles beside the words of the screens."""


class Enlistbook:
    """One per web process; `folder` is DATA/uploads."""

    def __init__(
        self,
        database: Database,
        ring: AfterCommit,
        folder: Path,
        area: Callable[[], Area | None],
        city: City,
        rules: Rules,
    ) -> None:
        self._database = database
        self._ring = ring
        self._uploads = Uploads(folder)
        self._area = area
        self._city = city
        self._rules = rules

    def accounts(self, upload_id: str) -> list[Line]:
        """Return what a file of accounts would do. Raises Forbidden, NotFound, TableUnreadable, Unfit."""
        require(access.current(), "account.manage")
        summary, rows, _ = self._read(upload_id, "accounts")
        return personnel.account_lines(rows, names_of(summary), self._known())

    def departments(self, upload_id: str) -> list[Line]:
        """Return what a file of departments would do. Raises Forbidden, NotFound, TableUnreadable, Unfit."""
        require(access.current(), "department.manage")
        summary, rows, _ = self._read(upload_id, "departments")
        return personnel.department_lines(rows, names_of(summary), departments.every(self._database))

    def take_accounts(self, upload_id: str, *, leave_out: bool) -> tuple[list[Line], list[Enlisted]]:
        """Take a file over and return what was taken, and the passwords of new accounts. Raises Refused and the above.

        With a wrong line nothing is taken, unless wrong lines are to be left out.
        """
        taken = fitting(self.accounts(upload_id), leave_out=leave_out)
        _, _, upload = self._read(upload_id, "accounts")
        new = [(one.cells[0], one.post) for one in taken if one.state == NEW and one.post is not None]
        changed = [
            (one.person.id, one.person.revision, one.post)
            for one in taken
            if one.state == CHANGED and one.person is not None and one.post is not None
        ]
        made = enlistment.enlist(
            self._database,
            access.current(),
            List(new, changed, upload.sha256),
            now=clock.now(),
            rules=self._rules,
            after_commit=self._ring,
        )
        return taken, made

    def take_departments(self, upload_id: str, *, leave_out: bool) -> list[Line]:
        """Take a file over and return what was taken. Raises Refused and the above."""
        taken = fitting(self.departments(upload_id), leave_out=leave_out)
        wanted = [one.wanted for one in taken if one.wanted is not None]
        departments.take(self._database, access.current(), wanted, now=clock.now(), after_commit=self._ring)
        return taken

    def _read(self, upload_id: str, kind: str) -> tuple[Summary, Iterator[Row], Upload]:
        upload, path = self._uploads.find(upload_id, access.current())
        if upload.kind != kind:
            raise NotFound()
        folder = path.parent / READ
        summary = child.known(folder) or child.examine(path, folder)
        if summary.rows > MOST_LINES:
            raise Refused("operations.list_long", most=MOST_LINES)
        return summary, islice(rows_of(folder), MOST_LINES), upload

    def _known(self) -> Known:
        area = self._area()
        grids = {code: one.name for code, one in area.grids.items()} if area else {}
        people = roll.people(self._database, access.current(), clock.now())
        return Known(people, grids, departments.every(self._database), roles(), self._city.zone)


def roles() -> dict[str, str]:
    """Return {name in either language, or code: role}."""
    named = {
        Words(lang).text(f"desk.role.{role}").lower(): role for lang in LANGUAGES for role in (*PEOPLE, *ADMINISTRATORS)
    }
    return named | OTHER_NAMES | {role: role for role in (*PEOPLE, *ADMINISTRATORS)}


def table(lines: Sequence[Sequence[str]]) -> str:
    """Return a CSV file that spreadsheets open as it is, for a download."""
    out = io.StringIO()
    csv.writer(out).writerows([cell(one) for one in line] for line in lines)
    return MARK + out.getvalue()


def fitting(lines: Sequence[Line], *, leave_out: bool) -> list[Line]:
    """Return the lines to take over. Raises Refused: wrong ones among them, or none that changes anything."""
    wrong = sum(one.state == WRONG for one in lines)
    if wrong and not leave_out:
        raise Refused("operations.list_wrong", count=wrong)
    taken = [one for one in lines if one.state in (NEW, CHANGED)]
    if not taken:
        raise Refused("operations.list_empty")
    return taken


def names_of(summary: Summary) -> list[str]:
    """Return the headings of a file."""
    return [one.path[0] for one in summary.columns]


def rows_of(folder: Path) -> Iterator[Row]:
    """Return the numbered rows of a file that was read into a folder."""
    for row in child.rows(folder):
        found = msgspec.json.decode(row.item.raw, type=dict[str, object])
        yield row.number, {name: str(value) for name, value in found.items()}
