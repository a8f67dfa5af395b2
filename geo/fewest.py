"""The fewest cameras that cover a place 最少摄像机, and which of those asked for are more than it needs. Pure.

A place is judged at points in and around it (`geo.samples`). What stands in the way is unknown: what is covered here is
the most that can be seen, on flat and empty ground. A camera whose direction nobody knows only *may* see what lies in
its circle: it counts for what no camera of known direction covers, and is named.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from geo.samples import Samples, flattened, samples
from geo.setcover import Work, fewest
from geo.sight import METRES_PER_DEGREE, ROUND

FIELD_ANGLE, VIEW_DISTANCE = 90.0, 100.0
"""Degrees and metres where a camera's record does not say them, as in `operations/cameras/near.py`."""
POINTS, FEWEST_POINTS = 400, 64
LOOKS = 1_200_000
"""Pairs of camera and point that are judged at most; with very many cameras at one place it has fewer points."""
WORK = 400_000
"""Sets that are looked at before the best found so far is the answer."""
AT_ONCE = 2_048
EDGE = 1e-9
FAR_ROUND = 90.0


class Placed(NamedTuple):
    """A camera: where it stands and, as far as known, where it looks, how widely (degrees) and how far (m)."""

    id: str
    lon: float
    lat: float
    direction: float | None = None
    angle: float | None = None
    metres: float | None = None


