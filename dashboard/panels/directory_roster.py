"""The duty roster 值班表: who is on duty now, and a week of a department with its overlaps and gaps."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.contactbook import Week
from dashboard.errand import explain
from dashboard.moment import NoMoment, moment
from dashboard.panels.admin_shell import field, notice, section, table
from operations.contacts.roster import Shift, Trouble
from operations.errors import OperationsError

NOW, WEEK, DEPARTMENT, START, TOLD, FORM, PERSON, PULSE = (
    *("shift-now", "shift-week", "shift-department", "shift-start", "shift-told", "shift-form", "shift-person"),
    "shift-pulse",
)
FIELDS = ("post", "rank", "from", "to")
DAYS = 7
MICROSECONDS = 1_000_000
TROUBLES_MOST = 50


# ---- pure ------------------------------------------------------------------------------------------------------------


def monday(now: int, zone: tzinfo, weeks: int = 0) -> int:
    """Return the beginning of a week (UTC microseconds): of this one, or of one some weeks from it."""
    today = datetime.fromtimestamp(now / MICROSECONDS, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today + timedelta(days=7 * weeks - today.weekday())).timestamp()) * MICROSECONDS


def days(since: int, zone: tzinfo) -> list[int]:
    """Return the beginnings of a week's days and of the day after it."""
    first = datetime.fromtimestamp(since / MICROSECONDS, zone)
    return [int((first + timedelta(days=number)).timestamp()) * MICROSECONDS for number in range(DAYS + 1)]


def on_duty(week: Week, now: int) -> list[Shift]:
    """Return the shifts of now, by department and rank."""
    held = [one for one in week.shifts if one.starts_at <= now < one.ends_at]
    return sorted(held, key=lambda one: (one.department, one.grid, one.rank, one.starts_at))


def hours(one: Shift, zone: tzinfo) -> str:
    """Return from when to when a shift goes, as the clock shows it."""
    begins, ends = (datetime.fromtimestamp(at / MICROSECONDS, zone) for at in (one.starts_at, one.ends_at))
    later = "" if begins.date() == ends.date() else f"{ends:%m-%d} "
    return f"{begins:%H:%M}–{later}{ends:%H:%M}"


def present(week: Week, now: int, names: dict[str, str], words: Words) -> Any:
    """Return who is on duty now."""
    lines = []
    for one in on_duty(week, now):
        person = week.people.get(one.person)
        name, phone = (person.name, person.phone) if person else ("", "")
        where = names.get(one.department, one.department) + (f" · {one.grid}" if one.grid else "")
        lines.append([where, one.post, str(one.rank), name, phone, hours(one, words.city.zone)])
    heads = [
        words.text(f"contacts.roster.{name}") for name in ("department", "post", "rank", "person", "phone", "until")
    ]
    return table(heads, lines, empty=words.text("contacts.roster.nobody"))


def grid(week: Week, department: str, now: int, words: Words, *, may: bool) -> Any:
    """Return a department's week: a row for each post, a column for each day."""
    zone = words.city.zone
    begins = days(week.since, zone)
    posts = list(dict.fromkeys((one.grid, one.post) for one in week.shifts if one.department == department))
    heads = [words.text("contacts.roster.post"), *(day(at, now, words) for at in begins[:-1])]
    lines = []
    for where, post in sorted(posts):
        own = [one for one in week.shifts if (one.department, one.grid, one.post) == (department, where, post)]
        cells = [
            html.Div([turn(one, week, now, words, may=may) for one in own if begin <= one.starts_at < end])
            for begin, end in pairwise(begins)
        ]
        lines.append([html.Span([post, html.Span(where, className="desk-hint")]), *cells])
    return table(heads, lines, empty=words.text("contacts.roster.empty"))


def day(at: int, now: int, words: Words) -> str:
    """Return the head of a day."""
    date = datetime.fromtimestamp(at / MICROSECONDS, words.city.zone)
    today = date.date() == datetime.fromtimestamp(now / MICROSECONDS, words.city.zone).date()
    named = words.text(f"contacts.weekday.{date.weekday()}")
    return f"{named} {date:%m-%d}" + (f" · {words.text('contacts.roster.today')}" if today else "")


def turn(one: Shift, week: Week, now: int, words: Words, *, may: bool) -> html.Div:
    """Return one shift of the table; the one of now says so in words."""
    person = week.people.get(one.person)
    here = one.starts_at <= now < one.ends_at
    said = [html.Span(hours(one, words.city.zone), className="desk-hint"), html.Strong(person.name if person else "")]
    said += [html.Span(words.text("contacts.roster.here"), className="shift-here")] if here else []
    cross = html.Button(
        "×",
        id={"shift-cancel": one.id},
        type="button",
        className="shift-cancel",
        title=words.text("contacts.roster.cancel"),
    )
    return html.Div([*said, *([cross] if may else [])], className="shift-turn now" if here else "shift-turn")


