"""The ledger of video access 调阅台账: what was refused, what was taken along, and what each month came to.

The looks themselves are read by `operations.looked`; all of it lies within the reach of whoever asks.
"""

from collections import defaultdict
from collections.abc import Iterator

import sqlalchemy as sa
from msgspec import Struct

from operations import journal
from operations.database import Database
from operations.grants import rows
from operations.grants.grant import BREAKGLASS, REQUEST, Held
from operations.grants.request import REFUSED, Request
from operations.policy import Identity, reach
from operations.scope import Scope
from operations.tables import access_grant, access_request, camera, evidence, look

DENIED_MOST = KEPT_MOST = 10_000
GRANTS_MOST = 100_000
SECOND = 1_000_000


class Denied(Struct, frozen=True):
    """An attempt that nothing allowed; `code` says why not. `at`: UTC microseconds."""

    at: int
    actor: str
    camera: str
    name: str
    mode: str
    why: str
    incident: str
    code: str


class Kept(Struct, frozen=True):
    """A picture or film that left, with its SHA-256 (hex); `state`: held, returned or destroyed; `kept`: legal hold;
    `published_at`: when it was confirmed that it is masked and published (UTC microseconds)."""

    id: str
    at: int
    kind: str
    actor: str
    camera: str
    name: str
    grant: str
    department: str
    sha256: str
    state: str
    state_at: int
    state_by: str
    kept: bool
    published_at: int | None


class Month(Struct, frozen=True):
    """What an owner's cameras were used for in a time; `unused`: cameras granted by request and never looked through;
    `surplus`: requests that asked for more than the place needed; `seconds`: {mode: seconds looked}."""

    owner: str
    requests: int = 0
    refused: int = 0
    surplus: int = 0
    grants: int = 0
    broken: int = 0
    unratified: int = 0
    unused: int = 0
    looks: int = 0
    denied: int = 0
    seconds: dict[str, int] = {}


def denied(database: Database, identity: Identity, since: int, until: int) -> list[Denied]:
    """Return refused attempts of a time, the newest first, at most 10,000. Raises Forbidden."""
    scope = reach(identity, "look.read")
    with database.read() as connection:
        entries = journal.done(connection, "look.denied", since, until, scope, DENIED_MOST)
        told = [(one, one.body or {}) for one in entries]
        names = _names(connection, {str(body.get("camera", "")) for _, body in told})
    return [
        Denied(
            one.at, one.actor, body.get("camera", ""), names.get(body.get("camera", ""), ""), body.get("mode", ""),
            body.get("why", ""), body.get("incident", ""), body.get("code", ""),
        )
        for one, body in told
    ]  # fmt: skip


def kept(database: Database, identity: Identity, since: int, until: int) -> list[Kept]:
    """Return what was taken along in a time, the newest first, at most 10,000. Raises Forbidden."""
    scope = reach(identity, "look.read")
    columns = evidence.c
    query = (
        sa.select(evidence, camera.c.name, access_grant.c.number)
        .outerjoin(camera, camera.c.id == columns.camera)
        .outerjoin(access_grant, access_grant.c.id == columns.grant_id)
        .where(columns.made_at >= since, columns.made_at < until, *_within(scope, evidence))
        .order_by(columns.made_at.desc(), columns.id.desc())
        .limit(KEPT_MOST)
    )
    with database.read() as connection:
        return [
            Kept(
                row.id, row.made_at, row.kind, row.actor, row.camera, row.name or row.camera, row.number or "",
                row.department, row.sha256, row.state, row.state_at, row.state_by, bool(row.held),
                row.published_at,
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def monthly(database: Database, identity: Identity, since: int, until: int) -> list[Month]:
    """Return each owner's sums of a time, those with most requests first. Raises Forbidden."""
    scope = reach(identity, "look.read")
    with database.read() as connection:
        asked = sa.select(access_request.c.body).where(
            access_request.c.sent_at >= since, access_request.c.sent_at < until
        )
        requests = rows.requests(connection, asked)
        columns = access_grant.c
        grants = rows.grants(
            connection,
            columns.from_at >= since,
            columns.from_at < until,
            *_within(scope, access_grant),
            most=GRANTS_MOST,
        )
        spent = sa.select(look.c.department, look.c.mode, look.c.grant_id, look.c.camera, _lasted(until)).where(
            look.c.began_at >= since, look.c.began_at < until, *_within(scope, look)
        )
        looks = connection.execute(spent).all()
        entries = journal.done(connection, "look.denied", since, until, scope, DENIED_MOST)
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    seconds: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in requests:
        for owner, counted in _asked(one, scope):
            for name, by in counted.items():
                sums[owner][name] += by
    seen = {(row.grant_id, row.camera) for row in looks}
    for grant in grants:
        for name, by in _granted(grant, seen).items():
            sums[grant.department][name] += by
    for row in looks:
        sums[row.department]["looks"] += 1
        seconds[row.department][row.mode or "live"] += int(row.lasted) // SECOND
    for entry in entries:
        sums[entry.scope_department]["denied"] += 1
    made = [Month(owner, **sums[owner], seconds=dict(seconds[owner])) for owner in sums]
    return sorted(made, key=lambda one: (-one.requests, -one.looks, one.owner))


def _asked(one: Request, scope: Scope) -> Iterator[tuple[str, dict[str, int]]]:
    for owner in dict.fromkeys(each.owner for each in one.cameras):
        mine = [each for each in one.cameras if each.owner == owner]
        within = any(not scope.grid or scope.grid in each.path.split("/") for each in mine)
        if within and (not scope.department or scope.department == owner):
            refused = any(
                seat.state == REFUSED and {each.id for each in mine} & set(seat.cameras) for seat in one.seats
            )
            over = any(each.id in one.surplus for each in mine)
            yield owner, {"requests": 1, "refused": int(refused), "surplus": int(over)}


def _granted(one: Held, seen: set[tuple[str, str]]) -> dict[str, int]:
    unused = [id for id in one.cameras if one.kind == REQUEST and (one.id, id) not in seen]
    broken = one.kind == BREAKGLASS
    return {"grants": 1, "broken": int(broken), "unratified": int(broken and one.unratified), "unused": len(unused)}


def _lasted(until: int) -> sa.ColumnElement[int]:
    ended = sa.func.coalesce(look.c.ended_at, look.c.seen_at)
    return (sa.case((ended > until, until), else_=ended) - look.c.began_at).label("lasted")


def _within(scope: Scope, table: sa.Table) -> Iterator[sa.ColumnElement[bool]]:
    if scope.grid:
        yield ("/" + table.c.path + "/").contains(f"/{scope.grid}/", autoescape=True)
    if scope.department:
        yield table.c.department == scope.department


def _names(connection: sa.Connection, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    query = sa.select(camera.c.id, camera.c.name).where(camera.c.id.in_(sorted(ids)))
    return {row.id: row.name for row in connection.execute(query)}
