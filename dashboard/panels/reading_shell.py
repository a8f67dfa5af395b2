"""How a file of grids is to be read 读取方式: layers, coordinate system, encoding, and which column is what.

Everything may stay empty: then the file's own words apply, and the usual names of columns.
"""

from collections.abc import Sequence
from typing import Any

from dash import ALL, Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.panels.admin_shell import field
from geo.importing import Imported
from geo.mapping import USUAL_NAMES
from operations.errors import OperationsError

FROM = "grids-from"
LAYERS, CRS, ENCODING, AGAIN = "grids-wanted", "grids-crs", "grids-encoding", "grids-again"
CONTROL, REPAIR = "grids-control", "grids-repair"
COLUMN = "grids-column"
FIELDS = tuple(USUAL_NAMES)
ENCODINGS = ("utf-8", "gb18030", "big5")
TEXT_MOST = 20_000


def reading_section(words: Words) -> html.Div:
    """Return the form, folded, and below it the switch of repairs and the button to check again."""
    crs = dcc.Input(id=CRS, type="text", className="desk-input", debounce=True)
    points = dcc.Textarea(id=CONTROL, className="desk-input reading-points")
    general = [
        _field("layers", dcc.Dropdown(id=LAYERS, options=[], multi=True), words),
        _field("crs", crs, words),
        _field("encoding", dcc.Dropdown(id=ENCODING, options=list(ENCODINGS)), words),
    ]
    columns = [
        field(words.text(f"reading.column.{name}"), dcc.Dropdown(id={"type": COLUMN, "field": name}, options=[]))
        for name in FIELDS
    ]
    folded = html.Details(
        [
            html.Summary(words.text("reading.title")),
            html.Div(general, className="admin-form"),
            _field("control", points, words),
            html.H3(words.text("reading.columns")),
            html.Div(columns, className="admin-form"),
        ],
        className="reading",
    )
    repair = dcc.Checklist(id=REPAIR, options=[{"label": words.text("reading.repair"), "value": "repair"}], value=[])
    again = html.Button(words.text("reading.again"), id=AGAIN, type="button", className="desk-button")
    return html.Div([folded, html.Div([again, repair], className="reading-again")], className="reading-all")


def _field(name: str, control: Any, words: Words) -> html.Label:
    """A labelled control with its hint."""
    return field(words.text(f"reading.{name}"), control, words.text(f"reading.{name}_hint"))


def from_field(words: Words) -> html.Label:
    """Return where the time is given from which an import is in force; empty is at once."""
    control = dcc.Input(id=FROM, type="text", className="desk-input", placeholder="2027-01-01 00:00", maxLength=30)
    zone = str(words.city.zone)
    return field(words.text("versions.from"), control, words.text("versions.from_hint", zone=zone))


ASKED: tuple[State, ...] = (
    State(LAYERS, "value"),
    State(CRS, "value"),
    State(ENCODING, "value"),
    State(CONTROL, "value"),
    State(REPAIR, "value"),
    State({"type": COLUMN, "field": ALL}, "value"),
)


def asked_of(layers: Any, crs: Any, encoding: Any, control: Any, repair: Any, columns: Any) -> dict[str, Any]:
    """Return what the form says as fields of `GridMapping`; what is empty is left out."""
    told: dict[str, Any] = {"crs": _text(crs), "encoding": _text(encoding), "control": _text(control)}
    told |= {"layers": tuple(_text(one) for one in layers or ()), "repair": bool(repair)}
    told |= {name: _text(value) for name, value in zip(FIELDS, columns or (), strict=False)}
    return {name: value for name, value in told.items() if value}


def _text(value: Any) -> str:
    return value.strip()[:TEXT_MOST] if isinstance(value, str) else ""


def layer_choices(found: Imported, words: Words) -> list[dict[str, str]]:
    """Return the layers there were, with what is in them."""
    return [
        {"label": words.text("reading.layer", name=one.layer, type=one.type, count=one.count), "value": one.layer}
        for one in found.choices
    ]


def column_choices(found: Imported) -> list[dict[str, str]]:
    """Return the columns there were, with samples."""
    return [
        {"label": f"{name}  ({', '.join(values)})" if values else name, "value": name}
        for name, values in sorted(found.columns.items())
    ]


def guesses(found: Imported) -> dict[str, str]:
    """Return {field: columns that were taken for it}."""
    result: dict[str, list[str]] = {}
    for named in found.mapping.values():
        for name, column in named.items():
            result.setdefault(name, []).append(column)
    return {name: ", ".join(sorted(set(columns))) for name, columns in result.items()}


def register(app: Any, commands: Any, shown: str) -> None:
    """Register filling the choices with what the file of the store `shown` has."""
    words: Words = app.words

    def filled(told: dict[str, Any] | None) -> tuple[Sequence[Any], ...]:
        if not told:
            raise PreventUpdate
        try:
            found, _ = commands.gridbook.surveyed(str(told.get("id")))
        except OperationsError:
            raise PreventUpdate from None
        names, options = guesses(found), column_choices(found)
        holders = [names.get(name) or words.text("reading.no_column") for name in FIELDS]
        return layer_choices(found, words), [options] * len(FIELDS), holders

    app.callback(
        Output(LAYERS, "options"),
        Output({"type": COLUMN, "field": ALL}, "options"),
        Output({"type": COLUMN, "field": ALL}, "placeholder"),
        Input(shown, "data"),
        prevent_initial_call=True,
    )(filled)
