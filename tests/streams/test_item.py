"""From bytes to items."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import Unreadable
from streams.item import BOM, DEEPEST, KEPT_OF_TOO_LARGE, LARGEST_REPORT, Item, decoded, from_object, refusal, split


def code_of(raw: bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        decoded(Item(raw))
    return refused.value.code


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b'{"lon":NaN}', "malformed_json"),
        (b'{"lon":Infinity}', "malformed_json"),
        (b'{"lon":1e999}', "number_out_of_range"),
        (b'{"title":"\xff\xfe"}', "not_utf8"),
        ('{"title":"火情"}'.encode("gb18030"), "not_utf8"),
        (b'{"title":"\\ud800"}', "malformed_json"),
        (b"[1]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (nested(DEEPEST + 1), "too_deep"),
        (nested(100_000), "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b'{"text":"' + b"a" * LARGEST_REPORT + b'"}', "too_large"),
    ],
)
def test_every_bad_form_has_its_code(raw: bytes, code: str) -> None:
    assert code_of(raw) == code


def test_as_deep_as_allowed_passes() -> None:
    assert decoded(Item(nested(DEEPEST)))


def test_an_array_keeps_each_items_own_bytes() -> None:
    items, many = split(b' [ {"id":"1"} , 7, {"id":\n"2"}]')
    assert many
    assert [item.raw for item in items] == [b'{"id":"1"}', b"7", b'{"id":\n"2"}']
    assert split(b'\n{"id":"1"}') == ([Item(b'\n{"id":"1"}')], False)


@pytest.mark.parametrize("body", [b"", b"7", b"[1,", b"null", b"[" * 5_000])
def test_a_body_without_reports_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        split(body)


DEEP = b'{"a":' * 1_500 + b"1" + b"}" * 1_500


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b'{"lon":NaN}', "malformed_json"),
        (b'{"title":"\\ud800, ] \\" }"}', "malformed_json"),
        (b'{"title":"\xff"}', "not_utf8"),
        (DEEP, "too_deep"),
        (b"nonsense", "malformed_json"),
    ],
)
def test_one_bad_item_does_not_spoil_an_array(bad: bytes, code: str) -> None:
    good = '{"id": "1", "title": "[火]，\\"好, 的\\""}'.encode()
    items, many = split(b"\n[" + good + b",\n" + bad + b" , " + good + b"]\n")
    assert many
    assert [item.raw for item in items] == [good, bad, good]
    assert decoded(items[0])["title"] == '[火]，"好, 的"'
    assert code_of(bad) == code


@pytest.mark.parametrize(
    "body", [b"[NaN", b"[NaN,]", b"[,NaN]", b"[NaN]]", b"[NaN}", b'[NaN, "a]', b"[NaN] x", b"[NaN," + b"1," * 300_000]
)
def test_what_does_not_fit_together_stays_one(body: bytes) -> None:
    with pytest.raises(Unreadable, match="malformed_json"):
        split(body)


def test_a_thousand_is_the_most_of_a_broken_array_too() -> None:
    with pytest.raises(Unreadable, match="too_many_items"):
        split(b"[NaN" + b",{}" * 1_000 + b"]")


def test_a_byte_order_mark_is_passed_over() -> None:
    assert split(BOM + b'[{"id":"1"}]')[0] == split(BOM + b'{"id":"1"}')[0] == [Item(b'{"id":"1"}')]
    assert decoded(Item(BOM + b'{"id":"1"}')) == {"id": "1"}


@given(st.binary() | st.text(alphabet='[]{},"\\\\1 N', max_size=40).map(str.encode))
def test_any_bytes_are_split_or_unreadable(raw: bytes) -> None:
    try:
        items, _ = split(raw)
    except Unreadable as error:
        assert error.code
    else:
        assert all(isinstance(item.raw, bytes) for item in items)


def test_more_than_a_thousand_items_are_refused() -> None:
    with pytest.raises(Unreadable, match="too_many_items"):
        split(json.dumps([{}] * 1_001).encode())


def test_of_an_oversized_item_only_the_beginning_is_kept_but_all_is_hashed() -> None:
    raw = b"x" * (LARGEST_REPORT + 1)
    kept = refusal(Item(raw), "s", Unreadable("too_large"), 5)
    assert len(kept.raw) == KEPT_OF_TOO_LARGE
    assert kept.raw_sha256 != refusal(Item(raw[:-1] + b"y"), "s", Unreadable("too_large"), 5).raw_sha256


def test_objects_become_bytes_once() -> None:
    assert from_object({"id": 1}) == Item(b'{"id":1}')
    assert from_object(b"{}") == Item(b"{}")
    assert from_object(object()).fault == "not_json"
    cycle: list[object] = []
    cycle.append(cycle)
    assert from_object(cycle).fault == "not_json"


@given(st.binary())
def test_any_bytes_decode_or_are_unreadable(raw: bytes) -> None:
    try:
        assert isinstance(decoded(Item(raw)), dict)
    except Unreadable as error:
        assert error.code
