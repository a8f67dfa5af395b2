"""Jurisdictions 辖区: the tree of grids beside a map; who is responsible where, and grids nobody of the desk holds."""

from collections.abc import Sequence
from typing import Any

import dash_leaflet as dl
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate
from shapely.geometry import MultiPolygon, Polygon

from config import clock
from config.words import Words
from dashboard import gridcard, responsibility
from dashboard.area import Area
from dashboard.panels.account_shell import scope_said, told, when
from dashboard.panels.admin_shell import field, notice, section, table
from dashboard.responsibility import Holder, Place
from operations.errors import OperationsError
from operations.scope import WHOLE

SEARCH, HITS, TREE, CARD, MAP, GAPS, AT = (
    *("area-search", "area-hits", "area-tree", "area-card", "area-map", "area-gaps", "area-at"),
)
MOST_DRAWN = 600
MOST_LISTED = 200
FINE = 500
"""A border is drawn as fine as a fraction of the map's width."""


def layout(words: Words) -> html.Section:
    """Return the empty section; the map comes with the first grid that is chosen, for it must have its size."""
    find = dcc.Input(id=SEARCH, type="search", className="desk-input", debounce=0.3, maxLength=60)
    side = [
        field(words.text("areas.search"), find),
        html.Div(id=HITS),
        html.Nav(id=TREE, className="account-list", **{"aria-label": words.text("areas.tree")}),
    ]
    work = [html.Div(id=MAP), html.Div(id=CARD, **{"aria-live": "polite"}), html.Div(id=GAPS)]
    body = [html.Div(side, className="account-side"), html.Div(work, className="account-work"), dcc.Store(id=AT)]
    return section("jurisdictions", [html.Div(body, className="account-two")])


def row(area: Area, code: str, current: str, where: str = "tree") -> html.Button:
    """Return one grid as a button of the tree, of what a search found, or of the gaps."""
    return html.Button(
        [html.Strong(area.grids[code].name), html.Span(code, className="desk-hint")],
        id={"area": code, "in": where},
        type="button",
        className="admin-row",
        **{"aria-current": str(code == current).lower()},
    )


def rows(area: Area, code: str) -> list[html.Button]:
    """Return the way down to a grid, and the grids directly below it."""
    below = responsibility.tree(area)
    way = area.chains[code] if code else ()
    under = below.get(code, ()) if code else below[""]
    shown = [*way, *under][: MOST_DRAWN + len(way)]
    return [row(area, one, code) for one in shown]


def card(area: Area, one: Place, words: Words) -> html.Div:
    """Return what is known of a grid, and who holds it."""
    say, grid = words.text, area.grids[one.code]
    names = {code: each.name for code, each in area.grids.items()}
    covers = say("areas.covers", grids=f"{one.leaves:,}", people=f"{one.population:,}", gaps=f"{len(one.gaps):,}")
    uses = [use(name, words) for name in ("post", "right")]
    heads = [say(f"areas.head.{name}") for name in ("who", "role", "scope", "until")]
    lines = [line(each, names, words) for each in (*one.holders, *one.below)[:MOST_LISTED]]
    return html.Div(
        [
            html.H2([" › ".join(names[code] for code in one.chain)]),
            html.P(f"{grid.code} · {covers}", className="desk-hint"),
            html.Div(uses, className="admin-line"),
            html.H3(say("areas.held", at=f"{len(one.holders):,}", below=f"{len(one.below):,}")),
            table(heads, lines, empty=say("areas.nobody")),
        ],
        className="account-facts",
    )


def use(name: str, words: Words) -> html.Button:
    """Return a button that writes the grid into a form of the account that is chosen."""
    said = words.text(f"areas.use.{name}")
    return html.Button(said, id={"use": name}, type="button", className="desk-button", **{"data-open-tab": "accounts"})


def line(one: Holder, names: dict[str, str], words: Words) -> list[Any]:
    """Return one line of who holds a grid."""
    role = words.text(f"desk.role.{one.role}")
    return [one.person.shown_name or one.person.name, role, scope_said(one.scope, names, words), when(one.until, words)]


def chart(area: Area, one: Place) -> dl.Map:
    """Return the map: the grid itself as an outline, the grids below it to be clicked, gaps marked."""
    west, south, east, north = area.grids[one.code].polygon.bounds
    fine = max(east - west, north - south) / FINE
    parts = [polygon(area, code, cell_class(code, one), fine) for code in one.parts[:MOST_DRAWN]]
    whole = polygon(area, one.code, "area-whole" if parts else cell_class(one.code, one), fine)
    return dl.Map(
        [whole, *parts, dl.ScaleControl(imperial=False)],
        bounds=[[south, west], [north, east]],
        className="area-map",
        attributionControl=False,
        zoomSnap=0.25,
        trackViewport=False,
    )


