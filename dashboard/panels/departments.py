"""Load of the departments 部门在办: open incidents by lead department, with those that are overdue."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from dash import html

from config import departments
from config.words import Words
from dashboard.panels.shell import nothing, shell, state, width
from operations.board import Board
from operations.views import load_by_department

LIST = "wall-departments-list"
NOTE = "wall-departments-note"
ROWS = 7
LEGEND = "wall-departments-steps"
PHASES = {"waiting": ("register", "triage"), "handling": ("handle",), "reviewing": ("reply", "review", "follow_up")}
"""What the bars tell apart: not yet with anybody, in hand, and on its way back."""
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
    phases: tuple[int, ...] = (0, 0, 0)
    count: int = 1


def rows(board: Board, now: int) -> list[Row]:
    """Return the busiest departments first; what does not fit is summed in one last row."""
    load = load_by_department(board)
    found = [Row(code, one.open, one.overdue, phases(one.steps)) for code, one in load.items()]
    found.sort(key=lambda one: (-one.open, -one.overdue, one.code))
    if len(found) <= ROWS:
        return found
    rest = found[ROWS - 1 :]
    summed = tuple(map(sum, zip(*(one.phases for one in rest), strict=True)))
    others = Row(OTHERS, sum(r.open for r in rest), sum(r.overdue for r in rest), summed, len(rest))
    return [*found[: ROWS - 1], others]


def phases(steps: Mapping[str, int]) -> tuple[int, ...]:
    """Return how many stand in each of PHASES."""
    return tuple(sum(steps.get(step, 0) for step in within) for within in PHASES.values())


def layout(words: Words) -> html.Section:
    """Return the empty panel."""
    return shell(
        "departments", words, [html.Ol(id=LIST, className="departments"), html.Ul(id=LEGEND, className="steps")]
    )


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
                    *(bar(name, upto, most) for name, upto in upto_phases(one)),
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


def upto_phases(one: Row) -> list[tuple[str, int]]:
    """Return (phase, incidents up to its end), the longest first: the bars lie on one another."""
    return list(zip(PHASES, accumulate(one.phases), strict=True))[::-1]


def bar(phase: str, value: int, most: int) -> html.Progress:
    """Return one bar of a phase."""
    return html.Progress(value=str(value), max=str(most), className=f"bar bar-{phase}")


def legend(found: list[Row], words: Words) -> list[html.Li]:
    """Return what the shades of the bars mean, with how many there are in all."""
    sums = [sum(one.phases[index] for one in found) for index in range(len(PHASES))]
    return [
        html.Li([html.Span(className=f"step-mark bar-{name}"), words.text(f"wall.steps.{name}", n=number)])
        for name, number in zip(PHASES, sums, strict=True)
    ]


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the bars and their total."""
    found = rows(board, now)
    most = max((one.open for one in found), default=1)
    total = sum(one.open for one in found)
    return {
        LIST: {"children": [item(one, most, words) for one in found]},
        LEGEND: {"children": legend(found, words)},
        NOTE: {"children": words.text("wall.departments.note", n=total)},
        **nothing("departments", board, words),
        **state("departments", empty=not found),
    }
