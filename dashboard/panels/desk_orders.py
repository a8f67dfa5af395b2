"""The receipt matrix 回执 of the desk: orders × recipients, kept live by order, aged in the browser.

The most pressing 200 orders with at most 50 recipients each; only those that entries touched are sent again
(`assets/desk/orders.js` draws them).
"""

from collections.abc import Iterable
from typing import Any

from dash import html

from config.words import Words
from dashboard.panels.order_shell import CHOICES, Row, row
from operations.board import Board

MATRIX = "desk-orders"


def rows(board: Board, now: int, ids: Iterable[str] | None = None) -> dict[str, Row | None]:
    """Return {id: row} of all or of `ids`, None for an order that is not there."""
    found = {id: board.orders.get(id) for id in (board.orders if ids is None else ids)}
    return {id: row(one) if one else None for id, one in found.items()}


KEYED = {"orders": rows}
CHOSEN = {"orders": CHOICES}


def layout(words: Words) -> html.Section:
    """Return the empty matrix."""
    return html.Section(
        html.P(words.text("desk.orders.loading"), className="desk-empty"),
        id=MATRIX,
        className="desk-orders",
        **{"aria-label": words.text("desk.orders.title"), "data-open": "0"},
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return how many are open, held here or not."""
    return {MATRIX: {"data-open": str(len(board.orders) - len(board.ended_orders))}}
