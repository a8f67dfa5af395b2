"""Which live pictures a wall shows: the gravest incident's, and what desks said of them, in words."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard.panels.desk_drive import answer
from dashboard.panels.wall_video import FOLLOW, render
from dashboard.wallpictures import Situation, Wallpictures, Wish, situation
from operations.board import Board
from operations.cameras.near import Near
from operations.driven import Driven
from operations.driving import Playing, Target
from operations.errors import NotFound
from operations.pictured import Pictured
from tests.dashboard.panel_board import NOW, SECOND, WORDS, board, incident
from tests.operations.test_cameras_near import camera

WALL = "w"
GRAVE, LESS, QUIET = (
    incident("a", urgency="critical", minutes=3),
    incident("b", urgency="urgent", minutes=2),
    incident("c", minutes=1),
)


def said(**about: Any) -> Pictured:
    return Pictured(grid="", department="", by="王班长", at=NOW, **about)


def told(on: Board, wish: Wish, cameras: Collection[str] = ("g", "h"), bare: Collection[str] = ()) -> dict[str, Any]:
    """What a wall is told of this board; incidents of `bare` have no camera near."""
    found: Situation = situation(on, WALL, wish, NOW)
    places = {one.id: (float(number), 30.0) for number, one in enumerate(found.incidents)}
    placed = [SimpleNamespace(**{**_fields(one), "lon": places[one.id][0], "lat": 30.0}) for one in found.incidents]
    without = {places[id][0] for id in bare if id in places}
    all_of = [camera(id, number) for number, id in enumerate(cameras)]

    def near(lon: float, _lat: float) -> list[Near]:
        return [] if lon in without else [Near(one, 10.0, True, True) for one in all_of]

    def of(ids: list[str]) -> list[Any]:
        return [one for one in all_of if one.id in ids]

    book: Any = SimpleNamespace(any=lambda: True, near=near, of=of)
    wall = Wallpictures(book, None, None)  # type: ignore[arg-type]
    return wall._told(Situation(placed, found.said, found.vetoed), wish, NOW, WORDS)  # type: ignore[arg-type]


def _fields(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("id", "title", "number", "urgency")}


def test_a_wall_follows_the_gravest_and_says_nothing_of_it() -> None:
    shown = told(board(GRAVE, LESS, QUIET), Wish(4))
    assert (shown["incident"], shown["said"], [one["id"] for one in shown["cameras"]]) == ("a", "", ["g", "h"])


def test_a_pinned_incident_is_shown_whatever_its_level_and_says_by_whom() -> None:
    on = board(GRAVE, LESS, QUIET)
    on.pictured[WALL] = said(incident="c")
    shown = told(on, Wish(4))
    assert (shown["incident"], shown["said"]) == ("c", "王班长 固定")
    shown = told(on, Wish(4), bare=["c"])
    assert (shown["incident"], shown["said"]) == ("a", "王班长 固定的 1122-c 附近没有可用的摄像机")
    del on.incidents["c"]
    assert told(on, Wish(4))["incident"] == "a", "it ends with its incident"


def test_a_vetoed_incident_is_not_shown_and_the_wall_says_who_took_it_off() -> None:
    on = board(GRAVE, LESS)
    on.pictured[WALL] = said(no_incidents=("a",))
    shown = told(on, Wish(4, "a", NOW - SECOND))
    assert (shown["incident"], shown["said"]) == ("b", "王班长 撤下了 1122-a")
    on.pictured[WALL] = said(no_incidents=("a", "b"))
    assert told(on, Wish(4)) == {"state": "empty", "said": "王班长 撤下了 1122-a 1122-b"}


def test_a_vetoed_camera_gives_its_place_to_the_next() -> None:
    on = board(GRAVE)
    on.pictured[WALL] = said(no_cameras=("g",))
    assert [one["id"] for one in told(on, Wish(1))["cameras"]] == ["h"]
    on.pictured[WALL] = said(no_cameras=("g", "h"))
    assert told(on, Wish(1))["state"] == "empty"


def test_kept_cameras_stay_as_many_as_fit_those_that_are_dark_last() -> None:
    on = board(GRAVE)
    on.pictured[WALL] = said(cameras=("g", "h", "i"))
    shown = told(on, Wish(2), cameras=("g", "h", "i", "j"))
    assert (shown["title"], [one["id"] for one in shown["cameras"]]) == ("王班长 固定的画面", ["g", "h"])
    shown = told(on, Wish(2, lost=("g",)), cameras=("g", "h", "i", "j"))
    assert [one["id"] for one in shown["cameras"]] == ["h", "i"]
    assert told(on, Wish(2), cameras=("j",))["incident"] == "a", "kept cameras that are all gone keep nothing"


def test_the_pictures_go_where_a_desk_has_the_map_go_while_it_does() -> None:
    on = board(GRAVE, QUIET)
    driven = Driven(grid="", department="", by="duty", at=0, until=NOW + 1, incident="c")
    on.driven[WALL] = driven
    assert told(on, Wish(4))["incident"] == "c"
    told_walls = render(on, NOW, WORDS)[FOLLOW]["data-follow"]
    on.driven.clear()
    assert render(on, NOW, WORDS)[FOLLOW]["data-follow"] != told_walls, "walls ask again"
    on.driven[WALL] = Driven(grid="", department="", by="duty", at=0, until=NOW, incident="c")
    assert told(on, Wish(4))["incident"] == "a"


# ---- what the sheet of a desk says and asks --------------------------------------------------------------------------


class Book:
    """The walls, and what was said of them."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []

    def targets(self) -> list[Target]:
        return [Target(WALL, "大厅")]

    def playing(self) -> dict[str, Playing]:
        return {WALL: Playing("a", (("g", "东门"),))}

    def picture(self, *asked: object) -> None:
        if asked[0] != WALL:
            raise NotFound()
        self.done.append(asked)


