"""The fewest sets that cover enough 最少覆盖. Pure: a set is a whole number read as bits, one bit a point.

The answer is proven by branch and bound as long as the work allowed lasts; then the best found so far is given, and it
is said that nothing proves it. Work is counted, not timed: the same question has the same answer on every machine.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import accumulate
from typing import NamedTuple


class Work:
    """How many sets may still be looked at; one budget can serve several questions."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def take(self, looks: int) -> None:
        self.left -= looks
        if self.left < 0:
            raise _Spent


class _Spent(Exception):
    """The work allowed is used up."""


class Chosen(NamedTuple):
    """Which sets, in the order of what each adds; the points they cover; whether fewer are proven not to do."""

    ranks: tuple[int, ...]
    covered: int
    exact: bool


def fewest(sets: Sequence[int], need: int, most: int, work: Work) -> Chosen:
    """Return the fewest sets that cover `need` points, at most `most`; of equal ones the earlier is taken.

    Where `most` cannot cover so many, those which cover much are returned, and `exact` is false.
    """
    ranks: dict[int, int] = {}
    for rank, one in enumerate(sets):
        ranks.setdefault(one, rank)
    ranks.pop(0, None)
    best = _needed(_greedy(list(ranks), need, most), need)
    enough = _union(best).bit_count() >= need
    slots = len(best) - 1 if enough else most
    try:
        found = _fewer(list(ranks), need, slots, work)
        best, exact = found or best, enough or bool(found)
    except _Stopped as stopped:
        best, exact = stopped.best or best, False
    ordered = _greedy(sorted(best, key=ranks.__getitem__), need=_union(best).bit_count(), most=len(best))
    return Chosen(tuple(ranks[one] for one in ordered), _union(best), exact)


class _Stopped(Exception):
    """The work was used up; `best` is the last found before."""

    def __init__(self, best: list[int]) -> None:
        super().__init__()
        self.best = best


def _greedy(sets: list[int], need: int, most: int) -> list[int]:
    """Return what covers most of the rest, again and again. An old gain is an upper bound: few are counted anew."""
    heap = [(-one.bit_count(), rank) for rank, one in enumerate(sets)]
    heapify(heap)
    taken: list[int] = []
    covered = 0
    while heap and len(taken) < most and covered.bit_count() < need:
        _, rank = heappop(heap)
        now = (-(sets[rank] & ~covered).bit_count(), rank)
        if heap and now > heap[0]:
            heappush(heap, now)
        elif now[0]:
            taken.append(sets[rank])
            covered |= sets[rank]
        else:
            break
    return taken


def _needed(taken: list[int], need: int) -> list[int]:
    """Return them without those that what came later made superfluous."""
    for one in list(taken):
        rest = [other for other in taken if other != one]
        if _union(rest).bit_count() >= need:
            taken = rest
    return taken


def _fewer(sets: list[int], need: int, slots: int, work: Work) -> list[int]:
    """Return a smallest choice of at most so many sets that covers enough; nothing where there is none."""
    best: list[int] = []
    least = _least([one.bit_count() for one in sets], need)
    if slots < least:
        return best
    try:
        left = _undominated(sets, work)
        while slots >= least:
            found = _search(0, left, need, slots, work)
            if found is None:
                break
            best, slots = found, len(found) - 1
    except _Spent:
        raise _Stopped(best) from None
    return best


def _least(gains: list[int], need: int) -> int:
    """Return how many sets are needed even if none shares a point with another."""
    sums = accumulate(sorted(gains, reverse=True), initial=0)
    return next((count for count, covered in enumerate(sums) if covered >= need), len(gains) + 1)


def _undominated(sets: list[int], work: Work) -> list[int]:
    """Return those that lie in no other, in their order."""
    kept: list[int] = []
    for one in sorted(sets, key=int.bit_count, reverse=True):
        work.take(len(kept) + 1)
        if not any(one | other == other for other in kept):
            kept.append(one)
    keep = set(kept)
    return [one for one in sets if one in keep]


def _search(covered: int, left: list[int], need: int, slots: int, work: Work) -> list[int] | None:
    """Return at most `slots` of those left that bring what is covered to `need` points, or None: there are none.

    Either the set that adds most is taken, or it is not and the next one is: each branch is without those before it.
    """
    missing = need - covered.bit_count()
    if missing <= 0:
        return []
    work.take(3 * len(left) + 1)
    adding = [(gain, one) for one in left if (gain := (one & ~covered).bit_count())]
    adding.sort(key=lambda pair: -pair[0])
    gains, sets = [pair[0] for pair in adding], [pair[1] for pair in adding]
    if slots == 1:
        return sets[:1] if gains and gains[0] >= missing else None
    unions = list(accumulate(reversed(sets), int.__or__, initial=covered))[::-1]
    for rank, one in enumerate(sets):
        if sum(gains[rank : rank + slots]) < missing or unions[rank].bit_count() < need:
            return None
        found = _search(covered | one, sets[rank + 1 :], need, slots - 1, work)
        if found is not None:
            return [one, *found]
    return None


def _union(sets: list[int]) -> int:
    covered = 0
    for one in sets:
        covered |= one
    return covered
