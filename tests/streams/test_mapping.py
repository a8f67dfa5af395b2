"""Foreign JSON read by a mapping file."""

from pathlib import Path
from typing import Any

import pytest

from operations.report import Refusal, Report
from operations.sources import Source
from streams.errors import MappingError
from streams.mapping import load, load_all
from streams.normalise import normalise
from tests.streams.samples import NOW, TAXONOMY

HOTLINE = Source(id="hotline", name="12345", datum="BD09", mapping="hotline")
ORDER: dict[str, Any] = {
    "orderNo": "GD20251122001",
    "title": "楼道消防通道堵塞",
    "content": "请回电 13812345678",
    "classPath": "公共安全/消防",
    "urgencyDegree": "加急",
    "acceptDate": "2025-11-22",
    "acceptTime": "2025-11-22 11:50:61",
    "updateTime": "2025-11-22 11:51:00",
    "channel": "电话",
    "orderStatus": "已派单",
    "location": {"lng": "120.3941998", "lat": "36.0735022", "poi": "x"},
    "address": "香港中路",
    "caller": {"name": "王某", "phone": "13812345678", "idCard": "320705199003071234"},
    "satisfaction": None,
}


def read(order: dict[str, Any]) -> Report | Refusal:
    return normalise(order, HOTLINE, TAXONOMY, NOW, load_all(TAXONOMY).get("hotline"))


def test_a_hotline_order() -> None:
    found = read(ORDER)
    assert isinstance(found, Report), found
    assert (found.id, found.title, found.type, found.urgency) == (
        "GD20251122001",
        "楼道消防通道堵塞",
        "0301",
        "routine",
    )
    assert (found.channel, found.status) == ("电话", "已派单")
    assert found.text == "请回电 ***********"
    assert found.occurred_at == NOW - 9 * 60_000_000 + 1_000_000
    assert found.place is not None and found.place.lon is not None
    assert abs(found.place.lon - 120.3826) < 2e-5  # metres
    assert found.reporter == {"name": "王某", "phone": "13812345678"}
    assert found.dropped == {"id_card": 1, "unknown": 2}


def test_a_revision_by_content_is_in_order_and_changes_with_the_content() -> None:
    one, again, changed = read(ORDER), read(ORDER), read(ORDER | {"orderStatus": "办理中"})
    assert isinstance(one, Report) and isinstance(again, Report) and isinstance(changed, Report)
    assert one.revision == again.revision
    assert one.revision.startswith("2025-11-22 11:51:00 ")
    assert changed.revision != one.revision


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"orderNo": None}, "id", "missing"),
        ({"orderNo": {"no": 1}}, "id", "not_text"),
        ({"location": {"lng": "abc", "lat": "1"}}, "place.lon", "not_a_number"),
        ({"location": {"lng": "36.07", "lat": "120.39"}}, "place", "place_swapped"),
        ({"location": {"lng": "nan", "lat": "1"}}, "place.lon", "number_out_of_range"),
        ({"acceptTime": "tomorrow", "acceptDate": ""}, "occurred_at", "time_unreadable"),
    ],
)
def test_a_wrong_order_is_refused_by_our_field(change: dict[str, Any], field: str, reason: str) -> None:
    found = read(ORDER | change)
    assert isinstance(found, Refusal), found
    assert (found.field, found.reason) == (field, reason)


def test_fields_concatenated_make_the_revision_and_a_word_means_gone(tmp_path: Path) -> None:
    file = tmp_path / "feed.toml"
    file.write_text(
        '[fields]\nid = "id"\ntitle = "title"\n[revision]\nfields = ["seen", "kind"]\n'
        '[presence]\nfield = "kind"\ngone = ["gone"]\n'
    )
    mapping = load(file, TAXONOMY)
    found = normalise(
        {"id": 7, "title": "t", "seen": "2023-12-07T13:27:31Z", "kind": "gone"}, HOTLINE, TAXONOMY, NOW, mapping
    )
    assert isinstance(found, Report)
    assert (found.id, found.revision, found.presence) == ("7", "2023-12-07T13:27:31Z gone", "gone")


GOOD = '[fields]\nid = "id"\ntitle = "t"\n'


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("[fields\n", "", "cannot be read"),
        ('[fields]\ntitle = "t"\n', "fields.id", "is missing"),
        ('[fields]\nid = "id"\n', "fields.title", "is missing"),
        (GOOD + 'faceId = "f"\n', "fields.faceId", "is not a field of ours"),
        (GOOD + "text = 5\n", "fields.text", "must be a path"),
        (GOOD + 'text = "a..b"\n', "fields.text", "empty step"),
        (GOOD + "[colour]\na = 1\n", "colour", "is not known"),
        (GOOD + '[time]\nzone = "UTC"\n', "time.zone", "allowed: formats"),
        (GOOD + '[types]\n"火" = "9876"\n', "types.火", "taxonomy.toml"),
        (GOOD + '[urgency]\n"急" = "red"\n', "urgency.急", "routine, urgent or critical"),
        (GOOD + '[revision]\nrule = "latest"\n', "revision.rule", "allowed: fields, content"),
        (GOOD + '[revision]\nrule = "content"\n', "revision.fields", "order of revisions"),
        (GOOD + '[numbers]\nstrings = "yes"\n', "numbers.strings", "true or false"),
        (GOOD + '[presence]\nfield = ["a", "b"]\n', "presence.field", "one path"),
        (GOOD + '[presence]\ngone = "gone"\n', "presence.gone", "list of texts"),
    ],
)
def test_a_wrong_mapping_names_file_and_key(tmp_path: Path, text: str, key: str, says: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(MappingError) as refused:
        load(file, TAXONOMY)
    assert str(file) in str(refused.value)
    assert key in str(refused.value) and says in str(refused.value)


def test_a_mapping_that_is_not_there() -> None:
    with pytest.raises(MappingError, match="no such mapping"):
        load(Path("/nowhere/x.toml"), TAXONOMY)


def test_a_folder_of_ones_own_adds_and_overrides(tmp_path: Path) -> None:
    (tmp_path / "hotline.toml").write_text(GOOD)
    (tmp_path / "own.toml").write_text(GOOD)
    found = load_all(TAXONOMY, tmp_path)
    assert found.get("own").fields == found.get("hotline").fields
    assert found.get("") is found.get("standard")


def test_a_wrong_mapping_costs_its_own_sources_only(tmp_path: Path) -> None:
    (tmp_path / "hotline.toml").write_text("[fields\n")
    found = load_all(TAXONOMY, tmp_path)
    assert found.get("canberra").name == "canberra"
    with pytest.raises(MappingError, match=r"hotline\.toml: cannot be read"):
        found.get("hotline")
    with pytest.raises(MappingError, match="no mapping 'hotlin'; there are: 12345, canberra, standard"):
        found.get("hotlin")
