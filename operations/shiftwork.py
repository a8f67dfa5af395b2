"""A shift 班次 as it runs: since when, who is on duty, and what was done in it, in figures that say what they count."""

from datetime import tzinfo
from typing import Any, NamedTuple

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import handover
from operations.contacts import roster
from operations.database import Database
from operations.incidents import rows as incidents
from operations.journal import inside
from operations.orders import rows as orders
from operations.policy import Identity, reach
from operations.scope import Scope
from operations.tables import dispatch_order, incident, journal, order_recipient, person, upward_report
from operations.views import midnight

HOUR = 3_600_000_000
LONGEST = 36 * HOUR
"""A hand-over longer ago than this says nothing of the shift that runs."""
COUNTED_MOST = 50_000
"""Rows of one kind that are counted; beyond, "or more" is said."""
PEOPLE_MOST = 40
ROSTER, HANDOVER, MIDNIGHT = "roster", "handover", "midnight"
DEEDS = {"acknowledged": "incident.acknowledged", "closed": "incident.closed", "overdue": "clock.overdue"}
LEADING = ("值班长", "带班", "commander", "leader")
"""Words in the name of a post that answers for a shift; who holds one is named first."""


class OnDuty(Struct, frozen=True):
    """Somebody who is on duty by the roster now."""

    name: str
    post: str
    department: str
    rank: int
    starts_at: int
    ends_at: int
    leads: bool = False


class Shift(NamedTuple):
    """The shift that runs: since when, by what that is known (ROSTER, HANDOVER or MIDNIGHT), and who is on duty."""

    since: int
    basis: str
    people: list[OnDuty]


class Figures(NamedTuple):
    """What was done from `since` to `until`. `bounded`: some are "or more".

    `received`: incidents that came, `seen` and `ended` of them are acknowledged and closed by now; `acknowledged` and
    `closed`: how often it was done, also to older ones; `overdue`: how often a clock of an incident or order ran out.
    `orders` sent, with `recipients`, of whom by now `signed` (or further) and `refused`. `due`: reports upwards whose
    time was or is in the stretch, of which `reported` are sent.
    """

    since: int
    until: int
    received: int = 0
    seen: int = 0
    ended: int = 0
    acknowledged: int = 0
    closed: int = 0
    orders: int = 0
    recipients: int = 0
    signed: int = 0
    refused: int = 0
    overdue: int = 0
    due: int = 0
    reported: int = 0
    bounded: bool = False


def running(database: Database, identity: Identity, zone: tzinfo, now: int) -> Shift:
    """Return the shift that runs for whoever asks. Raises Forbidden."""
    scope = reach(identity, "handover.read")
    with database.read() as connection:
        people, own = _on_duty(connection, scope, identity, now)
        if own is not None:
            return Shift(own, ROSTER, people)
        taken = handover.last_taken(connection, scope)
    if taken is not None and now - taken < LONGEST:
        return Shift(taken, HANDOVER, people)
    return Shift(midnight(now, zone), MIDNIGHT, people)


def figures(database: Database, identity: Identity, since: int, until: int) -> Figures:
    """Return what was done in a stretch of time in the jurisdiction of whoever asks. Raises Forbidden."""
    scope = reach(identity, "handover.read")
    with database.read() as connection:
        counted = {
            **_incidents(connection, scope, since, until),
            **_deeds(connection, scope, since, until),
            **_orders(connection, scope, since, until),
            **_reports(connection, scope, since, until),
        }
    return Figures(since, until, **counted, bounded=max(counted.values()) >= COUNTED_MOST)


def _on_duty(connection: Connection, scope: Scope, identity: Identity, now: int) -> tuple[list[OnDuty], int | None]:
    """Return who is on duty, those who lead first, and when one's own shift began, if one has one."""
    shifts = roster.planned(connection, scope, now, now + 1)
    columns = person.c
    ids = [one.person for one in shifts]
    query = sa.select(columns.id, columns.name, columns.account).where(columns.id.in_(ids), columns.ended_at.is_(None))
    known = {row.id: row for row in connection.execute(query)}
    mine = [one.starts_at for one in shifts if one.person in known and known[one.person].account == identity.id]
    found = [
        OnDuty(known[one.person].name, one.post, one.department, one.rank, one.starts_at, one.ends_at, _leads(one.post))
        for one in shifts
        if one.person in known and (not one.grid or scope.grid)
    ]
    found.sort(key=lambda one: (not one.leads, one.department, one.rank, one.name))
    return found[:PEOPLE_MOST], max(mine, default=None)


def _leads(post: str) -> bool:
    return any(word in post.lower() for word in LEADING)


def _incidents(connection: Connection, scope: Scope, since: int, until: int) -> dict[str, int]:
    columns = incident.c
    came = (
        sa.select(columns.acknowledged_at, columns.step)
        .where(columns.received_at >= since, columns.received_at < until, *incidents.inside(scope))
        .limit(COUNTED_MOST)
        .subquery()
    )
    seen = sa.func.count(came.c.acknowledged_at)
    row = connection.execute(sa.select(sa.func.count(), seen, _count(came.c.step == "closed")).select_from(came)).one()
    return {"received": row[0], "seen": row[1], "ended": int(row[2] or 0)}


def _deeds(connection: Connection, scope: Scope, since: int, until: int) -> dict[str, int]:
    columns, found = journal.c, {}
    for name, action in DEEDS.items():
        done = (
            sa.select(columns.seq)
            .where(columns.action == action, columns.at >= since, columns.at < until, inside(scope))
            .limit(COUNTED_MOST)
            .subquery()
        )
        count = connection.execute(sa.select(sa.func.count()).select_from(done)).scalar_one()
        found[name] = int(count)
    return found


def _orders(connection: Connection, scope: Scope, since: int, until: int) -> dict[str, int]:
    columns = dispatch_order.c
    sent = (
        sa.select(columns.id)
        .where(columns.state.in_(("open", "done", "cancelled")), columns.sent_at >= since, columns.sent_at < until)
        .where(*orders.inside(scope))
        .limit(COUNTED_MOST)
        .subquery()
    )
    state = order_recipient.c.state
    query = sa.select(
        sa.func.count(sa.distinct(sent.c.id)),
        sa.func.count(order_recipient.c.id),
        _count(state.in_(("signed", "arrived", "working", "done", "reviewed"))),
        _count(state == "refused"),
    ).select_from(
        sent.outerjoin(order_recipient, sa.and_(order_recipient.c.order_id == sent.c.id, state != "withdrawn"))
    )
    row = connection.execute(query).one()
    return dict(zip(("orders", "recipients", "signed", "refused"), (int(one or 0) for one in row), strict=True))


def _reports(connection: Connection, scope: Scope, since: int, until: int) -> dict[str, int]:
    columns = upward_report.c
    wanted = [columns.state != "void", columns.due_at >= since, columns.due_at < until]
    if scope.grid:
        wanted.append(("/" + columns.path + "/").contains(f"/{scope.grid}/", autoescape=True))
    if scope.department:
        wanted.append(columns.department == scope.department)
    row = connection.execute(sa.select(sa.func.count(), _count(columns.state == "sent")).where(*wanted)).one()
    return {"due": row[0], "reported": int(row[1] or 0)}


def _count(holds: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    return sa.func.sum(sa.case((holds, 1), else_=0))
