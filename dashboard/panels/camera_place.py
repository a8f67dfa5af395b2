"""Placing a camera by hand 标定位置: on a map of the grids or by coordinates; where a moving one was last."""

from collections.abc import Mapping
from typing import Any

import dash_leaflet as dl
from dash import Input, Output, State, dcc, html, no_update
from dash.exceptions import PreventUpdate
from shapely.geometry import MultiPolygon, Polygon

from config import clock
from config.words import Words
from dashboard.area import Area
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, notice
from dashboard.panels.camera_shell import PLACE, STANDING, TOLD, ago
from geo.datum import to_wgs84
from operations.errors import OperationsError
from operations.sources import DATUMS
from streams.gb28181.whereabouts import Last

OPEN, BOARD, MARK, MAP, LON, LAT, DATUM, SAVE, SAID = (
    f"camera-card-{one}" for one in ("open", "board", "mark", "map", "lon", "lat", "datum", "save", "placed")
)
FINE = 500
"""A border is drawn as fine as a fraction of the map's width."""
DRAWN_MOST = 400
ABOUT = 0.006
"""Degrees around a camera that its map shows at first."""


def shapes(area: Area, chain: tuple[str, ...]) -> list[str]:
    """Return the grids to draw: those beside the camera's own, else the parts of the city."""
    known = [code for code in chain if code in area.grids]
    above = known[-2] if len(known) > 1 else known[-1] if known else ""
    below = [code for code, one in area.grids.items() if one.parent == above] or known
    return below[:DRAWN_MOST]


def last_said(last: Last | None, now: int, words: Words) -> Any:
    """Return where a moving device said last that it was, and how long ago."""
    if last is None:
        return None
    lon, lat = to_wgs84(last.position.lon, last.position.lat, last.datum)
    said = words.text("camerapage.moved", at=f"{lon:.6f}, {lat:.6f}", ago=ago(last.as_of, now, words))
    return html.P(said, className="desk-hint")


def layout(words: Words) -> html.Div:
    """Return nothing to see: the form stands in the card."""
    return html.Div(hidden=True)


def form(words: Words) -> html.Details:
    """Return the closed form; its map comes when it is opened, for it must have its size."""
    say = words.text
    number: dict[str, Any] = {"type": "number", "step": "any", "className": "desk-input"}
    datums = [{"label": say(f"platforms.datum.{one}"), "value": one} for one in DATUMS]
    fields = [
        field(say("camerapage.lon"), dcc.Input(id=LON, **number)),
        field(say("camerapage.lat"), dcc.Input(id=LAT, **number)),
        field(
            say("camerapage.datum"),
            dcc.Dropdown(datums, "WGS84", id=DATUM, clearable=False, searchable=False, className="admin-choice"),
        ),
    ]
    body = [
        html.Button(say("camerapage.map"), id=OPEN, type="button", className="desk-button"),
        html.Div(id=MAP),
        html.Div(fields, className="admin-form"),
        html.Button(say("camerapage.place"), id=SAVE, type="button", className="desk-button primary"),
        html.Div(id=SAID, **{"aria-live": "polite"}),
    ]
    summary = html.Summary(say("camerapage.placing"))
    return html.Details([summary, html.Div(body, className="admin-stack")], className="camera-fold")


def chart(area: Area, chain: tuple[str, ...], at: tuple[float, float] | None, words: Words) -> list[Any]:
    """Return the map: grids to find one's way by, and a mark that goes where somebody clicks."""
    drawn = shapes(area, chain)
    boxes = [area.grids[code].polygon.bounds for code in drawn]
    west, south, east, north = (
        *(min(one[side] for one in boxes) for side in (0, 1)),
        *(max(one[side] for one in boxes) for side in (2, 3)),
    )
    fine = max(east - west, north - south) / FINE
    if at is not None:
        west, south, east, north = at[0] - ABOUT, at[1] - ABOUT, at[0] + ABOUT, at[1] + ABOUT
    lon, lat = at or ((west + east) / 2, (south + north) / 2)
    mark = dl.CircleMarker(id=MARK, center=[lat, lon], radius=8, className="camera-mark" if at else "camera-mark away")
    board = dl.Map(
        [*(outline(area, code, fine) for code in drawn), mark, dl.ScaleControl(imperial=False)],
        id=BOARD,
        bounds=[[south, west], [north, east]],
        className="area-map camera-board",
        attributionControl=False,
        zoomSnap=0.25,
        trackViewport=False,
    )
    return [html.P(words.text("camerapage.click"), className="desk-hint"), board]


