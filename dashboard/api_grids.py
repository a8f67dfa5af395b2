"""`/api/v1/grids/locate`, `/grids/shapes` and `/heat`: places, shapes and counts by grid."""

import asyncio
import gzip
import hashlib
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Response

from config import clock
from dashboard.answers import REFUSALS, json_answer, problem, refusal
from dashboard.area import Area, NoArea
from dashboard.parts import Asker, Shared
from geo import datum as datums
from geo import heat as rollups
from geo.cutouts import MOST, TooMuch, Window
from geo.grid import GENERAL
from operations import views
from operations.board import HOUR, MINUTE
from operations.errors import NotFound
from operations.policy import reach
from operations.scope import Scope

router = APIRouter(prefix="/api/v1", tags=["grids"])

DATUMS = Literal["WGS84", "CGCS2000", "GCJ02", "BD09"]
URGENCIES = Literal["routine", "urgent", "critical"]
WINDOWS = Literal["15m", "1h", "24h", "7d", "open"]
SPANS = {"15m": 15 * MINUTE, "1h": HOUR, "24h": 24 * HOUR, "7d": 7 * 24 * HOUR}
KINDS = Literal["general", "dedicated", "micro"]
BBOX = r"^$|^-?[0-9]{1,3}(\.[0-9]{1,9})?(,-?[0-9]{1,3}(\.[0-9]{1,9})?){3}$"
GEOJSON = "application/geo+json"
BACKDROP_MOST = 8 * 1024 * 1024
EMPTY = b'{"type":"FeatureCollection","features":[]}'
CODES = r"^$|^[0-9A-Za-z,_-]{1,400}$"


class Place(msgspec.Struct):
    """Where a point lies; `code` is empty in no grid, then `nearest` and `distance_m` say where it nearly is.

    `distance_m` is null where there is no nearest grid.
    """

    lon: float
    lat: float
    code: str
    chain: list[str]
    names: list[str]
    nearest: str
    distance_m: float | None


@router.get("/grids/locate", responses=REFUSALS, openapi_extra={"x-answer": "Place"})
async def locate(
    shared: Shared,
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
    datum: Annotated[DATUMS, Query()] = "WGS84",
) -> Response:
    """Find the one grid that owns a point, and the grids above it."""
    area = shared.areas.current
    if area is None:
        return problem(404, NoArea())
    there = datums.to_wgs84(lon, lat, datum)
    found = area.locator.locate(*there)
    names = [area.grids[code].name for code in found.chain]
    metres = found.distance_m if found.nearest else None
    return json_answer(Place(there[0], there[1], found.code, list(found.chain), names, found.nearest, metres))


