"""The tree of cameras 目录树: by civil code, business group or grid; children are fetched when a branch is opened."""

from collections.abc import Sequence
from typing import Any

from dash import ALL, MATCH, Input, Output, State, ctx, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.names import Names, names_of
from dashboard.panels.camera_shell import AXIS, BRANCH, BRANCHES, TOLD, counted
from operations.cameras.tree import AXES, CIVIL, GROUP, UNTOLD, Branch


def name(axis: str, code: str, names: Names, words: Words) -> str:
    """Return what a branch is called: a grid or division by its name, what is unknown as its code."""
    if code == UNTOLD:
        return words.text(f"camerapage.untold.{axis}")
    known = "" if axis == GROUP else names.grids.get(code, "")
    return f"{known} {code}".strip() if axis == CIVIL else known or code


def rows(found: Sequence[Branch], axis: str, names: Names, words: Words) -> list[html.Div]:
    """Return the branches of one level, closed."""
    return [row(one, axis, name(axis, one.code, names, words), words) for one in found]


def row(one: Branch, axis: str, called: str, words: Words) -> html.Div:
    """Return a branch: a sign to open it, its name to choose it, how many are live of how many, its closed children."""
    key = f"{axis}:{one.key}"
    sign = html.Button(
        "",
        id={"camera-tree-open": key},
        type="button",
        className="camera-twig",
        disabled=not one.more,
        tabIndex="-1",
        **{"aria-expanded": "false", "aria-label": words.text("camerapage.open", name=called)},
    )
    label = html.Button(
        [html.Span(called, className="camera-branch-name"), counted(one.total, one.live, words)],
        id={"camera-tree-choose": key},
        type="button",
        className="camera-branch",
        title=called,
        **{"aria-pressed": "false"},
    )
    below = html.Div([], id={"camera-tree-below": key}, className="camera-below", hidden=True, role="group")
    return html.Div([sign, label, below], className="camera-node", role="treeitem")


def layout(words: Words) -> html.Div:
    """Return nothing to see: the tree stands in the section of the list."""
    return html.Div(hidden=True)


def register(app: Any, commands: Any) -> None:
    """Register the top of a tree, opening and choosing a branch."""
    words: Words = app.words

    def level(axis: str, key: str) -> list[html.Div]:
        return rows(commands.catalogue.branches(axis, key), axis, names_of(commands, words), words)

    def top(axis: str | None, _told: object) -> list[html.Div]:
        return level(axis if axis in AXES else CIVIL, "")

    def opened(clicks: int | None, expanded: str) -> tuple[Any, bool, str]:
        if not clicks or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        if expanded == "true":
            return [], True, "false"
        axis, _, key = str(ctx.triggered_id["camera-tree-open"]).partition(":")
        return level(axis if axis in AXES else CIVIL, key), False, "true"

    def chosen(clicks: list[int | None], ids: list[dict[str, str]]) -> tuple[dict[str, str], list[str]]:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        which = str(ctx.triggered_id["camera-tree-choose"])
        axis, _, key = which.partition(":")
        return {"axis": axis, "key": key}, [str(one["camera-tree-choose"] == which).lower() for one in ids]

    app.callback(Output(BRANCHES, "children"), Input(AXIS, "value"), Input(TOLD, "data"))(top)
    sign, below = {"camera-tree-open": MATCH}, {"camera-tree-below": MATCH}
    app.callback(
        *(Output(below, "children"), Output(below, "hidden"), Output(sign, "aria-expanded")),
        *(Input(sign, "n_clicks"), State(sign, "aria-expanded")),
        prevent_initial_call=True,
    )(opened)
    choose = {"camera-tree-choose": ALL}
    app.callback(
        *(Output(BRANCH, "data"), Output(choose, "aria-pressed")),
        *(Input(choose, "n_clicks"), State(choose, "id")),
        prevent_initial_call=True,
    )(chosen)
