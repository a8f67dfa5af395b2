"""What has been decided already: asked before a file is sent, so that a rehearsal can say what would be new."""

from collections.abc import Sequence

from operations import decision
from operations.database import Database, select_in
from operations.report import Report

NEW, SAME, OTHER = "new", "same", "other"
"""Never seen; decided with the same content (a duplicate); decided with other content (a conflict)."""


def standing(database: Database, reports: Sequence[Report]) -> list[str]:
    """Return NEW, SAME or OTHER for each report, as far as it has been decided by now."""
    keys = [decision.key_of(report) for report in reports]
    with database.read() as connection:
        rows = select_in(connection, "SELECT key, content FROM outcome WHERE key IN", sorted(set(keys)))
    known = {row.key: bytes(row.content) for row in rows}
    return [
        NEW if key not in known else SAME if known[key] == decision.content_of(report) else OTHER
        for key, report in zip(keys, reports, strict=True)
    ]
