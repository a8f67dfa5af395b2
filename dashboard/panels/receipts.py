"""The receipts 交办回执 on a wall: the most pressing orders × the departments they went to, in words and shapes.

No room is taken when no order is open. A department with several recipients shows the one that presses most.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from dash import html

from config import departments
from config.words import Words
from dashboard.panels.order_shell import rank_open
from dashboard.panels.receipts_shell import LOOKS, MARKS, look
from dashboard.panels.shell import age, nothing, shell, state, titled
from operations.board import Board
from operations.orders.order import Order
from operations.views import midnight

LIST = "wall-receipts-list"
NOTE = "wall-receipts-note"
ROWS = 3
COLUMNS = {"zh": 6, "en": 4}
PACE = 1.0


@dataclass(frozen=True)
class Row:
    """One order: a look for each column, "" where it did not go."""

    id: str
    urgency: str
    title: str | None
    sent_at: int
    looks: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The matrix with what it counts: open orders, recipients that wait, refused, overdue; `median_s`."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    open: int = 0
    waiting: int = 0
    refused: int = 0
    overdue: int = 0
    median_s: float | None = None


def rows(board: Board, now: int, most: int = COLUMNS["zh"], today: int = 0) -> Table:
    """Return the most pressing orders over the departments that most of them went to."""
    opened = [one for key, one in board.orders.items() if key not in board.ended_orders]
    looks = [look(to, now) for one in opened for to in one.recipients]
    shown = sorted(opened, key=lambda one: pressing(one, now))[:ROWS]
    went = Counter(code for one in shown for code in dict.fromkeys(to.department for to in one.recipients))
    columns = tuple(code for code, _ in went.most_common(most))
    return Table(
        columns,
        tuple(Row(one.id, one.urgency, one.title or None, one.sent_at, across(one, columns, now)) for one in shown),
        len(opened),
        sum(to.waits and to.signed_at is None for one in opened for to in one.recipients),
        looks.count("refused"),
        looks.count("overdue"),
        signing(board.orders.values(), today),
    )


def pressing(order: Order, now: int) -> tuple[int, tuple[int, ...]]:
    """Return what orders the open ones, the most pressing first: as their entries rank them, and by the clock."""
    late = any(look(one, now) in ("refused", "overdue") for one in order.recipients)
    return (0 if late else 1, rank_open(order) or ())


def across(order: Order, columns: Iterable[str], now: int) -> tuple[str, ...]:
    """Return the look of each department."""
    found: dict[str, str] = {}
    for one in order.recipients:
        looks = (look(one, now), found.get(one.department, LOOKS[-1]))
        found[one.department] = min(looks, key=LOOKS.index)
    return tuple(found.get(code, "") for code in columns)


def signing(orders: Iterable[Order], today: int) -> float | None:
    """Return the median of the seconds until recipients of the day's orders signed; None when nobody has."""
    taken = [
        (one.signed_at - order.sent_at) / 1e6
        for order in orders
        if order.sent_at >= today
        for one in order.recipients
        if one.signed_at is not None
    ]
    return median(taken) if taken else None


def layout(words: Words) -> html.Section:
    """Return the empty panel."""
    return shell("receipts", words, [html.Div(id=LIST, className="receipts")])


def name(code: str, words: Words) -> str:
    """Return a department's name for a narrow column."""
    known = departments.current().get(code)
    return words.pick(known.short, known.en.partition(" ")[0]) if known else code


def note(table: Table, words: Words) -> str:
    """Return the counts in words, what is nought left out."""
    counts = {"open": table.open, "waiting": table.waiting, "refused": table.refused, "overdue": table.overdue}
    said = [words.text(f"wall.receipts.{key}", n=n) for key, n in counts.items() if n]
    if table.median_s is not None:
        minutes = table.median_s >= 60
        n = round(table.median_s / 60) if minutes else round(table.median_s)
        said.append(words.text(f"wall.receipts.{'median_minutes' if minutes else 'median_seconds'}", n=n))
    return " · ".join(said)


def cell(shown: str, words: Words) -> html.Span:
    """Return one cell: mark and word."""
    if not shown:
        return html.Span(className="receipt receipt-none")
    word = html.Span(words.text(f"wall.receipts.look.{shown}"))
    return html.Span(
        [html.Span(MARKS[shown], className="receipt-mark", **{"aria-hidden": "true"}), word],
        className=f"receipt receipt-{shown}",
    )


def line(one: Row, words: Words) -> html.Div:
    """Return one order."""
    title = [
        html.Span(className=f"mark mark-{one.urgency}", **{"aria-hidden": "true"}),
        html.Span(titled(one.title, words), className="receipt-title cut"),
        age(one.sent_at, class_name="receipt-age"),
    ]
    cells = [cell(shown, words) for shown in one.looks]
    return html.Div([html.Div(title, className="receipt-order"), *cells], key=one.id, className="receipt-row")


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the matrix, its head and its counts."""
    table = rows(board, now, COLUMNS[words.lang], midnight(now, words.city.zone))
    named = [html.Span(name(code, words), className="cut") for code in table.columns]
    head = html.Div([html.Span(), *named], key="head", className="receipt-row receipt-head")
    return {
        LIST: {"children": [head, *(line(one, words) for one in table.rows)], "data-columns": str(len(table.columns))},
        NOTE: {"children": note(table, words)},
        **nothing("receipts", board, words),
        **state("receipts", empty=not table.rows),
    }
