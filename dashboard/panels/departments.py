"""Load of the departments 部门在办: open incidents by lead department, with those that are overdue."""

from dataclasses import dataclass
from typing import Any

from dash import html

from config import departments
from config.words import Words
from dashboard.lens import taxonomy
from dashboard.panels.shell import nothing, shell, state, width
from operations.board import Board
from operations.views import load_by_department

LIST = "wall-departments-list"
NOTE = "wall-departments-note"
ROWS = 8
OTHERS = ""
NAME_WIDTH = 17
"""Half characters of an English name that fit in its column."""
PACE = 1.0  # seconds between two drawings: a burst leaves the browser time for the alerts


@dataclass(frozen=True)
class Row:
    """One department, or `OTHERS` for the `count` that are not shown: open and overdue incidents."""

    code: str
    open: int
    overdue: int
    count: int = 1


def rows(board: Board, now: int) -> list[Row]:
    """Return the busiest departments first; what does not fit is summed in one last row."""
    load = load_by_department(board, now, taxonomy().acknowledge_limits())
    found = [Row(code, open, overdue) for code, (open, overdue) in load.items() if open]
    found.sort(key=lambda one: (-one.open, -one.overdue, one.code))
    if len(found) <= ROWS:
        return found
    rest = found[ROWS - 1 :]
    return [*found[: ROWS - 1], Row(OTHERS, sum(r.open for r in rest), sum(r.overdue for r in rest), len(rest))]


def layout(words: Words) -> html.Section:
    """Return the empty panel."""
    return shell("departments", words, [html.Ol(id=LIST, className="departments")])


def name(code: str, words: Words) -> str:
    """Return the department's short name; a code nobody has configured shows as it is."""
    known = departments.current().get(code)
    return words.pick(known.short, short(known.en)) if known else code or words.text("common.unknown")


def short(name: str) -> str:
    """Return the first words of an English name that fit: "Fire" of "Fire and rescue"."""
    first = name.partition(" and ")[0]
    while width(first) > NAME_WIDTH and " " in first:
        first = first.rpartition(" ")[0]
    return first


def item(one: Row, most: int, words: Words) -> html.Li:
    """Return one bar; `most` is the longest bar's count."""
    overdue = words.text("wall.departments.overdue", n=one.overdue) if one.overdue else ""
    label = words.text("wall.departments.others", n=one.count) if one.count > 1 else name(one.code, words)
    return html.Li(
        [
            html.Span(label, className="department-name cut"),
            html.Div(
                [
                    html.Progress(value=str(one.open), max=str(most), className="bar bar-open"),
                    html.Progress(value=str(one.overdue), max=str(most), className="bar bar-overdue"),
                ],
                className="bars",
                **{"aria-hidden": "true"},
            ),
            html.Span([html.B(str(one.open)), html.Span(overdue, className="overdue")], className="department-value"),
        ],
        key=one.code or "others",
        className="department",
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the bars and their total."""
    found = rows(board, now)
    most = max((one.open for one in found), default=1)
    total = sum(one.open for one in found)
    return {
        LIST: {"children": [item(one, most, words) for one in found]},
        NOTE: {"children": words.text("wall.departments.note", n=total)},
        **nothing("departments", board, words),
        **state("departments", empty=not found),
    }
