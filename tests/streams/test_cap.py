"""CAP as it comes: real files valid and invalid, encodings that lie, documents that attack."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams import cap
from streams.cap import Alert, Reference
from streams.errors import Unreadable
from streams.warning_area import given_area
from streams.warning_level import gravest
from tests.streams.bulletins import HOUR, document, info, stamp

ZONE = ZoneInfo("Asia/Shanghai")
NOON = 1_800_000_000_000_000


def read(body: bytes) -> Alert:
    return cap.read(body, ZONE)


def refusal(body: bytes) -> tuple[str, str, object]:
    with pytest.raises(Unreadable) as told:
        read(body)
    return told.value.code, told.value.field, told.value.params.get("line")


# ---- real files ----

REAL = {
    "australia.cap": ("Alert", 2, "blue"),
    "canada.cap": ("Update", 2, "blue"),
    "earthquake-iso8859-1.cap": ("Alert", 1, ""),
    "earthquake.cap": ("Alert", 1, ""),
    "no_optional_fields.cap": ("Alert", 0, ""),
    "thunderstorm.cap": ("Alert", 1, "orange"),
    "weather.cap": ("Alert", 1, "orange"),
}
WRONG = {"invalid.cap": ("missing", "scope", 2), "canada_errors.cap": ("missing", "references", 12)}


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read(real_data: Path, name: str) -> None:
    found = read((real_data / "cap" / name).read_bytes())
    assert (found.kind, len(found.infos), gravest(found.infos)) == REAL[name]


@pytest.mark.real
@pytest.mark.parametrize("name", WRONG)
def test_real_files_that_are_wrong_say_where(real_data: Path, name: str) -> None:
    assert refusal((real_data / "cap" / name).read_bytes()) == WRONG[name]


@pytest.mark.real
def test_real_latin_1_and_real_places(real_data: Path) -> None:
    quake = read((real_data / "cap" / "earthquake-iso8859-1.cap").read_bytes())
    assert "Usulután" in quake.infos[0].headline
    storm = read((real_data / "cap" / "thunderstorm.cap").read_bytes()).infos[0].areas[0]
    assert storm.polygons[0][0] == (38.47, -120.14)
    canada = read((real_data / "cap" / "canada.cap").read_bytes())
    assert [one.identifier[-13:] for one in canada.references] == ["a3f342a4.2012", "60f31a3a.2012"]
    assert {one.language for one in canada.infos} == {"en-CA", "fr-CA"}


# ---- encodings ----


@pytest.mark.parametrize("encoding", ["UTF-8", "GB2312", "GBK", "GB18030", "gb2312"])
def test_declared_encodings(encoding: str) -> None:
    assert read(document(sent=NOON, expires=NOON + HOUR, encoding=encoding)).infos[0].event == "暴雨"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_marks_and_zeros(encoding: str) -> None:
    text = document(sent=NOON).decode()
    assert read(text.encode(encoding)).infos[0].event == "暴雨"


@pytest.mark.parametrize(
    ("declared", "true"), [("UTF-8", "GBK"), ("GB2312", "UTF-8"), ("ISO-8859-1", "UTF-8"), ("UTF-16", "UTF-8")]
)
def test_wrong_declarations(declared: str, true: str) -> None:
    text = document(sent=NOON).decode().replace('encoding="UTF-8"', f'encoding="{declared}"')
    assert read(text.encode(true)).infos[0].event == "暴雨"


def test_encodings_nobody_can_read() -> None:
    text = document(sent=NOON).decode()
    assert refusal(text.replace("UTF-8", "EBCDIC-37").encode())[0] == "encoding_unknown"
    assert refusal(document(sent=NOON) + b"\xff\xff\xff")[0] == "encoding_wrong"


# ---- attacks ----

LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><alert>&b;</alert>'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (LAUGHS, "xml_forbidden"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><alert/>', "xml_forbidden"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1/">]><alert>&x;</alert>', "xml_forbidden"),
        (b"<a>" * 17 + b"</a>" * 17, "xml_too_much"),
        (b"<alert>" + b"<info/>" * 20_001 + b"</alert>", "xml_too_much"),
        (b"<alert " + b" ".join(b'a%d="x"' % n for n in range(33)) + b"/>", "xml_too_much"),
        (b"<alert a='" + b"x" * 1_048_576 + b"'/>", "xml_too_large"),
        (b"", "xml_malformed"),
        (b"<alert>", "xml_malformed"),
        (b"<alert>\x00</alert>", "xml_malformed"),
        (b"&x;", "xml_malformed"),
        (b"<html/>", "cap_not_an_alert"),
        (b"<alert xmlns='urn:other'/>", "cap_not_an_alert"),
    ],
)
def test_what_attacks_is_refused(body: bytes, code: str) -> None:
    assert refusal(body)[0] == code


SEEDS = [
    document(
        sent=NOON, expires=NOON + HOUR, where="<polygon>30,120 30,121 31,121 30,120</polygon><circle>30,120 5</circle>"
    ),
    document(sent=NOON, encoding="GB2312"),
    LAUGHS,
]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 40), st.binary(max_size=12)), max_size=6),
)
def test_whatever_comes_is_read_or_refused(seed: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    body = bytearray(seed)
    for at, length, new in cuts:
        body[at : at + length] = new
    try:
        read(bytes(body))
    except Unreadable as error:
        assert error.code


# ---- fields ----


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("<status>Actual</status>", "<status>Real</status>", ("not_allowed", "status", 2)),
        ("<sent>", "<sent>x", ("time_unreadable", "sent", 2)),
        ("<identifier>W1", "<identifier>W 1", ("cap_name", "identifier", 2)),
        ("<severity>Extreme", "<severity>Purple", ("not_allowed", "severity", 3)),
        ("<expires>", "<expires>x", ("time_unreadable", "expires", 3)),
    ],
)
def test_wrong_fields_say_element_and_line(old: str, new: str, wrong: tuple[str, str, int]) -> None:
    body = document(sent=NOON, expires=NOON + HOUR).decode().replace(old, new).encode()
    assert refusal(body) == wrong


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("<polygon>30,120 31,120 30,120</polygon>", "cap_polygon"),
        ("<polygon>30,120 31,x 31,121 30,120</polygon>", "cap_point"),
        ("<polygon>120,30 121,30 121,31 120,30</polygon>", "place_swapped"),
        ("<polygon>nan,30 21,30 21,31 20,30</polygon>", "place_out_of_range"),
        ("<circle>30,120</circle>", "cap_circle"),
        ("<circle>30,120 -1</circle>", "cap_circle"),
        ("<circle>30,120 nan</circle>", "cap_circle"),
        ("<circle>300,320 5</circle>", "place_out_of_range"),
    ],
)
def test_wrong_places(where: str, code: str) -> None:
    assert refusal(document(sent=NOON, where=where))[0] == code


def test_an_end_without_a_reference_is_refused() -> None:
    assert refusal(document(sent=NOON, kind="Cancel"))[:2] == ("missing", "references")
    assert refusal(document(sent=NOON, kind="Cancel", references="only-an-id"))[0] == "cap_reference"


def test_references_and_old_namespaces() -> None:
    found = read(document(sent=NOON, kind="Update", references=f"a@b,X1,{stamp(NOON)} a@b,X2,never"))
    assert found.references == (Reference("a@b", "X1", NOON), Reference("a@b", "X2"))
    old = document(sent=NOON, namespace="http://www.incident.com/cap/1.0").replace(b"<scope>Public</scope>", b"")
    very = read(old.replace(b"<certainty>Likely", b"<certainty>Very Likely"))
    assert (very.scope, very.infos[0].certainty) == ("Public", "Likely")


def test_the_language_is_seen_where_it_is_not_said() -> None:
    body = document(sent=NOON).replace(b"<language>zh-CN</language>", b"")
    assert read(body).infos[0].language == "zh"


def test_numbers_of_people_are_masked() -> None:
    found = read(document(sent=NOON, description="请联系张先生 13812345678。"))
    assert "13812345678" not in found.infos[0].description


@pytest.mark.parametrize(
    ("identifier", "area"),
    [("99010100000000_20260722093000_1", "990101"), ("99010141600000_20260722093000", "990101"), ("W1", "")],
)
def test_the_area_of_a_gb_35965_identifier(identifier: str, area: str) -> None:
    assert given_area(identifier) == ([area] if area else [])


def coloured(value: str) -> str:
    return f"<parameter><valueName>color</valueName><value>{value}</value></parameter>"


@pytest.mark.parametrize(
    ("words", "level"),
    [
        ({"severity": "Orange", "headline": "暴雨"}, "orange"),
        ({"severity": "Minor", "extra": coloured("黄色"), "headline": "暴雨红色预警"}, "yellow"),
        ({"severity": "Minor", "extra": coloured("red-eyed")}, "red"),
        ({"severity": "Minor", "headline": "大雾黄色预警升级为橙色预警"}, "orange"),
        ({"severity": "Minor", "headline": "Amber thunderstorm warning", "event": "x"}, "orange"),
        ({"severity": "Severe", "headline": "Red Cross asks for blood", "event": "x"}, "orange"),
        ({"severity": "Extreme", "headline": "暴雨预警"}, "red"),
        ({"severity": "Unknown", "headline": "地震", "event": "地震"}, ""),
    ],
)
def test_levels(words: dict[str, str], level: str) -> None:
    assert gravest(read(document(sent=NOON, **words)).infos) == level


def test_the_gravest_of_several_is_the_level() -> None:
    infos = info(expires=None, severity="Minor", headline="x", event="x") + info(
        expires=None, severity="Severe", headline="x", event="x"
    )
    assert gravest(read(document(sent=NOON, infos=infos)).infos) == "orange"
