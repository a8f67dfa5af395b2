"""How many cameras an area should have, as data (`coverage.toml`)."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

FILE = Path(__file__).with_name("coverage.toml")
NAMES = ("estate", "village", "area")
_SPAN = re.compile(r"([0-9]{3})-([0-9]{3})")
_FIELDS = {"name", "above", "numbers", "least"}


class CoverageError(ValueError):
    """The file contradicts itself; the message names the file and the line at fault."""


@dataclass(frozen=True)
class Rule:
    """What areas so many steps above the smallest grids, in villages of these numbers (first, last), should have."""

    name: str
    above: int
    numbers: tuple[tuple[int, int], ...]
    least: int

    def fits(self, above: int, village: str) -> bool:
        """Say whether it is about an area so far above the smallest grids, in the village of this code."""
        last = village[-3:]
        number = int(last) if last.isascii() and last.isdigit() else -1
        return above == self.above and any(first <= number <= end for first, end in self.numbers)


@dataclass(frozen=True)
class Coverage:
    """The rules, and after how many minutes without a live camera a grid is an alert."""

    void_minutes: int
    rules: tuple[Rule, ...]

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        """Read and check the file; raises CoverageError."""
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CoverageError(f"{path}: cannot be read: {error}") from error
        if unknown := given.keys() - {"void_minutes", "area"}:
            raise CoverageError(f"{path}: {min(unknown)} is not known; known are void_minutes, [[area]]")
        areas = given.get("area", [])
        if not isinstance(areas, list):
            raise CoverageError(f"{path}: [[area]] wants double brackets")
        minutes = _whole(path, given, "void_minutes", 1, 10_080)
        return cls(minutes, tuple(_rule(path, one) for one in areas))


def _rule(path: Path, given: dict[str, Any]) -> Rule:
    where = f"{path}: [[area]] {given.get('name', '')}"
    if given.keys() != _FIELDS:
        raise CoverageError(f"{where}: wants exactly {', '.join(sorted(_FIELDS))}")
    if given["name"] not in NAMES:
        raise CoverageError(f"{where}: the name is one of {', '.join(NAMES)}")
    spans = [_SPAN.fullmatch(str(one)) for one in given["numbers"]] if isinstance(given["numbers"], list) else []
    numbers = tuple((int(one[1]), int(one[2])) for one in spans if one)
    if not spans or len(numbers) < len(spans) or any(first > last for first, last in numbers):
        raise CoverageError(f'{where}: numbers are spans such as "001-199"')
    return Rule(given["name"], _whole(path, given, "above", 0, 3), numbers, _whole(path, given, "least", 1, 1_000))


def _whole(path: Path, given: dict[str, Any], name: str, least: int, most: int) -> int:
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise CoverageError(f"{path}: {name} is a whole number from {least} to {most}, not {value!r}")
    return value
