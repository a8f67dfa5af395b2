"""`GET /api/v1/search`: incidents, orders, grids and the directory by what was typed, as the desk's search box does."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response

from dashboard.answers import JSON, REFUSALS, json_answer, refusal
from dashboard.limits import Limits
from dashboard.parts import Asker, Shared
from operations.contacts.index import Hit
from operations.search import TYPED_MOST, Found

router = APIRouter(prefix="/api/v1", tags=["search"])

EACH_MOST = 25
AT_ONCE = 4
"""Searches of one process at a time by programs, so that they never take all of its threads."""
TOO_OFTEN: dict[int | str, dict[str, Any]] = {
    429: {
        "description": "More searches a minute than one asker may; try again after Retry-After seconds.",
        "content": {JSON: {"schema": {"type": "object"}}},
    }
}
_room = asyncio.Semaphore(AT_ONCE)


class SearchResults(msgspec.Struct):
    """What was found, of each kind so many at most: incidents and orders newest first, the others nearest first.

    `staff` are departments, teams and people as they are picked, without numbers; empty for who may not read the
    directory.
    """

    cases: list[Found]
    places: list[Hit]
    staff: list[Hit]


@router.get("/search", responses=REFUSALS | TOO_OFTEN, openapi_extra={"x-answer": "SearchResults"})
async def search(
    shared: Shared,
    asker: Asker,
    q: Annotated[
        str,
        Query(min_length=1, max_length=TYPED_MOST, description="what is looked for: all words of it must hold"),
    ],
    limit: Annotated[int, Query(ge=1, le=EACH_MOST, description="of each kind")] = 8,
) -> Response:
    """Search by any two characters, pinyin initials, words and numbers; sealed texts and reporters are not found."""
    if wait := await Limits(shared.port.attempts).searching(asker.actor):
        return refusal(429, "access.too_many", headers={"retry-after": str(wait)})
    async with _room:
        found = await asyncio.to_thread(shared.actions.search.find, q, limit)
    return json_answer(SearchResults(found.cases, found.places, found.staff))
