"""The pictures nearest to an incident: which cameras the sheet offers, and why it offers none."""

from types import SimpleNamespace
from typing import Any

import pytest

from config.words import Words
from dashboard.panels.desk_cameras import answer
from operations.cameras.near import Near
from operations.errors import Forbidden
from tests.operations.test_cameras_near import camera

WORDS = Words("zh")
PLACED = SimpleNamespace(lon=120.0, lat=30.0)


def commands(incident: Any, found: list[Near]) -> Any:
    """What the panel asks: the board, and the catalogue."""
    board = SimpleNamespace(incidents={"i1": incident} if incident else {})
    near = SimpleNamespace(near=lambda lon, lat: found)
    return SimpleNamespace(ask=lambda question, _action: question(board), camerabook=near)


def asked(**more: object) -> dict[str, Any]:
    return {"serial": 7, "incident": "i1", **more}


def test_each_camera_says_how_far_it_is_where_it_looks_and_whether_it_shows_anything() -> None:
    found = [Near(camera("a", 1), 49.6, True, True), Near(camera("b", 2), 100.0, None, False)]
    told = answer(commands(PLACED, found), WORDS, asked())
    assert (told["ok"], told["serial"]) == (True, 7)
    assert [(one["id"], one["usable"], one["about"]) for one in told["cameras"]] == [
        ("a", True, "50 米 · 朝向事发地"),
        ("b", False, "100 米 · 朝向不明 · 无可用画面"),
    ]


@pytest.mark.parametrize(
    ("incident", "said"),
    [(None, "不归您看"), (SimpleNamespace(lon=None, lat=None), "没有坐标"), (PLACED, "3000 米内没有摄像机")],
)
def test_without_cameras_it_says_why(incident: Any, said: str) -> None:
    told = answer(commands(incident, []), WORDS, asked())
    assert not told["ok"]
    assert said in told["text"]


def test_a_refusal_is_told_and_not_raised() -> None:
    refusing = commands(PLACED, [])

    def near(lon: float, lat: float) -> list[Near]:
        raise Forbidden()

    refusing.camerabook.near = near
    assert not answer(refusing, WORDS, asked())["ok"]
    assert not answer(refusing, WORDS, asked(incident=["i1"]))["ok"]
