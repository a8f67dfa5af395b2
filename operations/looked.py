"""Reading who looks and who looked through which camera 观看查询, each within the reach of whoever asks."""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import ColumnElement, Select

from operations.database import Database
from operations.grants.grant import Held
from operations.policy import Identity, reach
from operations.scope import Scope
from operations.tables import access_grant, account, camera, incident
from operations.tables import look as table

LIVING_MOST = 500
PAGE = 50
EXPORT_MOST = 10_000
_grant = msgspec.json.Decoder(Held)
_PERSON = sa.literal("account:") + account.c.name


class Look(Struct, frozen=True, kw_only=True):
    """One look. `who`: the person's name, "" for a screen; `number`: of its incident. Times: UTC microseconds.

    `ended_how` is "" while it lasts; else left, closed, rights, lost, or uncertain: its process died, and `ended_at` is
    when it was last known. `unit`: the department of who looks; `grant`: number of the grant, of its `kind` and
    `purpose`, for a `reason`, `given_by` whom.
    """

    id: str
    camera: str
    name: str
    stream: str
    actor: str
    who: str
    role: str
    why: str
    incident: str
    number: str
    department: str
    began_at: int
    ended_at: int | None
    ended_how: str
    mode: str = "live"
    unit: str = ""
    grant: str = ""
    grant_id: str = ""
    kind: str = ""
    purpose: str = ""
    reason: str = ""
    given_by: tuple[str, ...] = ()


class Asked(Struct, frozen=True):
    """What is asked for; an empty text asks for nothing. `who`: account, name or role; `camera`: name, code or id;
    `grant`: its number; `department`: of the camera or of who looks."""

    since: int = 0
    camera: str = ""
    who: str = ""
    incident: str = ""
    grant: str = ""
    department: str = ""


class Page(Struct, frozen=True):
    """Looks, the newest first; `next` is where older ones go on, or None."""

    looks: list[Look]
    next: tuple[int, str] | None


def living(database: Database, identity: Identity) -> list[Look]:
    """Return who looks now, the newest first, at most 500. Raises Forbidden."""
    scope = reach(identity, "look.read")
    query = _query(scope).where(table.c.ended_at.is_(None)).order_by(*_NEWEST).limit(LIVING_MOST)
    with database.read() as connection:
        return [_look(row) for row in connection.execute(query)]


def past(database: Database, identity: Identity, asked: Asked, after: tuple[int, str] | None = None) -> Page:
    """Return a page of looks, those that last among them. Raises Forbidden."""
    query = _asked(_query(reach(identity, "look.read")), asked)
    if after is not None:
        query = query.where(sa.tuple_(table.c.began_at, table.c.id) < sa.tuple_(*map(sa.literal, after)))
    with database.read() as connection:
        found = [_look(row) for row in connection.execute(query.order_by(*_NEWEST).limit(PAGE + 1))]
    last = found[PAGE - 1] if len(found) > PAGE else None
    return Page(found[:PAGE], None if last is None else (last.began_at, last.id))


def every(database: Database, identity: Identity, asked: Asked) -> list[Look]:
    """Return all that is asked for, at most 10,000, the newest first. Raises Forbidden."""
    query = _asked(_query(reach(identity, "look.read")), asked).order_by(*_NEWEST).limit(EXPORT_MOST)
    with database.read() as connection:
        return [_look(row) for row in connection.execute(query)]


_NEWEST = (table.c.began_at.desc(), table.c.id.desc())


def _query(scope: Scope) -> Select[Any]:
    columns = [column for column in table.c if column.name not in ("path", "seen_at")]
    named = (
        camera.c.name.label("name"),
        sa.func.coalesce(sa.func.nullif(account.c.shown_name, ""), account.c.name).label("who"),
        account.c.role.label("role"),
        account.c.scope_department.label("unit"),
        incident.c.number.label("number"),
        access_grant.c.body.label("granted"),
    )
    joined = (
        table.outerjoin(camera, camera.c.id == table.c.camera)
        .outerjoin(account, table.c.actor == _PERSON)
        .outerjoin(incident, incident.c.id == table.c.incident)
        .outerjoin(access_grant, access_grant.c.id == table.c.grant_id)
    )
    return sa.select(*columns, *named).select_from(joined).where(*_within(scope))


def _within(scope: Scope) -> Iterator[ColumnElement[bool]]:
    if scope.grid:
        yield ("/" + table.c.path + "/").contains(f"/{scope.grid}/", autoescape=True)
    if scope.department:
        yield table.c.department == scope.department


def _asked(query: Select[Any], asked: Asked) -> Select[Any]:
    if asked.since:
        query = query.where(table.c.began_at >= asked.since)
    if asked.camera:
        named = camera.c.name.contains(asked.camera, autoescape=True)
        query = query.where(sa.or_(named, camera.c.code == asked.camera, table.c.camera == asked.camera))
    if asked.who:
        like = [column.contains(asked.who, autoescape=True) for column in (account.c.name, account.c.shown_name)]
        query = query.where(sa.or_(*like, account.c.role == asked.who, table.c.actor == asked.who))
    if asked.incident:
        query = query.where(sa.or_(incident.c.number == asked.incident, table.c.incident == asked.incident))
    if asked.grant:
        query = query.where(sa.or_(access_grant.c.number == asked.grant, table.c.grant_id == asked.grant))
    if asked.department:
        query = query.where(
            sa.or_(table.c.department == asked.department, account.c.scope_department == asked.department)
        )
    return query


def _look(row: Any) -> Look:
    held = None if row.granted is None else _grant.decode(row.granted)
    return Look(
        id=row.id,
        camera=row.camera,
        name=row.name or row.camera,
        stream=row.stream,
        actor=row.actor,
        who=row.who or "",
        role=row.role or "",
        why=row.why,
        incident=row.incident,
        number=row.number or "",
        department=row.department,
        began_at=row.began_at,
        ended_at=row.ended_at,
        ended_how=row.ended_how,
        mode=row.mode or "live",
        unit=row.unit or "",
        grant=held.number if held else "",
        grant_id=row.grant_id,
        kind=held.kind if held else "",
        purpose=held.purpose if held else "",
        reason=held.text if held else "",
        given_by=held.given_by if held else (),
    )
