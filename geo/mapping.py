"""Which property of a foreign file is which field of a grid, said by hand or guessed from the usual names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from geo.coding import CodeRule, parse
from geo.grid import DEDICATED, GENERAL, MICRO

USUAL_NAMES = {
    "code": "code grid_code gridcode 网格编码 网格代码 网格编号 编码 代码 wgbm wgdm adcode xzqdm xzqhdm loc_pid id",
    "name": "name grid_name gridname 网格名称 名称 wgmc xzqmc mc title",
    "parent": "parent parent_code parentcode parent_id 上级编码 上级代码 上级网格 所属编码 sjbm sjdm pcode",
    "population": "population pop 人口 人口数 总人口 常住人口 实有人口 rks",
    "kind": "kind grid_kind grid_type 网格类型 网格类别 类型 wglx",
    "level": "level grid_level 层级 级别",
    "valid_from": "valid_from 启用日期 生效日期",
    "valid_to": "valid_to 停用日期 失效日期",
}
KIND_WORDS = {
    "": GENERAL,
    **dict.fromkeys(("general", "综合", "综合网格", "基础", "基础网格"), GENERAL),
    **dict.fromkeys(("dedicated", "专属", "专属网格"), DEDICATED),
    **dict.fromkeys(("micro", "微网格", "微格"), MICRO),
}
CUT_BYTES = (9, 10)  # a shapefile cuts the names of columns: three Chinese letters in UTF-8
MAX_POPULATION = 50_000_000


@dataclass(frozen=True, slots=True)
class GridMapping:
    """Names of properties ("" = guess), and how the file is to be read.

    `crs` overrides the file's own: anything pyproj knows ("EPSG:4490"), or a datum of `geo.datum` ("GCJ02"). `encoding`
    is for files that do not say theirs. `layers` are the wanted ones of files that have several; none: all of polygons.
    `control` are pairs of points (see `geo.control`) for a local system instead. `code_lengths` is read by
    `geo.coding.parse`; without `prefix_check` a parent property may say another parent than the code.
    `time_zone` is where dates without a zone are meant. Shares are of a grid's own area, from 0 to 1.
    """

    code: str = ""
    name: str = ""
    parent: str = ""
    population: str = ""
    kind: str = ""
    level: str = ""
    valid_from: str = ""
    valid_to: str = ""
    crs: str = ""
    encoding: str = ""
    layers: tuple[str, ...] = ()
    time_zone: str = "Asia/Shanghai"
    code_lengths: str = "6,9,12,15"
    prefix_check: bool = True
    control: str = ""
    control_most_m: float = 2.0  # residual beyond which control points are refused
    overlap_share: float = 0.01  # of the smaller grid: more is an error, less a warning
    parent_share: float = 0.5  # at least so much of a grid must lie in its parent
    repair: bool = False  # mend what is safe, and tell it
    snap_m: float = 1.0  # with `repair`: cracks up to this width are closed
    rounding_m2: float = 1.0  # gaps and overlaps up to this are rounding and not mentioned

    def __post_init__(self) -> None:
        ZoneInfo(self.time_zone)
        if not (
            0 <= self.overlap_share <= 1
            and 0 < self.parent_share <= 1
            and self.rounding_m2 >= 0
            and 0 <= self.snap_m <= 100
        ):
            raise ValueError("GridMapping: overlap_share and parent_share are shares from 0 to 1, rounding_m2 is >= 0")
        if not (0 <= self.snap_m <= 100 and self.control_most_m > 0):
            raise ValueError("GridMapping: snap_m is from 0 to 100, control_most_m above 0")

    @property
    def codes(self) -> CodeRule:
        """How the levels are written into codes."""
        return parse(self.code_lengths)

    def guessed(self, properties: Iterable[Mapping[str, Any]]) -> "GridMapping":
        """With every unnamed property filled by the first usual name that occurs, whatever its case; "" if none."""
        present: dict[str, str] = {}
        for one in properties:
            for key in one:
                present.setdefault(key.casefold(), key)
        cut = {key: present[key] for key in present if not key.isascii() and len(key.encode()) in CUT_BYTES}
        names: dict[str, Any] = {
            field: next((found for name in usual.split() if (found := present.get(name) or _cut(name, cut))), "")
            for field, usual in USUAL_NAMES.items()
            if not getattr(self, field)
        }
        return replace(self, **names)

    def named(self) -> dict[str, str]:
        """{field: property} of those that are set."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name in USUAL_NAMES and getattr(self, f.name)}


def _cut(name: str, cut: Mapping[str, str]) -> str:
    """The column whose name is the beginning of a usual one."""
    return next((column for key, column in cut.items() if name.startswith(key)), "")


def text(value: object) -> str:
    """A property as text; whole numbers without a point, absence as ""."""
    if value is None or isinstance(value, bool | list | dict):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def population(value: object) -> int | None:
    """People, or None where nothing is said; raises ValueError for what cannot be a number of people."""
    said = text(value).replace(",", "")
    if not said:
        return None
    number = float(said)
    if not (0 <= number <= MAX_POPULATION and number.is_integer()):
        raise ValueError(said)
    return int(number)


def moment(value: object, time_zone: str) -> int | None:
    """UTC microseconds of an ISO 8601 date or time, None where nothing is said; raises ValueError."""
    said = text(value)
    if not said:
        return None
    when = datetime.fromisoformat(said)
    if when.tzinfo is None:
        when = when.replace(tzinfo=ZoneInfo(time_zone))
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
