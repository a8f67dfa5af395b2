"""The page of accounts 账号权限."""

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import section


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    return section("accounts", [html.H2(words.text("page.accounts"))], first=True)
