"""View limits on a camera's card 视场限制: what is registered, its masks drawn on a schematic picture, and the form."""

from collections.abc import Mapping
from typing import Any

import orjson
from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.errand import explain
from dashboard.limitbook import Standing
from dashboard.moment import shown_moment
from dashboard.panels.admin_shell import field, notice
from dashboard.panels.camera_shell import LIMITS, STANDING, TOLD
from operations.cameras.limits import FORBIDDEN, KINDS, RESTRICTED, Limit, Mask, Wish
from operations.errors import OperationsError, Refused

AREA, KIND, CONSENT, BY, MASKS, WHY, SAVE, CLEAR, SAID, KEPT = (
    f"camera-card-limit-{one}"
    for one in ("area", "kind", "consent", "by", "masks", "why", "save", "clear", "said", "kept")
)
LINES_MOST = 64


# ---- pure ------------------------------------------------------------------------------------------------------------


def masks_of(text: str) -> tuple[Mask, ...]:
    """Return the masks that are typed, one a line: "0.1,0.2 0.5,0.2 0.5,0.8". Raises Refused: which line is wrong."""
    lines = [(number, line) for number, line in enumerate(text.splitlines()[:LINES_MOST], 1) if line.strip()]
    return tuple(_mask(number, line) for number, line in lines)


def _mask(number: int, line: str) -> Mask:
    try:
        corners = [[float(part) for part in pair.replace("，", ",").split(",")] for pair in line.split()]
        return tuple((x, y) for x, y in corners)
    except ValueError:
        raise Refused("limits.unread", n=number) from None


def typed(masks: tuple[Mask, ...]) -> str:
    """Return masks as they are typed."""
    return "\n".join(" ".join(f"{x:g},{y:g}" for x, y in mask) for mask in masks)


def said(limit: Limit, words: Words) -> str:
    """Return what a limit means for whoever wants to look."""
    masked = words.text("viewlimit.said.masked", n=len(limit.masks)) if limit.masks else ""
    if limit.kind == FORBIDDEN:
        return words.text("viewlimit.said.forbidden")
    if limit.kind == RESTRICTED:
        consent = "restricted" if limit.consent else "no_consent"
        asked = words.text(f"viewlimit.said.{consent}", consent=limit.consent, by=limit.by)
        return " · ".join(one for one in (asked, masked) if one)
    return masked


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Div:
    """Return nothing to see: the section stands in the card."""
    return html.Div(hidden=True)


def section(standing: Standing, may: Mapping[str, bool], who: str, words: Words) -> list[Any]:
    """Return the section; `may`: which of limit and unlimit whoever asks is allowed, `who`: who registered it."""
    say, limit = words.text, standing.limit
    parts: list[Any] = [html.H3(say("viewlimit.title"))]
    if standing.rule:
        parts.append(notice("wrong", say("viewlimit.by_rule", code=standing.rule)))
    if limit is None:
        parts.append(html.P(say("viewlimit.none"), className="desk-hint"))
    else:
        parts.append(notice("wrong" if limit.barred else "note", said(limit, words)))
        parts.append(html.P(limit.why))
        at = shown_moment(limit.changed_at, words.city.zone)
        parts.append(html.P(say("viewlimit.changed", who=who, at=at), className="desk-hint"))
        if limit.masks:
            parts.append(sketch(limit.masks, words))
    if may["limit"]:
        parts.append(form(standing, may["unlimit"], words))
    return parts


def sketch(masks: tuple[Mask, ...], words: Words) -> html.Div:
    """Return the place where masks are drawn (`assets/admin/camera_limits.js`)."""
    label = words.text("viewlimit.sketch", n=len(masks))
    drawn = {"data-masks": orjson.dumps(masks).decode(), "aria-label": label}
    return html.Div(className="limit-area", role="img", **drawn)