@router.get(
    "/grids/shapes",
    response_class=Response,
    responses=REFUSALS
    | {
        200: {"description": "GeoJSON.", "content": {GEOJSON: {"schema": {"type": "object"}}}},
        304: {"description": "You have it."},
    },
)
async def shapes(
    shared: Shared,
    level: Annotated[int, Query(ge=0, le=16, description="1 = the top level; 0 = the deepest")] = 0,
    detail: Annotated[int, Query(ge=0, le=3, description="0 = for zooms to 10, 1 = to 12, 2 = to 14, 3 = beyond")] = 1,
    kind: Annotated[KINDS, Query(description="micro and dedicated: by bbox only")] = "general",
    bbox: Annotated[str, Query(pattern=BBOX, description="west,south,east,north: only there, as drawn")] = "",
    accept_encoding: Annotated[str, Header(include_in_schema=False)] = "",
    if_none_match: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Give one level of grids as GeoJSON, simplified without gaps; with ETag, compressed where that is taken.

    The header `gridwall-grids` names the grids in force, as the live channel does.
    """
    area = shared.areas.current
    if area is None:
        return problem(404, NoArea())
    gzipped = "gzip" in accept_encoding.lower()
    if bbox or kind != "general":
        return await cutout(area, (kind, level or area.shapes.deepest), bbox, (gzipped, if_none_match))
    found = area.shapes.get(level or area.shapes.deepest, detail)
    if found is None:
        return problem(404, NotFound("operations.no_level", level=level, deepest=area.shapes.deepest))
    headers = {"etag": found.etag(gzipped=gzipped), "cache-control": "private, no-cache", "vary": "accept-encoding"}
    headers["gridwall-grids"] = area.key
    if headers["etag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    if gzipped:
        return Response(found.gzipped, headers=headers | {"content-encoding": "gzip"}, media_type=GEOJSON)
    return Response(await asyncio.to_thread(found.plain), headers=headers, media_type=GEOJSON)


@router.get("/grids/heirs", responses=REFUSALS)
async def heirs(shared: Shared) -> Response:
    """Give {code of a grid that is no more: code of the grid in force that counts for it}."""
    area = shared.areas.current
    if area is None:
        return problem(404, NoArea())
    return json_answer(dict(area.heirs))


async def cutout(area: Area, layer: tuple[str, int], bbox: str, asked: tuple[bool, str]) -> Response:
    """Return the areas of a layer (kind, level) in a window; `asked` is (gzip taken, the tag the asker has)."""
    window = _window(bbox)
    if window is None:
        return refusal(422, "refused.parameter", {"bbox": "west,south,east,north"}, names="bbox")
    gzipped, has = asked
    tag = hashlib.sha256(f"{area.key} {layer} {window} {gzipped}".encode()).hexdigest()[:32]
    headers = {"etag": f'"{tag}"', "cache-control": "private, no-cache", "vary": "accept-encoding"}
    if headers["etag"] in has:
        return Response(status_code=304, headers=headers)
    try:
        found = await asyncio.to_thread(area.cutouts.cut, *layer, window)
    except TooMuch:
        return refusal(422, "refused.too_much", {"bbox": str(MOST)}, most=MOST)
    if found is None:
        return problem(404, NotFound("operations.no_level", level=layer[1], deepest=area.shapes.deepest))
    if gzipped:
        found = await asyncio.to_thread(gzip.compress, found, 1, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(found, headers=headers, media_type=GEOJSON)


def _window(bbox: str) -> Window | None:
    """Return the window of a parameter; None for one without an inside or beyond the world."""
    if not bbox:
        return None
    west, south, east, north = (float(one) for one in bbox.split(","))
    holds = -180 <= west < east <= 180 and -90 <= south < north <= 90
    return (west, south, east, north) if holds else None


class Over(msgspec.Struct):
    """A kind of grids over the general ones: how many, and the zoom of web maps from which they can be told apart."""

    count: int
    zoom: float


class Base(msgspec.Struct):
    """The base map under the grids: tiles at `/tiles/Z/X/Y`, how they are cut, their datum, and what must be said."""

    matrix: str
    datum: str
    attribution: str
    approval: str
    min_zoom: int
    max_zoom: int


class About(msgspec.Struct):
    """The grids in force: their version, how many each level has (top first), what lies over them and what below."""

    version: str
    levels: list[int]
    over: dict[str, Over]
    base: Base | None


@router.get("/grids/about", responses=REFUSALS, openapi_extra={"x-answer": "About"})
async def about(shared: Shared) -> Response:
    """Say how many grids of which level and kind there are, and which base map lies below them."""
    area, told = shared.areas.current, shared.settings.base_map
    base = None if told is None else Base(*told[1:])
    if area is None:
        return json_answer(About("", [], {}, base))
    counts = Counter(grid.level for grid in area.grids.values() if grid.kind == GENERAL)
    over = {kind: Over(one.number, round(one.zoom, 2)) for kind, one in area.cutouts.kinds().items()}
    return json_answer(About(area.key, [counts[level] for level in area.shapes.levels], over, base))


@router.get(
    "/grids/backdrop",
    response_class=Response,
    responses=REFUSALS | {200: {"description": "GeoJSON.", "content": {GEOJSON: {"schema": {"type": "object"}}}}},
)
async def backdrop(shared: Shared) -> Response:
    """Give the water and roads drawn behind the incidents: DATA/backdrop.geojson, empty where there is no such file."""
    found = await asyncio.to_thread(_backdrop, shared.settings.data / "backdrop.geojson")
    return Response(found, headers={"cache-control": "private, no-cache"}, media_type=GEOJSON)


def _backdrop(file: Path) -> bytes:
    """The file's bytes; an empty collection when it is not there or larger than a map should load."""
    try:
        known = file.stat().st_size <= BACKDROP_MOST
        return file.read_bytes() if known else EMPTY
    except OSError:
        return EMPTY


class Figure(msgspec.Struct):
    """One area's figure: a count, or a rate per 10,000 people (`basis` rate), and the people it is over."""

    code: str
    name: str
    level: int
    count: int
    value: float
    basis: str
    population: int | None


class Heat(msgspec.Struct):
    """Figures of every area of every level; times in UTC microseconds, `since` is null for what is open now.

    `earlier` counts what was placed in grids of earlier versions for which none of the present ones counts.
    """

    window: str
    since: int | None
    as_of: int
    unplaced: int
    earlier: int
    figures: list[Figure]


@router.get("/heat", responses=REFUSALS, openapi_extra={"x-answer": "Heat"})
async def heat(
    shared: Shared,
    asker: Asker,
    window: Annotated[WINDOWS, Query()] = "24h",
    types: Annotated[str, Query(pattern=CODES, description="type codes, with commas between")] = "",
    urgency: Annotated[URGENCIES | None, Query()] = None,
) -> Response:
    """Count incidents by grid, rolled up to every level above, with denominators and since when."""
    area = shared.areas.current
    if area is None:
        return problem(404, NoArea())
    now = clock.now()
    wanted = frozenset(types.split(",")) if types else None
    scope = reach(asker, "incident.read")
    leaves = await shared.hub.ask(lambda board: views.heat(board, now, window, wanted, urgency), scope)
    least = shared.settings.minimum_population
    return json_answer(await asyncio.to_thread(answer, area, leaves, scope, (window, now, least)))


def answer(area: Area, leaves: dict[str, int], scope: Scope, about: tuple[str, int, int]) -> Heat:
    """Return the figures of the areas inside `scope`; `about` is (window, now, least population for a rate)."""
    window, now, least = about
    since = None if window == "open" else now - SPANS[window]
    counts = rollups.rollup(leaves, area.chains, area.heirs)
    figures = rollups.figures(counts, area.grids.values(), since_at=since or 0, until_at=now, least_population=least)
    inside = [
        Figure(code, grid.name, grid.level, one.count, one.value, one.basis, one.population)
        for code, one in figures.items()
        if (grid := area.grids[code]) and scope.covers(area.chains[code], scope.department)
    ]
    return Heat(window, since, now, counts.get(rollups.UNPLACED, 0), counts.get(rollups.EARLIER, 0), inside)
