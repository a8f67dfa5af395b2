"""Rows of a camera ledger 一机一档 as items of the catalogue, by a mapping of columns. Pure.

What a mapping does not name is not kept. Users and passwords are parted from what is kept, for the keys alone. GeoJSON
and nested lists are read as flat rows. A row that cannot be kept is a fault with its row and column.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct, structs

from geo.datum import to_wgs84
from operations.cameras.item import OFF, ON, UNKNOWN, Item, wrong
from operations.errors import Refused
from streams.cameras.address import SecretInPath, credential, parted
from streams.cameras.columns import Columns, coded

WAYS = {"东": 90.0, "西": 270.0, "南": 180.0, "北": 0.0, "东南": 135.0, "东北": 45.0, "西南": 225.0, "西北": 315.0}
WAYS |= {"E": 90.0, "W": 270.0, "S": 180.0, "N": 0.0, "SE": 135.0, "NE": 45.0, "SW": 225.0, "NW": 315.0}
CODES = {"1": 90.0, "2": 270.0, "3": 180.0, "4": 0.0, "5": 135.0, "6": 45.0, "7": 225.0, "8": 315.0}
"""DirectionType of GB/T 28181 beside words: degrees clockwise from north."""
STATES = {**dict.fromkeys(("on", "online", "ok", "1", "true", "在线", "正常"), ON)}
STATES |= dict.fromkeys(("off", "offline", "0", "false", "离线", "故障"), OFF)
STATES |= dict.fromkeys(("unknown", "未知", "不明", "-", "/"), UNKNOWN)
CLASSES = {"一类": 1, "二类": 2, "三类": 3, "1": 1, "2": 2, "3": 3, "0": 0, "其他": 0, "未知": 0, "-": 0, "/": 0}
OF_CLASSES = ("点位", "点", "视频监控", "监控")
"""What a ledger may write after the class."""
YES = frozenset({"是", "有", "yes", "true", "1", "y", "√"})
NO = frozenset({"否", "无", "no", "false", "0", "n", "×", "-", "/"})
FAULTS_MOST = 500
"""Faults told; a ledger with more is mended in rounds."""
LOOSE = ("username", "password")
"""Fields of mappings that are no fields of an item: they become a secret."""

Row = Mapping[str, Any]
Meant = TypeVar("Meant")


class Fault(Struct, frozen=True):
    """Why a row cannot be kept: its number in the file, the field of ours, its column, and why (`cameras.why.WHY`)."""

    row: int
    code: str
    field: str
    column: str
    why: str


class Read(Struct):
    """What a ledger says: cameras in WGS-84 without grids, secrets by code, what is wrong with it, rows looked at."""

    items: list[Item] = []
    secrets: dict[str, str] = {}
    faults: list[Fault] = []
    rows: int = 0
    coded: bool = False


def flat(row: Row) -> dict[str, Any]:
    """Return a row without levels: a GeoJSON feature's properties and point, else `outer.inner`, and `inner` alone."""
    if row.get("type") == "Feature" and isinstance(row.get("properties"), Mapping):
        return {**row["properties"], **_point(row.get("geometry"))}
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": one for inner, one in value.items() if not isinstance(one, (Mapping, list))}
        elif not isinstance(value, list):
            found[name] = value
    return found


def _point(geometry: object) -> dict[str, Any]:
    if not isinstance(geometry, Mapping):
        return {}
    place = geometry.get("coordinates")
    if geometry.get("type") != "Point" or not isinstance(place, list) or len(place) < 2:
        return {"geometry.lon": "?", "geometry.lat": "?"}  # a fault: a camera stands at a point
    return {"geometry.lon": place[0], "geometry.lat": place[1]}


def read(rows: Iterable[tuple[int, Row]], columns: Columns, datum: str) -> Read:
    """Return what numbered flat rows say."""
    given = list(rows)
    found = Read(rows=len(given), coded=coded(columns, [row for _, row in given]))
    reader = dict(_READ) | {"direction": _code if found.coded else _degrees}
    seen: dict[str, int] = {}
    for number, row in given:
        if len(found.faults) >= FAULTS_MOST:
            break
        one = _Line(number, row, columns, reader)
        item = one.item(datum)
        if item is not None and item.code in seen:
            one.fault("code", "twice")
            item = None
        if item is None:
            found.faults.append(one.faults[0])
            continue
        seen[item.code] = number
        found.items.append(item)
        if one.secret:
            found.secrets[item.code] = one.secret
    return found


