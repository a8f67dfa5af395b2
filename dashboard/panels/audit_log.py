"""The log 审计日志: search by time, actor, kind of action, subject and reason; newest first, a page at a time."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from dash import Input, Output, State, ctx, dcc, html, no_update
from msgspec import ValidationError, convert, structs, to_builtins

from config import clock
from config.words import Words
from dashboard.errand import explain
from dashboard.moment import NoMoment, moment
from dashboard.panels.admin_shell import field, section
from dashboard.panels.audit_shell import ASKED, LOG, listing, rows
from operations.errors import OperationsError
from operations.inquiry import GROUPS, Asked, Page, Place
from operations.views import midnight

SHOWN, NOTE, NEXT, SEARCH, OLDER = (
    "audit-shown", "audit-note", "audit-next", "audit-search", "audit-older",
)  # fmt: skip
FIELDS = ("since", "until", "actor", "subject", "reason")
WINDOW, GROUP = "audit-window", "audit-group"
WINDOWS = {"hour": 1, "today": 0, "week": 7 * 24, "month": 30 * 24, "all": None}
"""{name: hours back; 0: since the city's midnight; None: no bound}"""
ALL = "all"
TEXT_MOST = 200
HOUR = 3_600_000_000


@dataclass(frozen=True)
class Wrong:
    """A field whose text is no time."""

    field: str


def asked_of(given: dict[str, Any], now: int, zone: tzinfo) -> Asked | Wrong:
    """Return what a form asks for; times that are typed go before the window that is chosen."""
    texts = {name: str(given.get(name) or "").strip()[:TEXT_MOST] for name in FIELDS}
    bounds: dict[str, int | None] = {}
    for name in ("since", "until"):
        try:
            bounds[name] = moment(texts[name], zone)
        except NoMoment:
            return Wrong(name)
    since = bounds["since"] if texts["since"] or texts["until"] else begin(str(given.get("window")), now, zone)
    group = str(given.get("group") or ALL)
    groups = (group,) if group in GROUPS else ()
    subjects = (texts["subject"],) if texts["subject"] else ()
    return Asked(since, bounds["until"], texts["actor"], groups, subjects, texts["reason"])


def begin(window: str, now: int, zone: tzinfo) -> int | None:
    """Return when a window begins."""
    hours = WINDOWS.get(window)
    if hours is None:
        return None
    return now - hours * HOUR if hours else midnight(now, zone)


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the form and the empty list."""
    windows = dcc.RadioItems(options(words, "window", tuple(WINDOWS)), "week", id=WINDOW, className="audit-chips")
    groups = dcc.RadioItems(options(words, "group", (ALL, *GROUPS)), ALL, id=GROUP, className="audit-chips")
    texts = [
        field(
            words.text(f"audit.field.{name}"),
            dcc.Input(
                id=f"audit-{name}", className="desk-input", placeholder=words.text(f"audit.hint.{name}"), debounce=True
            ),
        )
        for name in FIELDS
    ]
    search = html.Button(words.text("audit.search"), id=SEARCH, className="desk-button primary", type="button")
    older = html.Button(words.text("audit.older"), id=OLDER, className="desk-button", type="button", hidden=True)
    return section(
        LOG,
        [
            html.Div([groups, windows], className="audit-choices"),
            html.Div([*texts, search], className="audit-form"),
            html.Div(id=NOTE, className="desk-hint", role="status"),
            html.Div(id=SHOWN),
            html.Div(older, className="desk-line"),
            dcc.Store(id=NEXT),
        ],
        first=True,
    )


def options(words: Words, kind: str, names: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the choices of a row of chips."""
    return [{"label": words.text(f"audit.{kind}.{name}"), "value": name} for name in names]


def drawn(found: Page, commands: Any, words: Words) -> Any:
    """Return a page of lines."""
    called = commands.auditbook.called(found.entries)
    return listing(rows(found.entries, called, words), words, words.text("audit.none"))


def look(commands: Any, words: Words, given: dict[str, Any]) -> Asked | Wrong:
    """Return what a form asks for, its subject by id. Raises NotFound for a subject nobody knows, Forbidden."""
    asked = asked_of(given, clock.now(), words.city.zone)
    if isinstance(asked, Wrong) or not asked.subjects:
        return asked
    found = commands.auditbook.subjects(asked.subjects[0])
    return structs.replace(asked, subjects=tuple(one.id for one in found))


def register(app: Any, commands: Any) -> None:
    """Register searching and going on to older entries."""
    words: Words = app.words
    unchanged = (no_update,) * 4

    def search(asking: Any, form: dict[str, Any], kept: dict[str, Any]) -> tuple[Any, ...]:
        older = ctx.triggered_id == OLDER
        try:
            asked = convert(kept["asked"], Asked) if older else look(commands, words, form | kept["texts"])
            if isinstance(asked, Wrong):
                label = words.text(f"audit.field.{asked.field}")
                return words.text("audit.no_moment", field=label), *unchanged
            found = commands.auditbook.page(asked, convert(kept["next"], Place) if older else None)
            shown = drawn(found, commands, words)
        except OperationsError as error:
            return explain(error, words), *unchanged
        except ValidationError:
            return words.text("audit.search_again"), *unchanged
        note = words.text("audit.found_more" if found.next else "audit.found", n=len(found.entries))
        return note, shown, found.next, found.next is None, to_builtins(asked)

    app.callback(
        output=[
            *(Output(NOTE, "children"), Output(SHOWN, "children"), Output(NEXT, "data"), Output(OLDER, "hidden")),
            Output(ASKED, "data"),
        ],
        inputs={
            "asking": [
                *(Input(SEARCH, "n_clicks"), Input(OLDER, "n_clicks")),
                *(Input(f"audit-{name}", "n_submit") for name in FIELDS),
            ],
            "form": {"window": Input(WINDOW, "value"), "group": Input(GROUP, "value")},
        },
        state={
            "kept": {
                "texts": {name: State(f"audit-{name}", "value") for name in FIELDS},
                **{"next": State(NEXT, "data"), "asked": State(ASKED, "data")},
            }
        },
    )(search)
