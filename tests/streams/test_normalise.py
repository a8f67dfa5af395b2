"""From an item to a Report or a Refusal."""

import json
import re
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.words import LANGUAGES, Words
from operations.report import Refusal, Report, revision_key
from operations.sources import Source
from streams import normalise as normalising
from streams.mapping import FOLDER, STANDARD, load
from streams.normalise import DAY, HOUR, MINUTE, normalise
from tests.streams.samples import MAPPINGS, NOW, SOURCE, TAXONOMY, report


def taken(item: object, source: Source = SOURCE) -> Report:
    found = normalise(item, source, TAXONOMY, NOW)
    assert isinstance(found, Report), found
    return found


def refused(item: object, source: Source = SOURCE) -> Refusal:
    found = normalise(item, source, TAXONOMY, NOW)
    assert isinstance(found, Refusal), found
    return found


def stamp(at: int) -> dict[str, Any]:
    return report(occurred_at=at)


def test_a_good_report() -> None:
    found = taken(report(text="现场电话 13812345678"))
    assert (found.source, found.id, found.revision, found.type) == ("hotline", "A-1", "1", "0304")
    assert (found.urgency, found.title, found.channel) == ("critical", "人民路燃气泄漏", "12345 热线")
    assert found.text == "现场电话 ***********"
    assert found.occurred_at == NOW - 2 * MINUTE
    assert found.received_at == NOW
    assert found.place is not None
    assert (found.place.lon, found.place.lat, found.place.datum) == (119.1635, 34.5722, "WGS84")
    assert found.reporter == {"name": "王某", "phone": "13812345678"}  # sealed later, never in clear on the way
    assert found.marks == ()
    assert len(found.raw_sha256) == len(found.content_sha256) == 64


def test_the_content_hash_ignores_when_it_came_and_how_it_was_written() -> None:
    one = taken(json.dumps(report()).encode())
    other = normalise(json.dumps(report(), indent=1).encode(), SOURCE, TAXONOMY, NOW + 3 * HOUR)
    assert isinstance(other, Report)
    assert other.raw_sha256 != one.raw_sha256
    assert other.marks == ("late",)
    assert other.content_sha256 == one.content_sha256
    assert taken(report(text="别的")).content_sha256 != one.content_sha256


@pytest.mark.parametrize(
    ("at", "marks", "kept"),
    [
        (NOW - 30 * MINUTE, (), True),
        (NOW - 2 * HOUR, ("late",), True),
        (NOW + 4 * MINUTE, (), True),
        (NOW + 6 * MINUTE, ("skew",), True),
        (NOW + 2 * DAY, ("future",), False),
        (0, ("epoch",), False),
        (315_964_800_000_000, ("epoch",), False),  # 1980-01-06, the GPS epoch
    ],
)
def test_clocks(at: int, marks: tuple[str, ...], kept: bool) -> None:
    found = taken(stamp(at))
    assert found.marks == marks
    assert found.occurred_at == (at if kept else NOW)


def test_a_year_that_cannot_be_is_marked_too() -> None:
    assert taken(report(occurred_at="9999-12-31T23:59:59Z")).marks == ("future",)
    assert taken(report(occurred_at="1970-01-01T00:00:00Z")).marks == ("epoch",)
    assert taken(report(occurred_at=None)).marks == ("undated",)
    assert refused(report(occurred_at="gestern")).field == "occurred_at"


@pytest.mark.parametrize(
    ("place", "reason", "field"),
    [
        ({"lon": 34.5722, "lat": 119.1635}, "place_swapped", "place"),
        ({"lon": 119.16, "lat": -35335896}, "place_out_of_range", "place.lat"),
        ({"lon": 1191635, "lat": 34.57}, "place_out_of_range", "place.lon"),
        ({"lon": 119.16}, "missing", "place.lat"),
        ({"lon": "119.16", "lat": "34.57"}, "not_a_number", "place.lon"),
        ({"lon": True, "lat": 1}, "not_a_number", "place.lon"),
        ({"lon": 119.1, "lat": 10**400}, "number_out_of_range", "place.lat"),
        ({"lon": -(10**309), "lat": 1}, "number_out_of_range", "place.lon"),
        ({"lon": 119.1, "lat": 34.5, "datum": "Mercator"}, "unknown_datum", "place.datum"),
        ([119.1, 34.5], "not_an_object", "place"),
    ],
)
def test_places_that_go_to_quarantine(place: object, reason: str, field: str) -> None:
    found = refused(report(place=place))
    assert (found.reason, found.field) == (reason, field)


def test_a_suggestion_comes_with_what_looks_swapped_or_lost_its_point() -> None:
    assert refused(report(place={"lon": 34.5722, "lat": 119.1635})).params == {"lon": "119.1635", "lat": "34.5722"}
    assert refused(report(place={"lon": 149.1, "lat": -35335896})).params["lat"] == "-35.335896"


