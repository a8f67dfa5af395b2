"""What the administrator's pages 管理页 are built of: tabs with their sections, uploads, fields, notices, tables."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dash import Input, Output, dcc, html

from config.words import Words


def tabs(page: str, names: Sequence[str], words: Words, *, only: Mapping[str, str] = MappingProxyType({})) -> html.Div:
    """Return the tab bar of a page; `assets/admin/tabs.js` shows the section of the one that is chosen.

    `only`: by their names those that not everybody sees, with the class that says who: admin-only, looks-only.
    """
    buttons = [
        html.Button(
            words.text(f"admin.{page}.tab.{name}"),
            role="tab",
            type="button",
            id=f"{page}-tab-{name}",
            className=f"admin-tab {only.get(name, '')}".strip(),
            tabIndex="0" if number == 0 else "-1",
            **{"data-tab": name, "aria-selected": str(number == 0).lower()},
        )
        for number, name in enumerate(names)
    ]
    return html.Div(buttons, className="admin-tabs", role="tablist", **{"aria-label": words.text(f"page.{page}")})


def section(name: str, body: Sequence[Any], *, first: bool = False) -> html.Section:
    """Return the section of a tab; only the first one shows at the start."""
    return html.Section(list(body), className="admin-section", hidden=not first, **{"data-section": name})


def upload(kind: str, store: str, label: str, accept: str, words: Words) -> html.Div:
    """Return a place to drop a file on or choose one; what the server answers comes into the store `store`.

    `kind`: of `dashboard.uploads.KINDS`; `accept`: endings such as ".csv,.xlsx". `assets/admin/upload.js` sends it.
    """
    area = html.Button(
        [html.Strong(label), html.Span(words.text("admin.upload.hint"))],
        type="button",
        className="upload-area",
        id=f"{store}-choose",
    )
    said = {name: words.text(f"admin.upload.{name}") for name in ("going", "done", "failed")}
    return html.Div(
        [
            area,
            html.Progress(max="100", value="0", hidden=True, className="upload-progress"),
            html.P("", className="upload-note", role="status"),
            dcc.Store(id=store),
        ],
        className="upload",
        **{"data-kind": kind, "data-store": store, "data-accept": accept},
        **{f"data-{name}": text for name, text in said.items()},
    )


def field(label: str, control: Any, hint: str = "") -> html.Label:
    """Return one labelled control of a form, with a line below that says what is meant."""
    below = [html.Span(hint, className="desk-hint")] if hint else []
    return html.Label([html.Span(label, className="admin-label"), control, *below], className="admin-field")


def notice(kind: str, said: Any) -> html.Div:
    """Return a notice; `kind`: good, wrong or note."""
    return html.Div(said, className=f"admin-notice {kind}", role="status" if kind != "wrong" else "alert")


def presses(app: Any, store: str, *buttons: dict[str, Any]) -> Input:
    """Hand presses of the buttons with such ids to a store, as the id that was pressed; return the store as an input.

    For lists that are drawn anew by themselves: `assets/admin/presses.js` says why.
    """
    clicked = [Input(one, "n_clicks") for one in buttons]
    app.clientside_callback(
        "dash_clientside.presses.taken", Output(store, "data"), *clicked, prevent_initial_call=True
    )
    return Input(store, "data")


def leading(tab: str, words: Words) -> html.Button:
    """Return a button that opens another tab of the page."""
    said = words.text(f"files.open.{tab}")
    return html.Button(said, type="button", className="desk-button", **{"data-open-tab": tab})


def table(heads: Sequence[str], lines: Sequence[Sequence[Any]], *, empty: str = "") -> html.Div:
    """Return a table that scrolls in its own box; `empty` is said when there are no lines."""
    if not lines:
        return html.Div(empty, className="desk-empty")
    head = html.Thead(html.Tr([html.Th(one, scope="col") for one in heads]))
    body = html.Tbody([html.Tr([html.Td(one) for one in line]) for line in lines])
    return html.Div(html.Table([head, body], className="admin-table"), className="admin-scroll", tabIndex="0")
