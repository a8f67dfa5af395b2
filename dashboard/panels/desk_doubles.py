"""Proposed doubles 疑似同一事件: how many open incidents may be one event with each, pushed by id for the queue's rows.

Which they are is written into the drawer by `desk_drawer`, in the scope of whoever opened it.
"""

from collections.abc import Iterable

from dash import html

from config.words import Words
from operations.board import Board
from operations.doubles import Doubles

DOUBLES = "doubles"


def rows(board: Board, now: int, ids: Iterable[str] | None = None) -> dict[str, int | None]:
    """Return {id: how many others may be the same event} of all or of `ids`, None for none; from the whole board."""
    found = Doubles()
    found.update(board.incidents, board.incidents)
    return counts(found, board.incidents if ids is None else ids)


def counts(found: Doubles, ids: Iterable[str]) -> dict[str, int | None]:
    """Return {id: how many twins it has}, None for none."""
    return {one: len(found.near[one]) if one in found.near else None for one in ids}


KEYED = {DOUBLES: rows}
FOLLOWED = {DOUBLES: (Doubles, counts)}


def layout(words: Words) -> html.Div:
    """Return nothing to see: the queue and the drawer show what is proposed."""
    return html.Div(hidden=True)
