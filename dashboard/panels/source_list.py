"""The page of sources 数据来源: all of them at the left, what can be known and done about one at the right."""

from dataclasses import dataclass
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.panels.admin_shell import section, table, tabs
from operations.sources import Source

LIST, CHOSEN, FACTS = "source-list", "source-chosen", "source-facts"
TABS = ("overview",)


@dataclass(frozen=True)
class Row:
    """One source in the list."""

    id: str
    name: str
    kind: str
    enabled: bool


def rows(found: list[Source]) -> list[Row]:
    """Return the rows by name."""
    return sorted((Row(one.id, one.name, one.kind, one.enabled) for one in found), key=lambda row: (row.name, row.id))


def layout(words: Words) -> html.Div:
    """Return the empty list and the tabs of one source; other panels of the page fill tabs of their own."""
    return html.Div(
        [
            html.Nav(id=LIST, className="admin-list", **{"aria-label": words.text("page.sources")}),
            html.Div(
                [
                    tabs("sources", TABS, words),
                    section("overview", [html.Div(id=FACTS)], first=True),
                ],
                className="admin-work",
            ),
            dcc.Store(id=CHOSEN),
        ],
        className="admin-body two",
    )


def item(row: Row, chosen: str, words: Words) -> html.Button:
    """Return one source of the list."""
    kind = words.text(f"admin.sources.kind.{row.kind}")
    about = kind if row.enabled else f"{kind} · {words.text('admin.sources.off')}"
    return html.Button(
        [html.Strong(row.name, className="cut"), html.Span(f"{row.id} · {about}", className="desk-hint cut")],
        id={"source": row.id},
        type="button",
        className="admin-row",
        **{"aria-current": str(row.id == chosen).lower()},
    )


def facts(one: Source, words: Words) -> html.Div:
    """Return what is set about a source."""
    said = {name: str(getattr(one, name)) for name in ("id", "datum", "time_zone", "mapping", "rate_limit")}
    lines = [[words.text(f"admin.sources.fact.{name}"), value or "—"] for name, value in said.items()]
    heads = [words.text("admin.sources.fact.name"), words.text("admin.sources.fact.value")]
    return html.Div([html.H2(one.name), table(heads, lines)])


def register(app: Any, commands: Any) -> None:
    """Register listing and choosing."""
    words: Words = app.words

    def listed(chosen: str | None, _again: object) -> list[html.Button]:
        return [item(row, chosen or "", words) for row in rows(commands.directory.listed())]

    def choose(clicks: list[int | None], chosen: str | None) -> str:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        return str(ctx.triggered_id["source"])

    def shown(chosen: str | None) -> Any:
        one = next((one for one in commands.directory.listed() if one.id == chosen), None)
        if one is None:
            return html.P(words.text("admin.sources.choose"), className="desk-empty")
        return facts(one, words)

    app.callback(Output(LIST, "children"), Input(CHOSEN, "data"), Input(FACTS, "id"))(listed)
    app.callback(Output(CHOSEN, "data"), Input({"source": ALL}, "n_clicks"), State(CHOSEN, "data"))(choose)
    app.callback(Output(FACTS, "children"), Input(CHOSEN, "data"))(shown)
