"""Whose live pictures a wall shows 大屏跟随: the gravest incident's, without flapping. Pure.

What is shown stays `GRAVER_AFTER` against a graver one and `STAY` against one of the same gravity; of that, those that
nobody has acknowledged go first, then those that wait longest. Of its cameras those on the wall stay while they can.
"""

import math
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from operations.cameras.near import METRES_PER_DEGREE, Near

SECOND = 1_000_000
GRAVER_AFTER, STAY = 5 * SECOND, 60 * SECOND
GRAVITY = {"critical": 0, "urgent": 1}
"""Levels whose incidents are followed; a wall does not look where nothing presses."""
CANDIDATES = 12
WAYS = ("n", "ne", "e", "se", "s", "sw", "w", "nw")


class Candidate(Struct, frozen=True, array_like=True):
    """An open incident that may be followed; times in UTC microseconds."""

    gravity: int
    acknowledged: bool
    since: int
    id: str

    @property
    def rank(self) -> tuple[int, bool, int, str]:
        """Return what orders them: the gravest, unacknowledged, longest waiting first."""
        return self.gravity, self.acknowledged, self.since, self.id


def order(found: Iterable[Candidate], current: str, since: int, now: int, pinned: str = "") -> list[str]:
    """Return ids in the order in which they are to be shown; `current` has been on the wall from `since`."""
    ranked = sorted(found, key=lambda one: one.rank)
    held = {one.id: one for one in ranked}.get(current)
    first = [one for one in ranked if held is not None and _gives_way(held, one, now - since)]
    chosen = [one.id for one in first] + ([current] if held is not None else [])
    rest = [one.id for one in ranked if one.id not in chosen]
    ordered = [*chosen, *rest]
    return [pinned, *(one for one in ordered if one != pinned)] if pinned in {one.id for one in ranked} else ordered


def again(since: int, now: int) -> int:
    """Return after how many microseconds the choice may be another though nothing has changed; 0: never."""
    return next((since + after - now for after in (GRAVER_AFTER, STAY) if since + after > now), 0)


def cameras(near: Sequence[Near], shown: Collection[str], lost: Collection[str], most: int) -> list[Near]:
    """Return the cameras to show, the best first: those shown stay; `lost` ones, dark on this wall, come last."""
    usable = [one for one in near if one.usable]
    ranked = sorted(usable, key=lambda one: (one.camera.id in lost, one.camera.id not in shown))[:most]
    return sorted(ranked, key=usable.index)


def way(near: Near, lon: float, lat: float) -> str:
    """Return in which of the eight directions from a place (WGS 84 degrees) a camera stands."""
    assert near.camera.lon is not None and near.camera.lat is not None
    east = (near.camera.lon - lon) * METRES_PER_DEGREE * math.cos(math.radians(lat))
    north = (near.camera.lat - lat) * METRES_PER_DEGREE
    return WAYS[round(math.degrees(math.atan2(east, north)) / 45) % 8]


def _gives_way(held: Candidate, to: Candidate, stood: int) -> bool:
    if to.gravity < held.gravity:
        return stood >= GRAVER_AFTER
    return to.rank < held.rank and stood >= STAY
