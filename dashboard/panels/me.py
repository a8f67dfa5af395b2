"""One's own account 我的账号."""

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import section


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    return section("me", [html.H2(words.text("page.me"))], first=True)