def outline(area: Area, code: str, fine: float) -> dl.Polygon:
    """Return one grid; clicks go through it to the map."""
    shape = area.grids[code].polygon.simplify(fine)
    parts = shape.geoms if isinstance(shape, MultiPolygon) else [shape]
    rings = [
        [[[lat, lon] for lon, lat in ring.coords] for ring in (part.exterior, *part.interiors)]
        for part in parts
        if isinstance(part, Polygon)
    ]
    tip = dl.Tooltip(area.grids[code].name, sticky=True)
    return dl.Polygon(tip, positions=rings, className="area-cell", bubblingMouseEvents=True)


def register(app: Any, commands: Any) -> None:
    """Register the form and its map, and placing."""
    words: Words = app.words

    def offered(standing: Mapping[str, Any] | None) -> Any:
        if not standing:
            raise PreventUpdate
        last = commands.wait(commands.catalogue.moved(str(standing["id"])))
        may = commands.allowed("camera.place") and commands.area() is not None
        return [last_said(last, clock.now(), words), form(words) if may else None]

    def drawn(clicks: int | None, standing: Mapping[str, Any]) -> Any:
        area = commands.area()
        if not clicks or area is None:
            raise PreventUpdate
        try:
            one = commands.catalogue.card(str(standing["id"])).camera
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        at = None if one.lon is None or one.lat is None else (one.lon, one.lat)
        return chart(area, one.chain, at, words)

    def clicked(click: Mapping[str, Any] | None) -> tuple[Any, ...]:
        if not click:
            raise PreventUpdate
        lat, lon = (round(float(click["latlng"][name]), 6) for name in ("lat", "lng"))
        return lon, lat, "WGS84", [lat, lon]

    app.callback(Output(PLACE, "children"), Input(STANDING, "data"))(offered)
    map_asked = Input(OPEN, "n_clicks"), State(STANDING, "data")
    app.callback(Output(MAP, "children"), *map_asked, prevent_initial_call=True)(drawn)
    chosen = Output(LON, "value"), Output(LAT, "value"), Output(DATUM, "value"), Output(MARK, "center")
    app.callback(*chosen, Input(BOARD, "clickData"), prevent_initial_call=True)(clicked)
    register_save(app, commands)


def register_save(app: Any, commands: Any) -> None:
    """Register placing the camera where the form says."""
    words: Words = app.words

    def placed(
        clicks: int | None, standing: Mapping[str, Any], lon: float | None, lat: float | None, datum: str
    ) -> tuple[Any, Any]:
        if not clicks:
            raise PreventUpdate
        if lon is None or lat is None:
            return notice("wrong", words.text("cameras.place_wrong")), no_update
        try:
            commands.catalogue.place(
                str(standing["id"]), float(lon), float(lat), datum, revision=int(standing["revision"])
            )
        except OperationsError as error:
            return notice("wrong", explain(error, words)), no_update
        return no_update, {"text": words.text("camerapage.done.placed"), "at": clock.now()}

    typed = State(STANDING, "data"), State(LON, "value"), State(LAT, "value"), State(DATUM, "value")
    said = Output(SAID, "children"), Output(TOLD, "data", allow_duplicate=True)
    app.callback(*said, Input(SAVE, "n_clicks"), *typed, prevent_initial_call=True)(placed)
