"""Heat 热力: counts of the leaf grids rolled up to every level, as numbers somebody may rightly compare.

A grid is shown as a **count**: with a thousand people in it a rate is noise. From village and town up, or from a least
population on, it is a **rate per 10,000 people**. Where nobody knows the population there is no rate, and that is said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from geo.faults import area_m2
from geo.grid import GENERAL, Grid

PER_PEOPLE = 10_000
UNPLACED = ""  # the code under which reports in no grid are counted
EARLIER = "/earlier"  # 以前的网格: of grids of earlier versions for which none in force counts; no code has a slash

# Why a figure is what it is.
COUNT, RATE, NO_POPULATION = "count", "rate", "no_population"  # 件数, 每万人, 无人口数


@dataclass(frozen=True, slots=True)
class Figure:
    """One area's figure: `count` reports from `since_at` to `until_at` (UTC microseconds), over `population` people.

    `value` is the count, or the rate per 10,000 people when `basis` is RATE; `population` is the denominator,
    None where unknown. `text_code` names the words that say so (`geo.heat...`).
    """

    code: str
    count: int
    population: int | None
    basis: str
    since_at: int
    until_at: int

    @property
    def value(self) -> float:
        if self.basis != RATE or not self.population:
            return float(self.count)
        return self.count * PER_PEOPLE / self.population

    @property
    def text_code(self) -> str:
        return f"geo.heat.{self.basis}"


def rollup(
    counts: Mapping[str, int], chains: Mapping[str, tuple[str, ...]], heirs: Mapping[str, str] | None = None
) -> dict[str, int]:
    """{code: count} for every area above the counted ones and themselves.

    `counts` is {leaf code: count}. A code of an earlier version is counted for its heir (`geo.difference.heirs`); one
    without an heir is added to EARLIER, and what lies in no grid to UNPLACED, so that the roots and these two always
    sum to what came in.
    """
    total: dict[str, int] = {}
    for leaf, count in counts.items():
        for code in _line(leaf, chains, heirs or {}):
            total[code] = total.get(code, 0) + count
    return total


def _line(leaf: str, chains: Mapping[str, tuple[str, ...]], heirs: Mapping[str, str]) -> tuple[str, ...]:
    if not leaf:
        return (UNPLACED,)
    return chains.get(leaf) or chains.get(heirs.get(leaf, "")) or (EARLIER,)


def populations(grids: Iterable[Grid]) -> dict[str, int | None]:
    """{code: people}: the area's own number, else the sum of its children's if every child has one, else None."""
    general = sorted((grid for grid in grids if grid.kind == GENERAL), key=lambda grid: -grid.level)
    children: dict[str, list[int | None]] = {}
    result: dict[str, int | None] = {}
    for grid in general:
        below = children.get(grid.code, [])
        known = [people for people in below if people is not None]
        summed = sum(known) if known and len(known) == len(below) else None
        result[grid.code] = summed if grid.population is None else grid.population
        children.setdefault(grid.parent, []).append(result[grid.code])
    return result


def figures(
    counts: Mapping[str, int],
    grids: Iterable[Grid],
    *,
    since_at: int,
    until_at: int,
    least_population: int,
) -> dict[str, Figure]:
    """{code: figure} for every general grid, from `rollup`ed counts; an area without reports has 0, not nothing.

    From `least_population` people on, a leaf grid is shown as a rate too.
    """
    general = [grid for grid in grids if grid.kind == GENERAL]
    people, upper = populations(general), {grid.parent for grid in general}
    return {
        grid.code: Figure(
            code=grid.code,
            count=counts.get(grid.code, 0),
            population=people[grid.code],
            basis=_basis(people[grid.code], grid.code in upper, least_population),
            since_at=since_at,
            until_at=until_at,
        )
        for grid in general
    }


def _basis(people: int | None, upper: bool, least_population: int) -> str:
    if not people:
        return NO_POPULATION if upper else COUNT
    return RATE if upper or people >= least_population else COUNT


class Measure(NamedTuple):
    """One area's denominators: people (None where unknown) and square kilometres."""

    code: str
    name: str
    parent: str
    population: int | None
    km2: float


def measures(grids: Iterable[Grid], level: int) -> list[Measure]:
    """The denominators of every general grid of a level."""
    general = [grid for grid in grids if grid.kind == GENERAL]
    people = populations(general)
    return [
        Measure(grid.code, grid.name, grid.parent, people[grid.code], area_m2(grid.polygon) / 1e6)
        for grid in general
        if grid.level == level
    ]
