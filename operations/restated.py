"""A report said again in our own form: what lies in quarantine of one that could be read but not be taken.

Read again without its source's mapping it gives the same report: coordinates as received, with their datum if
it was said, else in that of its source.
What was dropped or masked on the way in stays so.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from operations.report import Place, Report

RESTATED = ("conflict", "not_decidable")
"""Reasons of items whose bytes are a restated report; the others hold the bytes as they came."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORIGINALS = ("source_id", "source_revision")
"""Sealed with the reporter: what a number of a person in an identifier was replaced in."""


def restated(report: Report) -> bytes:
    """Return the report as JSON of our own form."""
    reporter = {name: value for name, value in report.reporter.items() if name not in _ORIGINALS}
    said: dict[str, Any] = {
        "id": report.reporter.get("source_id", report.id),
        "revision": report.reporter.get("source_revision", report.revision),
        "type": report.type,
        "urgency": report.urgency,
        "title": report.title,
        "text": report.text,
        "occurred_at": "" if "undated" in report.marks else _time(report.occurred_at),
        "place": _place(report.place, datum_said=report.datum_said),
        "grid_code": report.grid_code,
        "channel": report.channel,
        "status": report.status,
        "presence": report.presence,
        "reporter": reporter,
        "attachments": report.attachments,
    }
    return msgspec.json.encode({name: value for name, value in said.items() if value})


def _place(place: Place | None, *, datum_said: bool) -> dict[str, Any]:
    if place is None:
        return {}
    said = {
        "lon": place.raw_lon,
        "lat": place.raw_lat,
        "datum": place.datum if datum_said else "",
        "accuracy_m": place.accuracy_m,
    }
    return {name: value for name, value in (said | {"address": place.address}).items() if value not in (None, "")}


def _time(at: int) -> str:
    return (_EPOCH + timedelta(microseconds=at)).isoformat()
