"""The tab of rights 权限表: who may do what and how far, just as the gate reads it (`operations.policy`)."""

from dataclasses import dataclass

from dash import html

from config.words import Words
from dashboard.panels.admin_shell import section
from operations.policy import ADMINISTRATORS, PEOPLE, POLICY, WHILE_LOCKED

SHOWN = (*PEOPLE, *ADMINISTRATORS, "wall", "source", "token_read", "system")
"""The roles that have a column; whoever is not signed in may do only what is open to all."""


@dataclass(frozen=True)
class Row:
    """One action: its code, what it is in words, {role: how far, in words} of SHOWN, and whether a locked desk may."""

    action: str
    said: str
    reaches: dict[str, str]
    locked: bool


def rows(words: Words) -> list[Row]:
    """Return the table in words, in its own order; a role that may not do something has no reach there."""
    return [
        Row(
            action,
            words.text(f"policy.action.{action}"),
            {role: words.text(f"policy.reach.{roles[role]}") for role in SHOWN if role in roles},
            action in WHILE_LOCKED,
        )
        for action, roles in POLICY.items()
    ]


def heads(words: Words) -> list[str]:
    """Return the names of the columns: the action, then each role."""
    return [words.text("policy.head"), *(words.text(f"policy.role.{role}") for role in SHOWN)]


def layout(words: Words) -> html.Section:
    """Return the table, which is the program's own and changes only with it."""
    body = [html.Tr([named(row, words), *(reached(row, role) for role in SHOWN)]) for row in rows(words)]
    head = html.Thead(html.Tr([html.Th(one, scope="col") for one in heads(words)]))
    shown = html.Table([head, html.Tbody(body)], className="admin-table policy-table")
    return section(
        "policy",
        [
            html.H2(words.text("policy.title")),
            html.P(words.text("policy.about"), className="admin-about"),
            html.P(words.text("policy.reaches"), className="admin-about"),
            html.Div(shown, className="admin-scroll", tabIndex="0"),
        ],
    )


def named(row: Row, words: Words) -> html.Th:
    """Return the head of a line: the action in words, its code below, and a mark where a locked desk may do it."""
    mark = [html.Span(words.text("policy.while_locked"), className="policy-locked")] if row.locked else []
    return html.Th([html.Span(row.said), html.Code(row.action), *mark], scope="row")


def reached(row: Row, role: str) -> html.Td:
    """Return one cell."""
    return html.Td(row.reaches.get(role, "–"), className="" if role in row.reaches else "policy-no")
