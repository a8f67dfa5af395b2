"""Who may decide now 审批岗位: the right belongs to the post in the duty roster 值班表, not to a person.

Where somebody with an account stands in the roster of the post's department, only those on duty decide; where nobody
does, everybody of the right role. Whoever asked never decides, and two seats are two persons.
"""

import sqlalchemy as sa
from sqlalchemy import Connection

from operations.accounts import account_of
from operations.contacts import roster
from operations.grants.request import APPROVED, Request, Seat, left_for
from operations.policy import Identity, allowed
from operations.tables import access_delegate, account, person

CENTRE = "centre"
"""The department of the centre 综治中心 in the roster."""
ROLES = {
    "centre": ("duty_commander",),
    "owner": ("liaison", "duty_commander", "leader"),
    "leader": ("leader",),
}
"""Who decides in a seat; the leader of the same house besides, once it has gone up."""


def may(connection: Connection, identity: Identity, request: Request, seat: Seat, now: int) -> bool:
    """Say whether somebody may decide in a seat of a request, for themselves or for one who is away."""
    if identity.kind != "account" or identity.id == request.applicant or not allowed(identity, "access.decide"):
        return False
    return holder(connection, identity, request, seat, now) is not None


def holder(connection: Connection, identity: Identity, request: Request, seat: Seat, now: int) -> Identity | None:
    """Return whose right it is by which somebody decides: their own, or that of one who is away; None: nobody's.

    Neither of two has asked for it, nor sat in another seat of the house.
    """
    if _sat(request, seat, identity.id):
        return None
    for one in (identity, *givers(connection, identity, now)):
        free = one.id != request.applicant and not _sat(request, seat, one.id)
        if free and _holds(connection, one, request, seat, now):
            return one
    return None


def givers(connection: Connection, identity: Identity, now: int) -> list[Identity]:
    """Return whom somebody stands in for now 代行."""
    columns = access_delegate.c
    given = sa.select(columns.giver).where(
        columns.taker == identity.id, columns.ended_at.is_(None), columns.from_at <= now, columns.until_at > now
    )
    rows = connection.execute(sa.select(account).where(account.c.id.in_(given)))
    found = (account_of(row) for row in rows)
    return [one.identity for one in found if one.living(now)]


def on_duty(connection: Connection, department: str, grid: str, now: int) -> dict[str, int]:
    """Return {id of an account: rank} of who is on duty at a department's post for a place."""
    shifts = roster.on_duty(connection, department, grid, now)
    if not shifts:
        return {}
    wanted = sa.select(person.c.id, person.c.account).where(
        person.c.id.in_([one.person for one in shifts]), person.c.account != "", person.c.ended_at.is_(None)
    )
    accounts = {row.id: row.account for row in connection.execute(wanted)}
    ranks: dict[str, int] = {}
    for one in shifts:
        if held := accounts.get(one.person):
            ranks[held] = min(one.rank, ranks.get(held, one.rank))
    return ranks


def department_of(seat: Seat) -> str:
    """Return whose roster a seat's post stands in."""
    return seat.department if seat.kind == "owner" else CENTRE


def at_home_in(identity: Identity, seat: Seat) -> bool:
    """Say whether a seat is one of somebody's own house, whoever is on duty there."""
    house = department_of(seat)
    return identity.scope.department == house or (house == CENTRE and not identity.scope.department)


def _holds(connection: Connection, identity: Identity, request: Request, seat: Seat, now: int) -> bool:
    paths = [one.path.split("/") for one in request.cameras if one.id in left_for(request, seat)]
    if identity.scope.grid and not all(identity.scope.grid in path for path in paths):
        return False
    house, at_home = department_of(seat), at_home_in(identity, seat)
    raised = seat.level > 0 and identity.role == "leader"
    if not at_home or not (raised or identity.role in ROLES[seat.kind]):
        return False
    if raised or seat.kind == "leader":
        return True
    grid = paths[0][-1] if paths else ""
    ranks = on_duty(connection, house, grid, now)
    return not ranks or ranks.get(identity.id, _NEVER) <= min(ranks.values()) + seat.level


_NEVER = 1_000


def _sat(request: Request, seat: Seat, account_id: str) -> bool:
    """Whether somebody has already decided in another seat of the same house."""
    house = seat.kind, seat.department
    return any(
        one.by == account_id and one.state == APPROVED and (one.kind, one.department) == house for one in request.seats
    )
