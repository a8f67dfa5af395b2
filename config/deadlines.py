"""Deadlines 时限 as data: how long each step may take by type, urgency and grade, who is told, and when it goes up."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from config.taxonomy import URGENCIES, Taxonomy

FILE = Path(__file__).with_name("deadlines.toml")
CLOCKS = ("accept", "dispatch", "sign", "arrive", "close", "supervise")
GRADES = ("special", "major", "large", "general")
"""特别重大, 重大, 较大, 一般."""
ROLES = ("operator", "duty_commander", "leader", "liaison")
CARDS = ("", "yellow", "red")
UNITS = {"m": 60, "h": 3_600, "d": 86_400}
"""Seconds of the units of the clock."""
MOST = {"m": 60 * 24 * 366, "h": 24 * 366, "d": 366, "wh": 2_000, "wd": 366}
STEPS_MOST = 8


class DeadlinesError(ValueError):
    """The file contradicts itself; the message names the file and the line at fault."""


class Length(NamedTuple):
    """So many of a unit: m, h, d of the clock, wh and wd of working time."""

    amount: int
    unit: str

    @property
    def seconds(self) -> int:
        """Seconds of the clock; 0 of working time, which only a calendar can tell."""
        return self.amount * UNITS.get(self.unit, 0)


class Escalation(NamedTuple):
    """So many seconds after the time was over it goes to these roles; `card`: "" | yellow | red."""

    after_s: int
    tells: tuple[str, ...]
    card: str = ""


@dataclass(frozen=True)
class Limits:
    """The whole file. `lengths` by ("grade" | "type" | "urgency", code, urgency)."""

    near_percent: int
    near: tuple[str, ...]
    overdue: tuple[str, ...]
    cards: frozenset[str]
    lengths: Mapping[tuple[str, str, str], Mapping[str, Length]] = field(default_factory=dict)
    escalation: Mapping[str, tuple[Escalation, ...]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path = FILE, taxonomy: Taxonomy | None = None) -> Self:
        """Read and check the file; raises DeadlinesError."""
        try:
            return cls._of(tomllib.loads(path.read_text(encoding="utf-8")), taxonomy or Taxonomy.load())
        except (DeadlinesError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
            raise DeadlinesError(f"{path.name}: {error}") from error

    @classmethod
    def _of(cls, data: dict[str, Any], taxonomy: Taxonomy) -> Self:
        percent = int(data["near_percent"])
        _need(0 < percent < 100, f"near_percent is {percent}; it must lie between 1 and 99")
        lengths: dict[tuple[str, str, str], Mapping[str, Length]] = {}
        for urgency in URGENCIES:
            lengths["urgency", "", urgency] = _lengths(data["urgency"][urgency], f"urgency.{urgency}")
        for code, by_urgency in data.get("type", {}).items():
            _need(taxonomy.known(code), f"type.{code} is no type of the taxonomy")
            for urgency, row in by_urgency.items():
                _one_of(urgency, URGENCIES, f"type.{code}")
                lengths["type", code, urgency] = _lengths(row, f"type.{code}.{urgency}")
        for grade, row in data.get("grade", {}).items():
            _one_of(grade, GRADES, "grade")
            lengths["grade", grade, ""] = _lengths(row, f"grade.{grade}")
        told = data["told"]
        for name in told["cards"]:
            _one_of(name, CLOCKS, "told.cards")
        escalation = {urgency: _escalation(data["escalation"].get(urgency, []), urgency) for urgency in URGENCIES}
        people = (_roles(told["near"], "told.near"), _roles(told["overdue"], "told.overdue"))
        return cls(percent, *people, frozenset(told["cards"]), lengths, escalation)

    def of(self, kind: str, urgency: str, grade: str = "") -> dict[str, Length]:
        """Return {clock: length} of a type at an urgency and grade."""
        found: dict[str, Length] = {}
        for key in (
            ("urgency", "", urgency),
            ("type", kind[:2], urgency),
            ("type", kind, urgency),
            ("grade", grade, ""),
        ):
            found |= self.lengths.get(key, {})
        return found


def _lengths(row: Mapping[str, str], where: str) -> dict[str, Length]:
    for name in row:
        _one_of(name, CLOCKS, where)
    return {name: _length(text, f"{where}.{name}") for name, text in row.items()}


def _length(text: str, where: str) -> Length:
    told = re.fullmatch(r"([1-9]\d{0,6})(m|h|d|wh|wd)", text)
    if told is None:
        raise DeadlinesError(f'{where} = {text!r}; write "30m", "2h", "3d", "4wh" or "5wd"')
    length = Length(int(told[1]), told[2])
    _need(length.amount <= MOST[length.unit], f"{where} = {text!r} is longer than a year")
    return length


def _escalation(rows: list[dict[str, Any]], urgency: str) -> tuple[Escalation, ...]:
    where = f"escalation.{urgency}"
    _need(len(rows) <= STEPS_MOST, f"{where} has more than {STEPS_MOST} steps")
    found: list[Escalation] = []
    for row in rows:
        length = _length(row["after"], f"{where}.after")
        _need(length.unit in UNITS, f"{where}.after counts by the clock: m, h or d")
        _need(not found or length.seconds > found[-1].after_s, f"{where}: each step comes after the one before")
        _one_of(row.get("card", ""), CARDS, f"{where}.card")
        found.append(Escalation(length.seconds, _roles(row["tells"], where), row.get("card", "")))
    return tuple(found)


def _roles(names: list[str], where: str) -> tuple[str, ...]:
    for name in names:
        _one_of(name, ROLES, where)
    return tuple(names)


def _one_of(name: str, known: tuple[str, ...], where: str) -> None:
    _need(name in known, f"{where} names {name!r}; allowed: {', '.join(known)}")


def _need(holds: bool, message: str) -> None:
    if not holds:
        raise DeadlinesError(message)
