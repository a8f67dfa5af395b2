"""`/tiles/Z/X/Y`: the base map's tiles, through the gate like everything else."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from dashboard.answers import refusal
from dashboard.parts import Shared
from dashboard.tiles import NoTile, TilesAway

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Path(ge=0, lt=2**24)]
DAY = 86_400


@router.get("/tiles/{z}/{x}/{y}")
async def tile(shared: Shared, z: Number, x: Number, y: Number) -> Response:
    """Give one tile: 404 where there is none, 503 while it cannot be had."""
    try:
        found = await shared.tiles.get((z, x, y))
    except NoTile:
        return refusal(404, "refused.not_found")
    except TilesAway:
        return refusal(503, "refused.tiles_away", headers={"retry-after": "15"})
    return Response(found.body, headers={"cache-control": f"private, max-age={DAY}"}, media_type=found.kind)