def items_of(rows: Sequence[Row], columns: Columns, datum: str) -> list[Item]:
    """Return the cameras of a ledger without faults. Raises Refused: which camera, which field."""
    found = read(enumerate(map(flat, rows), 1), columns, datum)
    for one in found.faults:
        raise Refused("cameras.item_wrong", code=one.code, field=one.field)
    return found.items


class _Line:
    """One row while it is read."""

    def __init__(self, number: int, row: Row, columns: Columns, reader: Mapping[str, Callable[[str], Any]]) -> None:
        self._number, self._reader = number, reader
        self._from: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self.secret = ""
        self.faults: list[Fault] = []
        for field, wanted in columns.fields.items():
            for name in wanted:
                value = row.get(name)
                if value is not None and (text := str(value).strip()):
                    self._from[field], self._texts[field] = name, text
                    break

    def fault(self, field: str, why: str) -> None:
        code = self._texts.get("code", "")[:40]
        self.faults.append(Fault(self._number, code, field, self._from.get(field, ""), why))

    def item(self, datum: str) -> Item | None:
        """The camera, None when something is wrong."""
        values: dict[str, Any] = {"code": ""}
        for field, text in self._texts.items():
            if field in LOOSE:
                continue
            try:
                values[field] = self._value(field, text)
            except SecretInPath:
                self.fault(field, "secret")
            except ValueError:
                self.fault(field, "unread")
        self.secret = self.secret or credential(self._texts.get("username", ""), self._texts.get("password", ""))
        if not self.secret.isprintable():
            self.fault("password", "unread")
        if self.faults:
            return None
        made = Item(**values)
        field = wrong(made) or _nowhere(made)
        if field:
            self.fault(field, "missing" if field == "code" and not made.code else "bounds")
            return None
        lon, lat = _wgs84(made.raw_lon, made.raw_lat, datum)
        return structs.replace(made, lon=lon, lat=lat, datum=datum)

    def _value(self, field: str, text: str) -> Any:
        if field not in ("url_main", "url_sub"):
            return self._reader.get(field, str)(text)
        address = parted(text)
        self.secret = self.secret or address.secret
        return address.url


def _nowhere(item: Item) -> str:
    """Which coordinate is none on earth; one without the other is none either."""
    if (item.raw_lon is None) != (item.raw_lat is None):
        return "raw_lon" if item.raw_lon is None else "raw_lat"
    if item.raw_lon is not None and abs(item.raw_lon) > 180:
        return "raw_lon"
    return "raw_lat" if item.raw_lat is not None and abs(item.raw_lat) > 90 else ""


def _wgs84(lon: float | None, lat: float | None, datum: str) -> tuple[float | None, float | None]:
    """0/0 is how platforms say that they do not know."""
    if lon is None or lat is None or (lon == 0 and lat == 0):
        return None, None
    return to_wgs84(lon, lat, datum)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _days(text: str) -> int:
    value = _number(text.removesuffix("天").removesuffix("日"))
    if value != int(value):
        raise ValueError(text)
    return int(value)


def _way(text: str) -> float | None:
    return WAYS.get(text.removeprefix("朝").removesuffix("向").upper())


def _degrees(text: str) -> float:
    way = _way(text)
    return _number(text.removesuffix("°").removesuffix("度")) if way is None else way


def _code(text: str) -> float | None:
    """A code of the eight, or a word; 0 is told where nobody knows."""
    if text == "0":
        return None
    way = CODES.get(text.removesuffix(".0"), _way(text))
    if way is None:
        raise ValueError(text)
    return way


def _class(text: str) -> int:
    for after in OF_CLASSES:
        text = text.removesuffix(after)
    return _of(CLASSES, text.removesuffix(".0"))


def _yes(text: str) -> bool:
    return _of(dict.fromkeys(YES, True) | dict.fromkeys(NO, False), text.lower().removesuffix(".0"))


def _status(text: str) -> str:
    return _of(STATES, text.lower().removesuffix(".0"))


def _of(words: Mapping[str, Meant], text: str) -> Meant:
    """What a word means. Raises ValueError for one nobody knows: it is told, not taken for nothing."""
    if text not in words:
        raise ValueError(text)
    return words[text]


_READ: dict[str, Callable[[str], Any]] = {
    "raw_lon": _number,
    "raw_lat": _number,
    "field_angle": _number,
    "view_distance": _number,
    "retention_days": _days,
    "point_class": _class,
    "sign": _yes,
    "restricted": _yes,
    "status": _status,
}
