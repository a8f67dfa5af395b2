"""Counts per grid chain × department × type × urgency × time slot, with their totals kept."""

from collections.abc import Iterator
from typing import NamedTuple

from operations.scope import Scope

Chain = tuple[str, ...]
_BITS = 16
_MASK = (1 << _BITS) - 1


class Kind(NamedTuple):
    """What is counted apart within a grid."""

    department: str
    type: str
    urgency: str


class Cell(NamedTuple):
    """One count, written out."""

    chain: Chain
    kind: Kind
    slot: int
    number: int


class Buckets:
    """Slots are minutes or hours since 1970. A cell is one int key (slot and kind packed), for memory's sake."""

    def __init__(self) -> None:
        self._kinds: list[Kind] = []
        self._index: dict[Kind, int] = {}
        self._chains: dict[Chain, dict[int, int]] = {}
        self._leaves: dict[str, set[Chain]] = {}
        self.totals: dict[int, int] = {}  # by slot

    def add(self, chain: Chain, kind: Kind, slot: int, count: int = 1) -> None:
        """Add `count` (may be negative) to one cell; a cell never falls below zero."""
        cells = self._chains.get(chain)
        if cells is None:
            cells = self._chains[chain] = {}
            self._leaves.setdefault(_leaf(chain), set()).add(chain)
        _bump(self.totals, slot, _bump(cells, slot << _BITS | self._number(kind), count))

    def prune(self, before: int) -> None:
        """Forget every slot earlier than `before`."""
        limit = before << _BITS
        for chain in list(self._chains):
            kept = {key: count for key, count in self._chains[chain].items() if key >= limit}
            if kept:
                self._chains[chain] = kept
            else:
                self._forget(chain)
        self.totals = {slot: count for slot, count in self.totals.items() if slot >= before}

    def cells(self) -> Iterator[Cell]:
        """Every cell that is not zero."""
        for chain, cells in self._chains.items():
            for key, count in cells.items():
                yield Cell(chain, self._kinds[key & _MASK], key >> _BITS, count)

    def project(self, scope: Scope) -> "Buckets":
        """Return a copy of what lies inside `scope`."""
        inside = Buckets()
        for cell in self.cells():
            if scope.covers(cell.chain, cell.kind.department, cell.kind.type):
                inside.add(*cell)
        return inside

    def by_leaf(
        self,
        since: int,
        types: frozenset[str] | None = None,
        urgency: str | None = None,
        grids: frozenset[str] | None = None,
    ) -> dict[str, int]:
        """Count per leaf grid (unplaced: "") in slots ≥ `since`; only `types`, `urgency`, `grids` where given."""
        wanted = {number for number, kind in enumerate(self._kinds) if _fits(kind, types, urgency)}
        everything = len(wanted) == len(self._kinds)
        limit = since << _BITS
        counts: dict[str, int] = {}
        for leaf in self._leaves if grids is None else grids & self._leaves.keys():
            total = 0
            for chain in self._leaves[leaf]:
                for key, count in self._chains[chain].items():
                    if key >= limit and (everything or key & _MASK in wanted):
                        total += count
            if total:
                counts[leaf] = total
        return counts

    def _number(self, kind: Kind) -> int:
        number = self._index.get(kind)
        if number is None:
            number = self._index[kind] = len(self._kinds)
            self._kinds.append(kind)
        return number

    def _forget(self, chain: Chain) -> None:
        del self._chains[chain]
        chains = self._leaves[_leaf(chain)]
        chains.discard(chain)
        if not chains:
            del self._leaves[_leaf(chain)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Buckets) and set(self.cells()) == set(other.cells()) and self.totals == other.totals

    __hash__ = None  # type: ignore[assignment]


def _leaf(chain: Chain) -> str:
    return chain[-1] if chain else ""


def _fits(kind: Kind, types: frozenset[str] | None, urgency: str | None) -> bool:
    return (types is None or kind.type in types) and (urgency is None or kind.urgency == urgency)


def _bump(counts: dict[int, int], key: int, by: int) -> int:
    """Add and return what was really added, so that totals follow."""
    old = counts.get(key, 0)
    new = max(0, old + by)
    if new:
        counts[key] = new
    else:
        counts.pop(key, None)
    return new - old
