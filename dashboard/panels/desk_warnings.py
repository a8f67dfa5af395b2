"""Warnings 预警 at the desk: a button with their number, a sheet with all in force, and all that one of them says.

Here are also those that walls do not show: tests, drafts, what is not public, and what lies outside the city; each says
which it is.
"""

from typing import Any

import msgspec
from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard import jurisdiction
from dashboard.errand import explain
from dashboard.names import Names, names_of
from dashboard.panels import call_shell
from dashboard.panels.warning_shell import area, level, looks, mark, outline, row, texts, until
from operations.board import Board
from operations.errors import OperationsError
from operations.orders.calling import standing
from operations.policy import Identity
from operations.warning import OUTSIDE, WarningState, in_force
from operations.warnings import Dossier

BUTTON = "desk-warnings-open"  # in the header
SHEET = "desk-warnings"
LIST = "desk-warnings-list"
OPEN = "desk-warning-open"
TOLD = "desk-warning-told"
MOST_NAMES = 12
"""Grids named of an area; of more it is said how many there are."""
FACTS = ("issuer", "area", "sent", "onset", "ends", "severity", "urgency", "certainty", "source", "identifier")


class Told(msgspec.Struct):
    """What a warning says in one language."""

    language: str = ""
    event: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""


# ---- data ------------------------------------------------------------------------------------------------------------


def rows(board: Board, now: int) -> list[WarningState]:
    """Return all warnings in force, the gravest first."""
    return in_force(board.warnings.values(), now)


def notes(one: WarningState) -> list[str]:
    """Return why a warning is not quite like the others, as codes."""
    found = [] if one.real else [one.status.lower()]
    found += [] if one.audience == "Public" else ["restricted"]
    found += ["outside"] if one.where == OUTSIDE else []
    return [*found, *([] if one.on_walls else ["not_on_walls"])]


def facts(one: WarningState, names: Names) -> list[tuple[str, str]]:
    """Return what is known of a warning as (name, value), what is empty left out."""
    said = one.words(names.words.lang)
    known = [names.grid(code) for code in one.codes[:MOST_NAMES] if code]
    known += [names.words.text("warning.area_more", n=len(one.codes))] if len(one.codes) > MOST_NAMES else []
    values = {
        "issuer": said.issuer,
        "area": names.words.pick("、", ", ").join(dict.fromkeys([*known, *filter(None, [said.area])])),
        "sent": names.moment(one.sent),
        "onset": names.moment(one.onset) if one.onset else "",
        "ends": names.moment(one.expires) + (names.words.text("warning.assumed") if one.assumed_end else ""),
        "severity": names.words.text(f"warning.severity.{one.severity}"),
        "urgency": names.words.text(f"warning.urgency.{one.urgency}"),
        "certainty": names.words.text(f"warning.certainty.{one.certainty}"),
        "source": names.source(one.source),
        "identifier": one.identifier,
    }
    return [(name, values[name]) for name in FACTS if values[name]]


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Dialog:
    """Return the closed sheet; `W` opens it, Esc closes it."""
    close = [html.Kbd("Esc"), words.text("common.close")]
    return html.Dialog(
        [
            html.Header(
                [
                    html.H2(words.text("warning.desk.title")),
                    html.Button(close, id="desk-warnings-close", type="button", className="desk-button quiet"),
                ]
            ),
            html.Div(
                [
                    html.Div(id=LIST, className="warning-list", **outline([]), **texts(words)),
                    html.Div(
                        [
                            html.Div(html.P(words.text("warning.desk.choose"), className="desk-empty"), id=TOLD),
                            call_shell.layout(words),
                        ],
                        className="warning-told",
                    ),
                ],
                className="warning-columns",
            ),
            dcc.Store(id=OPEN),
        ],
        id=SHEET,
        className="desk-help desk-warnings",
        **{"aria-label": words.text("warning.desk.title")},
    )


