"""Taking what a platform told of its cameras into the catalogue 并入目录: only a whole answer lets anything be gone."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from geo.datum import to_wgs84
from operations import platforms
from operations.cameras import keeping, reading
from operations.cameras.item import DETAILS_MOST, NAME_MOST, WORD_MOST, Item
from operations.cameras.keeping import Plan
from operations.database import AfterCommit, Database, Transaction
from operations.errors import Refused
from operations.platforms import Tally
from operations.policy import SYSTEM
from streams.finder import Finder
from streams.gb28181.catalogue import DEVICE, UNKNOWN, Listed
from streams.gb28181.effects import Synced
from streams.gb28181.manscdp import number

NO_CAMERAS = frozenset({*(str(one) for one in range(111, 131)), *(str(one) for one in range(133, 144))})
"""Types (App. E) of what is no camera: recorders, encoders, inputs of alarms; a type nobody knows may be one."""
WITH_RECORD = ("add", "update")
"""Events of a change that carry a whole record."""
TRIES = 5
DIRECTIONS = {"1": 90.0, "2": 270.0, "3": 180.0, "4": 0.0, "5": 135.0, "6": 45.0, "7": 225.0, "8": 315.0}
"""DirectionType, as degrees clockwise from north."""


def is_camera(one: Listed) -> bool:
    """Say whether an item of a catalogue is a camera."""
    return one.kind == DEVICE and not (len(one.code) == 20 and one.code[10:13] in NO_CAMERAS)


def items_of(found: Sequence[Listed], datum: str, finder: Finder) -> list[Item]:
    """Return the cameras among the items of a catalogue, converted to WGS-84 and placed in their grids."""
    cameras = [one for one in found if is_camera(one)]
    points = [_wgs84(one, datum) for one in cameras]
    places = finder.many(points)
    return [item_of(one, datum, point, place.chain) for one, point, place in zip(cameras, points, places, strict=True)]


def _wgs84(one: Listed, datum: str) -> tuple[float | None, float | None]:
    return (None, None) if one.lon is None or one.lat is None else to_wgs84(one.lon, one.lat, datum)


def item_of(one: Listed, datum: str, point: tuple[float | None, float | None], chain: tuple[str, ...]) -> Item:
    """Return one camera as the catalogue keeps it; what does not fit its bounds stays in the details, or out."""
    fields = one.fields

    def word(name: str) -> str:
        return fields.get(name, "")[:WORD_MOST]

    angle, distance = number(fields.get("horizontalfieldangle", "")), number(fields.get("maxviewdistance", ""))
    days, kind = fields.get("recordsavedays", ""), fields.get("pointtype", "")
    details = {
        name[:WORD_MOST]: value for name, value in sorted(fields.items()) if value and name not in ("status", "event")
    }
    return Item(
        code=one.code,
        name=one.name[:NAME_MOST],
        parent=one.parent[:WORD_MOST],
        point_class=int(kind) if kind in ("1", "2", "3") else 0,
        position=word("capturepositiontype") or word("positiontype"),
        direction=DIRECTIONS.get(fields.get("directiontype", "")),
        field_angle=angle if angle is not None and 0 < angle <= 360 else None,
        view_distance=distance if distance is not None and 0 < distance <= 100_000 else None,
        retention_days=int(days) if days.isascii() and days.isdecimal() and int(days) <= 3_650 else 0,
        lon=point[0],
        lat=point[1],
        raw_lon=one.lon,
        raw_lat=one.lat,
        datum=datum,
        chain=chain,
        civil_code=word("civilcode"),
        group=word("businessgroupid"),
        vendor=word("manufacturer"),
        model=word("model"),
        function_type=word("functiontype"),
        status=one.status,
        details=dict(list(details.items())[:DETAILS_MOST]),
    )


def split(changes: Sequence[tuple[str, Listed]]) -> tuple[list[Listed], dict[str, str]]:
    """Return the records among changes, and the states by code.

    An ADD or UPDATE is a whole record by the standard (9.11.4); one without a name says the state alone, or nothing.
    """
    records = [one for event, one in changes if event in WITH_RECORD and one.name]
    told = [one for event, one in changes if event not in WITH_RECORD or not one.name]
    return records, {one.code: one.status for one in told if one.status != UNKNOWN}


def synced(
    database: Database, found: Synced, items: Sequence[Item], *, now: int, after_commit: AfterCommit | None = None
) -> Tally:
    """Take a full query, whole or not: worked out while others write, kept in one transaction. Raises NotFound."""
    source = platforms.source_of(found.code)
    about: dict[str, Any] = {"announced": found.announced, "whole": found.whole, "why": found.why}
    for _ in range(TRIES):
        with database.read() as connection:
            made = keeping.plan(connection, source, items, complete=found.whole, now=now, actor=SYSTEM.actor)
        try:
            kept = partial(take, found=found, plan=made, now=now)
            return platforms.synced(database, found.code, kept, **about, now=now, after_commit=after_commit)
        except Refused:  # somebody changed a camera of this platform meanwhile
            continue
    raise Refused("cameras.source_changed_meanwhile")


def take(transaction: Transaction, found: Synced, plan: Plan, now: int) -> Tally:
    """Keep what a catalogue does, and return what it changed and what it did not name that was known."""
    known = platforms.known_codes(transaction.connection, found.code)
    named = {one.code for one in found.items}
    missing = tuple(code for code in known if code not in named)
    source = platforms.source_of(found.code)
    keeping.carry_out(transaction, plan, now=now)
    taken = plan.taken
    fresh = {code: "on" for code in taken.added}
    keeping.signal(transaction, source, "registered", fresh, now=now)
    return Tally(len(found.items), len(taken.added), len(taken.changed), len(taken.gone), missing)


def change(
    database: Database,
    code: str,
    items: Sequence[Item],
    told: Mapping[str, str],
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Take changes told between two catalogues: records of `items`, and states by code; nothing is gone by them."""
    if not items and not told:
        return
    source = platforms.source_of(code)
    with database.write(after_commit) as transaction:
        if items:
            keeping.take(transaction, source, items, complete=False, now=now)
        if told:
            keeping.signal(transaction, source, "status", told, now=now)


def registered(database: Database, code: str, state: str, *, now: int, after_commit: AfterCommit | None = None) -> None:
    """Note of all cameras of a platform that it is there, or is not: one of the three signals."""
    with database.write(after_commit) as transaction:
        codes = platforms.known_codes(transaction.connection, code)
        keeping.signal(transaction, platforms.source_of(code), "registered", dict.fromkeys(codes, state), now=now)


def place_of(database: Database, code: str, device: str) -> dict[str, Any] | None:
    """Return where a camera is known to be, as a report's place; None when nobody knows."""
    with database.read() as connection:
        found = reading.of_code(connection, platforms.source_of(code), device)
    if found is None or found.lon is None or found.lat is None:
        return None
    return {"lon": found.lon, "lat": found.lat, "datum": "WGS84", "address": found.item.name}