def test_zero_zero_is_an_unknown_place_and_its_address_stays() -> None:
    found = taken(report(place={"lon": 0, "lat": 0.0, "address": "人民路"}))
    assert found.place is not None
    assert (found.place.lon, found.place.lat, found.place.raw_lon, found.place.address) == (None, None, 0, "人民路")
    assert found.marks == ("zero_place",)


def test_a_datum_is_the_items_else_the_sources_and_the_raw_value_stays() -> None:
    gaode = Source(id="gaode", name="g", datum="GCJ02")
    found = taken(report(place={"lon": 120.3877332, "lat": 36.0673762}), gaode).place
    assert found is not None
    assert (found.raw_lon, found.raw_lat, found.datum) == (120.3877332, 36.0673762, "GCJ02")
    assert found.lon == pytest.approx(120.3826, abs=1e-6)
    assert found.lat == pytest.approx(36.0671, abs=1e-6)
    plain = taken(report(place={"lon": 120.38, "lat": 36.06, "datum": "cgcs2000"}), gaode).place
    assert plain is not None and (plain.lon, plain.datum) == (120.38, "CGCS2000")


def test_unknown_types_and_urgencies_are_kept_with_a_mark() -> None:
    found = taken(report(type="9876", urgency="马上"))
    assert (found.type, found.urgency, found.marks) == ("0999", "routine", ("unknown_type", "unknown_urgency"))
    assert taken(report(type=304)).type == "0304"
    assert taken(report(urgency=None)).urgency == "critical"  # the type's own


