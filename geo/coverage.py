"""Which grids an area covers 覆盖: all that it touches, said by as few codes as the rules of codes allow."""

from collections.abc import Iterable
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from geo.grid import GENERAL, Grid, chains

MOST = 300
"""Codes an area is said by; a ragged one is said by the grids above, and in the end by "", everything."""


@dataclass(frozen=True)
class Covered:
    """The highest grids that are covered, and what lies above them; nothing when all is elsewhere."""

    codes: tuple[str, ...] = ()
    above: tuple[str, ...] = ()


class Coverage:
    """The general grids of one version, ready to be asked."""

    def __init__(self, grids: Iterable[Grid], version: int = 0) -> None:
        self.version = version
        general = [grid for grid in grids if grid.kind == GENERAL]
        self._chains = chains(general)
        self._children: dict[str, list[str]] = {}
        for code, chain in self._chains.items():
            self._children.setdefault(chain[-2] if len(chain) > 1 else "", []).append(code)
        leaves = [grid for grid in general if grid.code not in self._children]
        self._leaves = [grid.code for grid in leaves]
        self._tree = shapely.STRtree([grid.polygon for grid in leaves])

    def of_shape(self, shape: BaseGeometry) -> set[str]:
        """Return the leaves that share area with a shape in WGS-84; a border alone is not enough."""
        shapely.prepare(shape)
        found: set[str] = set()
        for at in self._tree.query(shape, predicate="intersects"):
            leaf = self._tree.geometries[at]
            if shape.area == 0 or not shape.touches(leaf):
                found.add(self._leaves[at])
        return found

    def of_code(self, code: str) -> set[str]:
        """Return the leaves in an administrative area; of an area smaller than a grid, the grid that holds it."""
        wanted = significant(code)
        if not wanted:
            return set()
        below = {leaf for leaf in self._leaves if leaf.startswith(wanted) or wanted in self._chains[leaf]}
        if below:
            return below
        holding = [leaf for leaf in self._leaves if wanted.startswith(leaf)]
        return {max(holding, key=len)} if holding else set()

    def said(self, leaves: set[str]) -> Covered:
        """Return these leaves by as few codes as may be: a grid all of whose parts are covered stands for them."""
        codes = self._rolled_up(set(leaves) & self._chains.keys())
        while len(codes) > MOST:
            coarser = {self._parent(code) for code in codes}
            if "" in coarser or not all(self._prefixes(code) for code in coarser):
                return Covered(("",))
            codes = self._rolled_up(coarser)
        above = {higher for code in codes for higher in self._chains[code][:-1]}
        return Covered(tuple(sorted(codes)), tuple(sorted(above)))

    def _rolled_up(self, codes: set[str]) -> set[str]:
        deepest = max((len(self._chains[code]) for code in codes), default=0)
        for depth in range(deepest, 1, -1):
            for parent in {self._parent(code) for code in codes if len(self._chains[code]) == depth}:
                children = self._children[parent]
                if parent in codes or (self._prefixes(parent) and codes.issuperset(children)):
                    codes = codes.difference(children) | {parent}
        return codes

    def _parent(self, code: str) -> str:
        chain = self._chains[code]
        return chain[-2] if len(chain) > 1 else ""

    def _prefixes(self, parent: str) -> bool:
        """Whether all below carries the code of its parent in front, so that the code alone tells what is inside."""
        return bool(parent) and all(
            child.startswith(parent) and (child not in self._children or self._prefixes(child))
            for child in self._children.get(parent, ())
        )


def significant(code: str) -> str:
    """Return an administrative code without the zeros that stand for "all of it": 990100 → 9901."""
    code = code.strip()
    if not (code.isascii() and code.isdigit() and len(code) in (6, 9, 12, 15)):
        return ""
    while len(code) > 6 and code.endswith("000"):
        code = code[:-3]
    while len(code) in (4, 6) and code.endswith("00"):
        code = code[:-2]
    return code
