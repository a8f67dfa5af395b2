"""How two versions of the grids differ 版本差异: what came, went, was renamed, moved, split or merged. Pure.

Ground is compared among general grids of one level, in shares of the smaller side's own area:

- **recoded**: a code that went and one that came whose grids are the same ground, `SAME` of each;
- **split**: of one grid at least two now each lie in it by `SAME`, and one of them came;
- **merged**: at least two grids each lie in one now by `SAME`, and one of them went;
- **moved**: the same code, with more than `ROUNDING_M2` gained or lost, and from or to whom;
- **added**, **removed**: codes that came or went and are none of these.

A name, parent, kind or population that is another one is told beside. The grids that went have **successors**: the
grid that holds `SAME` of their ground now, if there is one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely

from geo.faults import area_m2
from geo.grid import GENERAL, Grid, chains

SAME = 0.9
ROUNDING_M2 = 1.0

ADDED, REMOVED, RECODED, SPLIT, MERGED, MOVED = "added", "removed", "recoded", "split", "merged", "moved"
RENAMED, PARENT, KIND, POPULATION = "renamed", "parent", "kind", "population"
KINDS = (REMOVED, ADDED, SPLIT, MERGED, RECODED, MOVED, PARENT, KIND, RENAMED, POPULATION)
"""Kinds of changes, what matters most first."""


class Part(NamedTuple):
    """Ground that went to, or came from, the grid `code`; "" is no grid of the level."""

    code: str
    area_m2: float


@dataclass(frozen=True)
class Change:
    """One change of the grid `code` (before, where it went; else after). `was` and `now` are texts.

    `parts`: the grids it was split into, merged from or recoded to; of a moved border who gave and took the ground.
    """

    kind: str
    code: str
    name: str
    level: int
    was: str = ""
    now: str = ""
    gained_m2: float = 0.0
    lost_m2: float = 0.0
    gained: tuple[Part, ...] = ()
    lost: tuple[Part, ...] = ()


class _Pair(NamedTuple):
    """Two grids that share ground: in m², and as shares of the grid before and of the one after."""

    before: str
    after: str
    area_m2: float
    of_before: float
    of_after: float


def difference(before: Sequence[Grid], after: Sequence[Grid]) -> list[Change]:
    """Return every change from `before` to `after`, what matters most first, then by code."""
    old, new = {grid.code: grid for grid in before}, {grid.code: grid for grid in after}
    pairs = _pairs(_general(before), _general(after))
    found = [*_fates(old, new, pairs), *_borders(old, new, pairs)]
    for code in old.keys() & new.keys():
        found += _facts(old[code], new[code])
    return sorted(found, key=lambda one: (KINDS.index(one.kind), one.code))


def successors(before: Sequence[Grid], after: Sequence[Grid]) -> dict[str, str]:
    """{code that went: code of the grid that holds its ground now}, where one does."""
    kept = {grid.code for grid in after}
    gone = [grid for grid in _general(before) if grid.code not in kept]
    return {pair.before: pair.after for pair in _pairs(gone, _general(after)) if pair.of_before >= SAME}


def heirs(before: Sequence[Grid], after: Sequence[Grid]) -> dict[str, str]:
    """{code that went: code that counts for it now}: its successor, else the deepest grid above it that is still there.

    A grid of which nothing is left is not among them.
    """
    kept = {grid.code for grid in after if grid.kind == GENERAL}
    followed, lines = successors(before, after), chains(before)
    found = {}
    for grid in before:
        if grid.kind != GENERAL or grid.code in kept:
            continue
        above = (followed.get(code, code) for code in reversed(lines[grid.code]))
        heir = next((code for code in above if code in kept), "")
        if heir:
            found[grid.code] = heir
    return found


def heirs_of_all(versions: Iterable[Sequence[Grid]], after: Sequence[Grid]) -> dict[str, str]:
    """`heirs` of every earlier version, the latest first: of a code that several had, the latest version speaks."""
    found: dict[str, str] = {}
    known = {grid.code for grid in after}
    for before in versions:
        gone = {grid.code for grid in before} - known
        if gone:
            inherited = heirs(before, after)
            found |= {code: inherited.get(code, "") for code in gone}
            known |= gone
    return {code: heir for code, heir in found.items() if heir}


def counts(changes: Iterable[Change]) -> dict[str, int]:
    """{kind: how many}, of the kinds there are, what matters most first."""
    told = [one.kind for one in changes]
    return {kind: told.count(kind) for kind in KINDS if kind in told}


def _general(grids: Iterable[Grid]) -> list[Grid]:
    return [grid for grid in grids if grid.kind == GENERAL]


def _pairs(before: Sequence[Grid], after: Sequence[Grid]) -> list[_Pair]:
    """The pairs of one level that share ground; of grids whose drawing stayed only the pair with themselves."""
    found: list[_Pair] = []
    for level in sorted({grid.level for grid in before} & {grid.level for grid in after}):
        one, other = ([grid for grid in side if grid.level == level] for side in (before, after))
        same = _same(one, other)
        found += [_Pair(code, code, 0.0, 1.0, 1.0) for code in same]
        found += _crossed([g for g in one if g.code not in same], [g for g in other if g.code not in same])
    return found


def _same(before: Sequence[Grid], after: Sequence[Grid]) -> set[str]:
    """Codes whose drawing is the same to the last digit."""
    drawn = {grid.code: shapely.to_wkb(grid.polygon, byte_order=1) for grid in before}
    return {grid.code for grid in after if drawn.get(grid.code) == shapely.to_wkb(grid.polygon, byte_order=1)}


def _crossed(before: Sequence[Grid], after: Sequence[Grid]) -> list[_Pair]:
    if not before or not after:
        return []
    one, other = (np.array([grid.polygon for grid in side], dtype=object) for side in (before, after))
    left, right = shapely.STRtree(other).query(one, predicate="intersects")
    common = shapely.intersection(one[left], other[right])
    sizes = shapely.area(common)
    wholes = (shapely.area(one), shapely.area(other))
    return [
        _Pair(before[i].code, after[j].code, area_m2(shape), size / wholes[0][i], size / wholes[1][j])
        for i, j, shape, size in zip(left.tolist(), right.tolist(), common, sizes.tolist(), strict=True)
        if size > 0
    ]


def _fates(old: Mapping[str, Grid], new: Mapping[str, Grid], pairs: Sequence[_Pair]) -> list[Change]:
    """What became of the codes that went, and where those that came are from."""
    gone, came = old.keys() - new.keys(), new.keys() - old.keys()
    found: list[Change] = []
    recoded = [p for p in pairs if p.before in gone and p.after in came and min(p.of_before, p.of_after) >= SAME]
    for pair in recoded:
        found.append(_change(RECODED, old[pair.before], was=pair.before, now=pair.after))
    told = {code for pair in recoded for code in (pair.before, pair.after)}
    into = _grouped((p.before, Part(p.after, p.area_m2)) for p in pairs if p.of_after >= SAME)
    from_ = _grouped((p.after, Part(p.before, p.area_m2)) for p in pairs if p.of_before >= SAME)
    for code, parts in into.items():
        if len(parts) > 1 and any(part.code in came for part in parts):
            found.append(_change(SPLIT, old[code], lost=parts))
            told |= {code, *(part.code for part in parts)}
    for code, parts in from_.items():
        if len(parts) > 1 and any(part.code in gone for part in parts):
            found.append(_change(MERGED, new[code], gained=parts))
            told |= {code, *(part.code for part in parts)}
    found += [_change(REMOVED, old[code]) for code in gone - told]
    return found + [_change(ADDED, new[code]) for code in came - told]


def _borders(old: Mapping[str, Grid], new: Mapping[str, Grid], pairs: Sequence[_Pair]) -> list[Change]:
    """Codes that stayed with other ground."""
    lost = _grouped((p.before, Part(p.after, p.area_m2)) for p in pairs if p.before != p.after)
    gained = _grouped((p.after, Part(p.before, p.area_m2)) for p in pairs if p.before != p.after)
    kept = {p.before: p.area_m2 for p in pairs if p.before == p.after}
    same = {p.before for p in pairs if p.before == p.after and p.area_m2 == 0.0}
    found = []
    for code in sorted((old.keys() & new.keys()) - same):
        one, other = old[code], new[code]
        if one.kind != GENERAL or other.kind != GENERAL:
            continue
        less, more = (max(area_m2(grid.polygon) - kept.get(code, 0.0), 0.0) for grid in (one, other))
        if max(less, more) > ROUNDING_M2:
            parts = (_with_rest(gained.get(code, ()), more), _with_rest(lost.get(code, ()), less))
            found.append(_change(MOVED, other, gained_m2=more, lost_m2=less, gained=parts[0], lost=parts[1]))
    return found


def _with_rest(parts: Sequence[Part], total: float) -> tuple[Part, ...]:
    """The parts that matter, the largest first, and as "" what no grid of the level gave or took."""
    rest = total - sum(part.area_m2 for part in parts)
    every = [*parts, Part("", rest)] if rest > max(ROUNDING_M2, total / 100) else parts
    return tuple(sorted((part for part in every if part.area_m2 > ROUNDING_M2), key=lambda part: -part.area_m2))


def _facts(one: Grid, other: Grid) -> list[Change]:
    """What is said of a grid otherwise than before."""
    told = (
        (RENAMED, one.name, other.name),
        (PARENT, one.parent, other.parent),
        (KIND, one.kind, other.kind),
        (POPULATION, _number(one.population), _number(other.population)),
    )
    return [_change(kind, other, was=was, now=now) for kind, was, now in told if was != now]


def _number(people: int | None) -> str:
    return "" if people is None else str(people)


def _grouped(parts: Iterable[tuple[str, Part]]) -> dict[str, tuple[Part, ...]]:
    found: dict[str, tuple[Part, ...]] = {}
    for code, part in parts:
        found[code] = (*found.get(code, ()), part)
    return found


def _change(
    kind: str,
    grid: Grid,
    *,
    was: str = "",
    now: str = "",
    gained_m2: float = 0.0,
    lost_m2: float = 0.0,
    gained: tuple[Part, ...] = (),
    lost: tuple[Part, ...] = (),
) -> Change:
    return Change(kind, grid.code, grid.name, grid.level, was, now, gained_m2, lost_m2, gained, lost)
