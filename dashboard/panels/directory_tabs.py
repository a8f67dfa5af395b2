"""The tabs of the address book 通讯录; each section is a panel of its own."""

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import tabs

TABS = ("directory", "roster", "duties", "import")


def layout(words: Words) -> html.Div:
    """Return the tab bar."""
    return tabs("directory", TABS, words)
