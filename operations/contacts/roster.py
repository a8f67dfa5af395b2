"""The duty roster 值班表: who holds a post from when to when, who is on duty now, and who is called after them.

Rank 1 is called first, then 2 … A shift of a grid is for what lies in it; one without a grid is for the whole city.
Entries carry ids. What follows from a list of shifts is pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from operations import departments, journal
from operations.contacts import cards
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.orders.draft import Wanted
from operations.policy import Identity, reach
from operations.scope import Scope
from operations.tables import person
from operations.tables import shift as table
from operations.uuid7 import uuid7

MINUTE = 60_000_000
POST_MOST, RANK_MOST = 40, 9
LONGEST = 31 * 24 * 60 * MINUTE
SHIFTS_MOST = 20_000
"""Shifts planned or listed at once."""
OVERLAP, TWICE, GAP = "overlap", "twice", "gap"


class Shift(Struct, frozen=True, kw_only=True):
    """Somebody at a post: `person` is a card's id; from `starts_at` inclusive to `ends_at` exclusive, UTC µs."""

    id: str = ""
    department: str
    grid: str = ""
    post: str
    person: str
    rank: int = 1
    starts_at: int
    ends_at: int
    changed_at: int = 0
    changed_by: str = ""


class Trouble(Struct, frozen=True):
    """Something wrong with a roster: somebody at two posts at once, a post held twice, or by nobody (`gap`)."""

    kind: str
    department: str
    post: str
    starts_at: int
    ends_at: int
    person: str = ""


def planned(connection: Connection, scope: Scope, since: int, until: int) -> list[Shift]:
    """Return the shifts that touch a stretch of time inside a scope, by department, post, begin and rank."""
    columns = table.c
    query = sa.select(*_columns()).where(
        columns.cancelled_at.is_(None), columns.ends_at > since, columns.starts_at < until
    )
    if scope.department:
        query = query.where(columns.department == scope.department)
    query = query.order_by(columns.department, columns.post, columns.starts_at, columns.rank, columns.id)
    found = [Shift(**row._mapping) for row in connection.execute(query.limit(SHIFTS_MOST))]
    return [one for one in found if cards.visible(scope, one.department, one.grid)]


def on_duty(connection: Connection, department: str, grid: str, now: int) -> list[Shift]:
    """Return who is on duty of a department for a place, in the order they are called: the nearest grid's first."""
    columns = table.c
    query = sa.select(*_columns()).where(
        columns.department == department,
        columns.cancelled_at.is_(None),
        columns.ends_at > now,
        columns.starts_at <= now,
    )
    found = [Shift(**row._mapping) for row in connection.execute(query)]
    near = [one for one in found if not one.grid or grid.startswith(one.grid)]
    return sorted(near, key=lambda one: (one.rank, -len(one.grid), one.starts_at, one.id))


def next_on_duty(connection: Connection, department: str, grid: str, now: int, after_rank: int = 0) -> Wanted | None:
    """Return whom to call next of a department: the first on duty whose rank is above `after_rank`, or None.

    `grid` is where it happened ("": nowhere in particular). The rank is found again by `rank_of`.
    """
    held = [one for one in on_duty(connection, department, grid, now) if one.rank > after_rank]
    for one in held:
        row = connection.execute(
            sa.select(person.c.id, person.c.name, person.c.account, person.c.department).where(
                person.c.id == one.person, person.c.ended_at.is_(None)
            )
        ).one_or_none()
        if row is not None:
            return Wanted("person", row.id, row.name, department, "support", row.account, one.grid, one.rank)
    return None


def rank_of(connection: Connection, department: str, grid: str, now: int, person_id: str) -> int:
    """Return the rank somebody is on duty with, 0 when they are not."""
    held = [one.rank for one in on_duty(connection, department, grid, now) if one.person == person_id]
    return min(held, default=0)