def sheet(on: Board, **asked: object) -> tuple[dict[str, Any], Book]:
    book = Book()
    commands = SimpleNamespace(wallbook=book, ask=lambda question, _action: question(on))
    return answer(commands, WORDS, {"serial": 1, **asked}), book


def test_the_sheet_says_what_plays_and_what_was_said_of_it() -> None:
    on = board(GRAVE, LESS)
    (plain,) = sheet(on, deed="list")[0]["walls"]
    assert (plain["playing"], plain["said"]) == ({"incident": "a", "cameras": (("g", "东门"),)}, "")
    on.pictured[WALL] = said(incident="b", no_incidents=("a", "gone"), no_cameras=("g",))
    (one,) = sheet(on, deed="list")[0]["walls"]
    assert one["said"] == "王班长 · 固定 1122-b · 已撤下 1122-a · 已撤下 1 路"
    on.pictured[WALL] = said(no_incidents=("gone",))
    assert sheet(on, deed="list")[0]["walls"][0]["said"] == "", "what is over is not told"


@pytest.mark.parametrize(
    ("what", "about", "given"),
    [
        ("pin", {"incident": "a"}, ("a", [])),
        ("veto_camera", {"cameras": ["g"]}, ("", ["g"])),
        ("release", {}, ("", [])),
    ],
)
def test_the_sheet_says_it_of_the_wall(what: str, about: dict[str, Any], given: tuple[Any, ...]) -> None:
    done, book = sheet(board(), deed="picture", what=what, wall=WALL, name="大厅", **about)
    assert done["ok"] and "大厅" in done["text"]
    assert book.done == [(WALL, what, *given)]


def test_what_is_no_deed_or_no_wall_is_told() -> None:
    assert not sheet(board(), deed="picture", what="look", wall=WALL)[0]["ok"]
    assert not sheet(board(), deed="picture", what="keep", wall=WALL, cameras=["g"] * 10)[0]["ok"]
    refused, book = sheet(board(), deed="picture", what="release", wall="other", name="x")
    assert (refused["ok"], book.done) == (False, [])
