"""Commands of the desk against a real database: what the browser is told, conflicts, and the history in words."""

import math
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from config.words import Words
from dashboard import errand, history
from dashboard.names import Names
from dashboard.panels import desk_drawer, desk_start
from operations import journal
from operations.database import Database
from operations.policy import Identity
from operations.seal import KeyStore
from tests.operations.desk import COMMANDER, LEADER, LEAVES, OPERATOR, Desk, report

NAMES = Names.load(Words("zh"), {LEAVES[1]: "第二网格"}, LEAVES, {"hotline": "12345 热线"})


def do(city: Desk, who: Identity, action: str, **asked: Any) -> dict[str, Any]:
    """Carry out one command on the only incident, at its present revision unless told otherwise."""
    one = city.incident()
    told = {"action": action, "id": one.id, "revision": one.revision, "serial": 7} | asked
    return errand.perform(city.commands, who, NAMES, told)


@pytest.fixture
def desk(database: Database, folder: Path) -> Iterator[Desk]:
    keys = KeyStore(folder / "keys")
    yield Desk(database, keys)
    keys.close()


@pytest.fixture
def opened(desk: Desk) -> Desk:
    desk.send(report(urgency="urgent"))
    return desk


def test_the_whole_journey_and_its_history(opened: Desk) -> None:
    assert do(opened, OPERATOR, "acknowledge")["text"].startswith("已签收 ")
    assert do(opened, OPERATOR, "note", text="已派巡逻车")["ok"]
    assert do(opened, OPERATOR, "urgency", urgency="critical")["text"].endswith("改为特急")
    assert do(opened, OPERATOR, "place", grid=LEAVES[1])["ok"]
    assert do(opened, OPERATOR, "close", result="resolved", text="红灯已修好")["ok"]
    assert do(opened, COMMANDER, "reopen", text="又不亮了")["ok"]
    entries = opened.commands.history(OPERATOR, opened.incident().id)
    told = [(line.who, line.what, line.more) for line in history.history(entries, NAMES)]
    assert told == [
        ("commander", "重新打开", "又不亮了"),
        ("operator", "办结，结果：已解决", "红灯已修好"),
        ("operator", "人工落格到 第二网格", ""),
        ("operator", "紧急程度改为特急", ""),
        ("operator", "备注", "已派巡逻车"),
        ("operator", "签收", ""),
        ("12345 热线", "接报立案", "某某路口红灯不亮，请尽快处理。"),
    ]
    assert history.latest_text(entries) == "某某路口红灯不亮，请尽快处理。"


def test_the_second_of_two_is_shown_what_the_first_did_and_can_redo_it(opened: Desk) -> None:
    seen = opened.incident().revision
    do(opened, COMMANDER, "urgency", urgency="critical")
    told = do(opened, OPERATOR, "close", revision=seen, result="resolved", text="")
    assert (told["ok"], told["code"], told["serial"]) == (False, "conflict", 7)
    assert "commander：紧急程度改为特急" in told["text"]
    assert do(opened, OPERATOR, "close", revision=told["revision"], result="resolved")["ok"]


def test_who_may_not_is_told_so_in_words(opened: Desk) -> None:
    told = do(opened, LEADER, "acknowledge")
    assert not told["ok"]
    assert "不能" in told["text"]
    assert do(opened, OPERATOR, "reopen", text="再看")["ok"] is False


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "explode"},
        {"action": "urgency", "urgency": "bored"},
        {"action": "close", "result": ""},
        {"action": "close", "result": "resolved", "text": "字" * 2_001},
        {"action": "note", "text": 7},
        {"action": "place", "lon": "x", "lat": 1},
        {"action": "place", "lon": True, "lat": 1},
        {"action": "place", "lon": math.nan, "lat": 1},
        {"action": "place", "lon": 120, "lat": math.inf},
        {"action": "place", "lon": 10**400, "lat": 1},
        {"action": "place", "grid": "\ud800"},
        {"action": "note", "text": "半个字 \ud800"},
        {"action": "acknowledge", "id": "\udfff"},
        {"action": "acknowledge", "revision": math.nan},
        {"action": "acknowledge", "revision": -math.inf},
        {"action": "acknowledge", "revision": 10**400},
        {"action": "acknowledge", "id": 7},
        {"action": "acknowledge", "revision": "1"},
        {"action": "distinct"},
        {"action": "distinct", "others": "x"},
        {"action": "distinct", "others": [7]},
        {"action": "distinct", "others": ["x"] * 9},
        {},
    ],
)
def test_what_is_no_command_changes_nothing(opened: Desk, asked: dict[str, Any]) -> None:
    before = opened.incident()
    told = do(opened, OPERATOR, asked.pop("action", ""), **asked)
    assert (told["ok"], told["code"]) == (False, "unclear")
    assert opened.incident() == before


