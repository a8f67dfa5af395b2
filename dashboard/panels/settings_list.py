"""The settings in force 系统设置: each with its meaning, where it came from, and what waits for a restart."""

from collections.abc import Sequence
from typing import Any

from dash import Input, Output, dcc, html

from config.inventory import Entry
from config.words import Words
from dashboard.moment import shown_moment
from dashboard.panels.admin_shell import notice, section, table

SEARCH, LIST = "settings-search", "settings-list"
ORIGINS = {"default": "default", "file": "file", "command line": "command"}


def found(entries: Sequence[Entry], text: str, words: Words) -> list[Entry]:
    """Return the settings whose name, value or meaning holds every word typed."""
    wanted = text.lower().split()
    return [
        one for one in entries if all(word in f"{one.name} {one.value} {about(one, words)}".lower() for word in wanted)
    ]


def about(one: Entry, words: Words) -> str:
    """Return what a setting means."""
    key = f"settings.about.{one.name}"
    return words.text(key) if key in words else ""


def origin(one: Entry, words: Words) -> str:
    """Return where a value came from; an environment variable by its name."""
    known = ORIGINS.get(one.origin)
    return words.text(f"settings.origin.{known}") if known else words.text("settings.origin.variable", name=one.origin)


def line(one: Entry, words: Words) -> list[Any]:
    """Return the cells of a setting."""
    waits = [html.Div(words.text("settings.waiting", value=one.waiting), className="setting-waiting")]
    value = html.Div([html.Code(one.value or words.text("settings.empty")), *(waits if one.waiting else [])])
    name = html.Div([html.Span(about(one, words)), html.Code(one.name, className="setting-name")], className="setting")
    return [name, value, html.Span(origin(one, words), className="" if one.origin == "default" else "setting-set")]


def shown(entries: Sequence[Entry], wrong: str, text: str, words: Words) -> list[Any]:
    """Return the table, with what is wrong with the file above it."""
    heads = [words.text(f"settings.head.{name}") for name in ("setting", "value", "origin")]
    lines = [line(one, words) for one in found(entries, text, words)]
    said = [notice("wrong", words.text("settings.wrong", said=wrong))] if wrong else []
    return [*said, table(heads, lines, empty=words.text("settings.none"))]


def announced(begins: int, entries: Sequence[Entry], words: Words) -> list[Any]:
    """Return the notice of what will be destroyed from a time on (UTC microseconds); none for 0."""
    days = next((one.value for one in entries if one.name == "forget_days"), "")
    at = shown_moment(begins, words.city.zone)
    return [notice("wrong", words.text("settings.announced", at=at, days=days))] if begins else []


def layout(words: Words) -> html.Section:
    """Return the section; the table comes when it is asked for."""
    find = dcc.Input(
        id=SEARCH,
        type="search",
        className="desk-input",
        debounce=0.3,
        maxLength=60,
        placeholder=words.text("settings.search"),
    )
    return section(
        "settings",
        [
            html.H2(words.text("page.settings")),
            html.P(words.text("settings.said"), className="desk-hint"),
            html.Div(find, className="admin-line"),
            html.Div(id=LIST),
        ],
        first=True,
    )


def register(app: Any, commands: Any) -> None:
    """Register listing and searching."""
    words: Words = app.words

    def listed(text: str | None) -> list[Any]:
        entries, wrong = commands.inventory.entries()
        told = announced(commands.inventory.destroys_from(), entries, words)
        return [*told, *shown(entries, wrong, text or "", words)]

    app.callback(Output(LIST, "children"), Input(SEARCH, "value"))(listed)
