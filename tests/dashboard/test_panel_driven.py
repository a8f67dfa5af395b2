"""What a driven wall is told: where its map goes, and only while what it is about is open."""

from typing import Any

import orjson
from msgspec import convert

from dashboard.panels.driven import PLACE, focus, render
from operations.board import Board
from operations.driven import Driven
from operations.incident import Incident
from tests.dashboard.panel_board import WORDS, incident


def made(**more: Any) -> Incident:
    return convert(incident("a", **more), Incident)


def shown(board: Board, now: int) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = orjson.loads(render(board, now, WORDS)[PLACE]["data-walls"])
    return found


def test_the_map_goes_to_the_point_in_focus_else_to_its_grid() -> None:
    assert focus(made()) == {"lon": 123.0, "lat": 35.0}
    assert focus(made(lon=None, lat=None)) == {"grid": "990101001001001"}
    assert focus(made(placed=False)) is None


def test_a_wall_comes_back_by_itself_and_with_its_incident() -> None:
    one = made()
    told = Driven(grid="", department="", by="duty", at=0, until=1_000, incident=one.id)
    board = Board(incidents={one.id: one}, driven={"w": told})
    assert shown(board, 999)["w"]["focus"] == {"lon": 123.0, "lat": 35.0}
    assert shown(board, 1_000) == {}
    board.incidents[one.id] = made(step="closed")
    assert shown(board, 999) == {}
