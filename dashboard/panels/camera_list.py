"""The catalogue of cameras 摄像机目录: found by name, pinyin and code, narrowed, and walked through by keys."""

from collections.abc import Mapping
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.exceptions import PreventUpdate
from msgspec import Struct

from config.words import Words
from dashboard.catalogue import PAGE_MOST, Page
from dashboard.errand import explain
from dashboard.names import Names, names_of
from dashboard.panels.admin_shell import notice, section
from dashboard.panels.camera_shell import (
    BRANCH,
    CARD,
    CHOSEN,
    TOLD,
    ago,
    grade,
    picture,
    place,
    source_name,
    special,
    state,
    tree_frame,
)
from operations.cameras.condition import CONDITIONS
from operations.cameras.reading import Camera
from operations.cameras.searching import FACETS, Asked
from operations.errors import OperationsError

FIND, LIST, COUNT, MORE, MOST, REFRESH = (
    *("camera-list-find", "camera-list-rows", "camera-list-count", "camera-list-more", "camera-list-most"),
    "camera-list-refresh",
)
AT_ONCE = 100


class Row(Struct, frozen=True):
    """One line of the list."""

    camera: Camera
    owner: str
    place: str
    special: bool


def rows(page: Page, names: Names, words: Words) -> list[Row]:
    """Return the lines of the list."""
    return [
        Row(
            one,
            names.department(one.item.owner) or words.text("camerapage.no_owner"),
            place(one, names, words),
            special(one),
        )
        for one in page.cameras
    ]


def line(row: Row, now: int, words: Words) -> html.Div:
    """Return a camera as a line that can be opened by Enter and dragged to a tile."""
    one = row.camera
    flag = [html.Span(words.text("camerapage.special.short"), className="camera-flag")] if row.special else []
    aged = ago(one.picture_at, now, words)
    seen = f"{picture(one, words)} {aged}".strip() if one.picture else picture(one, words)
    about = (row.owner, row.place, grade(one.item.point_class, words))
    return html.Div(
        [
            state(one, now, words),
            html.Span([html.Strong(one.item.name or one.item.code), *flag], className="camera-name"),
            html.Code(one.item.code, className="camera-code"),
            html.Span(" · ".join(about), className="camera-about"),
            html.Span(seen, className="camera-picture"),
        ],
        id={"camera-list-row": one.id},
        className="camera-row",
        role="option",
        tabIndex="-1",
        draggable="true",
        **{"data-camera-id": one.id, "data-camera-name": one.item.name or one.item.code},
    )


def options(page: Page, names: Names, words: Words) -> dict[str, list[dict[str, str]]]:
    """Return what each filter offers, with how many there are."""

    def named(facet: str, value: str) -> str:
        if facet == "owner":
            return names.department(value) or words.text("camerapage.no_owner")
        if facet == "source":
            return source_name(value, names.sources, words)
        return words.text(f"camerapage.{'class' if facet == 'point_class' else facet}.{value}")

    def order(facet: str, counts: Mapping[str, int]) -> list[str]:
        return sorted(counts, key=CONDITIONS.index) if facet == "condition" else sorted(counts)

    return {
        facet: [
            {"label": f"{named(facet, value)} {page.facets[facet][value]:,}", "value": value}
            for value in order(facet, page.facets[facet])
            if value
        ]
        for facet in FACETS
    }


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the empty section: tree, list and card side by side."""
    say = words.text
    find = dcc.Input(
        id=FIND,
        type="search",
        className="desk-input camera-find",
        debounce=0.15,
        maxLength=80,
        value="",
        placeholder=say("camerapage.find"),
        autoComplete="off",
    )
    filters = [
        dcc.Dropdown(
            [],
            None,
            id={"camera-list-filter": one},
            className="admin-choice",
            placeholder=say(f"camerapage.filter.{one}"),
            searchable=False,
        )
        for one in FACETS
    ]
    refresh = html.Button(say("camerapage.refresh"), id=REFRESH, type="button", className="desk-button quiet")
    more = html.Button(say("camerapage.more"), id=MORE, type="button", className="desk-button", hidden=True)
    middle = [
        html.Div([find, refresh], className="camera-search"),
        html.Div(filters, className="camera-filters"),
        html.P("", id=COUNT, className="desk-hint", role="status"),
        html.Div([], id=LIST, className="camera-rows", role="listbox", **{"aria-label": say("page.cameras")}),
        more,
    ]
    chosen = html.P(say("camerapage.choose"), className="desk-empty")
    columns = [
        html.Div(tree_frame(words), className="camera-side"),
        html.Div(middle, className="camera-middle"),
        html.Div(chosen, id=CARD, className="camera-card", tabIndex="-1"),
    ]
    stores = [dcc.Store(id=one) for one in (BRANCH, CHOSEN, TOLD)] + [dcc.Store(id=MOST, data=AT_ONCE)]
    return section("cameras", [html.Div(columns, className="camera-three"), *stores], first=True)


# ---- doing -----------------------------------------------------------------------------------------------------------


def shown(commands: Any, asked: Asked, branch: Mapping[str, str] | None, most: int, words: Words) -> tuple[Any, ...]:
    """Return lines, how many there are in all, whether more can be shown, and what each filter offers."""
    chosen = branch or {}
    page = commands.catalogue.find(asked, chosen.get("axis", "civil"), chosen.get("key", ""), most)
    names = names_of(commands, words)
    made = [line(row, page.as_of, words) for row in rows(page, names, words)]
    if not made:
        none = "camerapage.none_at_all" if not any(page.facets["source"].values()) else "camerapage.none"
        made = [html.P(words.text(none), className="desk-empty")]
    said = words.text("camerapage.count", n=f"{len(page.cameras):,}", total=f"{page.total:,}")
    offered = options(page, names, words)
    full = len(page.cameras) >= page.total or len(page.cameras) >= PAGE_MOST
    return made, said, full, [offered[facet] for facet in FACETS]


def register(app: Any, commands: Any) -> None:
    """Register searching and choosing."""
    words: Words = app.words

    def listing(
        text: str | None, filters: list[str | None], branch: Any, more: int | None, _told: Any, _again: Any, most: int
    ) -> tuple[Any, ...]:
        wanted = most + AT_ONCE if ctx.triggered_id == MORE and more else AT_ONCE
        given = {name: value or "" for name, value in zip(FACETS, filters, strict=True)}
        try:
            found = shown(commands, Asked(text or "", **given), branch, wanted, words)
        except OperationsError as error:
            return [notice("wrong", explain(error, words))], "", True, [[]] * len(FACETS), AT_ONCE
        return *found, wanted

    def chosen(clicks: list[int | None]) -> str:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        return str(ctx.triggered_id["camera-list-row"])

    filters = {"camera-list-filter": ALL}
    asked = [
        *(Input(FIND, "value"), Input(filters, "value"), Input(BRANCH, "data"), Input(MORE, "n_clicks")),
        *(Input(TOLD, "data"), Input(REFRESH, "n_clicks"), State(MOST, "data")),
    ]
    outputs = [
        *(Output(LIST, "children"), Output(COUNT, "children"), Output(MORE, "hidden"), Output(filters, "options")),
        Output(MOST, "data"),
    ]
    app.callback(*outputs, *asked)(listing)
    opened = Input({"camera-list-row": ALL}, "n_clicks")
    app.callback(Output(CHOSEN, "data"), opened, prevent_initial_call=True)(chosen)
