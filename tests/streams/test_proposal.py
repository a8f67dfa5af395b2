"""A first mapping by the usual names; the sample orders go through it and through the shipped example alike."""

import csv
import io
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from operations.report import Report
from operations.sources import Source
from streams import moment
from streams.errors import Unreadable
from streams.mapping import checked, steps, written
from streams.normalise import normalise
from streams.proposal import formats_of, proposed, types_of, urgency_of
from streams.sample_orders import orders
from streams.tables.columns import Column, Columns
from tests.streams.samples import MAPPINGS, TAXONOMY

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = datetime(2025, 11, 22, 12, 0, tzinfo=ZONE)
NOW = int(TODAY.timestamp()) * 1_000_000
SOURCE = Source("hotline", "12345", datum="GCJ02", mapping="12345")


def columns(rows: list[dict[str, Any]]) -> list[Column]:
    found = Columns()
    for row in rows:
        found.take(row)
    return found.all()


def sample() -> list[dict[str, str]]:
    lines = csv.DictReader(io.StringIO(orders(119.16, 34.57, TODAY).decode("utf-8-sig")))
    return [{name: cell for name, cell in line.items() if cell} for line in lines]


def test_the_shipped_example_and_the_proposal_read_every_sample_order() -> None:
    rows = sample()
    draft = proposed(columns(rows), TAXONOMY)
    for mapping in (MAPPINGS.get("12345"), checked(draft, TAXONOMY, "p", "")):
        found = [normalise(row, SOURCE, TAXONOMY, NOW, mapping) for row in rows]
        assert all(isinstance(one, Report) for one in found)
        reports = [one for one in found if isinstance(one, Report)]
        assert {mark for one in reports for mark in one.marks} == set()
        assert {one.type for one in reports} >= {"0102", "0103", "0104", "0303", "0404", "0405", "0601"}
        assert {one.urgency for one in reports} == {"routine", "urgent", "critical"}
        assert all(one.reporter["name"].startswith("市民") and one.place and one.place.lon for one in reports)


def test_columns_are_found_by_chinese_and_english_names_and_parts_of_them() -> None:
    rows: list[dict[str, Any]] = [
        {
            "order.no": "1",
            "位置 / 经度": "119",
            "位置 / 纬度": "34",
            "诉求内容(必填)": "x",
            "Accept Time": "45983.5",
            "姓名": "王",
        },
    ]
    fields = proposed(columns(rows), TAXONOMY)["fields"]
    assert fields["place.lon"] == "位置 / 经度" and fields["place.lat"] == "位置 / 纬度"
    assert fields["text"] == "诉求内容(必填)"
    assert fields["occurred_at"] == "Accept Time"
    assert fields["reporter.name"] == "姓名"


def test_a_dot_in_a_column_is_written_and_read_back() -> None:
    path = ("order.no", "b")
    assert written(path) == r"order\.no.b" and steps(written(path)) == path
    mapping = checked({"fields": {"id": r"order\.no", "title": "t"}}, TAXONOMY, "m", "")
    found = normalise({"order.no": "7", "t": "x"}, SOURCE, TAXONOMY, NOW, mapping)
    assert isinstance(found, Report) and found.id == "7"


def test_words_are_guessed_and_what_is_like_nothing_stays_out() -> None:
    assert types_of(["矛盾纠纷/邻里", "0301", "天外来物"], TAXONOMY) == {"矛盾纠纷/邻里": "0102", "0301": "0301"}
    found = urgency_of(["一般", "特急", "加急", "紧急", "P2"])
    assert found == {"一般": "routine", "特急": "critical", "加急": "critical", "紧急": "urgent", "P2": "urgent"}


@pytest.mark.parametrize(
    ("given", "form"),
    [
        ("2025-11-22 11:50:00", "iso"),
        ("2025/11/22 11:50", "%Y/%m/%d %H:%M"),
        ("2025年11月22日11时50分", "%Y年%m月%d日%H时%M分"),
        ("20251122115000", "%Y%m%d%H%M%S"),
        ("45983.493055555555", "excel"),
        ("1763783400", "epoch"),
    ],
)
def test_forms_of_times_are_found_and_read_the_same_instant(given: str, form: str) -> None:
    column = Column(("t",), samples=[given])
    forms = formats_of([column])
    assert form in forms
    at = moment.moment(given, ZONE, forms)
    assert datetime.fromtimestamp(at / 1e6, ZONE) == datetime(2025, 11, 22, 11, 50, tzinfo=ZONE)


def test_a_day_and_a_part_of_it_are_one_moment() -> None:
    at = moment.joined(["45983", "0.493055555555"], ZONE, ("iso", "excel"))
    assert datetime.fromtimestamp(at / 1e6, ZONE) == datetime(2025, 11, 22, 11, 50, tzinfo=ZONE)
    for wrong in ("12", "999999", "-1"):
        with pytest.raises(Unreadable):
            moment.moment(wrong, ZONE, ("excel",))


def test_a_serial_number_of_a_time_is_no_phone_number_and_keeps_its_form() -> None:
    found = Columns()
    for row in range(300):
        found.take({"时间": repr(46349.395833333336 + row / 86_400), "电话": "13812345678"})
    at, phone = found.all()
    assert not at.words and at.samples[0] == "46349.395833"
    assert moment.EXCEL in formats_of([at])
    assert phone.samples == ["*" * 11]
