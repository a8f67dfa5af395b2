"""`/cameras-on-map`: what a map's view shows of the cameras, through the gate like everything else."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response

from dashboard.answers import JSON, refusal
from dashboard.parts import Asker, Shared
from operations.policy import reach

router = APIRouter(include_in_schema=False)

BOX = r"^-?[0-9]{1,3}(\.[0-9]{1,6})?(,-?[0-9]{1,3}(\.[0-9]{1,6})?){3}$"


@router.get("/cameras-on-map")
async def seen(
    shared: Shared,
    asker: Asker,
    box: Annotated[str, Query(pattern=BOX, description="west,south,east,north")],
    zoom: Annotated[float, Query(ge=0, le=24, allow_inf_nan=False)],
) -> Response:
    """Give the cameras of a view within the asker's reach, gathered where there are many."""
    west, south, east, north = (float(one) for one in box.split(","))
    if not (west < east and south < north):
        return refusal(422, "refused.parameter", {"box": "west,south,east,north"}, names="box")
    scope = reach(asker, "camera.read")
    found = await asyncio.to_thread(shared.cameras.seen, scope, (west, south, east, north), zoom)
    return Response(found, headers={"cache-control": "private, no-store"}, media_type=JSON)
