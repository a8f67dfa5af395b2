"""Editions of the grids 网格版本 in time: which one is in force at a moment. Pure; times in UTC microseconds."""

from collections.abc import Iterable, Sequence

from msgspec import Struct


class Edition(Struct, frozen=True):
    """One import, without its grids. `valid_from`: when it begins; `began_at`: when that was written down.

    `withdrawn_at` is set for one that was withdrawn before it began; such a one is never in force.
    """

    id: int
    digest: str
    count: int
    imported_at: int
    imported_by: str
    valid_from: int
    began_at: int | None = None
    withdrawn_at: int | None = None
    note: str = ""


def in_force(editions: Iterable[Edition], now: int) -> Edition | None:
    """Return the edition in force at `now`, or None before the first one.

    It is the one that began last; of those that begin at one moment, the one imported last. What is written down as
    begun stays begun for a clock that lags behind.
    """
    living = [one for one in editions if one.withdrawn_at is None]
    begun = [one for one in living if one.valid_from <= now or one.began_at is not None]
    return max(begun, key=_order, default=None)


def coming(editions: Iterable[Edition], now: int) -> list[Edition]:
    """Return the editions that are to begin after `now`, the next one first."""
    living = [one for one in editions if one.withdrawn_at is None and one.began_at is None]
    return sorted((one for one in living if one.valid_from > now), key=_order)


def before(editions: Iterable[Edition], one: Edition) -> list[int]:
    """Return the ids of the editions that began before `one`, the latest first; of equal grids only the latest."""
    earlier = [other for other in editions if other.withdrawn_at is None and _order(other) < _order(one)]
    found: dict[str, int] = {}
    for other in sorted(earlier, key=_order, reverse=True):
        if other.digest != one.digest:
            found.setdefault(other.digest, other.id)
    return list(found.values())


def due(editions: Iterable[Edition], now: int) -> list[Edition]:
    """Return the editions that have begun by `now` without its being written down, the earliest first."""
    living = [one for one in editions if one.withdrawn_at is None and one.began_at is None]
    return sorted((one for one in living if one.valid_from <= now), key=_order)


def begins(editions: Sequence[Edition], asked: int | None, now: int) -> int:
    """Return when an edition imported now begins: at `asked`, else at once.

    At once is not before what has begun already, so that a clock that lags behind cannot import into the past.
    """
    latest = max((one.valid_from for one in editions if one.began_at is not None), default=now)
    return max(now, latest) if asked is None else asked


def _order(one: Edition) -> tuple[int, int]:
    return one.valid_from, one.id
