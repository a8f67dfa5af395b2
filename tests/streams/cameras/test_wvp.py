"""WVP's list of channels from a real server: all pages or nothing, and never a word of the token."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from streams.cameras import columns, ledger, wvp
from streams.errors import SourceAway
from tests.streams.feed import Asked, Feed, Told, told

COUNT = 1_201


@pytest.fixture
def platform() -> Iterator[Feed]:
    feed = Feed()
    feed.answer = listed
    yield feed
    feed.close()


def page(asked: Asked) -> tuple[int, int]:
    query = parse_qs(urlsplit(asked.path).query)
    return int(query["page"][0]), int(query["count"][0])


def channels(first: int, last: int) -> list[dict[str, object]]:
    return [
        {"gbDeviceId": f"c{number}", "gbName": "门", "gbLongitude": 118.8, "gbLatitude": 32.0, "gbDirectionType": 3}
        for number in range(first, min(last, COUNT))
    ]


def listed(asked: Asked) -> Told:
    number, count = page(asked)
    data = {"total": COUNT, "list": channels((number - 1) * count, number * count)}
    return told({"code": 0, "msg": "成功", "data": data})


def test_all_pages_are_one_list_that_is_a_ledger(platform: Feed) -> None:
    rows = msgspec.json.decode(wvp.pulled(f"{platform.url}/api/common/channel/list?online=true", "t0ken"))
    assert [page(asked) for asked in platform.asked] == [(1, 500), (2, 500), (3, 500)]
    assert {asked.headers["access-token"] for asked in platform.asked} == {"t0ken"}
    items = ledger.items_of(rows, columns.proposed(rows[0].keys()), "WGS84")
    assert (len(items), items[0].code, items[0].direction) == (COUNT, "c0", 180.0)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda asked: told({"code": 0, "data": {"total": COUNT, "list": channels(0, 500)}}), "incomplete"),
        (lambda asked: told({"code": 401, "msg": "t0ken"}), "no_list"),
        (lambda asked: Told(401), "login_refused"),
        (lambda asked: Told(302, b"", {"location": "http://127.0.0.2/"}), "status"),
        (lambda asked: told({"code": 0, "data": {"total": wvp.MOST + 1, "list": []}}), "too_many_items"),
        (lambda asked: told({"code": 0, "data": {"total": 1, "list": [{"name": "x"}]}}), "no_list"),
        (lambda asked: Told(200, b"<html>"), "no_list"),
    ],
)
def test_a_part_of_a_list_is_none(platform: Feed, answer: object, code: str) -> None:
    platform.answer = answer  # type: ignore[assignment]
    with pytest.raises(SourceAway) as away:
        wvp.pulled(f"{platform.url}/list", "t0ken")
    assert away.value.code == code
    assert "t0ken" not in str(away.value)


def test_an_address_with_a_user_in_it_is_not_asked() -> None:
    with pytest.raises(SourceAway):
        wvp.pulled("http://u:p@127.0.0.1/list")