def test_a_point_off_the_earth_is_refused_in_words(opened: Desk) -> None:
    told = do(opened, OPERATOR, "place", lon=500, lat=500, serial=10**400)
    assert (told["ok"], told["code"], told["serial"]) == (False, "operations.place_out_of_range", 0)
    assert "±180" in told["text"]


def test_an_unknown_incident_and_a_missing_note_are_refused_in_words(opened: Desk) -> None:
    assert do(opened, OPERATOR, "acknowledge", id="0192f0c1-0000-7000-8000-000000000000")["ok"] is False
    told = do(opened, OPERATOR, "note", text="")
    assert told["ok"] is False
    assert told["text"]


def test_reading_the_original_is_recorded(opened: Desk) -> None:
    told = do(opened, COMMANDER, "reveal", reason="核对报告人")
    assert told["sealed"]["报告人"] == "张*"
    entry = opened.entries()[-1]
    assert (entry.action, entry.reason) == ("incident.unsealed", "核对报告人")


def test_who_may_not_read_texts_sees_none(opened: Desk) -> None:
    entries = opened.commands.history(LEADER, opened.incident().id)
    assert history.latest_text(entries) == ""
    assert [line.more for line in history.history(entries, NAMES)] == [""]


def drawn(desk: Desk, who: Identity) -> str:
    nothing = SimpleNamespace(listed=lambda *_: [])
    commands = SimpleNamespace(
        operations=desk.commands, attachments=nothing, identity=lambda: who, ask=lambda ask, _: ask(desk.board())
    )
    return str(desk_drawer.look(commands, NAMES, desk.incident().id))


def test_who_may_not_read_texts_is_told_who_may(opened: Desk) -> None:
    do(opened, OPERATOR, "note", text="已派巡逻车")
    assert "以领导身份看不到来件内容和备注；值班员、值班长、部门联络员可以看。" in drawn(opened, LEADER)
    assert "已派巡逻车" not in drawn(opened, LEADER)
    assert "看不到" not in drawn(opened, OPERATOR) and "请尽快处理" in drawn(opened, OPERATOR)


def test_what_may_be_one_event_is_shown_told_apart_and_taken_back(opened: Desk) -> None:
    opened.send(report("B7", source="worker", occurred_at=opened.now - 30 * 1_000_000))
    other = opened.incident(1)
    shown = drawn(opened, OPERATOR)
    assert "2 件来件，是否同一事件？" in shown and other.number in shown and other.id in shown
    assert "相距 0 米 · 晚 " in shown
    assert do(opened, LEADER, "distinct", others=[other.id])["ok"] is False
    told = do(opened, OPERATOR, "distinct", others=[other.id])
    assert told["ok"] and "不再提示" in told["text"]
    assert "同一事件？" not in drawn(opened, OPERATOR)
    assert "恢复提示" in do(opened, OPERATOR, "distinct", others=[other.id], same=True)["text"]
    assert "同一事件？" in drawn(opened, OPERATOR)
    entries = opened.commands.history(OPERATOR, opened.incident().id)
    assert [line.what for line in history.history(entries, NAMES)][:2] == [
        "撤回“不是同一事件”", "判定与另一件不是同一事件",
    ]  # fmt: skip


OPERATORS = ("orders", "directory", "outlets", "upward", "handover")


