"""The map 态势图: heat by grid, open incidents as ◆ ▲ ●, town names, a callout for the gravest.

The server sends rows, `assets/map.js` draws them on shapes it loads once from `/api/v1/grids/shapes`; nothing is loaded
from outside. The view is locked: only a person who unlocks it moves it, new data never does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dash_leaflet as dl
import orjson
from dash import html

from config.words import Words
from dashboard.panels.shell import area, state
from operations import views
from operations.board import Board
from operations.incident import Incident

WINDOW = "24h"
PACE = 1.0  # seconds between two drawings: a burst leaves the browser time for the alerts
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
    return vars(found)


def markers(board: Board, now: int, ids: Iterable[str] | None = None) -> dict[str, dict[str, Any] | None]:
    """Return {incident id: marker}, of all that are open or of `ids`."""
    if ids is None:
        return {id: marker for id, one in board.incidents.items() if (marker := row(one))}
    return {id: row(board.incidents.get(id)) for id in ids}


def heat(board: Board, now: int, ids: Iterable[str] | None = None) -> dict[str, int | None]:
    """Return {leaf grid code: reports of the last 24 hours}, of all with any or of the grids `ids`."""
    if ids is None:
        return {code: count for code, count in views.heat(board, now, WINDOW).items() if count and code}
    counts = views.heat(board, now, WINDOW, grids=frozenset(ids))
    return {code: counts.get(code) or None for code in ids if code}


KEYED = {"heat": heat, "markers": markers}


def layout(words: Words) -> html.Section:
    """Return the map with its legend and lock; `data-words` carries the texts the browser needs."""
    texts = words.under("wall.map") | {f"urgency.{k}": v for k, v in words.under("common.urgency").items()}
    texts["acknowledged"] = words.text("wall.alerts.acknowledged")
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
                    html.P("", className="legend-title cut"),
                    html.Ol(className="legend-steps"),
                    html.P("", id="wall-map-total", className="legend-total cut"),
                ],
                className="legend",
            ),
            html.Button(words.text("wall.map.locked"), className="map-lock", type="button"),
        ],
        id="wall-map",
        className="map",
        **{
            "data-state": "",
            "data-minimum": str(words.city.minimum_population),
            "data-words": orjson.dumps(texts).decode(),
            "aria-label": words.text("wall.map.title"),
        },
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return what the heat is counted of: reports of the window, and those of them that lie in no grid."""
    counts = views.heat(board, now, WINDOW)
    placed = sum(count for code, count in counts.items() if code)
    total = words.text("wall.map.total", placed=f"{placed:,}", total=f"{sum(counts.values()):,}")
    return {"wall-map-total": {"children": total}, **state("map", empty=False)}


def register(app: Any, commands: Any) -> None:
    """Register nothing: a wall can do nothing."""
