"""What taking a source's cameras would change 比对: new, changed field by field, the same, gone. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from operations.cameras.item import Item
from operations.entry import path


class Taken(Struct, frozen=True):
    """Codes that were new, whose record changed, whose record is the same, and that are gone."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class Known(Struct, frozen=True):
    """What is kept of a camera that decides what an item changes; `lon`, `lat`, `path`: where it is now."""

    id: str
    revision: int = 0
    record: bytes = b""
    placed: bool = False
    gone: bool = False
    owner: str = ""
    path: str = ""
    lon: float | None = None
    lat: float | None = None


class Change(Struct, frozen=True):
    """One field of a record, before and after, as kept."""

    field: str
    before: Any
    after: Any


def encoded(item: Item) -> bytes:
    """Return a record as it is kept and compared."""
    return msgspec.json.encode(item.record, order="deterministic")


def compared(known: Mapping[str, Known], items: Iterable[Item], *, complete: bool) -> Taken:
    """Return what taking `items` would change; `complete`: what they do not name is gone."""
    named = {one.code: one for one in items}
    added = tuple(code for code in named if code not in known or known[code].gone)
    there = [code for code in named if code in known and not known[code].gone]
    changed = tuple(code for code in there if known[code].record != encoded(named[code]))
    same = tuple(sorted(set(there) - set(changed)))
    gone = tuple(code for code, one in known.items() if complete and code not in named and not one.gone)
    return Taken(added, changed, same, gone)


def changes(known: Known, item: Item) -> tuple[Change, ...]:
    """Return the fields that differ between what is kept and what is told."""
    before, after = msgspec.json.decode(known.record), msgspec.json.decode(encoded(item))
    return tuple(
        Change(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def name(known: Known) -> str:
    """Return what a camera that is kept is called."""
    told: str = msgspec.json.decode(known.record)["name"]
    return told


def standing(known: Known, item: Item) -> Item:
    """Return a record as it counts: a place somebody gave the camera by hand outlives what the source says."""
    if not known.placed:
        return item
    chain = tuple(known.path.split("/")) if known.path else ()
    return msgspec.structs.replace(item, lon=known.lon, lat=known.lat, chain=chain)


def scope(known: Known, item: Item | None) -> tuple[str, str, str, str]:
    """Return whose a change is: grid path and owner before, and after (of one that is gone: as before)."""
    before = (known.path, known.owner) if known.revision else ("", "")
    if item is None:
        return (*before, *before)
    now = standing(known, item)
    return (*before, path(now.chain), now.owner)
