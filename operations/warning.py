"""A warning 预警: what an issuer says about an area and a time. It has a level and an end, and no steps.

Whom it concerns: `codes` are the highest grids it covers whole or in part, "" stands for everything; `above` are the
grids that hold them. A scope sees it when its grid is one of those, or lies below one that is covered.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, convert

from operations.entry import Entry
from operations.scope import Scope

LEVELS = ("red", "orange", "yellow", "blue")
"""红 橙 黄 蓝, the gravest first; "" is a warning whose level nobody said."""
COVERED, OUTSIDE, UNKNOWN = "covered", "outside", "unknown"
"""Where it is: over grids of ours, beside all of them, or in words only."""
EVERYWHERE = ""
AHEAD = 300_000_000
"""Microseconds an issuer's clock may be ahead before its warning counts as one for later."""
MARK = "*"  # behind the code of a covered grid, in an entry's header
ENDING = ("warning.cancelled", "warning.replaced", "warning.expired")


class Said(Struct, frozen=True, omit_defaults=True):
    """The words of a warning in one language."""

    language: str = ""
    event: str = ""
    headline: str = ""
    issuer: str = ""
    area: str = ""


class WarningState(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One warning. Times: UTC microseconds; `said` holds at least one language, `status` and `audience` are CAP's."""

    id: str
    source: str
    sender: str
    identifier: str
    sent: int
    effective: int
    expires: int
    received_at: int
    said: tuple[Said, ...]
    status: str = "Actual"
    audience: str = "Public"  # CAP's scope
    level: str = ""
    onset: int | None = None
    severity: str = ""
    urgency: str = ""
    certainty: str = ""
    assumed_end: bool = False  # it names no end: ours is assumed
    where: str = UNKNOWN
    codes: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    geometry_sha256: str = ""
    marks: tuple[str, ...] = ()

    @property
    def real(self) -> bool:
        """Say whether it is meant: no exercise, no test, no draft."""
        return self.status == "Actual"

    @property
    def on_walls(self) -> bool:
        """Say whether walls show it: public, about our area, and meant or an exercise that says it is one."""
        return self.audience == "Public" and self.where != OUTSIDE and self.status in ("Actual", "Exercise")

    @property
    def sounds(self) -> bool:
        """Say whether a new one is heard: red and orange that are meant."""
        return self.on_walls and self.real and self.level in LEVELS[:2]

    def in_force(self, now: int) -> bool:
        """Say whether it holds at `now`."""
        return self.effective <= now + AHEAD and now < self.expires

    def words(self, lang: str) -> Said:
        """Return its words in a language, else in English, else as they are."""
        for wanted in (lang, "en"):
            for one in self.said:
                if one.language == wanted:
                    return one
        return self.said[0]


def visible(scope: Scope, warning: WarningState) -> bool:
    """Say whether a scope sees it; weather asks for no department. What covers no grid is the whole city's only."""
    grid = scope.grid
    if not grid or grid in warning.codes or grid in warning.above:
        return True
    return any(grid.startswith(code) for code in warning.codes)


def header_path(warning: WarningState) -> str:
    """Return the grids as they stand in an entry's header: those that see it, and the covered ones marked."""
    return "/".join([*warning.above, *warning.codes, *(code + MARK for code in warning.codes)])


def marked_above(grid: str) -> list[str]:
    """Return the marks of all that could cover a grid by its code: those in a header mean that it is seen."""
    return [grid[:end] + MARK for end in range(len(grid) + 1)]


def fold(warnings: dict[str, WarningState], entry: Entry, scope: Scope) -> bool:
    """Take one entry about a warning into what a scope sees; return whether that changed."""
    before = warnings.pop(entry.subject_id, None)
    after = _after(before, entry)
    if after is not None and visible(scope, after):
        warnings[entry.subject_id] = after
    return before is not None or entry.subject_id in warnings


def _after(before: WarningState | None, entry: Entry) -> WarningState | None:
    if entry.action in ENDING:
        return None
    values: Mapping[str, Any] | None = (entry.body or {}).get("set")
    return before if values is None else convert(values, WarningState)


def gravity(warning: WarningState) -> tuple[int, int, int, str]:
    """Return what orders warnings: meant before exercises, the gravest, the newest."""
    level = LEVELS.index(warning.level) if warning.level else len(LEVELS)
    return (not warning.real, level, -warning.sent, warning.id)


def in_force(warnings: Iterable[WarningState], now: int) -> list[WarningState]:
    """Return those that hold at `now`, the gravest first."""
    return sorted((one for one in warnings if one.in_force(now)), key=gravity)