def test_fields_that_are_not_on_the_list_are_dropped_and_counted_by_class() -> None:
    extra = {"faceImage": "…", "人脸特征": [1], "plate_no": "苏G12345", "车牌": "x", "idCard": "3207", "weather": "雨"}
    found = taken(report(reporter={"name": "王", "身份证号": "320705199003071234", "age": 3}) | extra)
    assert found.dropped == {"face": 2, "plate": 2, "id_card": 2, "unknown": 2}
    assert found.reporter == {"name": "王"}
    assert "3207" not in msgspec.json.encode(found).decode()


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"id": None}, "missing", "id"),
        ({"id": ""}, "missing", "id"),
        ({"id": "x" * 129}, "too_long", "id"),
        ({"id": "a\u202eb"}, "hidden_characters", "id"),
        ({"id": " a"}, "hidden_characters", "id"),
        ({"id": 1.5}, "not_text", "id"),
        ({"id": {"a": 1}}, "not_text", "id"),
        ({"revision": ["1"]}, "not_text", "revision"),
        ({"title": "", "text": ""}, "missing", "title"),
        ({"title": 5}, "not_text", "title"),
        ({"type": {}}, "not_text", "type"),
        ({"urgency": 3}, "not_text", "urgency"),
        ({"presence": "maybe"}, "not_allowed", "presence"),
        ({"reporter": "王"}, "not_an_object", "reporter"),
        ({"reporter": {"name": ["王"]}}, "not_text", "reporter.name"),
        ({"attachments": "a.jpg"}, "not_a_list", "attachments"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_field(change: dict[str, Any], reason: str, field: str) -> None:
    found = refused(report() | change)
    assert (found.reason, found.field) == (reason, field)
    assert found.raw == msgspec.json.encode(report() | change)


def test_emoji_and_right_to_left_text_stay_and_long_titles_are_cut_with_a_mark() -> None:
    found = taken(report(title="🔥حريق " + "火" * 300))
    assert found.title.startswith("🔥حريق 火")
    assert len(found.title) == 200
    assert found.marks == ("title_cut",)


def test_a_text_never_becomes_a_title() -> None:
    found = taken(report(title=None, text="邻居李四每晚打骂妻子"))
    assert (found.title, found.marks) == (TAXONOMY.get("0304").zh, ("untitled",))


def test_attachments_are_metadata_and_links_only() -> None:
    good = {"name": "a.jpg", "url": "https://x.example/a.jpg", "media_type": "image/jpeg", "size": 5}
    found = taken(report(attachments=[good, {"url": "file:///etc/passwd"}, "x", good | {"data": "…"}]))
    assert found.attachments == [good, good]
    assert found.dropped == {"attachment": 2, "unknown": 1}
    assert len(taken(report(attachments=[good] * 50)).attachments) == 20


def test_our_own_form_written_as_a_mapping_reads_the_same() -> None:
    mapped = load(FOLDER / "standard.toml", TAXONOMY)
    given_report = report(presence="gone", status="处理中", attachments=[{"name": "a"}])
    direct = normalise(given_report, SOURCE, TAXONOMY, NOW, STANDARD)
    through = normalise(given_report, SOURCE, TAXONOMY, NOW, mapped)
    assert isinstance(direct, Report) and isinstance(through, Report)
    assert msgspec.structs.replace(through, content_sha256="") == msgspec.structs.replace(direct, content_sha256="")


def test_the_reporters_own_words_stand_nowhere_in_clear() -> None:
    person = {"name": "欧阳锋", "phone": "85820110", "address": "白驼山庄 3 栋"}
    said = "投诉人欧阳锋电话 85820110，住白驼山庄  3 栋"
    found = taken(report(title=said, text=said, channel=said, status=said, place={"address": said}, reporter=person))
    assert found.title == found.channel == found.status == "投诉人***电话 ********，住********"
    assert found.place is not None and found.place.address == found.title
    assert found.reporter == person
    for shown in (found.title, found.text, taken(report(title="", text=said, reporter=person)).title):
        assert "欧阳锋" not in shown and "85820110" not in shown
    assert taken(report(title="王家巷失火", reporter={"name": "王"})).title == "王家巷失火"


@pytest.mark.parametrize("number", ["13812345678", "320705199003071234", "+86 138-1234-5678", "0518-85820110"])
def test_an_identifier_with_a_number_of_somebody_is_known_by_a_digest(number: str) -> None:
    first, second = taken(report(f"GD/{number}/7", revision=f"{number} v9")), taken(report(f"GD/{number}/7"))
    assert re.fullmatch("GD/#[0-9a-f]{16}/7", first.id)
    assert first.id == second.id != taken(report("GD/13912345678/7")).id
    assert all(f"desk.reveal.{name}" in Words(lang) for name in first.reporter for lang in LANGUAGES)
    assert first.reporter["source_id"] == f"GD/{number}/7"
    assert first.reporter["source_revision"] == f"{number} v9"
    assert revision_key(first.revision) < revision_key(taken(report(revision=f"{number} v10")).revision)
    body = msgspec.structs.replace(first, reporter={})
    assert number not in msgspec.json.encode(body).decode()


def test_the_digest_of_a_number_is_the_installations_own() -> None:
    sent = json.dumps(report("GD/13812345678")).encode()
    found = [normalise(sent, SOURCE, TAXONOMY, NOW, digest_key=key) for key in (b"one", b"one", b"other")]
    one, again, other = (report.id for report in found if isinstance(report, Report))
    assert one == again != other
    assert sha256(b"13812345678").hexdigest()[:16] not in one + other


@pytest.mark.parametrize(
    "id", ["GD20251122001", "20251122103015123", "1763784000000", "0005000012", "2025-11-22T10:30:15Z"]
)
def test_serial_numbers_and_times_are_kept_as_they_are(id: str) -> None:
    found = taken(report(id, revision=id))
    assert (found.id, found.revision) == (id, id)
    assert found.reporter == report()["reporter"]


def test_a_failure_nobody_thought_of_costs_one_item(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(normalising, "_place", broken)
    found = refused(report())
    assert (found.reason, found.raw) == ("internal", msgspec.json.encode(report()))


HUGE = st.integers(64, 14_000).map(lambda bits: 2**bits) | st.integers(309, 4_299).map(lambda digits: -(10**digits))
"""Whole numbers beyond 64 bits, and beyond what a float can hold."""
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | HUGE | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from([*report(), "grid_code", "status", "presence", "attachments", "revision"])
DEGREES = st.floats(-90, 90) | HUGE | JSON_VALUES
PLACES = st.fixed_dictionaries({}, optional={"lon": DEGREES, "lat": DEGREES, "datum": JSON_VALUES})


@given(st.dictionaries(FIELDS, JSON_VALUES, max_size=5), st.none() | PLACES, st.sampled_from(sorted(MAPPINGS.good)))
def test_whatever_comes_it_is_a_report_or_a_refusal_with_a_text(change: Any, place: Any, mapping: str) -> None:
    item = report() | change | ({} if place is None else {"place": place})
    found = normalise(item, SOURCE, TAXONOMY, NOW, MAPPINGS.get(mapping))
    assert isinstance(found, Report | Refusal)
    assert not isinstance(found, Refusal) or found.reason != "internal"
    msgspec.msgpack.encode(found)
    if isinstance(found, Refusal):
        assert all(f"streams.reason.{found.reason}" in Words(lang) for lang in LANGUAGES)
    else:
        assert all(f"streams.mark.{mark}" in Words(lang) for lang in LANGUAGES for mark in found.marks)
        assert found.place is None or found.place.lon is None or abs(found.place.lon) <= 180


@given(st.binary())
def test_any_bytes_too(raw: bytes) -> None:
    assert isinstance(normalise(raw, SOURCE, TAXONOMY, NOW), Report | Refusal)
