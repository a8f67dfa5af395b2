"""The page of pictures asks for cameras and reasons; it is told what one may look through, and nothing more."""

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from config.words import Words
from dashboard.panels.pictures import FOUND_MOST, answer
from operations.cameras.reading import Camera
from operations.errors import Forbidden
from operations.kept_views import PICTURES, Tiles, View
from tests.dashboard.panel_board import board, incident
from tests.operations.test_cameras_near import camera

WORDS = Words("zh")


def commands(found: list[Camera]) -> Any:
    """What the panel asks: a catalogue of these, and a board with an open and a closed incident."""
    by_id = {one.id: one for one in found}
    book = SimpleNamespace(filmed=lambda most: found[:most], of=lambda ids: [by_id[id] for id in ids if id in by_id])
    filled = board(incident("a"), incident("b", urgency="critical"), incident("c"))
    filled.incidents["c"] = structs.replace(filled.incidents["c"], closed_at=1)
    page = SimpleNamespace(find=lambda asked, most: SimpleNamespace(cameras=found[:most], total=len(found)))
    return SimpleNamespace(camerabook=book, catalogue=page, ask=lambda question, action: question(filled))


def test_what_is_found_says_whether_it_can_be_looked_at() -> None:
    off = structs.replace(camera("b", 2), status="off")
    told = answer(commands([camera("a", 1), off]), WORDS, {"do": "find", "text": "x", "serial": 3})
    assert (told["ok"], told["serial"], told["more"]) == (True, 3, False)
    assert [(one["id"], one["condition"], one["about"]) for one in told["cameras"]][1] == ("b", "off", "离线")


def test_more_than_is_listed_is_said() -> None:
    for asked in ({"do": "find"}, {"do": "find", "text": "路"}):
        told = answer(commands([camera(f"c{n}", n) for n in range(FOUND_MOST + 5)]), WORDS, asked)
        assert told["more"] and len(told["cameras"]) == FOUND_MOST


def test_cards_leave_out_what_is_out_of_reach_and_are_as_many_as_there_are_tiles() -> None:
    told = answer(commands([camera("a", 1)]), WORDS, {"do": "cards", "ids": ["a", "gone"]})
    assert [one["id"] for one in told["cameras"]] == ["a"]
    ids = [f"c{n}" for n in range(17)]
    all_of_them = commands([camera(id, 1) for id in ids])
    assert len(answer(all_of_them, WORDS, {"do": "cards", "ids": ids[:16]})["cameras"]) == 16
    assert not answer(all_of_them, WORDS, {"do": "cards", "ids": ids})["ok"]


def test_reasons_are_open_incidents_the_gravest_first_and_the_one_meant_before_all() -> None:
    def ids(**more: str) -> list[str]:
        return [one["id"] for one in answer(commands([]), WORDS, {"do": "whys", **more})["incidents"]]

    assert ids() == ["b", "a"]
    assert ids(incident="a") == ["a", "b"]


@pytest.mark.parametrize("asked", [{}, {"do": "drop table"}, {"do": "cards"}, {"do": "cards", "ids": "a"}])
def test_what_is_no_question_is_answered_kindly(asked: dict[str, Any]) -> None:
    told = answer(commands([]), WORDS, asked)
    assert not told["ok"] and "刷新" in told["text"]


def test_a_refusal_is_told_and_not_raised() -> None:
    refusing = commands([])

    def filmed(most: int) -> list[Camera]:
        raise Forbidden()

    refusing.camerabook.filmed = filmed
    assert not answer(refusing, WORDS, {"do": "find"})["ok"]


def test_views_are_kept_forgotten_and_listed() -> None:
    done: list[object] = []
    book = SimpleNamespace(
        listed=lambda kind: [View("v1", "路口", Tiles(4, ("a", "")))],
        keep=lambda name, shown, kind: done.append((name, shown, kind)) or View("v1", name, Tiles(1, ())),
        drop=lambda id, kind: done.append((id, kind)),
    )
    asking: Any = SimpleNamespace(views=book)
    shown = {"tiles": 4, "cameras": ["a", ""]}
    kept = answer(asking, WORDS, {"do": "keep", "name": "路口", "shown": shown})
    assert kept["ok"] and "路口" in kept["text"]
    assert kept["views"] == [{"id": "v1", "name": "路口", "tiles": 4, "cameras": ("a", "")}]
    assert answer(asking, WORDS, {"do": "drop", "id": "v1", "name": "路口"})["ok"]
    assert done == [("路口", shown, PICTURES), ("v1", PICTURES)]
