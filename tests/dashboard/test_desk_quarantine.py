from types import SimpleNamespace
from typing import Any

import pytest

from config.words import Words
from dashboard import access
from dashboard.names import Names
from dashboard.panels import quarantine
from dashboard.quarantine import Quarantine
from operations import quarantine as stored
from operations import sources
from operations.errors import Refused
from operations.policy import Identity
from operations.quarantine import Item, Opened, Quarantined
from operations.report import Refusal
from operations.sources import Source
from streams.errors import Unreadable

ZH = Words("zh")
NAMES = Names.load(ZH, {}, (), {"hotline": "12345 热线"})


def item(id: str, at: int, reason: str = "place_swapped") -> Item:
    return Item(id, "hotline", "r1", "2", reason, "place", "ab" * 32, 12, "open", at, None, "", "")


def commands(**deeds: Any) -> Any:
    identity = Identity("account", "1", "王敏", "duty_commander")
    return SimpleNamespace(quarantine=SimpleNamespace(**deeds), identity=lambda: identity, wait=lambda work: work)


def test_rows_are_in_words_and_in_order() -> None:
    rows = quarantine.rows([item("b", 2), item("a", 1, "conflict")], NAMES)
    assert [row.id for row in rows] == ["b", "a"]
    assert rows[1].why == "同一编号、同一版本已有不同内容"
    assert (rows[0].why, rows[0].source, rows[0].report) == ("经纬度疑似颠倒", "12345 热线", "r1 2")


def test_a_page_says_how_many_there_are_and_whether_there_are_more() -> None:
    found = Quarantined([item("b", 2), item("a", 1)], 7, "a")
    told = quarantine.listing(found, NAMES, "")
    assert ([row["id"] for row in told["rows"]], told["total"], told["more"], told["before"]) == (
        ["b", "a"],
        7,
        True,
        "",
    )
    last = quarantine.listing(Quarantined([], 7, None), NAMES, "a")
    assert (last["rows"], last["more"], last["before"]) == ([], False, "a")


def test_content_is_laid_out_when_it_is_json_and_shown_as_it_is_when_not() -> None:
    def content(raw: bytes) -> tuple[str, bool]:
        return quarantine.content(Opened(item("a", 1), raw, {}))

    assert content(b'{"a":[1,2]}') == ('{\n  "a": [\n    1,\n    2\n  ]\n}', True)
    assert content(b'{"title": NaN}') == ('{"title": NaN}', True)
    assert content(b"\xff\xfe{") == ("��{", False)


def test_reading_passes_the_reason_on_and_shows_what_intake_suggests() -> None:
    seen: list[tuple[str, str]] = []

    def read(id: str, reason: str) -> Opened:
        seen.append((id, reason))
        return Opened(item(id, 1), b"{}", {"lon": "121.5", "lat": "31.2"})

    told = quarantine.perform(commands(read=read), ZH, {"action": "read", "id": "a", "reason": "修正", "serial": 4})
    assert (told["ok"], told["serial"], told["content"]) == (True, 4, "{}")
    assert told["hint"] == "疑为 经度 121.5 纬度 31.2"
    assert seen == [("a", "修正")]


def test_a_suggestion_and_a_field_are_in_words() -> None:
    swollen = Opened(item("a", 1), b"{}", {"given": "35472545.0", "lat": "35.472545"})
    assert quarantine.hint(swollen, ZH) == "疑为 35.472545"
    assert quarantine.hint(Opened(item("a", 1), b"{}", {}), ZH) == ""
    paths = ("title", "place.lat", "occurred_at", "revision", "place.planet")
    assert [quarantine.field(path, ZH) for path in paths] == ["标题", "纬度", "发生时间", "版本", "place.planet"]


def test_what_is_still_wrong_is_said_and_nothing_else_happens() -> None:
    wrong = Refusal("hotline", "missing", b"{}", "00", 1, field="id")
    told = quarantine.perform(
        commands(resubmit=lambda *_: wrong), ZH, {"action": "resubmit", "id": "a", "content": "{}"}
    )
    assert (told["ok"], told["text"]) == (False, "仍有问题：缺少必填项（编号）")


def test_refusals_and_nonsense_are_answers_not_errors() -> None:
    def ended(*_: object) -> None:
        raise Refused("operations.quarantine_ended", state="discarded")

    told = quarantine.perform(commands(discard=ended), ZH, {"action": "discard", "id": "a", "reason": "重复"})
    assert (told["ok"], told["code"]) == (False, "operations.quarantine_ended")
    for asked in ({}, {"action": "resubmit", "id": "a", "content": ""}, {"action": "read", "id": 7}):
        assert quarantine.perform(commands(read=ended), ZH, dict(asked))["code"] == "unclear"


@pytest.mark.parametrize("reason,mapping", [("conflict", ""), ("place_swapped", "hotline")])
def test_a_restated_report_is_sent_in_our_own_form_whatever_its_source_writes(
    monkeypatch: pytest.MonkeyPatch, reason: str, mapping: str
) -> None:
    sent: list[Source] = []
    intake = SimpleNamespace(
        examine=lambda source, _item: sent.append(source), accept=lambda source, _items: sent.append(source)
    )
    identity = Identity("account", "1", "王敏", "duty_commander")
    opened = Opened(item("a", 1, reason), b"{}", {})
    monkeypatch.setattr(access, "current", lambda: identity)
    monkeypatch.setattr(sources, "get", lambda *_: Source("hotline", "12345 热线", mapping="hotline"))
    monkeypatch.setattr(stored, "get", lambda *_: opened)
    monkeypatch.setattr(stored, "resubmit", lambda *_, **__: None)
    port: Any = Quarantine(None, None, None, intake, None)  # type: ignore[arg-type]
    assert port.resubmit("a", b"{}", lambda _work: None) is None
    assert [source.mapping for source in sent] == [mapping, mapping]


def test_a_repaired_warning_goes_to_the_door_of_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    identity = Identity("account", "1", "王敏", "duty_commander")
    monkeypatch.setattr(access, "current", lambda: identity)
    monkeypatch.setattr(sources, "get", lambda *_: Source("qx", "气象"))
    monkeypatch.setattr(stored, "get", lambda *_: Opened(item("a", 1, "missing"), b"<alert/>", {}))
    monkeypatch.setattr(stored, "resubmit", lambda _database, _identity, id, *_, **__: ended.append(id))

    def take(_source: Source, body: bytes) -> None:
        if b"scope" not in body:
            raise Unreadable("missing", "scope")

    port: Any = Quarantine(None, None, None, None, SimpleNamespace(take=take))  # type: ignore[arg-type]
    wrong = port.resubmit("a", b"\n<alert/>", lambda work: work)
    assert (wrong.reason, wrong.field, ended) == ("missing", "scope", [])
    assert port.resubmit("a", b"<alert><scope>Public</scope></alert>", lambda work: work) is None
    assert ended == ["a"]
