"""The page of tokens 接口令牌."""

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import section


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    return section("tokens", [html.H2(words.text("page.tokens"))], first=True)
