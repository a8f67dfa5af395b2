"""The first rows of a crowd (取前若干): what a screen holds when there is more than anybody can look at.

Kept by what changed, without ordering the whole crowd again: beside the chosen it keeps a reserve, and only when
removals have used that up is the crowd gone through anew, which so many removals pay for.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from heapq import nsmallest
from typing import Any, NamedTuple

from config.taxonomy import URGENCIES
from operations.incident import Incident

Rank = tuple[int, ...]
"""What comes first is the least."""
GRAVITY = {urgency: at for at, urgency in enumerate(reversed(URGENCIES))}


class Choice(NamedTuple):
    """How many rows (of incidents, or of orders) a screen holds, and what ranks them; None is for what has no row."""

    most: int
    rank: Callable[[Any], Rank | None]


class Selection:
    """The ids a screen holds. Law: after any changes `chosen` is what ordering the whole crowd would give.

    `_order` holds every ranked id up to `_floor` (all of them when that is None), at most twice what is chosen.
    """

    def __init__(self, choice: Choice) -> None:
        self.chosen: frozenset[str] = frozenset()
        self._choice = choice
        self._ranks: dict[str, tuple[Rank, str]] = {}
        self._order: list[tuple[Rank, str]] = []
        self._floor: tuple[Rank, str] | None = None
        self._known = False

    def update(self, crowd: Mapping[str, Any], touched: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Take in what changed; return the ids whose rows are to be shown anew, and those that are no longer held."""
        touched = frozenset(touched)
        before = self.chosen
        for id in touched if self._known else ():
            self._replace(id, crowd.get(id))
        if not self._known or (len(self._order) < self._choice.most and self._floor is not None):
            self._gather(crowd)
        self.chosen = frozenset(id for _, id in self._order[: self._choice.most])
        return (self.chosen - before) | (self.chosen & touched), before - self.chosen

    def _replace(self, id: str, one: Any) -> None:
        old = self._ranks.pop(id, None)
        if old is not None:
            del self._order[bisect_left(self._order, old)]
        rank = None if one is None else self._choice.rank(one)
        if rank is None or (self._floor is not None and (rank, id) > self._floor):
            return
        self._ranks[id] = (rank, id)
        insort(self._order, (rank, id))
        if len(self._order) > 2 * self._choice.most:
            del self._ranks[self._order.pop()[1]]
            self._floor = self._order[-1]

    def _gather(self, crowd: Mapping[str, Any]) -> None:
        kept = 2 * self._choice.most
        ranked = [(rank, id) for id, one in crowd.items() if (rank := self._choice.rank(one)) is not None]
        self._order = nsmallest(kept, ranked)
        self._ranks = {id: (rank, id) for rank, id in self._order}
        self._floor = self._order[-1] if len(ranked) > kept else None
        self._known = True


def gravest(incident: Incident) -> Rank:
    """Return the rank of an incident: the gravest first, then the newest."""
    return (GRAVITY.get(incident.urgency, len(GRAVITY)), -incident.opened_at)
