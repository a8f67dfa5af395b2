"""Trend 今日趋势: reports per hour today against the median of the same hours of the past 7 days.

A plain plotly figure without colours: `assets/panels/trend.css` gives them from the tokens.
"""

from dataclasses import dataclass
from datetime import tzinfo
from statistics import median
from typing import Any

from dash import dcc, html

from config.words import Words
from dashboard.panels.shell import nothing, shell, state
from operations.board import HOUR, Board
from operations.views import midnight, received_by_hour

GRAPH = "wall-trend-graph"
NOTE = "wall-trend-note"
DAYS = 7
HOURS = 24
PACE = 15.0  # seconds between two drawings: plotly holds the browser up for some 100 ms each time, hours change slowly
WIDTH, HEIGHT = 432, 184
"""Pixels of the 1920×1080 canvas, as in tokens.css; the wall's factor scales the drawing."""


@dataclass(frozen=True)
class Row:
    """One hour of the day: reports today, the usual number, and how many days that is from.

    None stands for an hour to come and for one before anything was counted.
    """

    hour: int
    today: int | None
    usual: float | None
    days: int


def rows(board: Board, now: int, zone: tzinfo) -> list[Row]:
    """Return the 24 hours of today; the hour that runs counts what it has so far."""
    *before, today = received_by_hour(board, now, zone, DAYS + 1)
    first = min(board.received_hours.totals, default=now // HOUR) * HOUR
    silent = (first - midnight(now, zone)) // HOUR  # hours of today before the first report; negative on later days
    found = []
    for hour in range(HOURS):
        known = [day[hour] or 0 for back, day in enumerate(reversed(before), 1) if hour - back * HOURS >= silent]
        usual = median(known) if known else None
        found.append(Row(hour, today[hour] if hour >= silent else None, usual, len(known)))
    return found


def figure(found: list[Row], words: Words) -> dict[str, Any]:
    """Return the plotly figure as a plain dict; the hour that runs is a point apart, for it has not had its time."""
    running = max((one.hour for one in found if one.today is not None), default=0)
    done = [one for one in found if one.hour < running]
    ceiling = max([one.today or 0 for one in found] + [one.usual or 0 for one in found] + [4])
    return {
        "data": [
            line([(one.hour, one.usual) for one in found]),
            line([(one.hour, one.today) for one in done]),
            {
                "type": "scatter",
                "mode": "markers",
                "x": [running],
                "y": [so_far(found)],
                "marker": {"size": 14},
                "cliponaxis": False,
            },
        ],
        "layout": {
            "width": WIDTH,
            "height": HEIGHT,
            "margin": {"l": 56, "r": 12, "t": 16, "b": 44},
            "showlegend": False,
            "font": {"size": 24},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": axis([0, 23.5], [0, 6, 12, 18])
            | {"ticktext": ["0", "6", "12", words.text("wall.trend.hour", n=18)]},
            "yaxis": axis([0, ceiling * 1.15], ticks(ceiling)),
        },
    }


def so_far(found: list[Row]) -> int:
    """Return the reports of the hour that runs."""
    return next((one.today for one in reversed(found) if one.today is not None), 0)


def line(points: list[tuple[int, float | None]]) -> dict[str, Any]:
    """Return one line trace."""
    return {"type": "scatter", "mode": "lines", "x": [x for x, _ in points], "y": [y for _, y in points]}


def axis(span: list[float], values: list[int]) -> dict[str, Any]:
    """Return an axis with fixed span and few ticks."""
    return {
        "range": span,
        "fixedrange": True,
        "tickmode": "array",
        "tickvals": values,
        "ticktext": [f"{value:,}" for value in values],
        "zeroline": False,
        "automargin": False,
    }


def ticks(ceiling: float) -> list[int]:
    """Return 0 and two round numbers below `ceiling`."""
    step = next(size * 10**power for power in range(9) for size in (1, 2, 5) if size * 10**power * 3 > ceiling)
    return [value for value in (0, step, 2 * step) if value <= ceiling]


def layout(words: Words) -> html.Section:
    """Return the empty plot with its key."""
    key = html.P(
        [
            html.Span(className="key key-now", **{"aria-hidden": "true"}),
            html.Span(words.text("wall.trend.today")),
            html.Span(className="key key-usual", **{"aria-hidden": "true"}),
            html.Span(words.text("wall.trend.usual", n=DAYS), id="wall-trend-usual"),
        ],
        className="trend-key cut",
    )
    graph = dcc.Graph(
        id=GRAPH,
        figure={"data": [], "layout": {}},
        config={"staticPlot": True, "displayModeBar": False},
        className="plot",
    )
    return shell("trend", words, [key, html.Div(graph, className="plot-scale")])


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the figure, and how today compares up to the last full hour."""
    found = rows(board, now, words.city.zone)
    days = max((one.days for one in found), default=0)
    usual = words.text("wall.trend.usual", n=days) if days else words.text("wall.trend.no_usual")
    return {
        GRAPH: {"figure": figure(found, words)},
        "wall-trend-usual": {"children": usual},
        NOTE: {"children": words.text("wall.trend.unit", n=so_far(found))},
        **nothing("trend", board, words),
        **state("trend", empty=all(not one.today and not one.usual for one in found)),
    }
