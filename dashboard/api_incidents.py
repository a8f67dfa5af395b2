"""`GET /api/v1/incidents` and `/incidents/{id}`: the board as the asker may see it, and one incident's history."""

import asyncio
import heapq
from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Response
from msgspec import structs

from dashboard.answers import REFUSALS, json_answer
from dashboard.parts import Asker, Shared
from operations.board import Board
from operations.entry import Entry
from operations.incident import Incident, visible
from operations.policy import reach
from operations.scope import WHOLE, Scope

router = APIRouter(prefix="/api/v1", tags=["incidents"])

LIMIT_MOST = 500
STATES = Literal["open", "closed", "all"]
URGENCIES = Literal["routine", "urgent", "critical"]
ID = r"^[0-9a-fA-F-]{1,36}$"
CODE = r"^[0-9A-Za-z_-]{1,40}$"


class Told(Incident, frozen=True, kw_only=True, omit_defaults=False):
    """An incident with every field; `distance_m` is null where there is no nearest grid to be so far from."""

    distance_m: float | None = None  # type: ignore[assignment]  # the journal says 0.0 there


class Page(msgspec.Struct):
    """One page of incidents, newest first; `next` is the cursor of the page after it, null at the end."""

    incidents: list[Told]
    next: str | None
    as_of: int
    seq: int


class Filter(msgspec.Struct, frozen=True):
    """What a list of incidents is narrowed by; an empty value narrows nothing."""

    state: str = "open"
    urgency: str = ""
    type: str = ""
    department: str = ""
    grid: str = ""
    source: str = ""
    received_since: int = 0

    def holds(self, incident: Incident) -> bool:
        """Say whether the incident is wanted; `type` also takes a group, `grid` any grid above."""
        return (
            (self.state == "all" or incident.is_open == (self.state == "open"))
            and (not self.urgency or incident.urgency == self.urgency)
            and incident.type.startswith(self.type)
            and (not self.department or incident.department == self.department)
            and (not self.grid or self.grid in incident.chain)
            and (not self.source or incident.source == self.source)
            and incident.received_at >= self.received_since
        )


def page(wanted: Filter, scope: Scope, before: str, limit: int, looked_at: int) -> Callable[[Board], Page]:
    """Return the question for the newest incidents older than the cursor `before` (an id; ids grow with time).

    The whole city is told seq and time of the last entry; a smaller jurisdiction, which must not learn when something
    went on elsewhere, when the journal was looked at last.
    """

    def question(board: Board) -> Page:
        found = heapq.nlargest(limit + 1, matching(board, wanted, scope, before), key=lambda incident: incident.id)
        following = found[limit - 1].id if len(found) > limit else None
        as_of, seq = (board.at, board.seq) if scope == WHOLE else (looked_at, 0)
        return Page([told(one) for one in found[:limit]], following, as_of, seq)

    return question


def told(incident: Incident) -> Told:
    """Return the incident as the API tells it."""
    return Told(**structs.asdict(incident) | {"distance_m": incident.nearest_m})


def matching(board: Board, wanted: Filter, scope: Scope, before: str) -> Iterator[Incident]:
    """Yield the incidents of the board that lie inside `scope` and are wanted."""
    for incident in board.incidents.values():
        if (not before or incident.id < before) and visible(scope, incident) and wanted.holds(incident):
            yield incident


@router.get("/incidents", responses=REFUSALS, openapi_extra={"x-answer": "Page"})
async def incidents(
    shared: Shared,
    asker: Asker,
    state: Annotated[STATES, Query(description="open, closed (lately) or all")] = "open",
    urgency: Annotated[URGENCIES | None, Query()] = None,
    type: Annotated[str, Query(pattern=r"^[0-9]{0,4}$", description="type code, or the two digits of its group")] = "",
    department: Annotated[str, Query(pattern=f"^$|{CODE}")] = "",
    grid: Annotated[str, Query(pattern=f"^$|{CODE}", description="code of a grid or of anything above it")] = "",
    source: Annotated[str, Query(pattern=f"^$|{CODE}")] = "",
    received_since: Annotated[int, Query(ge=0, le=2**53, description="UTC microseconds")] = 0,
    cursor: Annotated[str, Query(pattern=f"^$|{ID}", description="`next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=LIMIT_MOST)] = 100,
) -> Response:
    """List incidents, newest first: what is open, and what was closed lately."""
    wanted = Filter(state, urgency or "", type, department, grid, source, received_since)
    question = page(wanted, reach(asker, "incident.read"), cursor, limit, shared.hub.looked_at)
    return json_answer(await shared.hub.ask(question))


class Detail(msgspec.Struct):
    """An incident with its history from the journal, oldest first; texts are opened for who may read them.

    Of a very long history the newest entries are listed; `earlier` counts those left out. With a jurisdiction smaller
    than the city an entry's `seq` is 0: it would tell how much went on elsewhere.
    """

    incident: Told
    history: list[Entry]
    earlier: int


@router.get("/incidents/{id}", responses=REFUSALS, openapi_extra={"x-answer": "Detail"})
async def incident(shared: Shared, asker: Asker, id: Annotated[str, Path(pattern=ID)]) -> Response:
    """Show one incident and its history. Absent and not yours get the same answer."""
    dossier = await asyncio.to_thread(shared.actions.operations.dossier, asker, id.lower())
    scope = reach(asker, "incident.read")
    history = [entry if scope == WHOLE else structs.replace(entry, seq=0) for entry in dossier.history]
    return json_answer(Detail(told(dossier.incident), history, dossier.earlier))