def form(standing: Standing, unlimit: bool, words: Words) -> html.Details:
    """Return the closed form; masks are typed, or drawn into the field by clicks."""
    say, limit = words.text, standing.limit
    kinds = [{"label": say(f"viewlimit.kind.{one}"), "value": one} for one in KINDS]
    text: dict[str, Any] = {"type": "text", "className": "desk-input"}
    given = typed(limit.masks) if limit is not None else ""
    masks = dcc.Textarea(id=MASKS, className="desk-input", rows=4, spellCheck=False, value=given)
    chosen, consent, by = (limit.kind, limit.consent, limit.by) if limit is not None else (KINDS[-1], "", "")
    fields = [
        field(say("viewlimit.consent"), dcc.Input(id=CONSENT, maxLength=200, value=consent, **text)),
        field(say("viewlimit.by"), dcc.Input(id=BY, maxLength=60, value=by, **text)),
        field(say("viewlimit.why"), dcc.Input(id=WHY, maxLength=200, value="", **text)),
    ]
    buttons = [html.Button(say("viewlimit.save"), id=SAVE, type="button", className="desk-button primary")]
    hidden = limit is None or not unlimit
    buttons.append(html.Button(say("viewlimit.clear"), id=CLEAR, type="button", className="desk-button", hidden=hidden))
    drawing = {"aria-label": say("viewlimit.area")}
    body = [
        html.P(say("viewlimit.about"), className="desk-hint"),
        html.Fieldset(
            [
                html.Legend(say("viewlimit.which"), className="admin-label"),
                dcc.RadioItems(kinds, chosen, id=KIND, className="limit-kinds"),
            ]
        ),
        html.Div(id=AREA, className="limit-area drawing", role="group", tabIndex="0", **drawing),
        html.P(say("viewlimit.draw"), className="desk-hint"),
        field(say("viewlimit.masks"), masks, say("viewlimit.masks_hint")),
        html.Div(fields, className="admin-form"),
        html.Div(buttons, className="admin-line"),
        html.Div(id=SAID, **{"aria-live": "polite"}),
        dcc.Store(id=KEPT, data={"id": standing.camera, "revision": standing.revision}),
    ]
    summary = html.Summary(say("viewlimit.edit"))
    return html.Details([summary, html.Div(body, className="admin-stack")], className="camera-fold")


# ---- doing -----------------------------------------------------------------------------------------------------------


def register(app: Any, commands: Any) -> None:
    """Register the section, registering a limit and taking it away."""
    words: Words = app.words

    def offered(standing: Mapping[str, Any] | None) -> Any:
        if not standing:
            raise PreventUpdate
        may = {name: commands.allowed(f"camera.{name}") for name in ("limit", "unlimit")}
        try:
            found = commands.catalogue.limits.of(str(standing["id"]))
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        who = found.limit.changed_by.partition(":")[2] if found.limit is not None else ""
        return section(found, may, who, words)

    def done(
        saved: int | None, cleared: int | None, kept: Mapping[str, Any], kind: str, consent: str | None,
        by: str | None, masks: str | None, why: str | None,
    ) -> tuple[Any, Any]:  # fmt: skip
        save = ctx.triggered_id == SAVE
        if not (saved if save else cleared):
            raise PreventUpdate
        book, id, revision = commands.catalogue.limits, str(kept["id"]), int(kept["revision"])
        try:
            if save:
                wish = Wish(kind=kind, why=why or "", consent=consent or "", by=by or "", masks=masks_of(masks or ""))
                book.put(id, wish, revision=revision)
            else:
                book.clear(id, reason=why or "", revision=revision)
        except OperationsError as error:
            return notice("wrong", explain(error, words)), no_update
        return no_update, {"text": words.text("viewlimit.saved" if save else "viewlimit.cleared"), "at": clock.now()}

    app.callback(Output(LIMITS, "children"), Input(STANDING, "data"))(offered)
    acted = Input(SAVE, "n_clicks"), Input(CLEAR, "n_clicks")
    given = [State(KEPT, "data"), *(State(one, "value") for one in (KIND, CONSENT, BY, MASKS, WHY))]
    told = Output(SAID, "children"), Output(TOLD, "data", allow_duplicate=True)
    app.callback(*told, *acted, *given, prevent_initial_call=True)(done)
