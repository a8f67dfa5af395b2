"""The tabs of the page of settings 系统设置; each section is a panel of its own."""

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import tabs

TABS = ("settings", "departments", "policy")


def layout(words: Words) -> html.Div:
    """Return the tab bar."""
    return tabs("settings", TABS, words)
