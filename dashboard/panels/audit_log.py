"""The auditor's page 审计日志."""

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import section


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    return section("log", [html.H2(words.text("page.audit"))], first=True)
