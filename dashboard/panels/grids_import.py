"""Importing grids 网格导入: a file, how it is to be read, what is wrong with it, and only then a new version."""

from functools import partial
from typing import Any

from dash import Input, Output, State, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.errand import explain
from dashboard.moment import NoMoment, moment, shown_moment
from dashboard.panels import faults_shell, reading_shell
from dashboard.panels.admin_shell import notice, section, tabs, upload
from dashboard.panels.faults_shell import MEND, SHOWN, faults_section, summary
from dashboard.panels.reading_shell import AGAIN, ASKED, FROM, REPAIR, asked_of, from_field, reading_section
from geo.importing import PHASES
from operations.errors import OperationsError

FILE, FOUND, TAKE, TAKEN = "grids-file", "grids-found", "grids-take", "grids-taken"
TASK, TICK, BAR = "grids-task", "grids-tick", "grids-bar"
TABS = ("import", "versions", "card")
ENDINGS = ".zip,.gpkg,.kml,.kmz,.json,.geojson"
TICK_MS = 700


def layout(words: Words) -> html.Div:
    """Return the place for a file, how to read it, and the empty places for what comes of it."""
    take = html.Button(
        words.text("admin.grids.take"), id=TAKE, type="button", className="desk-button primary", hidden=True
    )
    body = [
        upload("grids", FILE, words.text("admin.grids.file"), ENDINGS, words),
        html.P(words.text("reading.formats"), className="desk-hint"),
        reading_section(words),
        html.Progress(id=BAR, max=str(len(PHASES)), value="0", hidden=True, className="upload-progress"),
        html.Div(id=FOUND),
        html.Div(id="grids-difference"),
        html.Div([from_field(words), take], className="grids-taking"),
        html.Div(id=TAKEN),
        faults_section(words),
        dcc.Store(id=TASK),
        dcc.Interval(id=TICK, interval=TICK_MS, disabled=True),
    ]
    return html.Div([tabs("grids", TABS, words), section("import", body, first=True)], className="admin-parts")


def begun(gridbook: Any, words: Words, answer: dict[str, Any] | None, again: int | None, *form: Any) -> tuple[Any, ...]:
    """Begin to look at the uploaded file."""
    if not answer:
        raise PreventUpdate
    task = str(answer.get("id"))
    try:
        against = gridbook.survey(task, asked_of(*form))
    except OperationsError as error:
        return None, True, "0", True, notice("wrong", explain(error, words)), True, None, None
    said = notice("note", words.text("reading.phase.read"))
    return {"id": task, "again": again, "against": against}, False, "0", False, said, True, None, None


def followed(
    gridbook: Any, words: Words, ticks: int | None, task: dict[str, Any] | None, repair: list[str] | None = None
) -> tuple[Any, ...]:
    """Say how far the look at the file is, and at its end what was found."""
    if not task:
        raise PreventUpdate
    name = str(task.get("id"))
    try:
        phase = gridbook.phase(name)
        if phase in PHASES[:-1]:
            said = notice("note", words.text(f"reading.phase.{phase}"))
            return no_update, str(PHASES.index(phase) + 1), no_update, said, no_update, no_update
        if phase != "done":
            return True, "0", True, notice("wrong", words.text("reading.phase.broken")), True, None
        found, _ = gridbook.surveyed(name)
    except OperationsError as error:
        return True, "0", True, notice("wrong", explain(error, words)), True, None
    return True, "0", True, summary(found, words, repaired=bool(repair)), not found.ok, {"id": name, "at": ticks}


def mended(clicks: int | None, again: int | None) -> tuple[list[str], int]:
    """Switch the repairs on and look at the file again."""
    if not clicks:
        raise PreventUpdate
    return ["repair"], (again or 0) + 1


def register(app: Any, commands: Any) -> None:
    """Register beginning to look at a file, following that, and taking it over."""
    words: Words = app.words

    def taken(clicks: int | None, task: dict[str, Any] | None, start: str | None) -> Any:
        if not clicks or not task:
            raise PreventUpdate
        try:
            at = moment(start, words.city.zone)
            count, version = commands.gridbook.take_over(str(task["id"]), valid_from=at, against=task["against"])
        except NoMoment as error:
            return notice("wrong", words.text("versions.no_moment", text=str(error)))
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        if at is not None:
            return notice(
                "good",
                words.text("versions.taken_later", count=count, version=version, at=shown_moment(at, words.city.zone)),
            )
        said = html.P(words.text("admin.grids.taken", count=count, version=version))
        return notice("good", [said, html.A(words.text("admin.grids.next"), href="/sources")])

    app.callback(
        Output(TASK, "data"), Output(TICK, "disabled"), Output(BAR, "value"), Output(BAR, "hidden"),
        Output(FOUND, "children"), Output(TAKE, "hidden"), Output(TAKEN, "children", allow_duplicate=True),
        Output(SHOWN, "data", allow_duplicate=True),
        Input(FILE, "data"), Input(AGAIN, "n_clicks"), *ASKED, prevent_initial_call=True,
    )(partial(begun, commands.gridbook, words))  # fmt: skip
    app.callback(
        Output(TICK, "disabled", allow_duplicate=True), Output(BAR, "value", allow_duplicate=True),
        Output(BAR, "hidden", allow_duplicate=True), Output(FOUND, "children", allow_duplicate=True),
        Output(TAKE, "hidden", allow_duplicate=True), Output(SHOWN, "data"),
        Input(TICK, "n_intervals"), State(TASK, "data"), State(REPAIR, "value"), prevent_initial_call=True,
    )(partial(followed, commands.gridbook, words))  # fmt: skip
    app.callback(
        Output(TAKEN, "children"), Input(TAKE, "n_clicks"), State(TASK, "data"), State(FROM, "value"),
        running=[(Output(TAKE, "disabled"), True, False)],
    )(taken)  # fmt: skip
    app.callback(
        Output(REPAIR, "value"), Output(AGAIN, "n_clicks"), Input(MEND, "n_clicks"), State(AGAIN, "n_clicks"),
        prevent_initial_call=True,
    )(mended)  # fmt: skip
    faults_shell.register(app, commands)
    reading_shell.register(app, commands, SHOWN)
