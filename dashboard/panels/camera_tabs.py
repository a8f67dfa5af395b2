"""The tabs of the page of cameras 摄像机; each section is a panel of its own."""

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import tabs

TABS = ("cameras", "completeness", "coverage", "health", "import", "looks")


def layout(words: Words) -> html.Div:
    """Return the tab bar."""
    return tabs("cameras", TABS, words, only={"import": "admin-only", "looks": "looks-only"})
