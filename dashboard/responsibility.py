"""Who is responsible where 辖区: accounts by the grids they hold, and grids that nobody of the desk holds. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.area import Area
from geo.grid import GENERAL
from operations.policy import PEOPLE
from operations.roll import Person
from operations.scope import Scope

OPERATORS = ("operator", "duty_commander")
"""Whose jurisdiction makes a grid looked after."""
OUT = ("off", "coming", "ended")


@dataclass(frozen=True)
class Holder:
    """One account as it stands now; `until`: when the right it stands by ends (UTC microseconds), None for its own."""

    person: Person
    role: str
    scope: Scope
    until: int | None = None


@dataclass(frozen=True)
class Place:
    """One grid: those above it, those directly below, how many leaf grids and people it covers, and who holds it.

    `holders`: at it, above it, or (`below`) somewhere under it. `gaps`: the leaf grids nobody of the desk holds.
    """

    code: str
    chain: tuple[str, ...]
    parts: tuple[str, ...]
    leaves: int
    population: int
    holders: tuple[Holder, ...]
    below: tuple[Holder, ...]
    gaps: frozenset[str]
    shares: Mapping[str, tuple[int, int]]
    """{the grid or one directly below it: (leaf grids, those that are gaps)}."""


def holders(people: Sequence[Person], now: int) -> list[Holder]:
    """Return everybody who may do something in grids now, by name."""
    found = []
    for one in people:
        role, scope = one.held(now)
        if role in PEOPLE and one.state(now) not in OUT:
            ends = [each.right.ends_at for each in one.rights if each.holds(now) and each.right.role == role]
            found.append(Holder(one, role, scope, min(ends, default=None)))
    return found


def tree(area: Area) -> dict[str, tuple[str, ...]]:
    """Return {code: codes directly below}, general grids only; "" holds those at the top."""
    below: dict[str, list[str]] = {"": []}
    general = {code: one for code, one in area.grids.items() if one.kind == GENERAL}
    for code, one in general.items():
        below.setdefault(one.parent if one.parent in general else "", []).append(code)
    return {code: tuple(sorted(parts)) for code, parts in below.items()}


def leaves(area: Area, below: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the smallest general grids."""
    return [code for code, one in area.grids.items() if one.kind == GENERAL and code not in below]


def gaps(area: Area, found: Sequence[Holder], smallest: Sequence[str]) -> frozenset[str]:
    """Return the leaf grids that no operator holds by a jurisdiction of their own; one of the whole city is none."""
    held = {one.scope.grid for one in found if one.role in OPERATORS and one.scope.grid and not one.scope.department}
    return frozenset(code for code in smallest if held.isdisjoint(area.chains[code]))


def whole_city(found: Sequence[Holder]) -> int:
    """Return how many operators hold the whole city."""
    return sum(one.role in OPERATORS and not one.scope.grid and not one.scope.department for one in found)


def tops(area: Area, missing: frozenset[str], below: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the missing leaf grids, a whole subtree of them as its top."""
    counted: dict[str, int] = {}
    for code in (one for leaf in missing for one in area.chains[leaf]):
        counted[code] = counted.get(code, 0) + 1
    total: dict[str, int] = {}
    for code in (one for leaf in leaves(area, below) for one in area.chains[leaf]):
        total[code] = total.get(code, 0) + 1
    whole = {code for code, count in counted.items() if count == total[code]}
    return sorted(code for code in whole if area.grids[code].parent not in whole)


def place(area: Area, code: str, found: Sequence[Holder]) -> Place:
    """Return what is to know of one grid."""
    below = tree(area)
    smallest = leaves(area, below)
    inside = [leaf for leaf in smallest if code in area.chains[leaf]]
    chain = area.chains[code]
    missing = gaps(area, found, inside)
    known = area.grids[code].population
    people = sum(area.grids[leaf].population or 0 for leaf in inside) if known is None else known
    at = tuple(one for one in found if not one.scope.grid or one.scope.grid in chain)
    under = tuple(one for one in found if one not in at and code in area.chains.get(one.scope.grid, ()))
    parts = below.get(code, ())
    shares = _shares(area, (code, len(chain)), inside, missing)
    return Place(code, chain, parts, len(inside), people, at, under, missing, shares)


def _shares(
    area: Area, top: tuple[str, int], inside: Sequence[str], missing: frozenset[str]
) -> dict[str, tuple[int, int]]:
    """Count the leaf grids under a grid (code, depth of its children) and under each grid directly below it."""
    found: dict[str, tuple[int, int]] = {}
    for leaf in inside:
        for code in {top[0], *area.chains[leaf][top[1] : top[1] + 1]}:
            total, lost = found.get(code, (0, 0))
            found[code] = total + 1, lost + (leaf in missing)
    return found
