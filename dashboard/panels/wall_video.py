"""Live pictures on the wall 现场画面: those nearest to the gravest incident. Which, the wall asks when this changes.

What may be followed is in the frame of all screens of a scope; how long a wall has shown what, and which cameras it
cannot play, it knows itself (`assets/wallvideo.js`), and the choice is `dashboard/wallpictures.py`. Without any camera
in the catalogue, or set up without video, the panel is not there.
"""

from typing import Any

import msgspec
import orjson
from dash import html

from config.words import Words
from dashboard.panels.shell import shell
from dashboard.wallpictures import candidates
from operations.board import Board
from operations.cameras.following import Candidate

FOLLOW = "wall-video-follow"
PACE = 1.0


def rows(board: Board, now: int) -> list[Candidate]:
    """Return the incidents that may be followed, the gravest first."""
    return candidates(board)


def layout(words: Words) -> html.Section:
    """Return the panel, which shows nothing before it has asked."""
    states = orjson.dumps(words.under("wall.video.state")).decode()
    said = orjson.dumps(words.under("wall.video.slow")).decode()
    body = [
        html.Div(id=FOLLOW, hidden=True, **{"data-follow": ""}),
        html.Div(
            id="wall-video-tiles",
            className="video-tiles",
            **{"data-most": str(words.city.wall_video), "data-states": states, "data-slow": said},
        ),
        html.Small(words.text("wall.video.deterrent"), className="video-deterrent"),
    ]
    return shell("video", words, body)


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return what may be followed, and what desks say about it; a change has the walls ask."""
    focused = sorted((wall, one.incident) for wall, one in board.driven.items() if one.incident and now < one.until)
    told = [rows(board, now), sorted(board.pictured.items()), focused]
    return {FOLLOW: {"data-follow": msgspec.json.encode(told).decode()}}
