"""The notice that the server's command line or the recovery key touched accounts, where nobody signs in.

On the pages of those who must know: the security and the audit administrator. Nothing while there was none.
"""

from dataclasses import dataclass
from typing import Any

from dash import Input, Output, dcc, html

from config.words import Words
from dashboard.history import known
from dashboard.moment import shown_moment
from dashboard.panels.admin_shell import notice
from operations.entry import Entry

SHOWN, START = "key-notice", "key-notice-start"


@dataclass(frozen=True)
class Row:
    """How often, what was done, and when last."""

    count: int
    kinds: str
    last: str


def rows(entries: list[Entry], words: Words) -> list[Row]:
    """Return what is to be said of entries, newest first: nothing, or one line."""
    if not entries:
        return []
    kinds = words.pick("、", ", ").join(dict.fromkeys(known(words, "audit.action", one.action) for one in entries))
    return [Row(len(entries), kinds, shown_moment(entries[0].at, words.city.zone))]


def layout(words: Words) -> html.Div:
    """Return the empty place of the notice."""
    return html.Div([html.Div(id=SHOWN), dcc.Store(id=START, data=words.lang)], className="key-notice")


def register(app: Any, commands: Any) -> None:
    """Register looking once when the page is opened."""
    words: Words = app.words

    def look(_start: Any) -> list[Any]:
        found = rows(commands.auditbook.used_keys(), words)
        return [
            notice("wrong", words.text("audit.command_line", n=one.count, kinds=one.kinds, at=one.last))
            for one in found
        ]

    app.callback(Output(SHOWN, "children"), Input(START, "data"))(look)
