"""Where cameras are missing 视频覆盖: grids without one, without a live one, or with fewer than they should have."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.coveragebook import SHOWN, Found
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, notice, section, table
from operations.cameras.coverage import GRAVITY, Covered
from operations.errors import OperationsError

TAB = "cameras-tab-coverage"
LIST, SUMMARY, ONLY, LOOK, SAVE, FILE = (f"coverage-{one}" for one in ("list", "sum", "only", "look", "save", "file"))
TOLD, LACKING = "told", "lacking"
CHOICES = (LACKING, TOLD, *GRAVITY)
HEADS = ("area", "kind", "standing", "cameras", "live", "least", "share", "since")
SECOND = 1_000_000


# ---- pure ------------------------------------------------------------------------------------------------------------


def rows(found: Found, only: str) -> list[Covered]:
    """Return the areas one of CHOICES leaves, the gravest first."""
    if only == TOLD:
        return [one for one in found.areas if one.code in found.told]
    if only == LACKING:
        return [one for one in found.areas if one.standing != GRAVITY[-1]]
    return [one for one in found.areas if one.standing == only]


def summary(found: Found, words: Words) -> list[Any]:
    """Return figures of the smallest grids, with their number, and the time they are as of."""
    leaves = [one for one in found.areas if one.leaf]
    counts = Counter(one.standing for one in leaves)
    ruled = [one for one in found.areas if one.least]
    met = sum(one.tally.cameras >= one.least for one in ruled)
    say = words.text
    figures = [(say(f"coverage.standing.{name}"), f"{counts[name]:,} / {len(leaves):,}") for name in GRAVITY[:2]]
    figures.append((say("coverage.met"), f"{met:,} / {len(ruled):,}"))
    figures.append((say("coverage.told"), f"{len(found.told):,}"))
    parts = [html.P([html.Strong(value), html.Span(name)], className="coverage-figure") for name, value in figures]
    return [*parts, html.P(say("coverage.as_of", at=when(found.as_of, words)), className="desk-hint")]


def values(one: Covered, found: Found, names: Sequence[str], words: Words) -> list[object]:
    """Return what is said of an area, without its share: name, kind, standing, cameras, live, least, void since."""
    void = found.told.get(one.code)
    kind = words.text(f"coverage.kind.{one.rule or 'grid'}")
    standing = words.text(f"coverage.standing.{one.standing}")
    since = when(void.since_at, words) if void else ""
    return [" · ".join(names), kind, standing, one.tally.cameras, one.tally.live, one.least or "", since]


Line = list[Any]


def lines(some: Sequence[list[object]], areas: Sequence[Covered], shares: Mapping[str, float | None]) -> list[Line]:
    """Return the lines of the table."""
    found: list[Line] = []
    for told, one in zip(some, areas, strict=True):
        area, kind, standing, cameras, live, least, since = told
        part = shares.get(one.code)
        said = "—" if part is None else f"{part:.0%}"
        mark = html.Span(standing, className=f"coverage-standing {one.standing}")
        found.append([[area, html.Div(one.code, className="desk-hint")], kind, mark, cameras, live, least, said, since])
    return found


def when(at: int, words: Words) -> str:
    """Return a time as the city's date and time of day."""
    return datetime.fromtimestamp(at / SECOND, words.city.zone).strftime("%m-%d %H:%M")


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the section; it asks when its tab is opened."""
    say = words.text
    options = [{"value": one, "label": say(f"coverage.only.{one}")} for one in CHOICES]
    choice = dcc.Dropdown(options, LACKING, id=ONLY, className="admin-choice", clearable=False, searchable=False)
    head = html.Div(
        [
            field(say("coverage.show"), choice),
            html.Button(say("coverage.look"), id=LOOK, type="button", className="desk-button"),
            html.Button(say("coverage.save"), id=SAVE, type="button", className="desk-button"),
            dcc.Download(id=FILE),
        ],
        className="admin-line",
    )
    body = [
        html.H2(say("coverage.title")),
        html.P(say("coverage.about"), className="desk-hint"),
        head,
        html.Div(id=SUMMARY, className="coverage-summary"),
        html.Div(id=LIST),
    ]
    return section("coverage", body)


def answer(commands: Any, words: Words, only: str) -> tuple[Any, Any]:
    """Return summary and table; a refusal is said in the table's place."""
    try:
        found = commands.coverage.look()
        areas = rows(found, only if only in CHOICES else LACKING)
        shown = areas[:SHOWN]
        told = [values(one, found, commands.coverage.names(one.chain[-3:]), words) for one in shown]
        made = lines(told, shown, commands.coverage.shares(shown))
    except OperationsError as error:
        return [], notice("wrong", explain(error, words))
    heads = [words.text(f"coverage.head.{name}") for name in HEADS]
    more = words.text("coverage.more", n=f"{len(areas) - len(shown):,}") if len(areas) > len(shown) else ""
    listed = table(heads, made, empty=words.text("coverage.nothing"))
    return summary(found, words), [listed, html.P(more, className="desk-hint")]


def register(app: Any, commands: Any) -> None:
    """Register what the tab asks."""
    words: Words = app.words

    def looked(opened: int | None, again: int | None, only: str) -> tuple[Any, Any]:
        if not (opened or again):
            raise PreventUpdate
        return answer(commands, words, only)

    def saved(clicks: int | None) -> dict[str, Any]:
        if not clicks:
            raise PreventUpdate
        book = commands.coverage

        def line(one: Covered, found: Found) -> list[object]:
            return [one.code, *values(one, found, book.names(one.chain[-3:]), words)]

        heads = [words.text(f"coverage.head.{name}") for name in ("code", *HEADS) if name != "share"]
        try:
            body = book.sheet(heads, line)
        except OperationsError as error:
            raise PreventUpdate from error
        content = base64.b64encode(body).decode()
        name = f"{words.text('coverage.file')}.csv"
        return {"filename": name, "type": "text/csv", "base64": True, "content": content}

    asked = Input(TAB, "n_clicks"), Input(LOOK, "n_clicks"), Input(ONLY, "value")
    app.callback(Output(SUMMARY, "children"), Output(LIST, "children"), *asked, prevent_initial_call=True)(looked)
    app.callback(Output(FILE, "data"), Input(SAVE, "n_clicks"), prevent_initial_call=True)(saved)
