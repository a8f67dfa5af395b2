"""Trees of cameras 目录树: by civil code, by business group, by grid; each branch counted, its children when opened.

Pure. A branch's key is the way to it from the top, "/" between; what no source told of lies in the branch UNTOLD.
"""

from msgspec import Struct

from operations.cameras.searching import Column, Index, Line, Mask

CIVIL, GROUP, GRID = "civil", "group", "grid"
AXES = (CIVIL, GROUP, GRID)
UNTOLD = "?"
BRANCHES_MOST = 500
DIVISIONS = (2, 4, 6, 8)
"""Digits of province, city, county and the station below it (GB/T 2260; GB/T 28181-2022, appendix E.1)."""
ORGANISATION = "216"
"""Type of a virtual organisation 虚拟组织 in digits 11 to 13 of its code."""


class Branch(Struct, frozen=True):
    """`key` leads to it, `code` is its last step; how many cameras are in it, and of them live; `more`: it has some."""

    key: str
    code: str
    total: int
    live: int
    more: bool


def way(axis: str, line: Line) -> tuple[str, ...]:
    """Return the way to a camera's branch from the top of a tree."""
    found = {CIVIL: _civil, GROUP: _group, GRID: _grid}[axis](line)
    return found or (UNTOLD,)


def ways(index: Index, axis: str) -> Column:
    """Return the ways of all lines."""
    return index.kept(f"way {axis}", lambda: Column([way(axis, one) for one in index.lines]))


def below(index: Index, axis: str, key: str) -> Mask:
    """Return which cameras lie in a branch."""
    steps = tuple(key.split("/")) if key else ()
    return ways(index, axis).where(lambda one: one[: len(steps)] == steps)


def branches(index: Index, axis: str, key: str, reached: Mask, live: Mask) -> list[Branch]:
    """Return the branches below one, as far as cameras within reach lie in them; "" is the top.

    At the top, steps that all share are left out: a city need not open its province.
    """
    column = ways(index, axis)
    totals, lives = column.counts(reached), column.counts(reached & live)
    steps = tuple(key.split("/")) if key else _shared(list(totals))
    found: dict[str, list[int]] = {}
    for one, total in totals.items():
        if len(one) > len(steps) and one[: len(steps)] == steps:
            held = found.setdefault(one[len(steps)], [0, 0, 0])
            held[0] += total
            held[1] += lives.get(one, 0)
            held[2] |= len(one) > len(steps) + 1
    ordered = sorted(found.items(), key=lambda one: (one[0] == UNTOLD, one[0]))[:BRANCHES_MOST]
    return [Branch("/".join((*steps, code)), code, held[0], held[1], bool(held[2])) for code, held in ordered]


def _shared(all_ways: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The steps that all ways begin with, but for the last of the shortest."""
    told = [one for one in all_ways if one != (UNTOLD,)]
    if not told:
        return ()
    least = min(len(one) for one in told) - 1
    first = told[0]
    same = next((at for at in range(least) if any(one[at] != first[at] for one in told)), max(least, 0))
    return first[:same] if len(told) == len(all_ways) else ()


def _civil(line: Line) -> tuple[str, ...]:
    code = line.civil_code or (line.code[:8] if len(line.code) == 20 else "")
    if not (code.isascii() and code.isdecimal()):
        return ()
    while len(code) > 2 and len(code) <= DIVISIONS[-1] and len(code) % 2 == 0 and code.endswith("00"):
        code = code[:-2]
    steps = [code[:digits] for digits in DIVISIONS if len(code) >= digits]
    return tuple(dict.fromkeys([*steps, code]))


def _group(line: Line) -> tuple[str, ...]:
    within = [one for one in line.parent.split("/") if one[10:13] == ORGANISATION]
    return tuple(dict.fromkeys(one for one in (*line.group.split("/"), *within) if one))


def _grid(line: Line) -> tuple[str, ...]:
    return tuple(one for one in line.path.split("/") if one)