def cell_class(code: str, one: Place) -> str:
    """Return how a grid is drawn: held, partly held, or a gap."""
    total, lost = one.shares.get(code, (0, 0))
    return "area-cell" if not lost else "area-cell gap" if lost == total else "area-cell part"


def polygon(area: Area, code: str, drawn: str, fine: float) -> dl.Polygon:
    """Return one grid; its name and code show on hovering."""
    shape = area.grids[code].polygon.simplify(fine)
    parts = shape.geoms if isinstance(shape, MultiPolygon) else [shape]
    rings = [
        [[[lat, lon] for lon, lat in ring.coords] for ring in (part.exterior, *part.interiors)]
        for part in parts
        if isinstance(part, Polygon)
    ]
    tip = dl.Tooltip(f"{area.grids[code].name} {code}", sticky=True)
    return dl.Polygon(tip, positions=rings, className=drawn, id={"area-shape": code})


def missing(area: Area, found: Sequence[Holder], words: Words) -> Any:
    """Return the list of gaps, whole subtrees as one."""
    below = responsibility.tree(area)
    smallest = responsibility.leaves(area, below)
    gaps = responsibility.gaps(area, found, smallest)
    city = responsibility.whole_city(found)
    said = words.text("areas.gaps", n=f"{len(gaps):,}", all=f"{len(smallest):,}", city=f"{city:,}")
    tops = responsibility.tops(area, gaps, below)
    buttons = [row(area, code, "", "gaps") for code in tops[:MOST_LISTED]]
    kind = "wrong" if gaps and not city else "note"
    return html.Div([html.H3(words.text("areas.gaps_title")), notice(kind, said), html.Div(buttons)])


def found_by(commands: Any, text: str, words: Words) -> Any:
    """Return the grids a search finds."""
    area = commands.area()
    found = gridcard.found(area, text, WHOLE) if area else []
    if not found and text.strip():
        return html.P(words.text("card.none"), className="desk-hint")
    return [row(area, one.code, "", "hits") for one in found]


def shown(commands: Any, code: str, words: Words) -> tuple[Any, ...]:
    """Return the tree, the card and the map of a grid ("": only the tree), and the gaps."""
    area = commands.area()
    if area is None:
        return notice("note", words.text("operations.no_grids")), None, None, None
    try:
        found = responsibility.holders(commands.accounts.people(), clock.now())
    except OperationsError as error:
        return notice("wrong", told(error, words)), None, None, None
    lost = missing(area, found, words)
    if code not in area.grids:
        return rows(area, ""), None, None, lost
    one = responsibility.place(area, code, found)
    return rows(area, code), card(area, one, words), chart(area, one), lost


def register(app: Any, commands: Any) -> None:
    """Register choosing a grid in the tree or on the map, and using it."""
    words: Words = app.words

    def choose(clicks: list[int | None], shapes: list[int | None]) -> str:
        if not any((*clicks, *shapes)) or not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        return str(ctx.triggered_id.get("area") or ctx.triggered_id.get("area-shape"))

    def used(clicks: list[int | None], code: str | None, ids: list[dict[str, str]]) -> list[Any]:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or not code:
            raise PreventUpdate
        wanted = ("post", "new") if ctx.triggered_id["use"] == "post" else ("right",)
        return [code if one["form"] in wanted else no_update for one in ids]

    finding = app.callback(Output(HITS, "children"), Input(SEARCH, "value"), prevent_initial_call=True)
    finding(lambda text: found_by(commands, text or "", words))
    clicked = Input({"area": ALL, "in": ALL}, "n_clicks"), Input({"area-shape": ALL}, "n_clicks")
    app.callback(Output(AT, "data"), *clicked, prevent_initial_call=True)(choose)
    parts = Output(TREE, "children"), Output(CARD, "children"), Output(MAP, "children"), Output(GAPS, "children")
    app.callback(*parts, Input(AT, "data"))(lambda code: shown(commands, code or "", words))
    asked = Input({"use": ALL}, "n_clicks"), State(AT, "data"), State({"form": ALL, "field": "grid"}, "id")
    app.callback(Output({"form": ALL, "field": "grid"}, "value"), *asked, prevent_initial_call=True)(used)
