"""`GET /api/v1/quarantine`: what waits in quarantine (隔离来件), and what has ended; never what is sealed in it."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from dashboard.answers import REFUSALS, json_answer
from dashboard.parts import Asker, Shared
from operations import quarantine

router = APIRouter(prefix="/api/v1", tags=["quarantine"])


@router.get("/quarantine", responses=REFUSALS, openapi_extra={"x-answer": "Quarantined"})
async def quarantined(
    shared: Shared,
    asker: Asker,
    state: Annotated[Literal["open", "resubmitted", "discarded"], Query()] = "open",
    cursor: Annotated[str, Query(pattern=r"^[0-9a-fA-F-]{0,36}$", description="`next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=quarantine.LIMIT)] = 100,
) -> Response:
    """List items of one state, newest first, with how many there are of it."""
    found = await asyncio.to_thread(
        quarantine.page, shared.database, asker, state=state, before=cursor.lower(), limit=limit
    )
    return json_answer(found)
