"""The card of one camera 一机一档: its record, its three signals, what changed, its picture, maintenance."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.catalogue import Dossier
from dashboard.errand import explain
from dashboard.moment import shown_moment
from dashboard.names import Names, names_of
from dashboard.panels.admin_shell import field, notice, table
from dashboard.panels.camera_shell import (
    CARD,
    CHOSEN,
    HOUR,
    LIMITS,
    STANDING,
    TOLD,
    ago,
    grade,
    picture,
    place,
    source_name,
    special,
    state,
)
from dashboard.panels.camera_shell import PLACE as PLACING
from operations.cameras.condition import disagreeing
from operations.cameras.reading import Camera
from operations.cameras.tickets import Ticket
from operations.cameras.told import Change, Step
from operations.entry import Entry
from operations.errors import OperationsError

SAID, MAINTAIN, RESUME, HOURS, REASON = (
    f"camera-card-{one}" for one in ("said", "maintain", "resume", "hours", "reason")
)
WHYS = ("patrol", "request", "maintenance")
HOURS_OFFERED = (2, 8, 24, 72, 168)
FACTS = (
    *("code", "source", "owner", "place", "coordinates", "point_class", "position", "direction", "field_angle"),
    *("view_distance", "function_type", "legal_basis", "filing_number", "retention_days", "sign", "restricted"),
    *("civil_code", "group", "parent", "vendor", "model", "since"),
)
URLS = ("url_main", "url_sub")
STEPS_SHOWN = 60


# ---- pure ------------------------------------------------------------------------------------------------------------


def facts(one: Camera, names: Names, words: Words) -> list[list[str]]:
    """Return what its record says, without what it does not say."""
    values = {name: value(name, getattr(one.item, name, ""), names, words) for name in FACTS}
    values["source"] = source_name(one.source, names.sources, words)
    values["place"] = place(one, names, words)
    values["coordinates"] = coordinates((one.lon, one.lat), words)
    if one.placed:
        values["coordinates"] += f"（{words.text('camerapage.by_hand')}）"
    values["since"] = shown_moment(one.since_at, words.city.zone)
    return [[words.text(f"camerapage.field.{name}"), values[name]] for name in FACTS if values[name]]


def value(name: str, given: Any, names: Names, words: Words) -> str:
    """Return a field's value in words, "" for what is not told."""
    if name == "owner":
        return names.department(given) if given else ""
    if name == "point_class":
        return grade(given, words)
    if name in ("sign", "restricted"):
        return words.text("camerapage.yes" if given else "camerapage.no")
    if name == "chain":
        return " › ".join(names.grid(code) for code in given[-2:])
    if name == "lon":
        return coordinates(given, words)
    if name in URLS:
        return words.text("camerapage.told" if given else "camerapage.not_told")
    if name in ("direction", "field_angle", "view_distance", "retention_days"):
        return "" if given in (None, 0) and name != "direction" else measured(name, given, words)
    return "" if given is None else str(given)


def measured(name: str, given: float | None, words: Words) -> str:
    """Return a number with its unit."""
    return "" if given is None else words.text(f"camerapage.unit.{name}", n=f"{given:g}")


def coordinates(given: Any, words: Words) -> str:
    """Return a place as longitude and latitude."""
    if given is None or given[0] is None:
        return words.text("camerapage.unplaced")
    return f"{given[0]:.6f}, {given[1]:.6f} (WGS-84)"


def signals(one: Camera, now: int, words: Words) -> list[list[str]]:
    """Return the three signals: what each says and since when."""
    said = {
        "status": words.text(f"camerapage.said.{one.status or 'unknown'}"),
        "registered": words.text(f"camerapage.said.{one.registered or 'unknown'}"),
        "picture": picture(one, words),
    }
    return [
        [words.text(f"camerapage.signal.{name}"), text, ago(getattr(one, f"{name}_at"), now, words) or "—"]
        for name, text in said.items()
    ]


def change(one: Change, names: Names, words: Words) -> str:
    """Return one change: which field, from what to what."""
    before, after = (value(one.field, each, names, words) or "—" for each in (one.before, one.after))
    if before == after:  # an address, of which only that there is one is shown
        after = words.text("camerapage.another")
    return words.text(
        "camerapage.change", field=words.text(f"camerapage.field.{one.field}"), before=before, after=after
    )


