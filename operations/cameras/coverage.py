"""Where cameras are missing 视频覆盖: areas with none, none that is live, or fewer than they should have. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

from config.coverage import Rule

NONE, DARK, FEW, ENOUGH = "none", "dark", "few", "enough"
"""No camera; none that is live; fewer than the rule wants; none of these. The gravest first."""
GRAVITY = (NONE, DARK, FEW, ENOUGH)


class Tally(NamedTuple):
    """Cameras of an area and of what lies in it, how many are live, and how many are worked on as planned."""

    cameras: int
    live: int
    maintained: int


NOTHING = Tally(0, 0, 0)


class Covered(Struct, frozen=True):
    """How an area is covered; `rule` and `least` say what it should have ("" and 0: nothing is said of it)."""

    code: str
    chain: tuple[str, ...]
    leaf: bool
    standing: str
    tally: Tally
    rule: str
    least: int


class Void(NamedTuple):
    """A smallest grid without a live camera: its chain as a path, NONE or DARK, since when, when told (0: not)."""

    grid: str
    path: str
    why: str
    since_at: int
    told_at: int = 0


class Moves(NamedTuple):
    """What changes of the voids: those that are kept anew or otherwise, that are told now, and that have ended."""

    kept: tuple[Void, ...]
    told: tuple[Void, ...]
    ended: tuple[Void, ...]


def tallied(cameras: Iterable[tuple[tuple[str, ...], str, int]]) -> dict[str, Tally]:
    """Return {code of any area: its cameras}, of (chain, condition, how many)."""
    counts: dict[str, Counter[str]] = {}
    for chain, condition, number in cameras:
        for code in chain:
            told = counts.setdefault(code, Counter())
            told["cameras"] += number
            told[condition] += number
    return {code: Tally(one["cameras"], one["live"], one["maintenance"]) for code, one in counts.items()}


def judged(chains: Mapping[str, tuple[str, ...]], tallies: Mapping[str, Tally], rules: Iterable[Rule]) -> list[Covered]:
    """Return every smallest grid, and the areas above that a rule is about; the gravest first, then by code."""
    rules = tuple(rules)
    depth = _depths(chains)
    found = [_judged(code, chain, depth[code], tallies.get(code, NOTHING), rules) for code, chain in chains.items()]
    told = [one for one in found if one.leaf or one.rule]
    return sorted(told, key=lambda one: (GRAVITY.index(one.standing), one.code))


def moved(known: Mapping[str, Void], now_void: Iterable[Void], now: int, patience: int) -> Moves:
    """Return what changes: `now_void` are as of now; one is told after `patience` microseconds, once, until it ends."""
    kept: list[Void] = []
    told: list[Void] = []
    there: set[str] = set()
    for fresh in now_void:
        there.add(fresh.grid)
        before = known.get(fresh.grid)
        one = fresh if before is None else before._replace(why=fresh.why, path=fresh.path)
        if not one.told_at and now - one.since_at >= patience:
            one = one._replace(told_at=now)
            told.append(one)
        if one != before:
            kept.append(one)
    ended = tuple(one for grid, one in known.items() if grid not in there)
    return Moves(tuple(kept), tuple(told), ended)


def voids(covered: Iterable[Covered], now: int) -> list[Void]:
    """Return the smallest grids without a live camera; where one is being worked on as planned, that is expected."""
    return [
        Void(one.code, "/".join(one.chain), one.standing, now)
        for one in covered
        if one.leaf and one.standing in (NONE, DARK) and not one.tally.maintained
    ]


def _judged(code: str, chain: tuple[str, ...], above: int, tally: Tally, rules: tuple[Rule, ...]) -> Covered:
    village = chain[-2] if above == 0 and len(chain) > 1 else code
    rule = next((one for one in rules if one.fits(above, village)), None)
    least = rule.least if rule else 0
    standing = NONE if not tally.cameras else DARK if not tally.live else FEW if tally.cameras < least else ENOUGH
    return Covered(code, chain, above == 0, standing, tally, rule.name if rule else "", least)


def _depths(chains: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """{code: how many steps it is above the smallest grids in it}."""
    found = dict.fromkeys(chains, 0)
    for chain in chains.values():
        for steps, code in enumerate(reversed(chain)):
            if code in found:
                found[code] = max(found[code], steps)
    return found
