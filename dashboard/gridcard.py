"""The card of a grid 网格卡: what it is, who is on duty there, what is open, what came, and how it came to be."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely
from pyproj import Geod

from config import clock
from config.taxonomy import URGENCIES
from dashboard import access, roster
from dashboard.area import Area
from dashboard.roster import Roster
from dashboard.uploads import Uploads
from geo import heat as rollups
from geo.grid import GENERAL, Grid
from geo.heat import Figure
from operations import duties, grids, views
from operations.board import Board
from operations.database import AfterCommit, Database
from operations.duties import Card
from operations.edition import Edition
from operations.errors import NotFound, Refused
from operations.grids import GridRow
from operations.policy import reach, require
from operations.scope import Scope

MOST_FOUND = 50
"""Grids a search lists."""
WINDOWS = ("24h", "7d")
DAY = 86_400_000_000
ELLIPSOID = Geod(ellps="WGS84")

Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Step:
    """One step of a grid's history: with which version, from when, and what changed: codes of `card.step`."""

    version: int
    since: int
    changes: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Everything on the card; `open` by urgency, `received` by window, `heat` of 24 hours with its denominator.

    The three are None for who may not see incidents.
    """

    grid: Grid
    chain: tuple[Grid, ...]
    km2: float
    population: int | None
    open: dict[str, int] | None
    received: dict[str, int] | None
    heat: Figure | None
    over: tuple[Grid, ...]
    steps: tuple[Step, ...]
    card: Card


def counted(board: Board, now: int) -> Counts:
    """Return the counts by leaf grid of what is open, by urgency, and of what came, by window."""
    found = {urgency: views.heat(board, now, "open", None, urgency) for urgency in URGENCIES}
    return found | {window: views.heat(board, now, window) for window in WINDOWS}


def found(area: Area, text: str, scope: Scope) -> list[Grid]:
    """Return the grids inside `scope` whose code begins with or whose name holds `text`, exact ones first."""
    wanted = text.strip().lower()
    if not wanted:
        return []
    hits = [
        grid
        for grid in area.grids.values()
        if (grid.code.lower().startswith(wanted) or wanted in grid.name.lower()) and held(area, grid.code, scope)
    ]
    return sorted(hits, key=lambda grid: (wanted not in (grid.code.lower(), grid.name.lower()), grid.code))[:MOST_FOUND]


def held(area: Area, code: str, scope: Scope) -> bool:
    """Say whether a grid lies inside a scope."""
    return code in area.chains and (not scope.grid or scope.grid in area.chains[code])


def facts(
    area: Area, code: str, counts: Counts | None, card: Card, history: Sequence[Step], about: tuple[int, int]
) -> Facts:
    """Return the card of a grid in force; `about` is (now, least population for a rate); `counts` None: not told."""
    now, least = about
    grid = area.grids[code]
    told = counts or {}
    rolled = {name: rollups.rollup(one, area.chains, area.heirs).get(code, 0) for name, one in told.items()}
    day = rollups.rollup(told.get("24h", {}), area.chains, area.heirs)
    figures = rollups.figures(day, area.grids.values(), since_at=now - DAY, until_at=now, least_population=least)
    return Facts(
        grid=grid,
        chain=tuple(area.grids[above] for above in area.chains[code][:-1]),
        km2=abs(ELLIPSOID.geometry_area_perimeter(grid.polygon)[0]) / 1e6,
        population=rollups.populations(area.grids.values()).get(code) if grid.kind == GENERAL else grid.population,
        open={urgency: rolled[urgency] for urgency in URGENCIES} if counts else None,
        received={window: rolled[window] for window in WINDOWS} if counts else None,
        heat=figures.get(code) if counts else None,
        over=tuple(one for one in area.grids.values() if one.kind != GENERAL and one.parent == code),
        steps=tuple(history),
        card=card,
    )


def steps(found: Iterable[tuple[Edition, GridRow | None]]) -> list[Step]:
    """Return what happened to a code from version to version, the latest first."""
    told: list[Step] = []
    known: GridRow | None = None
    for one, row in found:
        changes = _changes(known, row)
        if changes:
            told.append(Step(one.id, one.valid_from, changes))
        known = row
    return told[::-1]


def _changes(was: GridRow | None, now: GridRow | None) -> tuple[str, ...]:
    if was is None or now is None:
        return () if was is now else ("came",) if was is None else ("went",)
    names = {"name": "renamed", "parent": "parent", "kind": "kind", "population": "population"}
    changed = [told for field, told in names.items() if getattr(was, field) != getattr(now, field)]
    if was.wkb != now.wkb and not shapely.equals(shapely.from_wkb(was.wkb), shapely.from_wkb(now.wkb)):
        changed.append("moved")
    return tuple(changed)


class Gridcards:
    """The cards as pages use them: in the name of whoever asks. One per web process."""

    def __init__(self, database: Database, ring: AfterCommit, folder: Path) -> None:
        self._database = database
        self._ring = ring
        self._uploads = Uploads(folder)

    def history(self, code: str) -> list[Step]:
        """Return what happened to a code."""
        return steps(grids.of_code(self._database, code))

    def found(self, area: Area | None, text: str) -> list[Grid]:
        """Return the grids of the asker's jurisdiction that a search finds. Raises Forbidden."""
        scope = reach(access.current(), "grid.duties")
        return found(area, text, scope) if area else []

    def facts(self, area: Area | None, code: str, counts: Counts | None, least: int) -> Facts:
        """Return the card of a grid. Raises Forbidden; NotFound for one that is not there or not the asker's."""
        if area is None or code not in area.chains:
            require(access.current(), "grid.duties")
            raise NotFound()
        card = duties.card(self._database, access.current(), area.chains[code])
        return facts(area, code, counts, card, self.history(code), (clock.now(), least))

    def change(self, code: str, text: str, households: str, revision: int) -> Roster:
        """Keep what was typed for a grid, unless something is wrong with it. Raises Forbidden, Refused."""
        read = roster.of_lines(text, code)
        people = households.strip().replace(",", "")
        if people and not (people.isascii() and people.isdigit()):
            raise Refused("operations.households_wrong", value=people[:20])
        if not read.faults:
            kept = Card(code, tuple(read.duties[code]), int(people) if people else None, revision)
            duties.change(self._database, access.current(), kept, now=clock.now(), after_commit=self._ring)
        return read

    def roster(self, upload_id: str, known: Collection[str]) -> Roster:
        """Return what an uploaded file holds; nothing is kept. Raises Forbidden, NotFound."""
        identity = access.current()
        require(identity, "grid.import")
        _, path = self._uploads.find(upload_id, identity)
        return roster.read(path.read_bytes(), known)

    def take_over(self, upload_id: str, known: Collection[str]) -> int:
        """Keep the cards of an uploaded file; return how many changed. Raises Forbidden, NotFound, Refused."""
        read = self.roster(upload_id, known)
        if read.faults:
            raise Refused("operations.roster_wrong", count=len(read.faults))
        now = clock.now()
        return duties.change_all(self._database, access.current(), read.cards, now=now, after_commit=self._ring)