@pytest.mark.parametrize(
    ("who", "pages"),
    [
        (LEADER, {"me", "wall", "desk", "heat", "directory", "upward", "pictures", "access", "cameras"}),
        (
            OPERATOR,
            {"me", "wall", "desk", "heat", "quarantine", "orders", "directory", "outlets", "upward", "handover"}
            | {"pictures", "access", "cameras"},
        ),
        (Identity("wall", role="wall"), {"wall"}),
    ],
)
def test_the_header_is_told_which_pages_one_may_open(who: Identity, pages: set[str]) -> None:
    assert set(desk_start.rows(who, NAMES)["me"]["pages"]) == pages


def test_the_browser_is_told_every_choice_and_the_texts_name_them_all() -> None:
    facts = desk_start.rows(OPERATOR, NAMES)
    for choice, texts in (("urgencies", "urgency"), ("results", "result"), ("channels", "channel")):
        assert {f"{texts}.{one}" for one in facts[choice]} <= facts["words"].keys()
    assert facts["urgencies"] == ["critical", "urgent", "routine"]


def test_facts_of_an_unplaced_incident(desk: Desk) -> None:
    desk.send(report(grid_code="", marks=("late", "skew"), presence="gone", status="受理中", channel="media"))
    facts = {fact.name: fact.value for fact in desk_drawer.facts(desk.incident(), NAMES)}
    assert facts["place"] == "未落格"
    assert "相距 120 米" in facts["nearest"] or "相距 121 米" in facts["nearest"]
    assert facts["marks"] == "迟报、来源时钟偏快"
    assert facts["source_status"] == "受理中"
    assert facts["channel"] == "媒体"
    assert facts["acknowledged"] == "未签收"


def test_a_grid_without_coordinates_is_told_as_that(opened: Desk) -> None:
    found = structs.replace(opened.incident(), grid="12", chain=("1", "12"), lon=None, lat=None)
    facts = {fact.name: fact.value for fact in desk_drawer.facts(found, NAMES)}
    assert "只落到网格" in facts["point"]


def test_the_drawer_shows_the_present_state_and_counts_what_it_leaves_out(
    opened: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(opened, OPERATOR, "acknowledge")
    do(opened, OPERATOR, "close", result="resolved", text="红灯已修好")
    monkeypatch.setattr(journal, "HISTORY_LIMIT", 1)
    shown = drawn(opened, OPERATOR)
    assert "共 3 条" in shown and "已解决" in shown


def test_every_text_is_there_in_english_too(opened: Desk) -> None:
    names = Names.load(Words("en"), {}, (), {})
    do(opened, OPERATOR, "acknowledge")
    entries = opened.commands.history(OPERATOR, opened.incident().id)
    details = desk_drawer.details(opened.incident(), "x", history.history(entries, names), names)
    assert details.children
    assert [line.what for line in history.history(entries, names)] == ["Acknowledged", "Opened by a report"]


def test_a_double_is_merged_by_a_key_split_again_and_linked(opened: Desk) -> None:
    opened.send(report("B7", source="worker", occurred_at=opened.now - 30 * 1_000_000))
    whole, other = opened.incident(), opened.incident(1)
    assert do(opened, LEADER, "merge", others=[other.id])["ok"] is False
    assert "并入" in do(opened, OPERATOR, "merge", others=[other.id])["text"]
    shown = drawn(opened, OPERATOR)
    assert "并入的事件（1 起）" in shown and other.number in shown and "同一事件？" not in shown
    assert "恢复到合并前" in do(opened, OPERATOR, "split", others=[other.id])["text"]
    assert "同一事件？" in drawn(opened, OPERATOR)
    assert do(opened, OPERATOR, "link", others=[other.id])["ok"]
    assert "关联的事件（1 起）" in drawn(opened, OPERATOR)
    entries = opened.commands.history(OPERATOR, whole.id)
    told = [line.what for line in history.history(entries, NAMES)]
    assert told[:3] == ["关联另一起事件", f"拆分出 {other.number}", f"并入了 {other.number}"]
