"""Departments 部门 as data: who answers for which type of incident, and what each is called on screen."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("departments.toml")


@dataclass(frozen=True)
class Department:
    """One department; `short` is the Chinese name for narrow columns."""

    code: str
    zh: str
    en: str
    short: str

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
