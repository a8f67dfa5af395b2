"""The desk 值班台: its panels, where they stand, and the facts its browser code starts from.

Sizes and places are in `assets/panels/desk.css`; keys and drawing in `assets/desk/`.
"""

from types import ModuleType
from typing import Any

from dash import Input, Output, dcc, html

from config.settings import Settings
from config.taxonomy import Taxonomy
from config.words import Words
from dashboard.names import Names, names_of
from dashboard.panels import desk_drawer, desk_header, desk_help, desk_queue, desk_register, map
from operations.policy import Identity, allowed

BOOT = "desk-boot"
FACTS = "desk-facts"

CAN = {
    "acknowledge": "incident.acknowledge",
    "note": "incident.note",
    "urgency": "incident.urgency",
    "place": "incident.place",
    "close": "incident.close",
    "reopen": "incident.reopen",
    "reveal": "incident.unseal",
    "register": "incident.register",
    "repair": "quarantine.repair",
}
"""What the desk calls an action → the permission it needs."""


def can(identity: Identity) -> list[str]:
    """Return the actions somebody may take; the server checks again, this only lets the buttons explain."""
    return [name for name, permission in CAN.items() if allowed(identity, permission)]


def facts(page: str, identity: Identity, names: Names) -> dict[str, Any]:
    """Return what the browser needs before the first frame: who asks, the texts and the names."""
    return {
        "page": page,
        "lang": names.words.lang,
        "words": names.words.under("desk"),
        "me": {"name": identity.name, "role": identity.role, "can": can(identity)},
        "types": dict(names.types),
        "defaults": {code: one.urgency_default for code, one in Taxonomy.load().types.items()},
        "departments": dict(names.departments),
        "grids": dict(names.grids),
        "sources": dict(names.sources),
    }


def boot(page: str, settings: Settings) -> html.Div:
    """Return the stores that start the browser code: a constant that asks for the facts, and the facts."""
    start = {"page": page, "city": settings.city_name, "demo": settings.demo, "zone": settings.city_time_zone}
    return html.Div([dcc.Store(id=BOOT, data=start), dcc.Store(id=FACTS), html.Div(id="desk-started")], hidden=True)


def layout(words: Words, settings: Settings) -> html.Div:
    """Return the whole desk; it fills 1366×768 and anything larger without scrolling as a page."""
    return html.Div(
        [
            desk_header.layout(words),
            html.P(words.text("desk.stale"), className="desk-stale", role="alert"),
            desk_queue.layout(words),
            html.Div(map.layout(words), className="desk-map"),
            desk_drawer.layout(words),
            desk_register.layout(words),
            desk_help.layout(words),
            boot("desk", settings),
        ],
        id="desk",
        className="desk",
    )


def register(app: Any, commands: Any) -> None:
    """Register handing the facts to the browser code."""
    words: Words = app.words

    def started(start: dict[str, Any]) -> dict[str, Any]:
        page = "quarantine" if start.get("page") == "quarantine" else "desk"
        return start | facts(page, commands.identity(), names_of(commands, words))

    app.callback(Output(FACTS, "data"), Input(BOOT, "data"))(started)
    app.clientside_callback("dash_clientside.desk.start", Output("desk-started", "title"), Input(FACTS, "data"))


PANELS: tuple[ModuleType, ...] = (desk_header, desk_queue, map, desk_drawer, desk_register, desk_help)
