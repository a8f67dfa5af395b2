"""Departments 部门 as data: who answers for which type of incident, and what each is called on screen."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("departments.toml")
PRESENCES = ("resident", "rotating", "on_call")
"""常驻 轮驻 随叫: it has people in the centre, sends them by turns, or comes when called."""


@dataclass(frozen=True)
class Department:
    """One department; `short` is the Chinese name for narrow columns; `ended`: it is given to nobody any more.

    `parent`: code of the one above it; `presence`: how it is present in the centre, of PRESENCES, "" where not said;
    `phone` and `email` are those of the department's own duty desk.
    """

    code: str
    zh: str
    en: str
    short: str
    ended: bool = False
    parent: str = ""
    presence: str = ""
    phone: str = ""
    email: str = ""

    def name(self, language: str) -> str:
        """The full name in `zh` or `en`."""
        return self.en if language == "en" else self.zh


class DepartmentsError(ValueError):
    """The file of departments contradicts itself; the message names the file and the entry."""


def load(path: Path = FILE) -> dict[str, Department]:
    """All departments by code, in screen order; raises DepartmentsError for a missing field or a code given twice."""
    found: dict[str, Department] = {}
    for row in tomllib.loads(path.read_text(encoding="utf-8"))["department"]:
        try:
            department = Department(**row)
        except TypeError as error:
            raise DepartmentsError(f"{path.name}: {row.get('code', row)}: {error}") from error
        if department.code in found:
            raise DepartmentsError(f"{path.name}: code {department.code!r} is given twice")
        found[department.code] = department
    return found


_on_screen: dict[str, Department] = {}


def put(found: Mapping[str, Department]) -> None:
    """Have departments that were made or changed on screen go before those of the file, in this process."""
    global _on_screen
    _on_screen = dict(found)


def current() -> dict[str, Department]:
    """All departments by code, those of the file first: what screens call them now."""
    return _of_file() | _on_screen


@cache
def _of_file() -> dict[str, Department]:
    return load()
