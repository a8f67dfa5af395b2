"""The difference of two versions 版本差异: on a map, as a list, and which open incidents would be in another grid."""

from collections.abc import Iterable
from typing import Any

import dash_leaflet as dl
from dash import ALL, Input, Output, State, ctx, html
from dash.exceptions import PreventUpdate
from shapely import MultiPolygon, Polygon

from config.words import Words
from dashboard.difference import MOST_MOVED, Difference, Drawn, points
from dashboard.errand import explain
from dashboard.moment import NoMoment, moment
from dashboard.panels.admin_shell import notice, table
from dashboard.panels.reading_shell import FROM
from geo.difference import RECODED, Change, Part, counts
from operations.errors import OperationsError

PLACE, COMPARED = "grids-difference", "versions-compared"
MOST_LISTED = 300
"""Changes listed; those beyond are counted."""


def rows(changes: Iterable[Change], found: Difference, words: Words) -> list[list[str]]:
    """Return the changes in words: kind, code, name, what."""
    return [[words.text(f"difference.kind.{one.kind}"), one.code, one.name, said(one, found, words)] for one in changes]


def said(one: Change, found: Difference, words: Words) -> str:
    """Return what changed about a grid."""
    if one.kind == RECODED:
        return words.text("difference.recoded", now=one.now, name=found.names.get(one.now, ""))
    if one.was or one.now:
        return words.text("difference.facts", was=one.was or "—", now=one.now or "—")
    told = []
    for key, parts, total in (("gained", one.gained, one.gained_m2), ("lost", one.lost, one.lost_m2)):
        if parts:
            told.append(words.text(f"difference.{key}.{one.kind}", area=area(total, words), parts=named(parts, words)))
    return words.pick("；", "; ").join(told)


def named(parts: Iterable[Part], words: Words) -> str:
    """Return the grids with the ground that each gave or took."""
    told = [f"{part.code or words.text('difference.nobody')} {area(part.area_m2, words)}" for part in parts]
    return words.pick("、", ", ").join(told[:8]) + (" …" if len(told) > 8 else "")


def area(square_metres: float, words: Words) -> str:
    """Return an area with its unit."""
    if square_metres >= 1_000_000:
        return f"{square_metres / 1_000_000:,.2f} km²"
    return f"{square_metres:,.0f} m²"


def shown(found: Difference, words: Words) -> html.Div:
    """Return the whole difference: in short, who is touched, the map, the lists."""
    if not found.before:
        return notice("note", words.text("difference.first", count=f"{found.count:,}"))
    if not found.changes:
        return notice("note", [html.P(words.text("difference.none", version=found.before)), *idle(found, words)])
    told = [words.text(f"difference.count.{kind}", n=f"{number:,}") for kind, number in counts(found.changes).items()]
    brief = words.text("difference.brief", version=found.before, told=words.pick("，", ", ").join(told))
    return html.Div(
        [
            notice(
                "note", [html.P(brief), html.P(moved_said(found, words)), *scoped(found, words), *idle(found, words)]
            ),
            *([plan(found, words)] if found.drawn else []),
            listed(found, words),
            *moved(found, words),
        ],
        className="difference",
    )


def moved_said(found: Difference, words: Words) -> str:
    """Return how many open incidents would be in another grid."""
    return words.text("difference.moved", n=f"{found.moved_count:,}", total=f"{found.open_count:,}")


def idle(found: Difference, words: Words) -> list[html.P]:
    """Return that some grids are not valid when the version begins."""
    return [html.P(words.text("difference.idle", n=f"{found.idle:,}"))] if found.idle else []


def scoped(found: Difference, words: Words) -> list[html.P]:
    """Return whose area is no longer there."""
    names = words.pick("、", ", ").join(found.scopes)
    return [html.P(words.text("difference.scopes", names=names), className="wrong")] if found.scopes else []


