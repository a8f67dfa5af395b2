"""`GET /api/v1/audit/export`: the journal as an auditor may see it, as a ZIP of the lines and a signed statement."""

import asyncio
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from config import clock
from dashboard.answers import REFUSALS
from dashboard.auditbook import Auditbook
from dashboard.journal_export import STATEMENT, Export
from dashboard.parts import Shared
from operations.inquiry import GROUPS, Asked

router = APIRouter(prefix="/api/v1", tags=["journal"])

TEXT_MOST = 200
TIME_MOST = 2**53
Time = Annotated[int | None, Query(ge=0, le=TIME_MOST, description="UTC microseconds")]
Text = Annotated[str, Query(max_length=TEXT_MOST)]
Texts = Annotated[list[str], Query(max_length=20)]


@router.get(
    "/audit/export",
    response_class=Response,
    responses=REFUSALS | {200: {"description": "A ZIP.", "content": {"application/zip": {}}}},
)
async def export(
    shared: Shared,
    form: Annotated[Literal["csv", "json"], Query()] = "csv",
    since: Time = None,
    until: Time = None,
    actor: Text = "",
    groups: Texts = [],  # noqa: B006 FastAPI copies it
    subjects: Texts = [],  # noqa: B006
    reason: Text = "",
) -> Response:
    """Export what a filter finds, with the journal's head and a signature; that it was taken is an entry."""
    known = tuple(group for group in groups if group in GROUPS)
    asked = Asked(since, until, actor, known, tuple(subjects), reason)
    book = shared.actions.auditbook
    made = await asyncio.to_thread(book.export, asked, form)
    stamp = datetime.fromtimestamp(clock.now() / 1e6, shared.settings.zone).strftime("%Y%m%d-%H%M%S")
    headers = {"content-disposition": f'attachment; filename="journal-{stamp}.zip"'}
    return StreamingResponse(zipped(made, book), headers=headers, media_type="application/zip")


class _Pipe:
    """Takes what a ZIP writes and hands it on; it cannot be wound back, which a ZIP allows for."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing waits here."""

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def zipped(made: Export, book: Auditbook) -> Iterator[bytes]:
    """Yield a ZIP of an export and its statement, a page of entries at a time."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as out:  # type: ignore[call-overload]
        with out.open(made.file, "w", force_zip64=True) as lines:
            for part in made.content():
                lines.write(part)
                yield pipe.taken()
        out.writestr(STATEMENT, book.signed(made))
    yield pipe.taken()
