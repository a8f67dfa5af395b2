"""The datum check of one source 坐标系核对: what its places speak for, and what a person decides about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import ALL, Input, Output, State, ctx, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import notice, section, table
from operations.board import Board
from operations.datums import Evidence, Standing
from operations.errors import OperationsError
from operations.sources import Source

NAME, BODY, CHOSEN = "datum", "source-datum", "source-chosen"
ACTS = ("confirm", "keep", "back")
POINTS = ("n", "ne", "e", "se", "s", "sw", "w", "nw")


@dataclass(frozen=True)
class Row:
    """One reading of the source's places: which datum, and of how many reports so many lie in the grid they name."""

    datum: str
    inside: int
    count: int

    @property
    def share(self) -> float:
        """Per cent."""
        return 100 * self.inside / self.count if self.count else 0.0


def rows(found: Evidence) -> list[Row]:
    """Return the reading as declared and the one proposed."""
    return [
        Row(found.declared, found.inside_declared, found.count),
        Row(found.datum, found.inside_datum, found.count),
    ]


def point(bearing: float) -> str:
    """Return the nearest of the eight points of the compass."""
    return POINTS[round(bearing / 45) % 8]


def layout(words: Words) -> html.Section:
    """Return the section of the tab."""
    return section(NAME, [html.Div(id=BODY, **{"aria-live": "polite"})])


def evidence(found: Evidence, words: Words) -> list[Any]:
    """Return what speaks for another datum, in words and as a table."""
    say = words.text
    told = say(
        "datums.proposed",
        declared=say(f"datums.name.{found.declared}"),
        datum=say(f"datums.name.{found.datum}"),
        metres=f"{found.metres:,.0f}",
        point=say(f"datums.point.{point(found.bearing)}"),
        n=found.count,
    )
    lines = [
        [say(f"datums.name.{row.datum}"), f"{row.inside} / {row.count}", f"{row.share:.1f} %"] for row in rows(found)
    ]
    return [notice("note", told), table([say(f"datums.head.{name}") for name in ("read_as", "inside", "share")], lines)]


def shown(source: Source, said: Standing, left: int, words: Words, *, may: bool) -> html.Div:
    """Return what is known and what can be decided; `left` incidents are still to be read anew."""
    say = words.text
    parts: list[Any] = [
        html.H2(say("datums.title", name=source.name)),
        html.P(say("datums.declared", datum=say(f"datums.name.{source.datum}")), className="desk-hint"),
    ]
    if said.proposal is not None:
        parts += evidence(said.proposal.evidence, words)
        parts.append(html.P(say("datums.what_follows"), className="desk-hint"))
        parts.append(html.Div([act("confirm", words, may=may), act("keep", words, may=may)], className="desk-line"))
    else:
        parts.append(html.P(say("datums.refused" if said.refused_at else "datums.nothing")))
    if left:
        parts.append(notice("note", say("datums.left", n=f"{left:,}")))
    if said.previous and said.proposal is None:
        back = say("datums.back_hint", datum=say(f"datums.name.{said.previous}"))
        parts += [html.P(back, className="desk-hint"), html.Div(act("back", words, may=may), className="desk-line")]
    if not may:
        parts.append(html.P(say("datums.denied"), className="desk-hint"))
    return html.Div(parts, className="admin-stack")


def act(name: str, words: Words, *, may: bool) -> html.Button:
    """Return a button; who may not press it is told so below."""
    looks = "desk-button primary" if name == "confirm" else "desk-button"
    return html.Button(
        words.text(f"datums.{name}"), id={"datum": name}, type="button", className=looks, disabled=not may
    )


def of_source(source_id: str) -> Callable[[Board], list[str]]:
    """Return the question which incidents came from a source; only their number is told."""
    return lambda board: [one.id for one in board.incidents.values() if one.source == source_id]


def register(app: Any, commands: Any) -> None:
    """Register showing and deciding."""
    words: Words = app.words

    def look(chosen: str) -> Any:
        try:
            source, said = commands.directory.get(chosen), commands.directory.datum_said(chosen)
            may = commands.allowed("source.manage")  # how many are left, over all the city, is told only to who decides
            ids = commands.ask(of_source(chosen), "source.manage") if may else []
            left = commands.directory.places_left(source, ids)
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        return shown(source, said, left, words, may=may)

    def chosen_shown(chosen: str | None) -> Any:
        if not chosen:
            return html.P(words.text("admin.sources.choose"), className="desk-empty")
        return look(chosen)

    def decided(clicks: list[int | None], chosen: str | None) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or not chosen:
            raise PreventUpdate
        name = str(ctx.triggered_id["datum"])
        try:
            commands.directory.decide_datum(chosen, name)
        except OperationsError as error:
            return [notice("wrong", explain(error, words)), look(chosen)]
        return [notice("good", words.text(f"datums.{name}_done")), look(chosen)]

    app.callback(Output(BODY, "children"), Input(CHOSEN, "data"))(chosen_shown)
    app.callback(
        Output(BODY, "children", allow_duplicate=True),
        Input({"datum": ALL}, "n_clicks"),
        State(CHOSEN, "data"),
        prevent_initial_call=True,
    )(decided)
