"""What the tabs of files and of field mappings share: previewed rows, and what is said when something is wrong."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from dash import html

from config.taxonomy import Taxonomy
from config.words import Words
from dashboard.errand import explain
from dashboard.history import known
from dashboard.panels.admin_shell import notice, table
from operations.errors import OperationsError
from operations.report import Refusal, Report
from streams.errors import MappingError
from streams.tables.finding import TableUnreadable


@dataclass(frozen=True)
class Row:
    """One row of a file as it would be taken: `why` is "" or what is wrong with it, in words."""

    number: int
    id: str
    title: str
    type: str
    urgency: str
    occurred_at: int
    place: str
    why: str
    marks: str


def rows(found: list[tuple[int, Report | Refusal]], words: Words) -> list[Row]:
    """Return the previewed rows in words."""
    return [_row(number, one, words) for number, one in found]


def _row(number: int, one: Report | Refusal, words: Words) -> Row:
    if isinstance(one, Refusal):
        return Row(number, one.id, "", "", "", 0, "", reason(one.reason, one.field, words), "")
    place = one.place
    point = "" if place is None or place.lon is None or place.lat is None else f"{place.lon:.5f}, {place.lat:.5f}"
    marks = words.text("files.and").join(known(words, "streams.mark", mark) for mark in one.marks)
    where = " · ".join(part for part in ((place.address if place else ""), point, one.grid_code) if part)
    urgency = known(words, "common.urgency", one.urgency)
    kind = f"{one.type} {taxonomy().get(one.type).name(words.lang)}"
    return Row(number, one.id, one.title, kind, urgency, one.occurred_at, where, "", marks)


@cache
def taxonomy() -> Taxonomy:
    """Return the tree of types, read once."""
    return Taxonomy.load()


def reason(code: str, field: str, words: Words) -> str:
    """Return why a row is refused and which field of ours it is about."""
    said = known(words, "streams.reason", code)
    return words.text("files.reason", reason=said, field=field_name(field, words)) if field else said


def field_name(field: str, words: Words) -> str:
    """Return what a field of ours is called on screen."""
    return known(words, "files.field", field.replace(".", "_"))


def previewed(found: list[Row], words: Words) -> html.Div:
    """Return the first rows as the reports they would become."""
    names = ("row", "id", "title", "type", "urgency", "time", "place", "said")
    heads = [words.text(f"files.head.{name}") for name in names]
    lines = [
        [str(one.number), one.id, one.title, one.type, one.urgency, _time(one, words), one.place, _said(one)]
        for one in found
    ]
    return html.Div([html.H3(words.text("files.preview")), table(heads, lines)])


def _time(one: Row, words: Words) -> str:
    if not one.occurred_at:
        return ""
    return f"{datetime.fromtimestamp(one.occurred_at / 1e6, words.city.zone):%Y-%m-%d %H:%M:%S}"


def _said(one: Row) -> Any:
    return html.Span(one.why, className="files-wrong") if one.why else one.marks


def trouble(error: Exception, words: Words) -> html.Div:
    """Return what an error says to whoever must act."""
    if isinstance(error, OperationsError):
        return notice("wrong", explain(error, words))
    if isinstance(error, TableUnreadable):
        return notice("wrong", words.text(f"files.unreadable.{error.code}", **error.params))
    if isinstance(error, MappingError):
        return notice("wrong", words.text("files.mapping_wrong", detail=str(error)))
    raise error


TOLD = (OperationsError, TableUnreadable, MappingError)