class Views:
    """What cameras look at, made once and asked often: columns, a box round each, and who comes first by id.

    NaN, or nothing above 0, is an angle or distance that nobody knows; a full circle needs no direction. Cameras
    without a place are left out.
    """

    def __init__(
        self,
        ids: Sequence[str],
        lon: ArrayLike,
        lat: ArrayLike,
        *,
        direction: ArrayLike,
        angle: ArrayLike,
        metres: ArrayLike,
    ) -> None:
        columns = [np.asarray(one, dtype=np.float64) for one in (lon, lat, direction, angle, metres)]
        placed = np.isfinite(columns[0]) & np.isfinite(columns[1])
        self.ids = [one for one, is_placed in zip(ids, placed, strict=True) if is_placed]
        self.lon, self.lat, way, wide, far = (one[placed] for one in columns)
        self.rank = {one: rank for rank, one in enumerate(self.ids)}
        self.after = np.empty(len(self.ids), dtype=np.int64)
        self.after[sorted(range(len(self.ids)), key=self.ids.__getitem__)] = np.arange(len(self.ids))
        wide = np.where(wide > 0, wide, FIELD_ANGLE)
        self.metres = np.where(far > 0, far, VIEW_DISTANCE)
        self.known = np.isfinite(way) | (wide >= ROUND)
        self.east, self.north = np.sin(np.radians(way)), np.cos(np.radians(way))
        whole = ~np.isfinite(way) | (wide >= ROUND)
        self.east[whole] = self.north[whole] = 0.0
        self.least = np.where(whole, -1.0, np.cos(np.radians(np.minimum(wide, 360.0) / 2)))
        self.scale = np.maximum(flattened(90.0), np.cos(np.radians(self.lat)))
        self.high = self.metres / METRES_PER_DEGREE

    @classmethod
    def of(cls, cameras: Iterable[Placed]) -> "Views":
        """Return the same from single cameras."""
        rows = list(cameras)
        told = np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 5).T
        return cls([row.id for row in rows], *told[:2], direction=told[2], angle=told[3], metres=told[4])

    def __len__(self) -> int:
        return len(self.ids)

    def reaching(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the ranks of those whose box meets the box of the points, the nearer first, then by id."""
        low, high = points.min(axis=0), points.max(axis=0)
        middle, half = (low + high) / 2, (high - low) / 2
        up = np.abs(self.lat - middle[1])
        across = np.abs(_wrapped(self.lon - middle[0]))
        reach = (up <= half[1] + self.high + EDGE) & (across <= half[0] + self.high / self.scale + EDGE)
        ranks = np.flatnonzero(reach)
        apart = np.round(np.hypot(across[ranks] * flattened(middle[1]), up[ranks]) * METRES_PER_DEGREE, 2)
        return ranks[np.lexsort((self.after[ranks], apart))]

    def seeing(self, ranks: NDArray[np.int64], points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return (cameras, points): whether a point lies in a camera's sector, for an unknown direction its circle."""
        blocks = [self._block(ranks[at : at + AT_ONCE], points) for at in range(0, len(ranks), AT_ONCE)]
        return np.vstack(blocks) if blocks else np.zeros((0, len(points)), dtype=bool)

    def _block(self, ranks: NDArray[np.int64], points: NDArray[np.float64]) -> NDArray[np.bool_]:
        scale = (self.scale[ranks] * METRES_PER_DEGREE)[:, None]
        first = points[0, 0]  # the shorter way round to one point is that to all of them, unless they go far round
        beside = first + _wrapped(self.lon[ranks, None] - first)
        east = points[:, 0] - beside if np.ptp(points[:, 0]) < FAR_ROUND else _wrapped(points[:, 0] - beside)
        east *= scale
        north = (points[:, 1] - self.lat[ranks, None]) * METRES_PER_DEGREE
        apart = np.sqrt(east * east + north * north)
        near = apart <= self.metres[ranks, None] * (1 + EDGE)
        ahead = east * self.east[ranks, None] + north * self.north[ranks, None]
        return np.asarray(near & (ahead >= apart * (self.least[ranks, None] - EDGE)))


class Proposal(NamedTuple):
    """The fewest cameras for a place, in the order of what each adds.

    `share` of the place (0-1) is covered by them, `sure` of it by those of known direction; `hidden` of it no camera at
    all can cover. `unsure`: the chosen ones of unknown direction. `enough`: what was wanted is covered; not so where
    more than `most` would be needed. `exact`: it is proven that fewer cannot do it. `metres` between two points: a
    place with more between them than cameras see far is too large to be judged.
    """

    ids: tuple[str, ...] = ()
    share: float = 0.0
    sure: float = 0.0
    hidden: float = 1.0
    unsure: tuple[str, ...] = ()
    enough: bool = True
    exact: bool = True
    metres: float = 0.0


class Surplus(NamedTuple):
    """Which of the cameras asked for could be left out, and the fewest of them that would do.

    `blind`: those left out that show nothing of the place at all. `unplaced`: asked for, but nobody knows where they
    stand; nothing is said about them. `exact`: it is proven that fewer would not do.
    """

    without: tuple[str, ...] = ()
    enough: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()
    exact: bool = True


def propose(place: BaseGeometry, views: Views, *, most: int = 16, want: float = 0.95) -> Proposal:
    """Return the fewest cameras that cover `want` (0-1) of what can be covered of a place, at most `most`.

    Cameras that cannot be used are the caller's to leave out. Of equal ones the nearer to the middle is taken, then the
    one whose id comes first.
    """
    seen = _seen(place, views)
    if not seen.points:
        return Proposal()
    sure, both = seen.sure.bit_count(), (seen.sure | seen.unsure).bit_count()
    chosen = _chosen(seen, math.ceil(want * sure - EDGE), math.ceil(want * both - EDGE), most)
    return Proposal(
        ids=tuple(views.ids[rank] for rank in chosen.ranks),
        share=chosen.covered.bit_count() / seen.points,
        sure=(chosen.covered & seen.sure).bit_count() / seen.points,
        hidden=1 - both / seen.points,
        unsure=tuple(views.ids[rank] for rank in chosen.ranks if not views.known[rank]),
        enough=chosen.covered.bit_count() >= want * both - EDGE,
        exact=chosen.exact,
        metres=seen.metres,
    )


def surplus(place: BaseGeometry, views: Views, asked: Collection[str], *, want: float = 0.95) -> Surplus:
    """Return what could be left out of the cameras asked for, together, without missing what is wanted.

    Wanted is `want` of what all `views` can cover; where those asked for cover less, all that they cover.
    """
    wanted = list(dict.fromkeys(asked))
    unplaced = tuple(one for one in wanted if one not in views.rank)
    placed = [one for one in wanted if one in views.rank]
    seen = _seen(place, views)
    if not seen.points:
        return Surplus(enough=tuple(placed), unplaced=unplaced)
    ours = _only(seen, {views.rank[one] for one in placed})
    both = math.ceil(want * (seen.sure | seen.unsure).bit_count() - EDGE)
    sure = math.ceil(want * seen.sure.bit_count() - EDGE)
    chosen = _chosen(
        ours,
        min(sure, ours.sure.bit_count()),
        min(both, (ours.sure | ours.unsure).bit_count()),
        len(placed),
    )
    kept = {views.ids[rank] for rank in chosen.ranks}
    showing = {views.ids[rank] for rank, _ in (*ours.by_known, *ours.by_unknown)}
    return Surplus(
        without=tuple(one for one in placed if one not in kept),
        enough=tuple(views.ids[rank] for rank in chosen.ranks),
        blind=tuple(one for one in placed if one not in showing),
        unplaced=unplaced,
        exact=chosen.exact,
    )


class _Seen(NamedTuple):
    """How many points there are, and who covers which: ranks with their points as bits, the preferred ones first."""

    points: int
    metres: float
    by_known: list[tuple[int, int]]
    by_unknown: list[tuple[int, int]]
    sure: int
    unsure: int


class _Chosen(NamedTuple):
    ranks: tuple[int, ...]
    covered: int
    exact: bool


def _seen(place: BaseGeometry, views: Views) -> _Seen:
    found = samples(place, POINTS)
    if not len(found.points):
        return _Seen(0, 0.0, [], [], 0, 0)
    ranks = views.reaching(found.points)
    found = _fewer(place, found, len(ranks))
    matrix = views.seeing(ranks, found.points)
    any_at_all = matrix.any(axis=1)
    ranks, matrix = ranks[any_at_all], matrix[any_at_all]
    bits, wide = np.packbits(matrix, axis=1), -(-matrix.shape[1] // 8)
    said = bits.tobytes()
    pairs = [(rank, int.from_bytes(said[at * wide : (at + 1) * wide], "big")) for at, rank in enumerate(ranks.tolist())]
    known = views.known
    return _sorted_out(
        len(found.points),
        found.metres,
        [pair for pair in pairs if known[pair[0]]],
        [pair for pair in pairs if not known[pair[0]]],
    )


def _fewer(place: BaseGeometry, found: Samples, cameras: int) -> Samples:
    """Return fewer points where there are so many cameras that all could not be judged in time."""
    room = max(FEWEST_POINTS, LOOKS // max(1, cameras))
    return samples(place, room) if room < len(found.points) else found


def _sorted_out(count: int, metres: float, by_known: list[tuple[int, int]], by_unknown: list[tuple[int, int]]) -> _Seen:
    """Return them with what is covered surely, and what only cameras of unknown direction may cover."""
    sure = maybe = 0
    for _, bits in by_known:
        sure |= bits
    for _, bits in by_unknown:
        maybe |= bits
    return _Seen(count, metres, by_known, by_unknown, sure, maybe & ~sure)


def _only(seen: _Seen, ranks: set[int]) -> _Seen:
    kept = ([pair for pair in pairs if pair[0] in ranks] for pairs in (seen.by_known, seen.by_unknown))
    return _sorted_out(seen.points, seen.metres, *kept)


def _chosen(seen: _Seen, sure: int, both: int, most: int) -> _Chosen:
    """Return the fewest of known direction for `sure` points, then the fewest others that make it `both`."""
    work = Work(WORK)
    first = fewest([bits for _, bits in seen.by_known], sure, most, work)
    missing = max(0, both - first.covered.bit_count())
    left = most - len(first.ranks)
    second = fewest(
        [bits & seen.unsure for _, bits in seen.by_unknown], min(missing, seen.unsure.bit_count()), left, work
    )
    ranks = [seen.by_known[at][0] for at in first.ranks] + [seen.by_unknown[at][0] for at in second.ranks]
    return _Chosen(tuple(ranks), first.covered | second.covered, first.exact and second.exact)


def _wrapped(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return differences of longitude as the shorter way round."""
    return np.asarray((degrees + 180.0) % 360.0 - 180.0)
