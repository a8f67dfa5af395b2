"""The tabs of the auditor's page 审计: log, subject, verification, export."""

from typing import Any

from dash import dcc, html

from config.words import Words
from dashboard.panels.admin_shell import tabs
from dashboard.panels.audit_shell import ASKED, SUBJECT_ASK, TABS


def layout(words: Words) -> Any:
    """Return the tab bar, with the stores the panels tell one another by."""
    bar = tabs("audit", TABS, words)
    bar.children = [
        *bar.children,
        dcc.Store(id=ASKED),
        dcc.Store(id=SUBJECT_ASK),
        html.Span(id="audit-sink", hidden=True),
    ]
    return bar
