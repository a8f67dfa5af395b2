"""The page of settings 系统设置."""

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import section


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    return section("settings", [html.H2(words.text("page.settings"))], first=True)
