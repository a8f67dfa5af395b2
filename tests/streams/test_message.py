"""The parts of one WebSocket message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import message
from streams.errors import Unreadable
from streams.item import BOM, LARGEST_REQUEST, Item

GOOD = b'{"id": "g", "title": "a \\"quoted\\" ] }"}'


def read(data: bytes) -> tuple[str | int, list[Item]]:
    found = message.members(data)
    return message.name(found), message.items(found)


@pytest.mark.parametrize("bad", [b'{"lon":NaN}', b'{"title":"\xff"}', b"nonsense", b'{"a":-Infinity, "b":[[{}]]}'])
def test_one_bad_report_does_not_spoil_its_message(bad: bytes) -> None:
    sent = b' {"reports": [' + GOOD + b", " + bad + b', {}], "id": "m-1"}\n'
    assert read(sent) == ("m-1", [Item(GOOD), Item(bad), Item(b"{}")])
    assert read(BOM + b'{"id": 7, "report": ' + bad + b"}") == (7, [Item(bad)])


def test_a_strange_member_beside_the_reports_spoils_nothing() -> None:
    assert read(b'{"id": 7, "note, \\"NaN\\": {": NaN, "report": {}}') == (7, [Item(b"{}")])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"[NaN]", "malformed_json"),
        (b'{"id": NaN, "report": {}}', "malformed_json"),
        (b'{"id": [1], "report": {}}', "malformed_json"),
        (b'{"id": 1, "report": {NaN}', "malformed_json"),
        (b'{"id": 1, NaN: {}}', "malformed_json"),
        (b'{"id": 1 "report": {}}', "malformed_json"),
        (b'{"id": 1}, {"report": NaN}', "malformed_json"),
        (b'{"\xff": 1}', "not_utf8"),
        (b'{"report": {}}', "missing"),
        (b'{"id": 1}', "missing"),
        (b'{"id": 1, "reports": 5}', "not_object_or_array"),
        (json.dumps({"id": 1, "reports": [{}] * 1_001}).encode(), "too_many_items"),
        (b'{"id": 1, "report": "' + b"x" * LARGEST_REQUEST + b'"}', "request_too_large"),
    ],
)
def test_what_says_nothing_has_its_code(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(data)
    assert refused.value.code == code


@given(st.binary() | st.text(alphabet='[]{}:,"\\\\1 Nid', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_unreadable(data: bytes) -> None:
    try:
        read(data)
    except Unreadable as error:
        assert error.code
