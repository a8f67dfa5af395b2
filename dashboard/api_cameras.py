"""What a map's view shows of the cameras: those one may read of, or those one may ask to see 视频调阅."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response

from dashboard.answers import JSON, refusal
from dashboard.parts import Asker, Shared
from operations.policy import reach
from operations.scope import Scope

router = APIRouter(include_in_schema=False)

BOX = r"^-?[0-9]{1,3}(\.[0-9]{1,6})?(,-?[0-9]{1,3}(\.[0-9]{1,6})?){3}$"


Wanted = Annotated[str, Query(pattern=BOX, description="west,south,east,north")]
Zoom = Annotated[float, Query(ge=0, le=24, allow_inf_nan=False)]


@router.get("/cameras-on-map")
async def seen(shared: Shared, asker: Asker, box: Wanted, zoom: Zoom) -> Response:
    """Give the cameras of a view within the asker's reach, gathered where there are many."""
    return await _seen(shared, reach(asker, "camera.read"), box, zoom, closed=True)


@router.get("/cameras-to-ask")
async def askable(shared: Shared, asker: Asker, box: Wanted, zoom: Zoom) -> Response:
    """Give the cameras of a view that the asker may ask to see, whoever owns them, gathered where there are many."""
    return await _seen(shared, Scope(reach(asker, "access.ask").grid), box, zoom, closed=False)


async def _seen(shared: Shared, scope: Scope, box: str, zoom: float, *, closed: bool) -> Response:
    west, south, east, north = (float(one) for one in box.split(","))
    if not (west < east and south < north):
        return refusal(422, "refused.parameter", {"box": "west,south,east,north"}, names="box")
    found = await asyncio.to_thread(shared.cameras.seen, scope, (west, south, east, north), zoom, closed=closed)
    return Response(found, headers={"cache-control": "private, no-store"}, media_type=JSON)