def wrong(found: Sequence[Trouble], week: Week, names: dict[str, str], words: Words) -> Any:
    """Return overlaps and gaps."""
    if not found:
        return notice("good", words.text("contacts.roster.whole"))
    lines = []
    for one in found[:TROUBLES_MOST]:
        person = week.people.get(one.person)
        begins = datetime.fromtimestamp(one.starts_at / MICROSECONDS, words.city.zone)
        ends = datetime.fromtimestamp(one.ends_at / MICROSECONDS, words.city.zone)
        about = {"name": person.name if person else "", "post": one.post}
        about |= {"department": names.get(one.department, one.department)}
        about |= {"since": f"{begins:%m-%d %H:%M}", "until": f"{ends:%m-%d %H:%M}"}
        lines.append(html.Li(words.text(f"contacts.trouble.{one.kind}", **about)))
    said = words.text("contacts.roster.troubles", n=f"{len(found):,}")
    return notice("wrong", html.Div([html.P(said), html.Ul(lines)]))


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    fields = [
        field(
            words.text(f"contacts.roster.{name}"),
            dcc.Input(id={"shift-field": name}, type="text", className="desk-input", maxLength=40, value=""),
            words.text(f"contacts.roster.hint.{name}"),
        )
        for name in FIELDS
    ]
    who = field(words.text("contacts.roster.person"), dcc.Dropdown([], None, id=PERSON, className="admin-choice"))
    save = html.Button(
        words.text("contacts.roster.add"), id="shift-save", type="button", className="desk-button primary"
    )
    turning = [
        html.Button(
            words.text(f"contacts.roster.{name}"), id={"shift-turn": step}, type="button", className="desk-button"
        )
        for name, step in (("before", -1), ("this", 0), ("after", 1))
    ]
    choice = dcc.Dropdown([], None, id=DEPARTMENT, className="admin-choice", clearable=False)
    return section(
        "roster",
        [
            html.H2(words.text("contacts.roster.now")),
            html.Div(id=NOW),
            html.H2(words.text("contacts.roster.title")),
            html.Div([field(words.text("contacts.roster.department"), choice), *turning], className="admin-line"),
            html.Div(id=TOLD, **{"aria-live": "polite"}),
            html.Div(id=WEEK, className="admin-stack shift-week"),
            html.Div(
                [html.H3(words.text("contacts.roster.add")), html.Div([who, *fields], className="admin-form"), save],
                id=FORM,
                hidden=True,
            ),
            dcc.Store(id=START, data=0),
            dcc.Store(id=PULSE, data=0),
        ],
    )


# ---- doing -----------------------------------------------------------------------------------------------------------


def made(department: str, person: str | None, typed: Sequence[str | None], zone: tzinfo) -> Shift:
    """Return the shift a form means. Raises NoMoment."""
    values = dict(zip(FIELDS, ((one or "").strip() for one in typed), strict=True))
    rank = int(values["rank"]) if values["rank"].isascii() and values["rank"].isdecimal() else 1
    begins, ends = (moment(values[name], zone) or 0 for name in ("from", "to"))
    return Shift(
        department=department, post=values["post"], person=person or "", rank=rank, starts_at=begins, ends_at=ends
    )


def register(app: Any, commands: Any) -> None:
    """Register the table, turning over weeks, planning and cancelling."""
    words: Words = app.words

    def shown(weeks: int | None, chosen: str | None, _pulse: object) -> tuple[Any, ...]:
        now, known = clock.now(), commands.contacts.departments()
        names = {one.code: one.name(words.lang) for one in known}
        since = monday(now, words.city.zone, weeks or 0)
        week = commands.contacts.week(since, days(since, words.city.zone)[-1])
        held = week if not weeks else commands.contacts.week(now, now + 1)
        own = commands.identity().scope.department
        first = next((one.department for one in week.shifts), known[0].code)
        department = chosen or own or first
        may = commands.allowed("roster.manage")
        options = [{"label": name, "value": code} for code, name in names.items()]
        people = [
            {"label": f"{hit.name} · {hit.post}", "value": hit.id}
            for hit in (commands.contacts.find("", ("person",), 300, department) if may else ())
        ]
        troubles = [one for one in week.troubles if one.department == department]
        body = [grid(week, department, now, words, may=may), wrong(troubles, week, names, words)]
        return present(held, now, names, words), body, options, department, people, not may

    def turned(clicks: list[int | None], weeks: int | None) -> int:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        step = int(ctx.triggered_id["shift-turn"])
        return (weeks or 0) + step if step else 0

    def changed(
        saved: int | None, cancels: list[int | None], department: str | None, person: str | None, typed: list[Any]
    ) -> tuple[Any, int]:
        which = ctx.triggered_id
        try:
            if isinstance(which, dict) and any(cancels):
                commands.contacts.plan([], [str(which["shift-cancel"])])
                return notice("good", words.text("contacts.roster.cancelled")), clock.now()
            if which != "shift-save" or not saved:
                raise PreventUpdate
            commands.contacts.plan([made(department or "", person, typed, words.city.zone)])
        except NoMoment as error:
            return notice("wrong", words.text("contacts.roster.no_moment", value=str(error))), clock.now()
        except OperationsError as error:
            return notice("wrong", explain(error, words)), clock.now()
        return notice("good", words.text("contacts.roster.added")), clock.now()

    outputs = [Output(NOW, "children"), Output(WEEK, "children"), Output(DEPARTMENT, "options")]
    outputs += [Output(DEPARTMENT, "value"), Output(PERSON, "options"), Output(FORM, "hidden")]
    app.callback(*outputs, Input(START, "data"), Input(DEPARTMENT, "value"), Input(PULSE, "data"))(shown)
    turn_input = Input({"shift-turn": ALL}, "n_clicks")
    app.callback(Output(START, "data"), turn_input, State(START, "data"), prevent_initial_call=True)(turned)
    acting = Input("shift-save", "n_clicks"), Input({"shift-cancel": ALL}, "n_clicks")
    typed = State(DEPARTMENT, "value"), State(PERSON, "value"), State({"shift-field": ALL}, "value")
    app.callback(Output(TOLD, "children"), Output(PULSE, "data"), *acting, *typed, prevent_initial_call=True)(changed)
