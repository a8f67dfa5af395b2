"""CloudEvents 1.0 in its three modes."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.report import Refusal, Report
from streams import cloudevents
from streams.errors import Unreadable
from streams.item import BOM, Item
from streams.normalise import normalise
from tests.streams.samples import NOW, SOURCE, TAXONOMY, report

TIME = "2025-11-22T03:59:00Z"


def event(**fields: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/sensor/7",
        "type": "cn.example.report",
        "time": TIME,
    } | fields


def read(item: Item) -> Report | Refusal:
    return normalise(item, SOURCE, TAXONOMY, NOW)


def structured(**fields: Any) -> Report | Refusal:
    return read(cloudevents.structured(json.dumps(event(**fields)).encode()))


def test_structured() -> None:
    found = structured(data=report("A-7"))
    assert isinstance(found, Report)
    assert (found.source, found.id, found.revision) == ("hotline", "A-7", "1")


def test_the_envelope_fills_what_the_report_does_not_say() -> None:
    found = structured(data={"title": "烟感报警"})
    assert isinstance(found, Report)
    assert (found.id, found.revision, found.occurred_at) == ("e-1", "", NOW - 60_000_000)
    revised = structured(data={"id": "S7", "title": "烟感报警"})
    assert isinstance(revised, Report)
    assert (revised.id, revised.revision) == ("S7", TIME)


def test_binary_with_percent_encoded_attributes() -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "%E7%83%9F-1",
        "ce-source": "/s",
        "ce-type": "t",
        "content-type": "application/json; charset=utf-8",
    }
    found = read(cloudevents.binary(headers, b'{"title":"x"}'))
    assert isinstance(found, Report)
    assert found.id == "烟-1"
    assert cloudevents.is_binary(headers)


def test_a_bad_event_does_not_spoil_a_batch() -> None:
    batch = [event(data=report("A")), 5, event(id="", data={}), event(specversion="0.3", data={}), event()]
    found = [read(item) for item in cloudevents.batched(json.dumps(batch).encode())]
    assert [one.reason if isinstance(one, Refusal) else one.id for one in found] == [
        "A",
        "malformed_json",
        "missing",
        "not_allowed",
        "missing",
    ]
    assert [one.field for one in found if isinstance(one, Refusal)] == ["", "id", "specversion", "data"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [(b"1e999", "number_out_of_range"), (b"9" * 5_000, "number_out_of_range"), (b'"\xff"', "not_utf8")],
)
def test_a_bad_attribute_is_its_own_events_fault_and_a_bad_extension_nobodys(value: bytes, reason: str) -> None:
    good = json.dumps(event(data=report("A"))).encode()
    extended = good.replace(b'"time"', b'"ext": ' + value + b', "time"')
    broken = good.replace(b'"e-1"', value)
    found = [
        read(item) for item in cloudevents.batched(b"[" + b",".join((good, extended, broken, b'{"a":NaN}')) + b"]")
    ]
    assert [one.reason if isinstance(one, Refusal) else one.id for one in found] == ["A", "A", reason, "malformed_json"]
    assert isinstance(found[2], Refusal) and (found[2].field, found[2].raw) == ("id", broken)
    alone = read(cloudevents.structured(BOM + extended))
    assert isinstance(alone, Report)


def test_data_in_base64() -> None:
    data = base64.b64encode(json.dumps(report("B")).encode()).decode()
    found = structured(data_base64=data)
    assert isinstance(found, Report) and found.id == "B"
    wrong = structured(data_base64="%%%")
    assert isinstance(wrong, Refusal) and (wrong.reason, wrong.field) == ("not_base64", "data_base64")


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "json", ""])
def test_data_that_is_not_json(media_type: str) -> None:
    found = structured(datacontenttype=media_type, data=report())
    assert isinstance(found, Refusal) and (found.reason, found.field) == ("not_json", "datacontenttype")


@pytest.mark.parametrize("body", [b"", b"[", b"7", b"[" * 10_000])
def test_a_body_that_is_no_event(body: bytes) -> None:
    with pytest.raises(Unreadable):
        cloudevents.structured(body)
    with pytest.raises(Unreadable):
        cloudevents.batched(body)


def test_at_most_a_thousand_in_a_batch() -> None:
    with pytest.raises(Unreadable, match="too_many_items"):
        cloudevents.batched(json.dumps([{}] * 1_001).encode())


@given(st.dictionaries(st.text(max_size=12), st.text(), max_size=4), st.binary(max_size=64))
def test_whatever_comes_it_is_a_report_or_a_refusal(headers: dict[str, str], body: bytes) -> None:
    asked = {"ce-id": "1", "ce-source": "s", "ce-specversion": "1.0", "ce-type": "t"} | headers
    assert isinstance(read(cloudevents.binary(asked, body)), Report | Refusal)