def step(one: Step, names: Names, words: Words) -> tuple[int, str, list[str]]:
    """Return when, who and what of one change of the record."""
    told = [words.text("camerapage.first")] if one.first else [change(each, names, words) for each in one.changes]
    return one.at, names.actor(one.actor), told or [words.text("camerapage.details_changed")]


def entered(one: Entry, names: Names, words: Words) -> tuple[int, str, list[str]]:
    """Return when, who and what of planned maintenance, or of a view limit."""
    if one.action != "camera.maintained":
        kind = str((one.body or {}).get("kind", ""))
        said = words.text(f"viewlimit.history.{kind or 'cleared'}", why=one.reason)
        return one.at, names.actor(one.actor), [said]
    until = int((one.body or {}).get("until", 0))
    said = words.text("camerapage.maintained", until=shown_moment(until, words.city.zone), why=one.reason)
    return one.at, names.actor(one.actor), [said if until else words.text("camerapage.resumed", why=one.reason)]


def history(dossier: Dossier, names: Names, words: Words) -> list[tuple[int, str, list[str]]]:
    """Return all that changed, the newest first."""
    found = [step(one, names, words) for one in dossier.steps]
    found += [entered(one, names, words) for one in dossier.entries]
    return sorted(found, key=lambda one: one[0], reverse=True)[:STEPS_SHOWN]


def warnings(one: Camera, words: Words) -> list[html.Div]:
    """Return what has to be said before all else: signals that contradict each other, cameras that look at persons."""
    parts = []
    if against := disagreeing(one):
        names = "、".join(words.text(f"camerapage.signal.{name}") for name in against)
        parts.append(notice("wrong", words.text("camerapage.disagree", signals=names)))
    if special(one):
        parts.append(notice("note", words.text("camerapage.special.long", type=one.item.function_type)))
    if one.gone_at is not None:
        parts.append(notice("wrong", words.text("camerapage.gone", at=shown_moment(one.gone_at, words.city.zone))))
    return parts


def ticket(one: Ticket | None, words: Words) -> list[html.Div]:
    """Return the camera's ticket with a link to its incident; without one for who may not open it."""
    if one is None:
        return []
    since = shown_moment(one.since, words.city.zone)
    said = words.text(f"camerapage.ticket.{'back' if one.back else one.kind}", since=since)
    parts: list[Any] = [said]
    if one.incident:
        step = words.text(f"common.step.{one.step}")
        link = html.A(one.number, href=f"/desk?incident={one.incident}", className="camera-ticket")
        parts += [" ", link, f" · {step}"]
    return [notice("note" if one.back else "wrong", html.Span(parts))]


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Div:
    """Return nothing to see: the card stands in the section of the list."""
    return html.Div(hidden=True)


def card(dossier: Dossier, may: Mapping[str, bool], names: Names, words: Words, said: Sequence[Any] = ()) -> list[Any]:
    """Return the whole card; `may`: which actions whoever asks is allowed, `said`: what was done just now."""
    one, now, say = dossier.camera, dossier.now, words.text
    lines = history(dossier, names, words)
    there = one.gone_at is None
    standing = {"id": one.id, "code": one.item.code, "revision": one.revision, "until": one.maintenance_until}
    return [
        html.Div(
            [html.H2(one.item.name or one.item.code), state(one, now, words)],
            className="camera-title",
            draggable="true",
            **{"data-camera-id": one.id, "data-camera-name": one.item.name or one.item.code},
        ),
        html.Div(list(said), id=SAID, **{"aria-live": "polite"}),
        *warnings(one, words),
        *ticket(dossier.ticket, words),
        *([live(one, words)] if may["look"] and there else []),
        html.H3(say("camerapage.signals")),
        table([say(f"camerapage.head.{name}") for name in ("signal", "says", "age")], signals(one, now, words)),
        html.H3(say("camerapage.record")),
        table([say("camerapage.head.field"), say("camerapage.head.value")], facts(one, names, words)),
        html.Div(id=PLACING),
        html.Div(id=LIMITS, className="camera-limits"),
        *([maintenance(one, now, words)] if may["manage"] and there else []),
        html.H3(say("camerapage.history")),
        html.Ol([event(*line, words) for line in lines], className="camera-history"),
        dcc.Store(id=STANDING, data=standing),
    ]


def event(at: int, who: str, told: Sequence[str], words: Words) -> html.Li:
    """Return one line of the history."""
    head = [html.Time(shown_moment(at, words.city.zone)), html.Span(who)]
    return html.Li([html.P(head, className="desk-hint"), html.Ul([html.Li(one) for one in told])])


