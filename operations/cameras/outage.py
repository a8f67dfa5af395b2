"""Mass drops 批量离线: a platform or a link that fails is one thing to tell, not one for each of its cameras. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

SECOND = 1_000_000
SETTLE = 60 * SECOND
"""A drop is told when it has lasted this long; who is back before was never gone."""
TOGETHER = 600 * SECOND
"""Cameras that went within so long of one another went together; who has been away for weeks is no part of it."""
FEWEST = 10
SHARE = 0.3
"""So many cameras, and this share of all behind one point, make a mass drop."""
LASTING = 2
"""It is over when fewer than the fewest, divided by this, are still away: one that comes and goes is not told anew."""
LEVELS = ("source", "parent", "area")
"""From the whole to its parts: a platform, a recorder, and the town, since what fails between them has no name here.
The widest that fails is told, and what lies behind it is not told again."""


class Behind(NamedTuple):
    """What one camera hangs on; empty where nothing is known."""

    source: str = ""
    parent: str = ""
    area: str = ""


class Drop(NamedTuple):
    """A camera that went away, and when (UTC us)."""

    camera: str
    at: int
    behind: Behind


class Point(NamedTuple):
    """What cameras hang on: one of LEVELS, and its name."""

    level: str
    name: str


class Outage(NamedTuple):
    """One point behind which many cameras went away: how many of how many, since when."""

    point: Point
    gone: int
    total: int
    since: int
    cameras: frozenset[str]


class Told(NamedTuple):
    """What there is to tell: outages, cameras that dropped alone, and those that have not lasted long enough."""

    outages: tuple[Outage, ...]
    alone: tuple[Drop, ...]
    waiting: tuple[Drop, ...]


def grouped(drops: Iterable[Drop], totals: Mapping[Point, int], now: int, known: Mapping[Point, int]) -> Told:
    """Return what is to be told of the cameras that are away. `totals` counts cameras behind a point.

    `known`: outages that were told, and since when; they last longer than one takes to begin. While a point's drops
    are still coming in, those that have settled count with those that have not: an outage is told once, with all of
    them, and not first as single cameras.
    """
    left = sorted(drops, key=lambda drop: (drop.at, drop.camera))
    outages: list[Outage] = []
    for level in LEVELS:
        heaps: dict[str, list[Drop]] = defaultdict(list)
        for drop in left:
            name = getattr(drop.behind, level)
            if name:
                heaps[name].append(drop)
        for name, heap in sorted(heaps.items()):
            point = Point(level, name)
            found = _outage(point, heap, totals.get(point, len(heap)), now, known.get(point))
            if found is not None:
                outages.append(found)
                left = [drop for drop in left if drop.camera not in found.cameras]
    alone = tuple(drop for drop in left if now - drop.at >= SETTLE)
    return Told(tuple(outages), alone, tuple(drop for drop in left if now - drop.at < SETTLE))


def _outage(point: Point, heap: Sequence[Drop], total: int, now: int, since: int | None) -> Outage | None:
    part = _together(heap) if since is None else [drop for drop in heap if drop.at >= since]
    easier = 1 if since is None else LASTING
    if not part or len(part) * easier < FEWEST or len(part) * easier < SHARE * total:
        return None
    if since is None and (now - part[0].at < SETTLE or (point.level == "source" and _one_parent(part))):
        return None
    gone = frozenset(drop.camera for drop in part)
    return Outage(point, len(gone), total, part[0].at if since is None else since, gone)


def _together(heap: Sequence[Drop]) -> Sequence[Drop]:
    """The most drops, of those by rising time, that lie within TOGETHER; of equally many the last."""
    first, best = 0, (0, 0)
    for last, drop in enumerate(heap):
        while drop.at - heap[first].at > TOGETHER:
            first += 1
        if last + 1 - first >= best[1] - best[0]:
            best = first, last + 1
    return heap[best[0] : best[1]]


def _one_parent(heap: Sequence[Drop]) -> bool:
    """Whether all lie behind one recorder: then that is the cause and is told instead of its platform."""
    name, most = Counter(drop.behind.parent for drop in heap).most_common(1)[0]
    return bool(name) and most == len(heap)
