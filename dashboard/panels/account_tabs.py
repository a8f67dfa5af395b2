"""The tabs of the page of accounts 账号权限; each section is a panel of its own."""

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import tabs

TABS = ("accounts", "jurisdictions", "import")


def layout(words: Words) -> html.Div:
    """Return the tab bar."""
    return tabs("accounts", TABS, words)
