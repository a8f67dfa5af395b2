"""What is wrong with a file of grids 检查结果: counts by kind, the findings, each on a map with what lies around it.

`grids_import` puts the section into its tab and says which upload is meant by the store SHOWN.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dash_leaflet as dl
from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard import findings_file
from dashboard.panels.admin_shell import notice
from geo.importing import Imported
from geo.neighbourhood import Drawing, Neighbourhood, Piece
from geo.problem import ERROR, KINDS, Problem
from geo.repair import MENDABLE
from operations import audit
from operations.errors import OperationsError

SHOWN, FILTER, COUNTS, LIST, MAP, LAYERS = (
    f"grids-{one}" for one in ("shown", "filter", "counts", "list", "map", "layers")
)
CSV, GEOJSON, FILE, ABOUT = "grids-csv", "grids-geojson", "grids-download", "grids-about"
ROW, CHIP = "grids-fault", "grids-chip"
MEND = "grids-mend"
PREFIX = "geo.problems."
LISTED = 300
"""Findings in the table at once; the filter reaches the others, and the file holds them all."""
MARKED = 300
HERE, AWAY = "faults", "faults away"


@dataclass(frozen=True)
class Row:
    """One finding: `number` is its place in the whole list, `kind` of `geo.problem.KINDS`, `name` what sort it is."""

    number: int
    kind: str
    name: str
    code: str
    said: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True)
class Count:
    """How many findings there are of a sort."""

    kind: str
    name: str
    count: int


def rows(problems: Sequence[Problem], words: Words, only: str = "") -> list[Row]:
    """Return the findings in words, errors first; `only` a kind ("error") or a sort of it ("error.gap")."""
    found = []
    for number, one in enumerate(problems):
        name = one.text_code.removeprefix(PREFIX)
        if only in ("", one.kind, f"{one.kind}.{name}"):
            said = words.text(one.text_code, **one.parameters())
            found.append(Row(number, one.kind, name, one.code, said, one.lon, one.lat))
    return found


def counts(problems: Sequence[Problem]) -> list[Count]:
    """Return how many there are of each sort, in the order of their gravity, then the most first."""
    found = Counter((one.kind, one.text_code.removeprefix(PREFIX)) for one in problems)
    order = sorted(found.items(), key=lambda one: (KINDS.index(one[0][0]), -one[1], one[0][1]))
    return [Count(kind, name, count) for (kind, name), count in order]


def meant(problem: Problem) -> list[str]:
    """Return the codes of the grids that a finding is about."""
    others = [problem.params.get(name) for name in ("other", "parent")]
    around = str(problem.params.get("around", "")).split(", ")
    return [one for one in (problem.code, *others, *around) if isinstance(one, str) and one]


def faults_section(words: Words) -> html.Div:
    """Return the empty place of the findings, for the import tab."""
    buttons = [
        html.Button(words.text(f"findings.{name}"), id=id, type="button", className="desk-button")
        for id, name in ((CSV, "csv"), (GEOJSON, "geojson"))
    ]
    board = dl.Map(
        dl.LayerGroup(id=LAYERS),
        id=MAP,
        className="leaflet faults-map",
        center=(30.0, 110.0),
        zoom=4,
        maxZoom=24,
        zoomSnap=0,
        attributionControl=False,
    )
    return html.Div(
        [
            html.Div([html.Div(id=COUNTS, className="faults-counts"), *buttons], className="admin-line"),
            html.Div(
                [
                    html.Div(id=LIST, className="faults-list"),
                    html.Div([board, html.P("", id=ABOUT)], className="faults-place"),
                ],
                className="faults-pair",
            ),
            dcc.Store(id=SHOWN),
            dcc.Store(id=FILTER, data=""),
            dcc.Download(id=FILE),
        ],
        id="grids-faults",
        className=AWAY,
    )


# ---- looks -----------------------------------------------------------------------------------------------------------


def chips(problems: Sequence[Problem], only: str, words: Words) -> list[html.Button]:
    """Return a button for all, for each kind and for each sort."""
    sorts = counts(problems)
    kinds = Counter(one.kind for one in problems)
    every = [("", words.text("findings.all"), len(problems), "")]
    every += [(kind, words.text(f"findings.kind.{kind}"), kinds[kind], "") for kind in KINDS if kinds[kind]]
    every += [
        (f"{one.kind}.{one.name}", words.text(f"findings.sort.{one.name}"), one.count, "is-sort") for one in sorts
    ]
    return [
        html.Button(
            [html.Span(said), html.Strong(str(count))],
            id={"type": CHIP, "only": value},
            type="button",
            className=f"fault-chip {look}".strip(),
            **{"aria-pressed": str(value == only).lower()},
        )
        for value, said, count, look in every
    ]


def listing(found: Sequence[Row], words: Words) -> html.Div:
    """Return the table of findings; a row shows its place on the map."""
    if not found:
        return html.Div(words.text("findings.none"), className="desk-empty")
    lines = [
        html.Tr(
            [
                html.Td(
                    html.Button(
                        words.text(f"findings.kind.{one.kind}"), type="button", className=f"fault-kind is-{one.kind}"
                    )
                ),
                html.Td(one.code, className="fault-code"),
                html.Td(one.said),
            ],
            id={"type": ROW, "number": one.number},
            className="fault-row",
        )
        for one in found[:LISTED]
    ]
    heads = html.Tr([html.Th(words.text(f"admin.grids.head.{name}"), scope="col") for name in ("kind", "code", "said")])
    more = (
        [html.P(words.text("findings.more", count=len(found) - LISTED), className="desk-hint")]
        if len(found) > LISTED
        else []
    )
    table = html.Table([html.Thead(heads), html.Tbody(lines)], className="admin-table")
    return html.Div([html.Div(table, className="faults-scroll", tabIndex="0"), *more])


def drawn(pieces: Sequence[Piece], marks: Sequence[Problem], chosen: Problem | None = None) -> list[Any]:
    """Return what the map shows: grids, those that are meant above the others, and the places of faults."""
    lines = [
        dl.Polygon(
            positions=line,
            className="fault-shape meant" if piece.meant else "fault-shape",
            interactive=False,
            stroke=True,
            weight=2 if piece.meant else 1,
            fill=piece.meant,
        )
        for piece in sorted(pieces, key=lambda one: one.meant)
        for line in piece.lines
    ]
    points = [
        dl.CircleMarker(
            center=(one.lat, one.lon),
            radius=9 if one is chosen else 5,
            className=f"fault-mark is-{one.kind}" + (" chosen" if one is chosen else ""),
            interactive=False,
        )
        for one in marks
        if one.lat is not None and one.lon is not None
    ]
    return lines + points


def overview(found: Imported, drawing: Drawing) -> tuple[list[Any], Any]:
    """Return all of the file, coarsely, with its faults, and the view for it."""
    placed = [one for one in found.problems if one.lat is not None][:MARKED]
    bounds = drawing.bounds()
    return drawn(drawing.whole(), placed), view(bounds) if bounds else None


def close_up(problem: Problem, near: Neighbourhood) -> tuple[list[Any], Any]:
    """Return the surroundings of one finding, and the view for it."""
    return drawn(near.pieces, [problem], problem), view(near.bounds)


def view(bounds: tuple[tuple[float, float], tuple[float, float]]) -> dict[str, Any]:
    """Return what moves the map there at once."""
    return {"bounds": [list(corner) for corner in bounds], "transition": "fitBounds", "options": {"animate": False}}


# ---- callbacks -------------------------------------------------------------------------------------------------------


class Shown:
    """The callbacks over what was found in the upload of the store SHOWN."""

    def __init__(self, commands: Any, words: Words) -> None:
        self._commands, self._gridbook = commands, commands.gridbook
        self._words = words

    def _found(self, shown: dict[str, Any] | None) -> tuple[Imported, Drawing]:
        if not shown:
            raise PreventUpdate
        try:
            result: tuple[Imported, Drawing] = self._gridbook.surveyed(str(shown.get("id")))
        except OperationsError:
            raise PreventUpdate from None
        return result

    def listed(self, shown: dict[str, Any] | None, only: str | None) -> tuple[Any, Any, str]:
        """The counts and the table; away without a file."""
        if not shown:
            return [], [], AWAY
        problems, words = self._found(shown)[0].problems, self._words
        return chips(problems, only or "", words), listing(rows(problems, words, only or ""), words), HERE

    def whole(self, shown: dict[str, Any] | None) -> tuple[Any, Any, str, str]:
        """All of the file on the map, and no filter."""
        layers, where = overview(*self._found(shown))
        return layers, where, self._words.text("findings.whole"), ""

    def place(self, clicks: list[int | None], shown: dict[str, Any] | None) -> tuple[Any, Any, str]:
        """The place of the finding that was chosen."""
        asked = chosen(clicks)
        imported, drawing = self._found(shown)
        number = asked.get("number")
        if not isinstance(number, int) or not 0 <= number < len(imported.problems):
            raise PreventUpdate
        problem = imported.problems[number]
        said = self._words.text(problem.text_code, **problem.parameters())
        near = drawing.near(problem.lon, problem.lat, meant(problem))
        if near is None:
            layers, where = overview(imported, drawing)
            return layers, where, self._words.text("findings.nowhere", said=said)
        layers, where = close_up(problem, near)
        return layers, where, said

    def filtered(self, clicks: list[int | None]) -> str:
        """The kind or sort that was chosen."""
        return str(chosen(clicks).get("only", ""))

    def saved(self, csv: int | None, geojson: int | None, shown: dict[str, Any] | None) -> dict[str, Any]:
        """The findings as a file."""
        if not (csv or geojson):
            raise PreventUpdate
        make = findings_file.table if ctx.triggered_id == CSV else findings_file.points
        found = self._found(shown)[0].problems
        form = "csv" if ctx.triggered_id == CSV else "geojson"
        self._commands.trail.note(audit.exported(self._commands.identity(), "findings", form, count=len(found)))
        return make(found, self._words)


def chosen(clicks: list[int | None]) -> dict[str, Any]:
    """Return the id of what was clicked; nothing is when the buttons are only put there."""
    asked = ctx.triggered_id
    if not any(clicks) or not isinstance(asked, dict):
        raise PreventUpdate
    return dict(asked)


def register(app: Any, commands: Any) -> None:
    """Register listing, filter, places and the files of findings."""
    shown, once = Shown(commands, app.words), {"prevent_initial_call": True}
    place = [Output(LAYERS, "children"), Output(MAP, "viewport"), Output(ABOUT, "children")]
    again = [Output(one.component_id, one.component_property, allow_duplicate=True) for one in place]
    rows_clicked = Input({"type": ROW, "number": ALL}, "n_clicks")
    chips_clicked = Input({"type": CHIP, "only": ALL}, "n_clicks")
    files = (Input(CSV, "n_clicks"), Input(GEOJSON, "n_clicks"))
    listed = [Output(COUNTS, "children"), Output(LIST, "children"), Output("grids-faults", "className")]
    app.callback(*listed, Input(SHOWN, "data"), Input(FILTER, "data"))(shown.listed)
    app.callback(*place, Output(FILTER, "data"), Input(SHOWN, "data"), **once)(shown.whole)
    app.callback(*again, rows_clicked, State(SHOWN, "data"), **once)(shown.place)
    app.callback(Output(FILTER, "data", allow_duplicate=True), chips_clicked, **once)(shown.filtered)
    app.callback(Output(FILE, "data"), *files, State(SHOWN, "data"), **once)(shown.saved)


def summary(found: Imported, words: Words, *, repaired: bool = False) -> html.Div:
    """Return in one line whether the file may be taken over, and the offer to mend it unless it was `repaired`."""
    kinds = Counter(one.kind for one in found.problems)
    kind, key = ("good", "admin.grids.fits") if found.ok else ("wrong", "admin.grids.faulty")
    said = words.text(key, count=len(found.grids), errors=kinds[ERROR], warnings=kinds["warning"])
    if kinds["repaired"]:
        said += " " + words.text("findings.repaired", count=kinds["repaired"])
    mendable = 0 if repaired else sum(one.text_code.removeprefix(PREFIX) in MENDABLE for one in found.problems)
    if not mendable:
        return notice(kind, said)
    offer = words.text("findings.mend", count=mendable)
    button = html.Button(offer, id=MEND, type="button", className="desk-button", n_clicks=0)
    return notice(kind, [html.P(said), button])
