"""Export 导出: what the log shows, as CSV or JSON, with the journal's head and a signature."""

from typing import Any
from urllib.parse import urlencode

from dash import Input, Output, html
from msgspec import ValidationError, convert

from config.words import Words
from dashboard.auditbook import asked_of
from dashboard.journal_export import FORMS
from dashboard.moment import shown_moment
from dashboard.panels.admin_shell import section
from dashboard.panels.audit_shell import ASKED, EXPORT
from operations.inquiry import Asked

FILTER = "audit-filter"
PATH = "/api/v1/audit/export"


def said(asked: Asked, words: Words) -> str:
    """Return in words what a question asks for."""
    zone = words.city.zone
    parts = [
        words.text(f"audit.filter.{name}", at=shown_moment(at, zone))
        for name, at in (("since", asked.since), ("until", asked.until))
        if at is not None
    ]
    parts += [words.text(f"audit.group.{group}") for group in asked.groups]
    given = (("actor", asked.actor), ("subject", ", ".join(asked.subjects)), ("reason", asked.reason))
    parts += [f"{words.text(f'audit.field.{name}')}: {text}" for name, text in given if text]
    return " · ".join(parts) or words.text("audit.filter.all")


def address(asked: Asked, form: str) -> str:
    """Return where an export is fetched."""
    given = {name: value for name, value in asked_of(asked).items() if value}
    return f"{PATH}?{urlencode({**given, 'form': form}, doseq=True)}"


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the filter in words and the two ways to take it."""
    links = [
        html.A(
            words.text(f"audit.export_{form}"),
            id=f"audit-{form}",
            className="desk-button primary",
            download="",
            href="#",
        )
        for form in FORMS
    ]
    check = html.Code("python3 run.py check export FILE.zip")
    return section(
        EXPORT,
        [
            html.P(words.text("audit.export_hint"), className="desk-hint"),
            html.P([html.B(words.text("audit.export_filter")), html.Span(id=FILTER)], className="admin-line"),
            html.Div(links, className="desk-line"),
            html.P([words.text("audit.export_check"), check], className="desk-hint"),
        ],
    )


def register(app: Any, _commands: Any) -> None:
    """Register taking over what the log was asked for."""
    words: Words = app.words

    def follow(given: Any) -> tuple[str, ...]:
        try:
            asked = convert(given, Asked) if given else Asked()
        except ValidationError:
            asked = Asked()
        return said(asked, words), *(address(asked, form) for form in FORMS)

    outputs = [Output(FILTER, "children"), *(Output(f"audit-{form}", "href") for form in FORMS)]
    app.callback(outputs, Input(ASKED, "data"))(follow)
