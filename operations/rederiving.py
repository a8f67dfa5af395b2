"""Re-deriving stored places 重新换算位置: a source's datum was changed, so its raw coordinates mean other places.

Each incident that moves is an entry of its own. What a report named its own datum for, and what was placed by hand,
stays. Done over and over it changes nothing more, so that whoever was killed on the way goes on where it stopped.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import structs

from operations import journal
from operations.database import AfterCommit, Database, select_in
from operations.decision import PLACED_BY_HAND, Said, Standing
from operations.entry import Draft, path
from operations.incident import Incident
from operations.policy import SYSTEM
from operations.reception import read_standings, store_incident
from operations.report import Located

ACTION, REASON = "incident.rederived", "datum"
BATCH = 50
"""Incidents moved in one transaction: it stays well under 50 ms."""

Convert = Callable[[float, float, str], tuple[float, float]]
"""lon, lat in a datum (degrees) → WGS-84."""
Locate = Callable[[float, float, str], Located]
"""lon, lat (WGS-84), the grid code a report named → where that is."""

_incident = msgspec.json.Decoder(Incident)
_said = msgspec.json.Decoder(Said)


def outdated(database: Database, ids: Sequence[str], datum: str) -> list[str]:
    """Return those of `ids` whose places were not read in their source's present `datum`."""
    with database.read() as connection:
        rows = list(select_in(connection, "SELECT id, body, report FROM incident WHERE id IN", sorted(ids)))
    return [row.id for row in rows if _due(Standing(_incident.decode(row.body), _said.decode(row.report)), datum)]


def rederive(
    database: Database,
    ids: Sequence[str],
    datum: str,
    *,
    convert: Convert,
    locate: Locate,
    now: int,
    after_commit: AfterCommit | None = None,
) -> int:
    """Read the places of up to `BATCH` incidents of one source anew in `datum`; returns how many moved."""
    drafts: list[Draft] = []
    with database.write(after_commit) as transaction:
        for _, standing in read_standings(transaction, "id", sorted(ids[:BATCH])):
            if not _due(standing, datum):
                continue
            said = _said_in(standing.said, datum, convert)
            changes = _changes(standing.incident, said, locate, now)
            after = structs.replace(standing.incident, **changes)
            store_incident(transaction, after, said)
            if changes:
                drafts.append(_draft(standing, after, changes, datum, now))
        journal.append(transaction, drafts)
    return len(drafts)


def _due(standing: Standing, datum: str) -> bool:
    said = standing.said
    return said.datum not in ("", datum) and said.raw_lon is not None and PLACED_BY_HAND not in standing.incident.marks


def _said_in(said: Said, datum: str, convert: Convert) -> Said:
    assert said.raw_lon is not None and said.raw_lat is not None
    lon, lat = convert(said.raw_lon, said.raw_lat, datum)
    return structs.replace(said, lon=lon, lat=lat, datum=datum)


def _changes(incident: Incident, said: Said, locate: Locate, now: int) -> dict[str, Any]:
    """What changes of the incident, with its revision; nothing where both datums mean the same place."""
    assert said.lon is not None and said.lat is not None
    place = locate(said.lon, said.lat, said.grid_code)
    fields = {
        "lon": said.lon,
        "lat": said.lat,
        "grid": place.grid,
        "chain": place.chain,
        "nearest": place.nearest,
        "distance_m": place.distance_m,
    }
    different = {name: value for name, value in fields.items() if getattr(incident, name) != value}
    return different | {"revision": incident.revision + 1, "updated_at": now} if different else {}


def _draft(standing: Standing, after: Incident, changes: dict[str, Any], datum: str, now: int) -> Draft:
    before = standing.incident
    moved = {"from": standing.said.datum, "to": datum, "grid_before": before.grid, "grid": after.grid}
    return Draft(
        at=now,
        actor=SYSTEM.actor,
        action=ACTION,
        subject_type="incident",
        subject_id=after.id,
        revision=after.revision,
        scope_grid=path(after.chain),
        scope_grid_before=path(before.chain),
        scope_department=after.department,
        scope_department_before=before.department,
        reason=REASON,
        body={"set": changes, "datum": moved},
    )
