"""The map 态势图: heat by grid through a lens, open incidents as ◆ ▲ ●, town names, a callout for the gravest.

The server sends rows, `assets/map.js` draws them on shapes it loads once from `/api/v1/grids/shapes`; nothing is loaded
from outside. The view is locked: only a person who unlocks it moves it, new data never does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dash_leaflet as dl
import orjson
from dash import html

from config.taxonomy import URGENCIES
from config.words import Words
from dashboard import jurisdiction
from dashboard.lens import ALL, REFRESH, WIDE, Lens, taxonomy
from dashboard.panels.shell import area, state, title_of
from dashboard.selection import Choice, Rank, gravest
from operations import views
from operations.board import Board
from operations.incident import Incident

CAMERAS = True
"""Its screens are told when cameras within their scope have changed."""
LENSED = True
"""`render` and the keyed rows take the lens of the screen after what every panel takes."""
MARKS_MOST = 2_000
"""Marks a screen holds: the gravest, then the newest. More can neither be drawn in a frame nor told apart."""
PACE = 1.0  # seconds between two drawings: a burst leaves the browser time for the alerts
SCOPE = "wall-map-scope"  # on a desk; the wall says it in its header
CENTRE = (30.0, 110.0)
"""Where the map looks until the shapes are there; latitude, longitude."""


@dataclass(frozen=True)
class Row:
    """One open incident with a position (WGS-84 degrees)."""

    lon: float
    lat: float
    urgency: str
    title: str
    grid: str
    town: str
    at: int
    acknowledged: bool


def row(one: Incident | None) -> dict[str, Any] | None:
    """Return the marker of an incident; None when it is closed, gone from the scope or has no position."""
    if one is None or not one.is_open or one.lon is None or one.lat is None:
        return None
    town = area(one.chain)
    found = Row(one.lon, one.lat, one.urgency, one.title, one.grid, town, one.opened_at, bool(one.acknowledged_at))
    return vars(found) | ({"withheld": True} if title_of(one) is None else {})


def rank(one: Incident) -> Rank | None:
    """Return what orders the marks; None for an incident that has none."""
    return gravest(one) if one.is_open and one.lon is not None and one.lat is not None else None


def markers(
    board: Board, now: int, ids: Iterable[str] | None = None, lens: Lens = WIDE
) -> dict[str, dict[str, Any] | None]:
    """Return {incident id: marker}, of all that are open or of `ids`; the same through every lens."""
    if ids is None:
        return {id: marker for id, one in board.incidents.items() if (marker := row(one))}
    return {id: row(board.incidents.get(id)) for id in ids}


def heat(board: Board, now: int, ids: Iterable[str] | None = None, lens: Lens = WIDE) -> dict[str, int | None]:
    """Return {leaf grid code: count through the lens}, of all with any or of the grids `ids`."""
    if ids is None:
        return {code: count for code, count in counted(board, now, lens).items() if count and code}
    counts = counted(board, now, lens, frozenset(ids))
    return {code: counts.get(code) or None for code in ids if code}


def counted(board: Board, now: int, lens: Lens, grids: frozenset[str] | None = None) -> dict[str, int]:
    """Return {leaf grid code: count through the lens}; "" counts what lies in no grid."""
    return views.heat(board, now, lens.window, lens.types, lens.only, grids)


KEYED = {"heat": heat, "markers": markers}
CHOSEN = {"markers": (Choice(MARKS_MOST, rank),)}


def layout(words: Words) -> html.Section:
    """Return the map with its legend and lock; `data-words` carries the texts the browser needs."""
    texts = words.under("wall.map") | {f"urgency.{k}": v for k, v in words.under("common.urgency").items()}
    texts["acknowledged"] = words.text("wall.alerts.acknowledged")
    texts |= {f"lens.{key}": text for key, text in words.under("wall.lens").items()}
    texts |= words.under("camera_map")
    texts["withheld"] = words.text("wall.withheld")
    texts["unplaced"] = words.text("wall.unplaced.label")
    return html.Section(
        [
            dl.Map(
                id="wall-leaflet",
                className="leaflet",
                center=CENTRE,
                zoom=10,
                preferCanvas=True,
                zoomControl=False,
                attributionControl=False,
                zoomSnap=0,
                zoomAnimation=False,
                fadeAnimation=False,
                inertia=False,
                doubleClickZoom=False,
            ),
            html.Div(className="callout", hidden=True),
            html.P(words.text("wall.map.loading"), className="map-notice"),
            html.Div(
                [
                    html.P("", className="legend-credit", hidden=True),
                    html.P("", className="legend-rest cut", hidden=True),
                    html.P("", className="legend-cameras cut", hidden=True),
                    html.P(
                        [html.Span("", id="wall-map-lens"), html.Span("", className="legend-about cut")],
                        className="legend-title",
                    ),
                    html.Ol(className="legend-steps"),
                    html.P(
                        [html.Span("", id="wall-map-total"), html.Span("", className="legend-time")],
                        className="legend-total cut",
                    ),
                    html.Form(className="lens", **{"aria-label": words.text("wall.lens.label")}),
                ],
                className="legend",
            ),
            html.P("", id=SCOPE, className="map-scope", hidden=True),
            html.Button(
                [html.Kbd("Shift M"), words.text("camera_map.title")],
                className="map-cameras",
                type="button",
                **{"aria-pressed": "false"},
            ),
            html.Button(words.text("wall.map.locked"), className="map-lock", type="button"),
        ],
        id="wall-map",
        className="map",
        **{
            "data-state": "",
            "data-minimum": str(words.city.minimum_population),
            "data-words": orjson.dumps(texts).decode(),
            "data-choices": orjson.dumps(choices(words)).decode(),
            "data-marks": str(MARKS_MOST),
            "data-cameras": "on" if words.city.wall_cameras else "off",
            "aria-label": words.text("wall.map.title"),
        },
    )


def choices(words: Words) -> dict[str, list[tuple[str, str]]]:
    """Return the values of a lens with their names, by parameter of the address; the default of each is in `WIDE`."""
    types = [(one.code, one.name(words.lang)) for one in taxonomy().groups()]
    urgencies = [(one, words.text(f"common.urgency.{one}")) for one in reversed(URGENCIES)]
    return {
        "heat": [(one, words.text(f"wall.lens.window.{one}")) for one in REFRESH],
        "type": [(ALL, words.text("wall.lens.type_all")), *types],
        "urgency": [(ALL, words.text("wall.lens.urgency_all")), *urgencies],
    }


def said(lens: Lens, words: Words) -> str:
    """Return the lens in words: its window and what it leaves in; more words when it is not the default."""
    named = {name: dict(values) for name, values in choices(words).items()}
    parts = [named["heat"][lens.window]]
    parts += [named["type"][lens.type]] if lens.type != ALL else []
    parts += [named["urgency"][lens.urgency]] if lens.urgency != ALL else []
    text = " · ".join(parts)
    return text if lens == WIDE else words.text("wall.lens.set", said=text)


def render(board: Board, now: int, words: Words, lens: Lens = WIDE) -> dict[str, dict[str, Any]]:
    """Return what the heat is counted of: the lens, what it counts, and what of that lies in no grid.

    `data-open` is how many incidents are open, for the browser to say how many of them have no mark.
    """
    counts = counted(board, now, lens)
    placed = sum(count for code, count in counts.items() if code)
    total = words.text("wall.map.total", placed=f"{placed:,}", total=f"{sum(counts.values()):,}")
    shown = {"data-heat": lens.window, "data-type": lens.type, "data-urgency": lens.urgency}
    return {
        "wall-map-lens": {
            "children": said(lens, words),
            "className": "legend-lens" if lens == WIDE else "legend-lens is-set",
            **shown,
        },
        "wall-map-total": {"children": total, "data-open": str(sum(views.open_by_urgency(board).values()))},
        SCOPE: {"hidden": board.scope.city, "children": jurisdiction.only(board.scope, words)},
        **state("map", empty=False),
    }
