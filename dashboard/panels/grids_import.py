"""Importing grids 网格导入: a file, what is wrong with it, and only then a new version."""

from dataclasses import dataclass
from typing import Any

from dash import Input, Output, State, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import notice, section, table, tabs, upload
from dashboard.panels.grids_versions import FROM, NoMoment, from_field, moment, versions_section
from dashboard.panels.grids_versions import shown as told_time
from geo.importing import Imported
from geo.problem import ERROR, Problem
from operations.errors import OperationsError

FILE, FOUND, TAKE, TAKEN = "grids-file", "grids-found", "grids-take", "grids-taken"
TABS = ("import", "versions")
ENDINGS = ".json,.geojson"


@dataclass(frozen=True)
class Row:
    """One finding: an error keeps the whole file out, a warning does not."""

    error: bool
    code: str
    said: str
    lon: float | None
    lat: float | None


def rows(problems: tuple[Problem, ...], words: Words) -> list[Row]:
    """Return the findings in words, errors first."""
    return [
        Row(one.kind == ERROR, one.code, words.text(one.text_code, **one.parameters()), one.lon, one.lat)
        for one in problems
    ]


def layout(words: Words) -> html.Div:
    """Return the place for a file and the empty list of findings."""
    body = [
        upload("grids", FILE, words.text("admin.grids.file"), ENDINGS, words),
        html.Div(id=FOUND),
        html.Div(id="grids-difference"),
        from_field(words),
        html.Button(
            words.text("admin.grids.take"), id=TAKE, type="button", className="desk-button primary", hidden=True
        ),
        html.Div(id=TAKEN),
    ]
    sections = [section("import", body, first=True), versions_section(words)]
    work = html.Div([tabs("grids", TABS, words), *sections], className="admin-work")
    return html.Div(work, className="admin-body")


def findings(found: Imported, words: Words) -> list[Any]:
    """Return how many grids there are and everything wrong with them."""
    kind, key = ("good", "admin.grids.fits") if found.ok else ("wrong", "admin.grids.faulty")
    told = rows(found.problems, words)
    lines = [[words.text(f"admin.grids.{'error' if one.error else 'warning'}"), one.code, one.said] for one in told]
    heads = [words.text(f"admin.grids.head.{name}") for name in ("kind", "code", "said")]
    errors = sum(one.error for one in told)
    said = words.text(key, count=len(found.grids), errors=errors, warnings=len(told) - errors)
    return [notice(kind, said), *([table(heads, lines)] if lines else [])]


def register(app: Any, commands: Any) -> None:
    """Register looking at a file and taking it over."""
    words: Words = app.words

    def examined(answer: dict[str, Any] | None) -> tuple[Any, bool, None]:
        if not answer:
            raise PreventUpdate
        try:
            _, found = commands.gridbook.examined(str(answer.get("id")))
        except OperationsError as error:
            return notice("wrong", explain(error, words)), True, None
        return findings(found, words), not found.ok, None

    def taken(clicks: int | None, answer: dict[str, Any] | None, start: str | None) -> Any:
        if not clicks or not answer:
            raise PreventUpdate
        try:
            at = moment(start, words.city.zone)
            count, version = commands.gridbook.take_over(str(answer.get("id")), valid_from=at)
        except NoMoment as error:
            return notice("wrong", words.text("versions.no_moment", text=str(error)))
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        if at is not None:
            return notice(
                "good", words.text("versions.taken_later", count=count, version=version, at=told_time(at, words))
            )
        return notice("good", words.text("admin.grids.taken", count=count, version=version))

    outputs = Output(FOUND, "children"), Output(TAKE, "hidden"), Output(TAKEN, "children", allow_duplicate=True)
    app.callback(*outputs, Input(FILE, "data"), prevent_initial_call=True)(examined)
    app.callback(Output(TAKEN, "children"), Input(TAKE, "n_clicks"), State(FILE, "data"), State(FROM, "value"))(taken)