def item(one: WarningState, words: Words, now: int, called: str = "") -> html.Button:
    """Return one warning of the list; `called`: how many of those called have confirmed."""
    told = row(one, words.lang)
    said = [html.Span(called, className="warning-note")] if called else []
    said += [html.Span(words.text(f"warning.note.{note}"), className="warning-note") for note in notes(one)]
    head = [mark(one.level), html.B(level(one.level, words), className="warning-level"), html.Strong(told.event)]
    return html.Button(
        [
            html.Span([*head, *said], className="warning-head"),
            html.Span(told.headline, className="warning-headline"),
            html.Span([html.Span(told.issuer), area(told)], className="warning-line"),
            html.Span(until(told, words, now), className="warning-until"),
        ],
        key=one.id,
        type="button",
        className=looks(told),
        **{"data-open-warning": one.id},
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the button and the list."""
    found = rows(board, now)
    orders = [one for one in board.orders.values() if one.warning]
    shown: list[Any] = [item(one, words, now, call_shell.count(standing(orders, one.id), words)) for one in found]
    nothing = jurisdiction.within(words.text("warning.desk.empty"), board.scope, words)
    empty = html.P(nothing, className="desk-empty")
    note = jurisdiction.asking(board.scope, words)
    about = [html.P(note, key="scope", className="desk-scope")] if note else []
    outlined = outline([row(one, words.lang) for one in found if one.on_walls])
    return {
        BUTTON: button(found, words),
        LIST: {"children": [*about, *(shown or [empty])], **outlined},
    }


def button(found: list[WarningState], words: Words) -> dict[str, Any]:
    """Return the props of the button in the header: the gravest level and how many there are; none, no button."""
    if not found:
        return {"hidden": True, "children": []}
    said = words.text("warning.desk.button", n=len(found))
    return {
        "hidden": False,
        "children": [html.Kbd("W"), mark(found[0].level), said],
        "className": f"desk-button quiet desk-only warned warning-{found[0].level or 'none'}",
    }


def details(dossier: Dossier, names: Names) -> html.Div:
    """Return all that a warning says, in the language of the page first."""
    one, words = dossier.warning, names.words
    told = msgspec.json.decode(dossier.told, type=list[Told])
    told.sort(key=lambda info: not info.language.lower().startswith(words.lang))
    terms = [
        part
        for name, value in facts(one, names)
        for part in (html.Dt(words.text(f"warning.fact.{name}")), html.Dd(value))
    ]
    said = [part for info in told for part in text(info, words, among=len(told))]
    notes_of = [html.P(words.text(f"warning.why.{note}"), className="warning-why") for note in notes(one)]
    state = [] if dossier.state == "in_force" else [html.P(words.text("warning.desk.ended"), className="warning-why")]
    return html.Div([*state, *notes_of, html.Dl(terms, className="desk-facts"), *said], **{"data-id": one.id})


def text(info: Told, words: Words, *, among: int) -> list[Any]:
    """Return what one language says; where there are several, each is named."""
    parts = [html.H3(f"{info.event} · {info.language}" if among > 1 else info.event), html.P(info.headline)]
    for name in ("description", "instruction"):
        if getattr(info, name):
            parts += [html.H4(words.text(f"warning.fact.{name}")), html.P(getattr(info, name), className="desk-text")]
    return parts


def look(commands: Any, names: Names, id: str) -> html.Div | html.P:
    """Return all that a warning says, or why it cannot be shown."""
    identity: Identity = commands.identity()
    try:
        return details(commands.operations.warning(identity, id), names)
    except OperationsError as error:
        return html.P(explain(error, names.words), className="desk-empty")


def register(app: Any, commands: Any) -> None:
    """Register opening a warning."""
    words: Words = app.words

    def opened(asked: dict[str, Any] | None) -> Any:
        if not asked:
            raise PreventUpdate
        return look(commands, names_of(commands, words), str(asked.get("id", "")))

    app.callback(Output(TOLD, "children"), Input(OPEN, "data"), prevent_initial_call=True)(opened)
    call_shell.register(app, commands, OPEN)
