"""`/api/v1/heat/areas` and `/heat/areas.csv`: the heat of one level, ranked, beside the same hours of past weeks."""

import asyncio
import csv
import gzip
import io
from datetime import date, datetime, tzinfo
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Response

from config import clock
from config.words import LANGUAGES, Words, choose
from dashboard import heatbook, jurisdiction
from dashboard.answers import JSON, REFUSALS, problem
from dashboard.area import NoArea
from dashboard.heatbook import About, Asked, Counted, Ranking
from dashboard.lens import ALL, taxonomy
from dashboard.parts import Asker, Parts, Shared
from dashboard.spreadsheet import MARK, cell, harmless
from operations import audit, tally
from operations.errors import NotFound, OperationsError
from operations.policy import Identity, reach
from operations.scope import Scope

router = APIRouter(prefix="/api/v1", tags=["heat"])

WINDOWS = Literal["15m", "1h", "24h", "today", "7d", "open", "dates"]
URGENCIES = Literal["all", "routine", "urgent", "critical"]
UNITS = Literal["count", "people", "km2"]
GZIP_LEVEL = 1
COLUMNS = (
    "code", "name", "parent", "count", "population", "km2", "value", "why", "past_count", "past", "change", "share",
)  # fmt: skip


async def asked(
    window: Annotated[WINDOWS, Query()] = "24h",
    first: Annotated[date | None, Query(description="first city day of window=dates")] = None,
    last: Annotated[date | None, Query(description="its last day, at most 31 days in all")] = None,
    type: Annotated[str, Query(pattern=r"^(all|[0-9]{2,4})$", description="type code or group of types")] = ALL,
    urgency: Annotated[URGENCIES, Query()] = "all",
    unit: Annotated[UNITS, Query(description="people = per 10,000 people")] = "count",
    level: Annotated[int, Query(ge=0, le=16, description="1 = the top level; 0 = the deepest")] = 0,
) -> Asked:
    """Return what the parameters ask for."""
    return Asked(window, first, last, type, urgency, unit, level)


Wish = Annotated[Asked, Depends(asked)]


