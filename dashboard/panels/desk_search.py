"""The search box 搜索 of the desk, opened by Ctrl+K: results by kind, walked by arrows, opened by Enter."""

from collections.abc import Sequence
from typing import Any

from dash import Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from config import departments
from config.words import Words
from dashboard.errand import explain
from dashboard.searchbook import Results
from operations.contacts.index import Hit
from operations.errors import OperationsError
from operations.lookup import DAYS
from operations.search import Found

BOX, TYPED, FOUND = "search-box", "search-typed", "search-found"
PHONE, REASON, LOOK, LOOKED = "search-phone", "search-reason", "search-look", "search-looked"


def case(one: Found, words: Words) -> html.Button:
    """Return an incident or order as a result."""
    owner = departments.current().get(one.department)
    said = [one.address, owner.name(words.lang) if owner else "", words.text(f"search.kind.{one.kind}")]
    opened = {"data-incident": one.id} if one.kind == "incident" else {"data-order": one.id}
    return result(one.number, one.title, said, opened)


def place(one: Hit, words: Words) -> html.Button:
    """Return a grid as a result."""
    return result(one.id, one.name, [words.text("search.kind.grid")], {"data-grid": one.id})


def staff(one: Hit, words: Words) -> html.Button:
    """Return a department, team or person as a result."""
    said = [one.post, one.department_name, words.text(f"contacts.kind.{one.kind}")]
    return result("", one.name, said, {"data-href": "/directory"})


def result(number: str, title: str, said: Sequence[str], opened: dict[str, str]) -> html.Button:
    """Return one line of the results."""
    parts = [html.Strong(title), html.Span(" · ".join(one for one in said if one), className="desk-hint")]
    head = [html.Code(number)] if number else []
    return html.Button([*head, *parts], type="button", className="search-hit", role="option", **opened)


def groups(found: Results, words: Words) -> list[Any]:
    """Return all results, each kind under its head."""
    if found.empty:
        return [html.P(words.text("search.none"), className="desk-empty")]
    kinds = {
        "cases": [case(one, words) for one in found.cases],
        "places": [place(one, words) for one in found.places],
        "staff": [staff(one, words) for one in found.staff],
    }
    return [
        part for kind, hits in kinds.items() if hits for part in (html.H3(words.text(f"search.head.{kind}")), *hits)
    ]


def layout(words: Words) -> html.Div:
    """Return the box, which is hidden until it is asked for."""
    typed = dcc.Input(
        id=TYPED,
        type="search",
        className="desk-input",
        placeholder=words.text("search.hint"),
        debounce=0.2,
        maxLength=80,
        value="",
        autoComplete="off",
    )
    found = html.Div(id=FOUND, className="search-found", role="listbox", **{"aria-label": words.text("search.title")})
    label = {"aria-label": words.text("search.title"), "aria-modal": "true"}
    parts = [typed, found, by_reporter(words)]
    return html.Div(html.Div(parts, className="search-card"), id=BOX, role="dialog", hidden=True, **label)


def by_reporter(words: Words) -> html.Details:
    """Return the form that looks up the newest case of one number, with a reason."""
    fields = [
        dcc.Input(
            id=id,
            type=kind,
            className="desk-input",
            placeholder=words.text(f"search.lookup.{name}"),
            maxLength=most,
            value="",
            autoComplete="off",
        )
        for id, kind, name, most in ((PHONE, "tel", "phone", 30), (REASON, "text", "reason", 200))
    ]
    go = html.Button(words.text("search.lookup.go"), id=LOOK, type="button", className="desk-button", n_clicks=0)
    hint = html.P(words.text("search.lookup.hint"), className="desk-hint")
    body = [hint, html.Div([*fields, go], className="desk-line"), html.Div(id=LOOKED, role="status")]
    return html.Details([html.Summary(words.text("search.lookup.title")), *body], className="search-lookup")


def register(app: Any, commands: Any) -> None:
    """Register looking for what was typed."""
    words: Words = app.words

    def look(typed: str | None) -> list[Any]:
        if typed is None:
            raise PreventUpdate
        if not typed.strip():
            return []
        try:
            return groups(commands.search.find(typed), words)
        except OperationsError as error:
            return [html.P(explain(error, words), className="desk-empty")]

    def look_up(clicks: int | None, phone: str | None, reason: str | None) -> Any:
        if not clicks:
            raise PreventUpdate
        try:
            found = commands.search.reporter(phone or "", reason or "")
        except OperationsError as error:
            return html.P(explain(error, words), className="desk-empty")
        if found.incident is None:
            return html.P(words.text("search.lookup.none", n=found.count, days=DAYS), className="desk-empty")
        one = found.incident
        return result(one.number, one.title, [one.address], {"data-incident": one.id})

    app.callback(Output(FOUND, "children"), Input(TYPED, "value"), prevent_initial_call=True)(look)
    asked = Input(LOOK, "n_clicks"), State(PHONE, "value"), State(REASON, "value")
    app.callback(Output(LOOKED, "children"), *asked, prevent_initial_call=True)(look_up)
