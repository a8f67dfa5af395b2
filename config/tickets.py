"""When a camera's fault becomes a ticket 健康工单, as data (`tickets.toml`)."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

FILE = Path(__file__).with_name("tickets.toml")
CLASSES = (0, 1, 2, 3)
_BOUNDS = {
    "offline_minutes": (2, 43_200),
    "picture_minutes": (2, 43_200),
    "outage_minutes": (2, 43_200),
    "back_minutes": (1, 1_440),
    "most_a_day": (1, 1_000),
    "most_a_day_demo": (1, 1_000),
}
_NAMES = ("enabled", "classes", *_BOUNDS)


class TicketsError(ValueError):
    """The file contradicts itself; the message names the file, the line, and what to write there."""


@dataclass(frozen=True)
class Tickets:
    """The whole file."""

    enabled: bool
    offline_minutes: int
    picture_minutes: int
    outage_minutes: int
    back_minutes: int
    classes: tuple[int, ...]
    most_a_day: int
    most_a_day_demo: int

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        """Read and check the file; raises TicketsError."""
        try:
            text = path.read_text(encoding="utf-8")
            given = tomllib.loads(text)
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TicketsError(f"{path}: cannot be read: {error}") from error
        for name in given:
            if name not in _NAMES:
                raise TicketsError(f"{_where(path, text, name)}: {name} is not known; known are {', '.join(_NAMES)}")
        for name in _NAMES:
            if name not in given:
                raise TicketsError(f"{path}: {name} is missing; write {name} = {_wanted(name)}")
            if not _right(name, given[name]):
                where = _where(path, text, name)
                raise TicketsError(f"{where}: {name} is {_wanted(name)}, not {given[name]!r}")
        return cls(**given | {"classes": tuple(sorted(given["classes"]))})


def _right(name: str, value: Any) -> bool:
    if name == "enabled":
        return isinstance(value, bool)
    if name == "classes":
        listed = isinstance(value, list) and all(type(one) is int and one in CLASSES for one in value)
        return listed and bool(value) and len(set(value)) == len(value)
    least, most = _BOUNDS[name]
    return type(value) is int and least <= value <= most


def _wanted(name: str) -> str:
    if name == "enabled":
        return "true or false"
    if name == "classes":
        return "a list such as [1, 2, 3], each of 0, 1, 2, 3 once"
    return "a whole number from {} to {}".format(*_BOUNDS[name])


def _where(path: Path, text: str, name: str) -> str:
    lines = text.splitlines()
    found = (number for number, line in enumerate(lines, 1) if re.match(rf"\s*\[*{re.escape(name)}\b", line))
    number = next(found, None)
    return f"{path}, line {number}" if number else str(path)
