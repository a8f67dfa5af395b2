"""Which grants are in force, as a mark that changes with them: pictures that wait for one ask again (授权变更).

It says nothing of whose they are; each tile asks the gate about itself (`assets/video/tile.js`).
"""

import hashlib
from typing import Any

from dash import html

from config.words import Words
from operations.board import Board

PLACE = "granted"


def layout(_words: Words) -> html.Div:
    """Return the mark."""
    return html.Div(id=PLACE, hidden=True, **{"data-granted": ""})


def render(board: Board, now: int, _words: Words) -> dict[str, dict[str, Any]]:
    """Return a digest of the grants that have begun, and until when they last."""
    begun = "".join(sorted(f"{id}{one.until_at}" for id, one in board.granted.items() if one.from_at <= now))
    return {PLACE: {"data-granted": hashlib.sha256(begun.encode()).hexdigest()[:16]}}