def plan(
    database: Database,
    identity: Identity,
    shifts: Sequence[Shift],
    *,
    cancel: Sequence[str] = (),
    now: int,
    after_commit: AfterCommit | None = None,
) -> list[Shift]:
    """Plan shifts and cancel those of some ids, all or none, an entry each. Raises Forbidden, NotFound, Refused."""
    scope = reach(identity, "roster.manage")
    if len(shifts) + len(cancel) > SHIFTS_MOST:
        raise Refused("contacts.shift.many", most=SHIFTS_MOST)
    with database.write(after_commit) as transaction:
        transaction.alone("roster")
        drafts = [_cancel(transaction, identity, scope, key, now) for key in dict.fromkeys(cancel)]
        known = {code for code, one in departments.on(transaction.connection).items() if not one.ended}
        living = set(
            transaction.connection.execute(sa.select(person.c.id).where(person.c.ended_at.is_(None))).scalars()
        )
        made = []
        for one in shifts:
            check(one, known, living)
            if not cards.visible(scope, one.department, one.grid):
                raise NotFound()
            kept = structs.replace(one, id=uuid7(now), changed_at=now, changed_by=identity.name)
            made.append(kept)
            drafts.append(_draft(identity, kept, "shift.planned", now))
        if made:
            transaction.connection.execute(sa.insert(table), [structs.asdict(one) for one in made])
        journal.append(transaction, drafts)
        return made


def check(one: Shift, known: set[str], living: set[str]) -> None:
    """Raise Refused for a shift that cannot be: the code names what is wrong."""
    _need(one.department in known, "contacts.wrong.department", value=one.department[:40])
    _need(one.person in living, "contacts.shift.person")
    _need(0 < len(one.post) <= POST_MOST and one.post.isprintable(), "contacts.shift.post", most=POST_MOST)
    _need(1 <= one.rank <= RANK_MOST, "contacts.shift.rank", most=RANK_MOST)
    _need(0 < one.ends_at - one.starts_at <= LONGEST, "contacts.shift.times")


def troubles(shifts: Iterable[Shift], since: int, until: int) -> list[Trouble]:
    """Return overlaps and gaps of a roster from `since` to `until`, in the order of time.

    A gap is a stretch in which nobody holds a post's first rank, between the first and the last shift planned for it.
    """
    listed = [one for one in shifts if one.ends_at > since and one.starts_at < until]
    found = [*_overlaps(listed), *_gaps(listed, since, until)]
    return sorted(found, key=lambda one: (one.starts_at, one.department, one.post, one.kind))


# ---- how it is done ----


def _overlaps(shifts: Sequence[Shift]) -> Iterable[Trouble]:
    """Somebody in two places at once, and a post and rank that two hold."""
    people, posts = defaultdict(list), defaultdict(list)
    for one in shifts:
        people[one.person].append(one)
        posts[one.department, one.grid, one.post, one.rank].append(one)
    for kind, groups in ((OVERLAP, people.values()), (TWICE, posts.values())):
        for group in groups:
            held: Shift | None = None
            for one in sorted(group, key=lambda each: each.starts_at):
                if (
                    held is not None
                    and one.starts_at < held.ends_at
                    and not (kind == TWICE and one.person == held.person)
                ):
                    ends = min(one.ends_at, held.ends_at)
                    yield Trouble(kind, one.department, one.post, one.starts_at, ends, one.person)
                held = one if held is None or one.ends_at > held.ends_at else held


def _gaps(shifts: Sequence[Shift], since: int, until: int) -> Iterable[Trouble]:
    posts = defaultdict(list)
    for one in shifts:
        if one.rank == 1:
            posts[one.department, one.grid, one.post].append(one)
    for (department, _, post), group in posts.items():
        covered = max(since, min(one.starts_at for one in group))
        for one in sorted(group, key=lambda each: each.starts_at):
            if one.starts_at > covered:
                yield Trouble(GAP, department, post, covered, min(one.starts_at, until))
            covered = max(covered, one.ends_at)


def _cancel(transaction: Transaction, identity: Identity, scope: Scope, shift_id: str, now: int) -> Draft:
    query = sa.select(*_columns()).where(table.c.id == shift_id, table.c.cancelled_at.is_(None))
    row = transaction.connection.execute(query).one_or_none()
    if row is None or not cards.visible(scope, row.department, row.grid):
        raise NotFound()
    gone = {"cancelled_at": now, "changed_at": now, "changed_by": identity.name}
    transaction.connection.execute(sa.update(table).where(table.c.id == shift_id).values(gone))
    return _draft(identity, Shift(**row._mapping), "shift.cancelled", now)


def _draft(identity: Identity, one: Shift, action: str, now: int) -> Draft:
    told = {name: getattr(one, name) for name in ("department", "post", "person", "rank", "starts_at", "ends_at")}
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="shift",
        subject_id=one.id,
        scope_department=one.department,
        scope_department_before=one.department,
        body=told,
    )


def _columns() -> list[sa.Column[object]]:
    return [table.c[name] for name in Shift.__struct_fields__]


def _need(holds: bool, code: str, **params: object) -> None:
    if not holds:
        raise Refused(code, **params)
