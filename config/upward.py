"""Reports upwards 信息报送 as data: which grade is reported when, and to whom."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

FILE = Path(__file__).with_name("upward.toml")
GRADES = ("special", "major", "large", "general")
"""特别重大, 重大, 较大, 一般."""
MINUTES_MOST = 60 * 24 * 31


class UpwardError(ValueError):
    """The file contradicts itself; the message names the file and the grade."""


@dataclass(frozen=True)
class Rule:
    """Minutes until the first report is due, between continued ones (0: none), and from closing to the final one."""

    first_minutes: int
    continued_minutes: int
    final_minutes: int


@dataclass(frozen=True)
class Upward:
    """The rules by grade; near-due at `near_percent` of the way; `zh`, `en`: what the level above is called.

    `outlet` is the way out 渠道 signed reports leave by, to its `email` or `phone`; without one they are sent by hand.
    """

    rules: dict[str, Rule]
    near_percent: int
    zh: str
    en: str
    outlet: str = ""
    email: str = ""
    phone: str = ""

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        """Read and check the file. Raises UpwardError."""
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        rules: dict[str, Rule] = {}
        for row in data["rule"]:
            rule = Rule(row["first_minutes"], row["continued_minutes"], row["final_minutes"])
            for grade in row["grades"]:
                _check(path.name, grade, rule, rules)
                rules[grade] = rule
        if not 1 <= data["near_percent"] <= 99:
            raise UpwardError(f"{path.name}: near_percent lies between 1 and 99")
        to = {name: str(data["to"].get(name, "")) for name in ("zh", "en", "outlet", "email", "phone")}
        return cls(rules, data["near_percent"], **to)


@cache
def current() -> Upward:
    """The rules of this installation."""
    return Upward.load()


def _check(file: str, grade: str, rule: Rule, seen: dict[str, Rule]) -> None:
    if grade not in GRADES:
        raise UpwardError(f"{file}: no such grade: {grade!r}; allowed: {', '.join(GRADES)}")
    if grade in seen:
        raise UpwardError(f"{file}: two rules for the grade {grade!r}")
    minutes = (rule.first_minutes, rule.final_minutes)
    if not all(1 <= one <= MINUTES_MOST for one in minutes) or not 0 <= rule.continued_minutes <= MINUTES_MOST:
        raise UpwardError(f"{file}: minutes of {grade!r} lie between 1 and {MINUTES_MOST} (continued: also 0)")
