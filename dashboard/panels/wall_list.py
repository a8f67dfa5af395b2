"""The page of wall devices 大屏设备."""

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import section


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    return section("walls", [html.H2(words.text("page.walls"))], first=True)
