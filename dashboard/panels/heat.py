"""The heat page 热力分析: window, type, unit and level; a map, a ranking, what it was in past weeks; picture and table.

The page asks `/api/v1/heat/areas` by `assets/heat/page.js` and draws what it is told: nothing is counted in a browser.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from dash import Input, Output, dcc, html

from config.taxonomy import URGENCIES
from config.words import Words
from dashboard.heatbook import DAYS_MOST, UNITS, WEEKS, WINDOWS
from dashboard.lens import ALL, taxonomy
from operations import audit

ID = "heat-page"
TAKEN, NOTED = "heat-taken", "heat-noted"


@dataclass(frozen=True)
class Row:
    """One choice of the form: its name, and its values with what they are called."""

    name: str
    values: tuple[tuple[str, str], ...]


def rows(words: Words) -> list[Row]:
    """Return the choices in their order; the first value of each but the window is its default."""
    named = ((one.code, one.name(words.lang)) for one in taxonomy().groups())
    types = ((ALL, words.text("wall.lens.type_all")), *named)
    urgencies = (
        (ALL, words.text("wall.lens.urgency_all")),
        *((one, words.text(f"common.urgency.{one}")) for one in reversed(URGENCIES)),
    )
    return [
        Row("window", tuple((one, words.text(f"heat.window.{one}")) for one in WINDOWS)),
        Row("type", types),
        Row("urgency", urgencies),
        Row("unit", tuple((one, words.text(f"heat.unit.{one}")) for one in UNITS)),
        Row("level", ()),
    ]


def layout(words: Words) -> html.Div:
    """Return the empty page; the browser fills in levels, map, legend and ranking."""
    return html.Div(
        [
            html.Form(
                [*(choice(one, words) for one in rows(words)), *(day(name, words) for name in ("first", "last"))],
                className="heat-form",
                **{"aria-label": words.text("heat.label")},
            ),
            html.Div(
                [
                    html.Button(words.text("heat.refresh"), type="button", className="desk-button quiet heat-refresh"),
                    html.A(words.text("heat.csv"), className="desk-button heat-csv", download="", href="#"),
                    html.Button(words.text("heat.png"), type="button", className="desk-button heat-png"),
                ],
                className="heat-tools",
            ),
            html.Div("", className="heat-said", role="status"),
            dcc.Store(id=TAKEN),
            html.Span(id=NOTED, hidden=True),
            figure(words),
            html.Section(
                [
                    html.H2(words.text("heat.table"), className="heat-title"),
                    html.Div(className="heat-table", tabIndex="0"),
                ],
                className="heat-ranking",
                **{"aria-label": words.text("heat.table")},
            ),
        ],
        id=ID,
        className="heat-body",
        **{"data-words": orjson.dumps(words.under("heat") | shared(words)).decode()},
        **{"data-weeks": str(WEEKS), "data-days": str(DAYS_MOST), "data-zone": str(words.city.zone)},
        **{"data-city": words.city.name},
    )


def figure(words: Words) -> html.Section:
    """Return the map with the place for its legend."""
    return html.Section(
        [
            html.Canvas(className="heat-map", role="img", **{"aria-label": words.text("heat.map")}),
            html.P("", className="heat-tip", hidden=True),
            html.Ol(className="heat-legend"),
        ],
        className="heat-figure",
    )


def shared(words: Words) -> dict[str, str]:
    """Return the words of other screens that the page says too."""
    return {f"common.{key}": text for key, text in words.under("common").items() if key == "product"}


def choice(row: Row, words: Words) -> html.Label:
    """Return one labelled choice; its element is a plain select that the browser code listens to."""
    options = [html.Option(text, value=value) for value, text in row.values]
    select = html.Select(options, className="desk-input heat-choice", **{"data-name": row.name})
    return html.Label([html.Span(words.text(f"heat.choose_what.{row.name}"), className="admin-label"), select])


def day(name: str, words: Words) -> html.Label:
    """Return one day of the window "dates"."""
    control = dcc.Input(type="text", placeholder="2026-01-31", className="desk-input heat-day", id=f"heat-{name}")
    return html.Label(
        [html.Span(words.text(f"heat.choose_what.{name}"), className="admin-label"), control],
        className="heat-dates",
        hidden=True,
    )


def register(app: Any, commands: Any) -> None:
    """Register noting that a picture was saved; all else the page reads from the API as whoever looks at it."""

    def noted(taken: Any) -> str:
        if taken:
            commands.trail.note(audit.exported(commands.identity(), "heat", "png"))
        return ""

    app.callback(Output(NOTED, "title"), Input(TAKEN, "data"), prevent_initial_call=True)(noted)
