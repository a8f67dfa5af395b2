"""What a source tells of one camera 一机一档 (GB/T 28181-2022, Item; ledgers), and its checks. Pure."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from operations.errors import Refused

ON, OFF, UNKNOWN = "on", "off", "unknown"
STATUSES = (ON, OFF, UNKNOWN)
CLASSES = (0, 1, 2, 3)
"""Class 1, 2 or 3 of the point 点位类别; 0: not told."""
CODE_MOST, NAME_MOST, WORD_MOST, URL_MOST, TEXT_MOST = 40, 120, 60, 500, 200
DETAILS_MOST = 40
_WORDS = ("parent", "owner", "position", "civil_code", "group", "vendor", "model", "function_type", "filing_number")


class Item(Struct, frozen=True, kw_only=True):
    """One camera as a source tells it.

    `lon`, `lat`: WGS-84 degrees (None: unknown), `chain`: grids from the root to the leaf there; both are worked out by
    whoever reads the source, from `raw_lon`, `raw_lat` and `datum`. `direction`: degrees clockwise from north, where it
    looks; `field_angle`: degrees; `view_distance`: metres; `retention_days`: how long recordings are kept.
    `url_main`, `url_sub`: stream addresses without user or password. `details`: what else was told, texts.
    """

    code: str
    name: str = ""
    parent: str = ""
    owner: str = ""
    point_class: int = 0
    position: str = ""
    direction: float | None = None
    field_angle: float | None = None
    view_distance: float | None = None
    legal_basis: str = ""
    filing_number: str = ""
    retention_days: int = 0
    sign: bool = False
    restricted: bool = False
    lon: float | None = None
    lat: float | None = None
    raw_lon: float | None = None
    raw_lat: float | None = None
    datum: str = "WGS84"
    chain: tuple[str, ...] = ()
    civil_code: str = ""
    group: str = ""
    vendor: str = ""
    model: str = ""
    function_type: str = ""
    url_main: str = ""
    url_sub: str = ""
    status: str = UNKNOWN
    details: dict[str, str] = {}

    @property
    def record(self) -> dict[str, Any]:
        """What belongs to its record: all but its present state."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        del told["status"]
        return told


def check(item: Item) -> None:
    """Raise Refused for an item that cannot be kept: which one, and what is wrong with it."""
    field = wrong(item)
    if field:
        raise Refused("cameras.item_wrong", code=item.code[:CODE_MOST], field=field)


def wrong(item: Item) -> str:
    """Return the field for which an item cannot be kept, "" when it can."""
    if not 1 <= len(item.code) <= CODE_MOST or not item.code.isprintable():
        return "code"
    for name in _WORDS:
        if len(getattr(item, name)) > WORD_MOST:
            return name
    if len(item.name) > NAME_MOST:
        return "name"
    if len(item.legal_basis) > TEXT_MOST:
        return "legal_basis"
    return _wrong_number(item) or _wrong_address(item) or _wrong_details(item)


def _wrong_number(item: Item) -> str:
    bounds = (
        ("direction", item.direction, 0, 360),
        ("field_angle", item.field_angle, 0, 360),
        ("view_distance", item.view_distance, 0, 100_000),
        ("lon", item.lon, -180, 180),
        ("lat", item.lat, -90, 90),
        ("retention_days", item.retention_days, 0, 3_650),
    )
    for name, value, least, most in bounds:
        if value is not None and not least <= value <= most:
            return name
    if (item.lon is None) != (item.lat is None):
        return "lon"
    return "" if item.point_class in CLASSES else "point_class"


def _wrong_address(item: Item) -> str:
    for name in ("url_main", "url_sub"):
        url = getattr(item, name)
        if len(url) > URL_MOST or "@" in urlsplit(url).netloc:
            return name
    return "" if item.status in STATUSES else "status"


def _wrong_details(item: Item) -> str:
    long = any(len(key) > WORD_MOST or len(value) > TEXT_MOST * 2 for key, value in item.details.items())
    return "details" if long or len(item.details) > DETAILS_MOST else ""
