"""Who is responsible where: jurisdictions, rights in force, and the grids nobody of the desk holds."""

from types import MappingProxyType
from typing import cast

import shapely

from dashboard import responsibility
from dashboard.area import Area
from geo.grid import GENERAL, MICRO, Grid, chains
from operations.assignments import Assignment, Right
from operations.roll import Person
from operations.scope import Scope

NOW = 1_800_000_000_000_000


class City:
    """The part of the grids in force that is asked: a county of two towns with two grids each, and a micro-grid."""

    def __init__(self) -> None:
        codes = {"1": "", "11": "1", "12": "1", "111": "11", "112": "11", "121": "12", "122": "12"}
        found = [
            Grid(code, f"n{code}", GENERAL, len(code), parent, shapely.box(0, 0, 1, 1), 10 if len(code) == 3 else None)
            for code, parent in codes.items()
        ]
        found.append(Grid("x", "micro", MICRO, 4, "111", shapely.box(0, 0, 1, 1)))
        self.grids = MappingProxyType({one.code: one for one in found})
        self.chains = chains(found)


AREA = cast(Area, City())


def person(name: str, role: str, grid: str = "", department: str = "", **given: object) -> Person:
    return Person(name, name, role, Scope(grid, department), 0, **given)  # type: ignore[arg-type]


def place(code: str, *people: Person) -> responsibility.Place:
    return responsibility.place(AREA, code, responsibility.holders(people, NOW))


def test_who_holds_a_grid_and_who_something_below_it() -> None:
    people = (
        person("a", "operator"),
        person("b", "operator", "11"),
        person("c", "leader", "111"),
        person("d", "leader", "12"),
    )
    found = place("11", *people)
    assert [one.person.name for one in found.holders] == ["a", "b"]
    assert [one.person.name for one in found.below] == ["c"]
    assert (found.leaves, found.population, found.parts, found.chain) == (2, 20, ("111", "112"), ("1", "11"))
    assert place("111").leaves == 1  # what lies over it is none of its parts


def test_gaps_are_what_no_operator_of_its_own_holds() -> None:
    held = person("b", "operator", "11")
    others = person("a", "operator"), person("c", "leader", "12"), person("f", "operator", "12", "fire")
    found = place("1", held, *others)
    assert found.gaps == {"121", "122"}
    assert found.shares == {"1": (4, 2), "11": (2, 0), "12": (2, 2)}
    below = responsibility.tree(AREA)
    assert responsibility.tops(AREA, found.gaps, below) == ["12"]
    assert responsibility.tops(AREA, frozenset({"111", "121", "122"}), below) == ["111", "12"]
    assert responsibility.whole_city(responsibility.holders((held, *others), NOW)) == 1


def test_only_who_may_act_now_counts() -> None:
    right = Assignment("r", "e", Right("operator", NOW + 9, NOW - 9, Scope("11")), NOW - 9, "security")
    over = Assignment("r", "e", Right("operator", NOW, NOW - 9, Scope("12")), NOW - 9, "security")
    people = (
        person("off", "operator", "12", disabled_at=1),
        person("ended", "operator", "12", valid_to=NOW),
        person("coming", "operator", "12", valid_from=NOW + 1),
        person("security", "security_admin"),
        person("standing", "leader", "12", rights=(right, over)),
    )
    [one] = responsibility.holders(people, NOW)
    assert (one.person.name, one.role, one.scope.grid, one.until) == ("standing", "operator", "11", NOW + 9)
    assert place("1", *people).gaps == {"121", "122"}
