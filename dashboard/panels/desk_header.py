"""The desk's header 页眉: where one is, who one is, how old the data is, and the way to register, help and language."""

from typing import Any

from dash import html

from config.words import Words
from dashboard.panels.shell import SECOND
from operations.board import Board

AS_OF = "desk-as-of"
QUARANTINED = "desk-quarantined"
AS_OF_LIMIT = 60
"""Seconds after which the picture counts as stale (standards, section 7)."""
PAGES = ("desk", "quarantine", "wall")


def rows(board: Board, now: int) -> dict[str, int]:
    """Return what waits in quarantine and the moment the picture stands for (whole seconds)."""
    return {"quarantined": board.open_quarantine, "as_of": now // SECOND * SECOND}


def layout(words: Words) -> html.Header:
    """Return the header; `assets/desk/header.js` writes the name, the city and the clock into it."""
    other = "en" if words.lang == "zh" else "zh"
    return html.Header(
        [
            html.H1(words.text("common.product"), className="desk-product"),
            html.Span(id="desk-city", className="desk-badge"),
            html.Span(words.text("desk.demo"), id="desk-demo", className="desk-badge demo", hidden=True),
            html.Nav(
                [link(page, words) for page in PAGES], className="desk-nav", **{"aria-label": words.text("desk.nav")}
            ),
            html.Span(
                [
                    html.Span(words.text("desk.as_of"), className="desk-as-of-word"),
                    html.B(id=AS_OF, className="desk-as-of"),
                    html.Span(className="desk-link", **{"aria-hidden": "true"}),
                ],
                className="desk-age",
            ),
            html.Span(id="desk-clock", className="desk-clock"),
            html.Span(id="desk-me", className="desk-me"),
            html.A(
                words.text("desk.other_language"),
                href=f"?lang={other}",
                id="desk-language",
                className="desk-button quiet",
            ),
            html.Button(
                [html.Kbd("?"), words.text("desk.help.title")], id="desk-help-open", className="desk-button quiet"
            ),
            html.Button(
                [html.Kbd("N"), words.text("desk.form.open")], id="desk-new", className="desk-button primary desk-only"
            ),
        ],
        id="desk-header",
        className="desk-header",
    )


def link(page: str, words: Words) -> html.A:
    """Return the way to a page; the quarantine also says how much waits there."""
    count = [html.B("", id=QUARANTINED, className="desk-count-badge")] if page == "quarantine" else []
    return html.A([words.text(f"page.{page}"), *count], href=f"/{page}", **{"data-to": page})


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the age of the picture and the number in quarantine."""
    told = rows(board, now)
    return {
        AS_OF: {"children": html.Time(**{"data-at": str(told["as_of"]), "data-limit": str(AS_OF_LIMIT)})},
        QUARANTINED: {"children": str(told["quarantined"] or "")},
    }


def register(app: Any, commands: Any) -> None:
    """Register nothing: links and keys live in the browser."""
