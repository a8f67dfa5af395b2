"""`GET /api/v1/journal`: the entries after a number, for whoever may check or copy the journal."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from dashboard.answers import REFUSALS, json_answer
from dashboard.parts import Asker, Shared
from operations import journal, view
from operations.entry import Entry
from operations.policy import reach
from operations.scope import WHOLE

router = APIRouter(prefix="/api/v1", tags=["journal"])

LIMIT_MOST = 1_000


class Entries(msgspec.Struct):
    """Entries in order; ask again with `after` = `next` until it stays the same.

    With a jurisdiction smaller than the city `next` is a number without order, and each entry's `seq` is 0.
    """

    entries: list[Entry]
    next: int
    begins: int = 1
    """The first entry that is here; what is before it has left as segments. 0 with a smaller jurisdiction."""


@router.get("/journal", responses=REFUSALS, openapi_extra={"x-answer": "Entries"})
async def entries(
    shared: Shared,
    asker: Asker,
    after: Annotated[int, Query(ge=0, le=2**53, description="`next` of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MOST)] = 100,
) -> Response:
    """List journal entries after a seq, as far as the asker's jurisdiction sees them; sealed parts are not in them."""
    scope, key = reach(asker, "journal.read"), shared.database.snapshot_key
    begin = after if scope == WHOLE else view.unveiled(key, after)
    found = await asyncio.to_thread(journal.read, shared.database, begin, limit, scope)
    begins = await asyncio.to_thread(journal.begins, shared.database) if scope == WHOLE else 0
    if not found:
        return json_answer(Entries([], after, begins))
    last = found[-1].seq if scope == WHOLE else view.veiled(key, found[-1].seq)
    return json_answer(Entries([view.told(entry, scope) for entry in found], last, begins))
