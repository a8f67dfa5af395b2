"""Ledgers of cameras: columns by their mapping, datum kept raw beside, 0/0 unknown, no password ever."""

from collections.abc import Mapping

import msgspec
import pytest

from geo.datum import from_wgs84
from operations.cameras.item import Item
from operations.errors import Refused
from streams.cameras.columns import Columns, mapping, proposed
from streams.cameras.ledger import Fault, flat, items_of
from streams.cameras.ledger import read as read_rows

ROW = {"国标编码": "32010000001320000001", "设备名称": "东门", "经度": "118.8", "纬度": "32.05"}


def read(*rows: Mapping[str, object], datum: str = "WGS84") -> list[Item]:
    return items_of(rows, mapping(), datum)


def test_a_password_is_kept_nowhere() -> None:
    row = ROW | {"密码": "geheim1", "Password": "geheim2", "主码流地址": "rtsp://u:geheim3@10.0.0.1:554/a?x=1"}
    (item,) = read(row)
    assert item.url_main == "rtsp://10.0.0.1:554/a?x=1"
    assert b"geheim" not in msgspec.json.encode(item)


@pytest.mark.parametrize("column", ["经度", "视场角", "保存天数", "朝向"])
@pytest.mark.parametrize("text", ["nan", "x"])
def test_a_number_that_is_none_refuses_the_ledger(column: str, text: str) -> None:
    with pytest.raises(Refused, match=r"cameras\.item_wrong") as refused:
        read(ROW | {column: text})
    assert refused.value.params["code"] == ROW["国标编码"]


@pytest.mark.parametrize("column", ["点位类别", "标识牌", "禁装区域", "状态"])
def test_a_word_nobody_knows_is_a_fault_with_its_column(column: str) -> None:
    (fault,) = read_rows([(1, ROW | {column: "大概"})], mapping(), "WGS84").faults
    assert (fault.row, fault.column, fault.why) == (1, column, "unread")


def test_words_for_no_and_for_unknown_are_words() -> None:
    (one,) = read(ROW | {"点位类别": "一类视频监控点", "标识牌": "否", "禁装区域": "-", "状态": "未知"})
    assert (one.point_class, one.sign, one.restricted, one.status) == (1, False, False, "unknown")


def test_one_code_twice_refuses_the_ledger() -> None:
    with pytest.raises(Refused):
        read(ROW, ROW)


def test_zero_zero_is_an_unknown_place() -> None:
    (item,) = read(ROW | {"经度": "0", "纬度": "0.0"}, datum="GCJ02")
    assert (item.lon, item.lat, item.raw_lon, item.raw_lat) == (None, None, 0.0, 0.0)


def test_what_was_told_is_kept_beside_what_was_converted() -> None:
    lon, lat = from_wgs84(118.8, 32.05, "GCJ02")
    (item,) = read(ROW | {"经度": str(lon), "纬度": str(lat)}, datum="GCJ02")
    assert (item.raw_lon, item.raw_lat, item.datum) == (lon, lat, "GCJ02")
    assert (item.lon, item.lat) == pytest.approx((118.8, 32.05), abs=1e-8)


def test_words_of_ledgers_and_codes_of_the_standard_say_the_same() -> None:
    (words,) = read(ROW | {"朝向": "朝东南", "点位类别": "二类点", "状态": "在线", "标识牌": "是"})
    (codes,) = read(ROW | {"DirectionType": "5", "PointType": "2", "gbStatus": "ON", "sign": 1})
    assert words == codes
    assert (words.direction, words.point_class, words.status, words.sign) == (135.0, 2, "on", True)


@pytest.mark.parametrize(
    ("column", "texts", "said"),
    [
        ("朝向", ("5", "180"), [5.0, 180.0]),
        ("朝向", ("5", "3", "东"), [135.0, 180.0, 90.0]),
        ("朝向", ("0",), [0.0]),
        ("朝向", ("0", "1"), [None, 90.0]),
        ("朝向", ("1.5", "7°"), [1.5, 7.0]),
        ("DirectionType", ("3",), [180.0]),
    ],
)
def test_one_to_eight_are_codes_only_where_the_whole_ledger_says_so(
    column: str, texts: tuple[str, ...], said: list[float | None]
) -> None:
    rows = [ROW | {"国标编码": f"c{number}", column: text} for number, text in enumerate(texts)]
    assert [one.direction for one in read(*rows)] == said


def test_a_mapping_says_how_directions_are_read_whatever_stands_there() -> None:
    columns = Columns("own", {"code": ("c",), "direction": ("d",)}, "degrees")
    assert [one.direction for one in items_of([{"c": "a", "d": "5"}], columns, "WGS84")] == [5.0]


def test_a_user_and_a_password_are_parted_for_the_keys() -> None:
    own = {"国标编码": "b", "主码流地址": "rtsp://10.0.0.2/1", "用户名": "viewer", "密码": "geheim:2"}
    rows = [ROW | {"主码流地址": "rtsp://u:ge%40heim@10.0.0.1/a"}, own, {"国标编码": "c", "用户名": "nobody"}]
    found = read_rows(enumerate(rows, 2), mapping(), "WGS84")
    assert found.secrets == {ROW["国标编码"]: "u:ge@heim", "b": "viewer:geheim:2"}
    assert [one.url_main for one in found.items] == ["rtsp://10.0.0.1/a", "rtsp://10.0.0.2/1", ""]


@pytest.mark.parametrize(
    "url",
    ["rtsp://10.0.0.1/user=admin&password=geheim", "rtsp://h/a?PWD=geheim", "rtsp://h/%70assword=geheim", "u:a/b@h"],
)
def test_a_password_that_cannot_be_parted_is_a_fault_that_does_not_repeat_it(url: str) -> None:
    found = read_rows([(2, ROW | {"主码流地址": url})], mapping(), "WGS84")
    assert found.faults == [Fault(2, ROW["国标编码"], "url_main", "主码流地址", "secret")]
    assert b"geheim" not in msgspec.json.encode(found)


def test_faults_say_row_and_column() -> None:
    rows = [
        ROW,
        ROW,
        ROW | {"国标编码": "b", "经度": "x"},
        {"设备名称": "无编码"},
        {"国标编码": "c", "纬度": "95", "经度": "1"},
    ]
    found = read_rows(enumerate(rows, 2), mapping(), "WGS84")
    assert [(one.row, one.column, one.why) for one in found.faults] == [
        (3, "国标编码", "twice"),
        (4, "经度", "unread"),
        (5, "", "missing"),
        (6, "纬度", "bounds"),
    ]


def test_a_geojson_feature_and_what_wvp_lists_are_flat_rows() -> None:
    feature = {
        "type": "Feature",
        "properties": {"code": "a"},
        "geometry": {"type": "Point", "coordinates": [118.8, 32.0]},
    }
    line = feature | {"geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}
    listed = {
        "gbDeviceId": "b",
        "gbName": "门",
        "gbLongitude": 118.8,
        "gbLatitude": 32.0,
        "gbPassword": "x",
        "info": {"k": 1},
    }
    assert flat(listed)["info.k"] == 1
    for row, code in ((feature, "a"), (listed, "b")):
        names = proposed(flat(row).keys())
        (item,) = items_of([row], names, "WGS84")
        assert (item.code, item.lon, item.lat) == (code, 118.8, 32.0)
    assert read_rows([(1, flat(line))], mapping(), "WGS84").faults[0].field == "raw_lon"
