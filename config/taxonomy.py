"""Event types 事件类型 as data: a two-level tree with its departments and default urgency.

The tree is a proposal that maps outwards (no national list is published in full), so cities edit `taxonomy.toml`.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from config import departments

FILE = Path(__file__).with_name("taxonomy.toml")
UNKNOWN = "0999"
URGENCIES = ("routine", "urgent", "critical")
"""一般, 紧急, 特急: drives order and sound, says nothing about the grade 事件等级."""


class TaxonomyError(ValueError):
    """The file of types contradicts itself; the message names the file and the code."""


@dataclass(frozen=True)
class Type:
    """One event type or group; a group has a two-digit code, a type four digits that begin with its group's."""

    code: str
    zh: str
    en: str
    department: str
    urgency_default: str

    @property
    def group(self) -> str:
        """Code of the group it belongs to (its own for a group)."""
        return self.code[:2]

    def name(self, language: str) -> str:
        """The name in `zh` or `en`."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True)
class Taxonomy:
    """All types and groups by code."""

    types: dict[str, Type]

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        """Read and check the tree; raises TaxonomyError that names the code at fault."""
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        known_departments = departments.load()
        types: dict[str, Type] = {}
        for one in _flat(data["group"]):
            _check(one, types, known_departments, path.name)
            types[one.code] = one
        if UNKNOWN not in types:
            raise TaxonomyError(f"{path.name}: the type for everything unknown, {UNKNOWN}, is missing")
        return cls(types)

    def known(self, code: str) -> bool:
        """Whether `code` is in the tree, at either level."""
        return code in self.types

    def get(self, code: str) -> Type:
        """The type of `code`; the unclassified type where the code is not in the tree."""
        return self.types.get(code) or self.types[UNKNOWN]

    def groups(self) -> list[Type]:
        """The first level, in order."""
        return [one for one in self.types.values() if len(one.code) == 2]

    def leaves(self, group: str = "") -> list[Type]:
        """The second level, in order; of one group when its code is given."""
        return [one for one in self.types.values() if len(one.code) == 4 and one.code.startswith(group)]


def _flat(groups: list[dict[str, Any]]) -> list[Type]:
    found: list[Type] = []
    for group in groups:
        inherited = {key: value for key, value in group.items() if key != "types"}
        found.append(Type(**inherited))
        found += [Type(**{**inherited, **row}) for row in group["types"]]
    return found


def _check(one: Type, seen: dict[str, Type], known_departments: dict[str, departments.Department], file: str) -> None:
    if one.code in seen:
        raise TaxonomyError(f"{file}: code {one.code} is given twice")
    if not (one.code.isdigit() and len(one.code) in (2, 4)) or (len(one.code) == 4 and one.group not in seen):
        raise TaxonomyError(f"{file}: code {one.code} must be two digits (group) or four under its group")
    if one.department not in known_departments:
        raise TaxonomyError(f"{file}: {one.code} names an unknown department {one.department!r}")
    if one.urgency_default not in URGENCIES:
        raise TaxonomyError(f"{file}: {one.code} has urgency {one.urgency_default!r}; allowed: {', '.join(URGENCIES)}")


@cache
def current() -> Taxonomy:
    """Return the tree of the shipped file, read once a process: for what asks of each of many things."""
    return Taxonomy.load()