@router.get("/heat/areas", responses=REFUSALS, openapi_extra={"x-answer": "Ranking"})
async def areas(
    shared: Shared,
    asker: Asker,
    wish: Wish,
    accept_encoding: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Rank the areas of one level by count, per 10,000 people or per km², beside the same hours of past weeks."""
    try:
        found = await ranked(shared, asker, wish)
    except OperationsError as error:
        return problem(refused(error), error)
    return await asyncio.to_thread(_json, found, "gzip" in accept_encoding.lower())


@router.get(
    "/heat/areas.csv",
    response_class=Response,
    responses=REFUSALS | {200: {"description": "CSV.", "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def table(
    shared: Shared,
    asker: Asker,
    wish: Wish,
    lang: Annotated[Literal["zh", "en"], Query()] = LANGUAGES[0],  # type: ignore[assignment]  # one of the two
) -> Response:
    """Give the same as CSV (UTF-8 with its mark), with denominators, window, as-of, scope and version."""
    try:
        found = await ranked(shared, asker, wish)
    except OperationsError as error:
        return problem(refused(error), error)
    words = Words(choose(lang))
    body = await asyncio.to_thread(written, found, words, shared.settings.zone)
    shared.trail.note(audit.exported(asker, "heat", "csv", asked=msgspec.to_builtins(wish)))
    stamp = moment(found.as_of, shared.settings.zone).replace(" ", "-").replace(":", "")
    headers = {"content-disposition": f'attachment; filename="heat-{stamp}.csv"'}
    return Response(body, headers=headers, media_type="text/csv; charset=utf-8")


def refused(error: OperationsError) -> int:
    """Return the status of a refusal."""
    return 422 if isinstance(error, heatbook.WrongDates) else 404


async def ranked(shared: Parts, asker: Identity, wish: Asked) -> Ranking:
    """Return the ranking inside the asker's scope. Raises NoArea, NotFound for a level there is not, WrongDates."""
    area = shared.areas.current
    if area is None:
        raise NoArea()
    if wish.level and wish.level not in area.shapes.levels:
        raise NotFound("operations.no_level", level=wish.level, deepest=area.shapes.deepest)
    now, zone, scope = clock.now(), shared.settings.zone, reach(asker, "incident.read")
    span = heatbook.span(wish, now, zone)
    earliest = await asyncio.to_thread(tally.earliest, shared.database)
    spans = heatbook.past(wish, span, earliest, zone)
    wanted = [span, *spans] if wish.window == "dates" else spans
    counted = await asyncio.to_thread(tally.tallies, shared.database, scope, wanted, wish.wanted)
    if wish.window == "dates":
        present = counted.pop(0)
    else:
        present = await shared.hub.ask(lambda board: heatbook.on_board(wish, now, zone, board), scope)
    about = About(scope, now, shared.settings.minimum_population, earliest)
    return await asyncio.to_thread(heatbook.ranking, area, wish, span, Counted(present, counted), about)


def _json(found: Ranking, gzipped: bool) -> Response:
    body = msgspec.json.encode(found)
    if not gzipped:
        return Response(body, headers={"vary": "accept-encoding"}, media_type=JSON)
    headers = {"content-encoding": "gzip", "vary": "accept-encoding"}
    return Response(gzip.compress(body, GZIP_LEVEL, mtime=0), headers=headers, media_type=JSON)


def written(found: Ranking, words: Words, zone: tzinfo) -> bytes:
    """Return the ranking as CSV: what it is figures of in the first lines, then one line an area."""
    out = io.StringIO(MARK, newline="")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([[label, harmless(text)] for label, text in facts(found, words, zone)])
    writer.writerow([])
    writer.writerow([words.text(f"heat.column.{name}") for name in COLUMNS])
    for one in found.areas:
        values = msgspec.structs.asdict(one)
        values["why"] = words.text(f"heat.why.{one.why}") if one.why else ""
        writer.writerow([cell(values[name]) for name in COLUMNS])
    return out.getvalue().encode()


def facts(found: Ranking, words: Words, zone: tzinfo) -> list[tuple[str, str]]:
    """Return what the figures are of, in words: [(label, text)]."""
    since = "" if found.since is None else f"{moment(found.since, zone)} – {moment(found.until, zone)}"
    types = {one.code: one.name(words.lang) for one in taxonomy().groups()}
    scope = jurisdiction.named(Scope(found.scope_grid, found.scope_department), words) or words.text("heat.whole")
    told = {
        "window": f"{words.text(f'heat.window.{found.window}')} {since}".strip(),
        "type": words.text("wall.lens.type_all") if found.type == ALL else types.get(found.type, found.type),
        "urgency": words.text("wall.lens.urgency_all" if found.urgency == ALL else f"common.urgency.{found.urgency}"),
        "unit": words.text(f"heat.unit.{found.unit}"),
        "compared": compared(found, words),
        "as_of": moment(found.as_of, zone),
        "total": words.text(
            "heat.total",
            total=found.total,
            unplaced=found.unplaced,
            earlier=found.earlier,
            elsewhere=found.elsewhere,
        ),
        "minimum": words.text("heat.small_rule", n=found.minimum_population),
        "grids": str(found.grids),
        "scope": scope,
    }
    return [(words.text(f"heat.fact.{name}"), text) for name, text in told.items()]


def compared(found: Ranking, words: Words) -> str:
    """Return what the change is measured against."""
    if found.window == "open":
        return words.text("heat.past_open")
    if not found.weeks:
        return words.text("heat.past_none")
    return words.text("heat.past_mean", n=found.weeks, days=found.step_days)


def moment(at: int, zone: tzinfo) -> str:
    """Return a time as the city's date and minute."""
    return datetime.fromtimestamp(at / 1e6, zone).strftime("%Y-%m-%d %H:%M")
