from types import SimpleNamespace
from typing import Any

import pytest

from config.taxonomy import Taxonomy
from config.words import Words
from dashboard.asked import Unclear
from dashboard.panels import desk_register
from operations.policy import Identity
from operations.report import Report
from operations.sources import Source
from streams.errors import BacklogFull, EngineAway
from streams.normalise import normalise

ZH = Words("zh")
FORM: dict[str, Any] = {
    "serial": 3,
    "report": "c6affcc4-7c83-49af-9cb0-9570363125ae",
    "at": 1_800_000_000_000,
    "caller": "张三",
    "phone": "13900001111",
    "channel": "leader",
    "type": "0303",
    "urgency": "critical",
    "address": "北塘路 12 号",
    "lon": 123.07,
    "lat": 35.53,
    "title": "楼道里有燃气味",
    "text": "三单元，味道很浓。",
}


def commands(register: Any, allowed: bool = True) -> Any:
    return SimpleNamespace(
        register=register, allowed=lambda _: allowed, identity=lambda: Identity("account", "1", "赵局", "leader")
    )


def test_a_filled_form_is_a_report_that_intake_takes_without_a_mark() -> None:
    given = desk_register.report(FORM)
    found = normalise(given, Source("desk", "值班台"), Taxonomy.load(), FORM["at"] * 1_000 + 60_000_000)
    assert isinstance(found, Report)
    assert found.marks == ()
    assert found.occurred_at == FORM["at"] * 1_000
    assert found.reporter == {"name": "张三", "phone": "13900001111"}
    assert found.channel == "leader"
    assert found.place is not None
    assert (found.place.lon, found.place.lat, found.place.address) == (123.07, 35.53, "北塘路 12 号")


def test_a_form_with_neither_place_nor_caller_is_taken_as_unplaced() -> None:
    empty = {name: value for name, value in FORM.items() if name not in ("lon", "lat", "address", "caller", "phone")}
    found = normalise(desk_register.report(empty), Source("desk", "值班台"), Taxonomy.load(), FORM["at"] * 1_000)
    assert isinstance(found, Report)
    assert found.place is None
    assert found.reporter == {}


def test_the_same_form_sent_twice_is_the_same_report() -> None:
    assert desk_register.report(FORM) == desk_register.report(FORM)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": ""},
        {"channel": "telepathy"},
        {"urgency": "bored"},
        {"report": None},
        {"lon": "x"},
        {"lat": None},
        {"at": None},
        {"at": 1e300},
        {"at": float("nan")},
        {"text": "字" * 4_001},
        {"title": ["x"]},
    ],
)
def test_a_form_the_browser_could_not_have_sent_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unclear):
        desk_register.report(FORM | wrong)


def test_what_the_operator_is_told() -> None:
    taken = SimpleNamespace(quarantined=[], duplicates=0)
    told = desk_register.send(commands(lambda _: taken), ZH, FORM)
    assert (told["ok"], told["serial"], told["report"]) == (True, 3, FORM["report"])
    repeat = SimpleNamespace(quarantined=[], duplicates=1)
    assert "没有重复登记" in desk_register.send(commands(lambda _: repeat), ZH, FORM)["text"]
    bad = SimpleNamespace(quarantined=[SimpleNamespace(field="place.lon", reason="place_swapped")], duplicates=0)
    told = desk_register.send(commands(lambda _: bad), ZH, FORM)
    assert (told["ok"], told["field"]) == (False, "place.lon")
    assert "经纬度" in told["text"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(EngineAway("gone"), "away"), (BacklogFull("backlog_full", "full"), "full"), (TimeoutError(), "no_answer")],
)
def test_nothing_typed_is_lost_when_intake_cannot_take_it(error: Exception, code: str) -> None:
    def register(_: object) -> Any:
        raise error

    told = desk_register.send(commands(register), ZH, FORM)
    assert (told["ok"], told["code"]) == (False, code)


def test_who_may_not_register_is_told_so() -> None:
    told = desk_register.send(commands(None, allowed=False), ZH, FORM)
    assert told["text"] == "领导不能做这项操作。"