def live(one: Camera, words: Words) -> html.Div:
    """Return the place of the live picture: the reason first, then it plays (`assets/admin/camera_live.js`)."""
    say = words.text
    if not (one.item.url_main or one.item.url_sub):
        return html.Div(html.P(say("camerapage.live.none"), className="desk-hint"), className="camera-look")
    options = [html.Option(say(f"desk.pictures.why_{why}"), value=why) for why in WHYS]
    states = orjson.dumps(words.under("desk.cameras.state")).decode()
    choose = html.Select(options, className="desk-input", **{"aria-label": say("desk.pictures.why")})
    begin = html.Button(say("camerapage.live.begin"), type="button", className="desk-button primary camera-begin")
    end = html.Button(say("camerapage.live.end"), type="button", className="desk-button camera-end", hidden=True)
    ask = html.A(say("camerapage.live.ask"), href=f"/access?cameras={one.id}")
    line = html.Div([choose, begin, end, html.Span(say("camerapage.live.said"), className="desk-hint"), ask])
    line.className = "admin-line"
    return html.Div(
        [line, html.Div(className="camera-live")],
        className="camera-look",
        **{"data-look": one.id, "data-states": states},
    )


def maintenance(one: Camera, now: int, words: Words) -> html.Details:
    """Return the form of planned maintenance."""
    say, on = words.text, one.maintenance_until > now
    until = shown_moment(one.maintenance_until, words.city.zone)
    hours = dcc.Dropdown(
        [{"label": say("camerapage.hours", n=n), "value": n} for n in HOURS_OFFERED],
        8,
        id=HOURS,
        clearable=False,
        searchable=False,
        className="admin-choice",
    )
    reason = dcc.Input(id=REASON, type="text", className="desk-input", maxLength=200, value="")
    buttons = [
        html.Button(say("camerapage.maintain"), id=MAINTAIN, type="button", className="desk-button"),
        html.Button(say("camerapage.resume"), id=RESUME, type="button", className="desk-button", hidden=not on),
    ]
    form = [field(say("camerapage.for_how_long"), hours), field(say("camerapage.why"), reason)]
    said = say("camerapage.maintenance_until", until=until) if on else say("camerapage.maintenance")
    body = html.Div([html.Div(form, className="admin-form"), html.Div(buttons, className="admin-line")])
    return html.Details([html.Summary(said), body], className="camera-fold", open=False)


# ---- doing -----------------------------------------------------------------------------------------------------------


def shown(commands: Any, id: str, words: Words, said: Sequence[Any] = ()) -> list[Any]:
    """Return the card of a camera as it is now."""
    may = {name: commands.allowed(f"camera.{name}") for name in ("look", "manage")}
    return card(commands.catalogue.card(id), may, names_of(commands, words), words, said)


def register(app: Any, commands: Any) -> None:
    """Register opening the card and maintenance."""
    words: Words = app.words

    def opened(id: str | None, told: Mapping[str, Any] | None) -> Any:
        if not id:
            raise PreventUpdate
        fresh = [notice("good", told["text"])] if told and ctx.triggered_id == TOLD else []
        try:
            return shown(commands, id, words, fresh)
        except OperationsError as error:
            return notice("wrong", explain(error, words))

    def worked(
        begun: int | None, ended: int | None, standing: Mapping[str, Any], hours: int | None, reason: str | None
    ) -> tuple[Any, Any]:
        by = ctx.triggered_id
        if not (begun if by == MAINTAIN else ended):
            raise PreventUpdate
        until = clock.now() + int(hours or 0) * HOUR if by == MAINTAIN else 0
        try:
            seen = int(standing["until"])
            commands.catalogue.maintain(str(standing["id"]), until, seen=seen, reason=reason or "")
        except OperationsError as error:
            return notice("wrong", explain(error, words)), no_update
        said = words.text("camerapage.done.maintained" if until else "camerapage.done.resumed")
        return no_update, {"text": said, "at": clock.now()}

    app.callback(Output(CARD, "children"), Input(CHOSEN, "data"), Input(TOLD, "data"))(opened)
    typed = State(STANDING, "data"), State(HOURS, "value"), State(REASON, "value")
    acted = Input(MAINTAIN, "n_clicks"), Input(RESUME, "n_clicks")
    said = Output(SAID, "children"), Output(TOLD, "data")
    app.callback(*said, *acted, *typed, prevent_initial_call=True)(worked)
