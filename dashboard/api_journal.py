"""`GET /api/v1/journal`: the entries after a number, for whoever may check or copy the journal."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from dashboard.answers import REFUSALS, json_answer
from dashboard.parts import Asker, Shared
from operations import journal
from operations.entry import Entry

router = APIRouter(prefix="/api/v1", tags=["journal"])

LIMIT_MOST = 1_000


class Entries(msgspec.Struct):
    """Entries in order; ask again with `after` = `next` until it stays the same."""

    entries: list[Entry]
    next: int


@router.get("/journal", responses=REFUSALS, openapi_extra={"x-answer": "Entries"})
async def entries(
    shared: Shared,
    asker: Asker,
    after: Annotated[int, Query(ge=0, le=2**53, description="seq of the last entry you have")] = 0,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MOST)] = 100,
) -> Response:
    """List journal entries after a seq, as far as the asker's jurisdiction sees them; sealed parts are not in them."""
    found = await asyncio.to_thread(journal.read, shared.database, after, limit, asker.scope)
    return json_answer(Entries(found, found[-1].seq if found else after))
