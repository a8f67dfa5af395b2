"""A report restated for quarantine gives the same report again, read without its source's mapping."""

from typing import Any

import pytest
from msgspec import structs

from operations.report import Report
from operations.restated import restated
from operations.sources import Source
from streams.normalise import normalise
from tests.streams.samples import MAPPINGS, NOW, TAXONOMY, report

HOTLINE = {
    "orderNo": "X1",
    "title": "路灯不亮",
    "content": "两盏路灯不亮",
    "classPath": "公共安全/消防",
    "urgencyDegree": "一般",
    "acceptDate": "2025-11-22",
    "acceptTime": "10:00:00",
    "updateTime": "2025-11-22 10:00:00",
    "location": {"lng": "120.38", "lat": "36.06"},
}
ATTACHED = [{"name": "a.jpg", "url": "https://example.org/a.jpg", "media_type": "image/jpeg", "size": 7}]


@pytest.mark.parametrize(
    "mapping,item",
    [
        ("", report(place={"lon": 120.38773, "lat": 36.06737, "accuracy_m": 5.0}, attachments=ATTACHED)),
        ("", report(place={"lon": 120.38773, "lat": 36.06737, "datum": "BD09"}, grid_code="990101001001001")),
        ("", report(id="13812345678-7", revision="13812345678")),
        ("", report(place={"lon": 0, "lat": 0}, occurred_at=None, type="7777")),
        ("", report(place=None, presence="gone", status="已办", urgency="一般")),
        ("", report(place={"address": "人民路12号"}, title="长" * 250)),
        ("hotline", HOTLINE),
    ],
)
def test_it_is_the_same_report_again(mapping: str, item: dict[str, Any]) -> None:
    source = Source(id="s", name="s", datum="GCJ02", mapping=mapping)
    once = normalise(item, source, TAXONOMY, NOW, MAPPINGS.get(mapping))
    assert isinstance(once, Report), once
    again = normalise(restated(once), structs.replace(source, mapping=""), TAXONOMY, NOW)
    assert isinstance(again, Report), again
    names = [name for name in Report.__struct_fields__ if name not in ("raw_sha256", "content_sha256", "marks")]
    assert {name: getattr(again, name) for name in names} == {name: getattr(once, name) for name in names}
