"""Driving a wall 操控大屏 from the desk: a sheet of the walls of one's jurisdiction with what each was told to show."""

from collections.abc import Mapping
from typing import Any

from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate
from msgspec import to_builtins

from config.words import Words
from dashboard.asked import words_of
from dashboard.errand import Asked, Unclear, explain, serial_of, text, word
from operations.board import Board
from operations.driven import Driven
from operations.driving import Playing
from operations.errors import OperationsError
from operations.pictured import DEEDS, KEPT_MOST, Pictured

ASK, TOLD = "desk-drive", "desk-drive-told"
ASKS = ("list", "drive", "picture")


def layout(words: Words) -> html.Dialog:
    """Return the closed sheet; Shift+W opens it, Esc closes it."""
    return html.Dialog(
        [
            html.Div(id="desk-drive-body"),
            dcc.Store(id=ASK),
            dcc.Store(id=TOLD),
            html.Div(id="desk-drive-sink", hidden=True),
        ],
        id="desk-drive-sheet",
        className="desk-help desk-drive",
        **{"aria-label": words.text("desk.drive.title")},
    )


def walls(commands: Any, words: Words) -> list[dict[str, Any]]:
    """Return the walls that whoever asks may drive, with who drives each and what, and its live pictures."""
    driven, pictured, numbers = commands.ask(told_of, "wall.drive")
    playing = commands.wallbook.playing()
    found = []
    for one in commands.wallbook.targets():
        shows: Driven | None = driven.get(one.id)
        kept = {"incident": shows.incident, "order": shows.order, "pinned": shows.pinned} if shows else {}
        about = {"by": shows.by, "until": str(shows.until), **kept} if shows else {}
        pictures = {
            "playing": to_builtins(playing.get(one.id, Playing())),
            "said": said_of(pictured.get(one.id), numbers, words),
        }
        found.append({"id": one.id, "name": one.name, **about, **pictures})
    return found


def told_of(board: Board) -> tuple[dict[str, Driven], dict[str, Pictured], dict[str, str]]:
    """Return what walls were told, what was said of their pictures, and the numbers of the incidents in it."""
    named = [each for one in board.pictured.values() for each in (one.incident, *one.no_incidents)]
    numbers = {id: board.incidents[id].number for id in named if id in board.incidents}
    return dict(board.driven), dict(board.pictured), numbers


def said_of(one: Pictured | None, numbers: Mapping[str, str], words: Words) -> str:
    """Return in words what is said of a wall's live pictures, and by whom last; "" while it follows by itself."""
    if one is None:
        return ""
    off = [numbers[id] for id in one.no_incidents if id in numbers]
    parts = [
        words.text("desk.drive.said.pin", number=numbers[one.incident]) if one.incident in numbers else "",
        words.text("desk.drive.said.keep", n=len(one.cameras)) if one.cameras else "",
        words.text("desk.drive.said.veto", numbers=" ".join(off)) if off else "",
        words.text("desk.drive.said.veto_camera", n=len(one.no_cameras)) if one.no_cameras else "",
    ]
    said = " · ".join(part for part in parts if part)
    return f"{one.by} · {said}" if said else ""


def answer(commands: Any, words: Words, asked: Asked) -> dict[str, Any]:
    """Carry out what the sheet asks, one of ASKS, and return what is told; never raises for a refusal."""
    told: dict[str, Any] = {"ok": True}
    try:
        deed = word(asked, "deed", ASKS)
        if deed == "picture":
            what = word(asked, "what", DEEDS)
            cameras = words_of(asked, "cameras", KEPT_MOST) if asked.get("cameras") else []
            commands.wallbook.picture(word(asked, "wall"), what, text(asked, "incident"), cameras)
            told["text"] = words.text(f"desk.drive.pictured.{what}", name=text(asked, "name"))
        elif deed == "drive":
            wanted = (text(asked, "incident"), text(asked, "order"), text(asked, "pinned"))
            commands.wallbook.drive(word(asked, "wall"), *wanted)
            key = "done" if any(wanted) else "released"
            told["text"] = words.text(f"desk.drive.{key}", name=text(asked, "name"))
        else:
            told["walls"] = walls(commands, words)
    except OperationsError as error:
        told = {"ok": False, "code": error.code, "text": explain(error, words)}
    except Unclear as error:
        told = {"ok": False, "code": "unclear", "text": words.text("desk.error.unclear", field=str(error))}
    return {"serial": serial_of(asked), **told}


def register(app: Any, commands: Any) -> None:
    """Register what the sheet asks."""
    words: Words = app.words

    def asked(wanted: Asked | None) -> dict[str, Any]:
        if not wanted:
            raise PreventUpdate
        return answer(commands, words, wanted)

    app.callback(Output(TOLD, "data"), Input(ASK, "data"), prevent_initial_call=True)(asked)
    app.clientside_callback("dash_clientside.desk.answered", Output("desk-drive-sink", "title"), Input(TOLD, "data"))
