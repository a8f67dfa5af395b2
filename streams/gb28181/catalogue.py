"""The catalogue 目录 of a platform below us: its items, and when an answer in many pieces is whole. Pure.

GB/T 28181-2022 App. M: pieces carry one SN; whole when the distinct items are as many as SumNum says (standards, 1.3).
"""

import re
from collections.abc import Mapping

from msgspec import Struct

AREA, SYSTEM, GROUP, ORGANISATION, DEVICE = "area", "system", "group", "organisation", "device"
MOST_ITEMS = 50_000
MOST_FIELDS = 64
LONGEST_FIELD = 255
NEVER_KEPT = frozenset({"password"})
ON, OFF, UNKNOWN = "on", "off", "unknown"
STATUS = {
    **dict.fromkeys(("on", "online", "ok", "1", "true"), ON),
    **dict.fromkeys(("off", "offline", "vlost", "defect", "error", "0", "false", "notreg"), OFF),
}
WAITING, WHOLE, OVER = "waiting", "whole", "over"
_CIVIL = re.compile(r"\d{2}|\d{4}|\d{6}|\d{8}")


class Listed(Struct, frozen=True):
    """One item: 20 digits (an area 2 to 8), kind, name, status, raw lon/lat (None: not said, or 0/0), other fields."""

    code: str
    kind: str
    name: str = ""
    parent: str = ""
    status: str = UNKNOWN
    lon: float | None = None
    lat: float | None = None
    fields: dict[str, str] = {}


def kind_of(code: str) -> str:
    """Return which of the four kinds a code is of, by its type digits (App. E)."""
    if len(code) <= 8:
        return AREA
    return {"200": SYSTEM, "215": GROUP, "216": ORGANISATION}.get(code[10:13], DEVICE)


def listed(fields: Mapping[str, str]) -> Listed | None:
    """Return the item of an Item's fields (small-letter tags), None when it has no usable DeviceID."""
    code = fields.get("deviceid", "")
    if not code.isascii() or not code.isalnum() or not 2 <= len(code) <= 20:
        return None
    kept = {name: value[:LONGEST_FIELD] for name, value in list(fields.items())[:MOST_FIELDS] if name not in NEVER_KEPT}
    if not _CIVIL.fullmatch(kept.get("civilcode", "")):
        kept.pop("civilcode", None)  # some send the word "CivilCode"
    lon, lat = _degrees(fields.get("longitude", ""), 180), _degrees(fields.get("latitude", ""), 90)
    if lon is None or lat is None or (lon == 0 and lat == 0):
        lon = lat = None
    parent = next((one for one in reversed(kept.get("parentid", "").split("/")) if one and one != code), "")
    status = STATUS.get(fields.get("status", "").strip().lower(), UNKNOWN)
    return Listed(code, kind_of(code), kept.get("name", ""), parent, status, lon, lat, kept)


def _degrees(text: str, most: float) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if abs(found) <= most else None


class Sync:
    """One full query under way; asked again under another number it goes on with what it has."""

    def __init__(self, sn: int, now: float) -> None:
        self.sn = sn
        self.asked = {str(sn)}
        self.tries = 1
        self.started = self.heard_at = now
        self.announced: int | None = None
        self.items: dict[str, Listed] = {}

    def take(self, announced: int | None, items: list[Listed], now: float) -> str:
        """Take one piece; return WAITING, WHOLE, or OVER when there are more items than were announced."""
        self.heard_at = now
        if announced is not None and announced >= 0:
            if self.announced is not None and announced != self.announced:
                self.items.clear()  # the catalogue changed between two pieces: begin again with this one
            self.announced = announced
        for one in items:
            if len(self.items) <= MOST_ITEMS:
                self.items[one.code] = one
        return self.state

    @property
    def state(self) -> str:
        """How far it is."""
        if self.announced is None or len(self.items) < self.announced:
            return WAITING
        return WHOLE if len(self.items) == self.announced <= MOST_ITEMS else OVER

    def again(self, sn: int, now: float) -> None:
        """Ask again under a new number; what still comes under an earlier one counts too."""
        self.sn = sn
        self.asked.add(str(sn))
        self.tries += 1
        self.heard_at = now
