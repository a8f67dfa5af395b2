"""How whole the catalogue of a platform below us is 目录完整性: the same words on every page that says it."""

from datetime import datetime

from dash import html

from config.words import Words
from operations.platforms import Platform

SECOND = 1_000_000


def catalogue(one: Platform) -> str:
    """Return whole, short, or none for one that was never asked."""
    return "none" if one.tried_at is None else "whole" if one.whole else "short"


def when(at: int | None, words: Words) -> str:
    """Return a time as the city's date and time of day, "—" for never."""
    if not at:
        return "—"
    return datetime.fromtimestamp(at / SECOND, words.city.zone).strftime("%m-%d %H:%M:%S")


def whole(one: Platform, words: Words) -> html.Div:
    """Return how whole a catalogue is: held of announced, since when, and what is missing."""
    say, stands = words.text, catalogue(one)
    announced = "?" if one.announced is None else str(one.announced)
    said = [html.Strong(f"{one.held} / {announced}") if one.tried_at else "—"]
    word = say(f"platforms.catalogue.{stands}")
    said.append(html.Div(html.Span(word, className=f"platform-catalogue {stands}")))
    if one.why:
        said.append(html.Div(say(f"platforms.why.{one.why}"), className="desk-hint"))
    said.append(html.Div(say("platforms.last_whole", at=when(one.synced_at, words)), className="desk-hint"))
    if one.changed:
        said.append(html.Div(say("platforms.changes", **one.changed), className="desk-hint"))
    if one.lacking:
        codes = html.Ul([html.Li(html.Code(code)) for code in one.lacking], className="platform-missing")
        said.append(html.Details([html.Summary(say("platforms.missing", n=len(one.lacking))), codes]))
    return html.Div(said)