def listed(found: Difference, words: Words) -> html.Div:
    """Return the table of the changes."""
    heads = [words.text(f"difference.head.{name}") for name in ("kind", "code", "name", "what")]
    rest = len(found.changes) - MOST_LISTED
    more = [html.P(words.text("difference.more", n=f"{rest:,}"), className="desk-hint")] if rest > 0 else []
    return html.Div([table(heads, rows(found.changes[:MOST_LISTED], found, words)), *more])


def moved(found: Difference, words: Words) -> list[Any]:
    """Return the open incidents that would be in another grid."""
    if not found.moved:
        return []
    none = words.text("difference.nobody")
    lines = [
        [
            one.number,
            *(f"{found.names.get(code, '')} {code}" if code else none for code in (one.grid, one.to)),
        ]
        for one in found.moved
    ]
    heads = [words.text(f"difference.head.{name}") for name in ("number", "was", "now")]
    title = words.text("difference.moved_title", n=f"{min(found.moved_count, MOST_MOVED):,}")
    return [html.H3(title), table(heads, lines)]


def plan(found: Difference, words: Words) -> html.Figure:
    """Return the map: grids as they were dashed, as they will be solid."""
    bounds = [one.polygon.bounds for one in found.drawn]
    south, west = min(one[1] for one in bounds), min(one[0] for one in bounds)
    north, east = max(one[3] for one in bounds), max(one[2] for one in bounds)
    chart = dl.Map(
        [*(polygon(one, found) for one in found.drawn), dl.ScaleControl(imperial=False)],
        bounds=[[south, west], [north, east]],
        className="difference-map",
        attributionControl=False,
        zoomSnap=0.25,
        trackViewport=False,
    )
    keys = [
        html.Span(words.text(f"difference.key.{name}"), className=f"difference-key {name}") for name in ("was", "now")
    ]
    return html.Figure([chart, html.Figcaption(keys)])


def polygon(one: Drawn, found: Difference) -> dl.Polygon:
    """Return one grid of the map; its code and name show on hovering."""
    parts = one.polygon.geoms if isinstance(one.polygon, MultiPolygon) else [one.polygon]
    rings = [
        [ring(part.exterior), *(ring(hole) for hole in part.interiors)] for part in parts if isinstance(part, Polygon)
    ]
    tip = dl.Tooltip(f"{found.names.get(one.code, '')} {one.code}", sticky=True)
    return dl.Polygon(tip, positions=rings, className="grid-now" if one.after else "grid-was")


def ring(line: Any) -> list[list[float]]:
    """Return a ring as Leaflet wants it: latitude first."""
    return [[lat, lon] for lon, lat in line.coords]


def register(app: Any, commands: Any) -> None:
    """Register the difference of a checked file, and of a version in the list."""
    words: Words = app.words

    def of_file(hidden: bool | None, start: str | None, answer: dict[str, Any] | None) -> Any:
        if hidden or not answer:
            return None
        try:
            at = moment(start, words.city.zone)
            return shown(
                commands.gridbook.difference(str(answer.get("id")), at, commands.ask(points, "grid.import")), words
            )
        except NoMoment as error:
            return notice("wrong", words.text("versions.no_moment", text=str(error)))
        except OperationsError as error:
            return notice("wrong", explain(error, words))

    def of_version(clicks: list[int | None]) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        version = int(ctx.triggered_id["version-compare"])
        try:
            found = commands.gridbook.difference_of(version, commands.ask(points, "grid.import"))
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        return html.Div([html.H2(words.text("difference.title", version=version)), shown(found, words)])

    checked = Input("grids-take", "hidden"), State(FROM, "value"), State("grids-file", "data")
    app.callback(Output(PLACE, "children"), *checked, prevent_initial_call=True)(of_file)
    pressed = Input({"version-compare": ALL}, "n_clicks")
    app.callback(Output(COMPARED, "children"), pressed, prevent_initial_call=True)(of_version)
