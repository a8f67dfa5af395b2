"""What the catalogue tells of one camera over time 前后变化: what changed from what to what, when and by whom. Pure."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from operations.cameras.item import Item
from operations.cameras.reading import Version

UNSHOWN = ("details", "raw_lon", "raw_lat", "datum", "lat")
"""What no line is made of: `lon` stands for the place, the rest is as the source wrote it."""


class Change(Struct, frozen=True):
    """A field of the record before and after; None before: it was not there."""

    field: str
    before: Any
    after: Any


class Step(Struct, frozen=True):
    """One change of a record: when (UTC microseconds), who, and what; the first one has no changes."""

    at: int
    actor: str
    changes: tuple[Change, ...]
    first: bool


def steps(versions: Sequence[Version]) -> list[Step]:
    """Return the changes between versions (the newest first), in the same order."""
    found = []
    for number, one in enumerate(versions):
        before = versions[number + 1] if number + 1 < len(versions) else None
        changes = () if before is None else differences(before.item, one.item)
        found.append(Step(one.valid_from, one.actor, changes, before is None))
    return found


def differences(before: Item, after: Item) -> tuple[Change, ...]:
    """Return the fields that differ, the place as one."""
    one, other = _told(before), _told(after)
    return tuple(Change(name, one[name], other[name]) for name in one if one[name] != other[name])


def _told(item: Item) -> dict[str, Any]:
    told = item.record
    place = None if item.lon is None or item.lat is None else (round(item.lon, 6), round(item.lat, 6))
    return {name: place if name == "lon" else value for name, value in told.items() if name not in UNSHOWN}
