"""Health tickets 健康工单, kept: which faults have lasted, which are over, and what intake is to be told of each.

A ticket and what it says are one row, written before intake is told; told again after a crash it is the same word for
word, so intake takes it once. At most one ticket of a camera is of concern at a time.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import msgspec
import sqlalchemy as sa
from msgspec import structs
from sqlalchemy import ColumnElement, Connection

from operations.cameras import outages
from operations.cameras.condition import GOOD, UNJUDGED, signalled
from operations.cameras.item import CLASSES, OFF
from operations.cameras.outage import Outage, Point
from operations.cameras.ticket import (
    BACK,
    OFFLINE,
    OPEN,
    OUTAGE,
    PAST,
    PICTURE,
    Case,
    Rules,
    department,
    id_of,
    kind_of,
    subject_of,
)
from operations.database import Database, Transaction
from operations.incidents import rows as incidents
from operations.scope import Scope
from operations.tables import camera, incident
from operations.tables import camera_ticket as table

DAY = 86_400_000_000
AT_ONCE = 100
"""Moves in one transaction; more follow in the next."""
_CAMERA = ("id", "name", "code", "owner", "lon", "lat", "gone_at")
_SIGNALS = ("status", "status_at", "registered", "registered_at", "picture", "picture_at")
_TICKET = ("kind", "since_at", "revision")
CLOSED = "closed"
Row = sa.Row[Any]
encode = msgspec.json.encode


class Worded(Protocol):
    """What tickets say, in words."""

    def item(self, case: Case) -> dict[str, Any]:
        """Return the report of a ticket, without its revision."""

    def status(self, word: str) -> str:
        """Return "back" or "withdrawn" in words."""


class Moved(NamedTuple):
    """How many tickets were made, taken up again, told to be over, and which departments have had their most today."""

    opened: int = 0
    again: int = 0
    over: int = 0
    full: tuple[str, ...] = ()


class Ticket(NamedTuple):
    """The ticket of a camera: what for (OFFLINE or PICTURE), since when, and whether its camera is well again.

    `incident`, `number`, `step` are "" for who may not see its incident, and until intake has taken it.
    """

    kind: str
    since: int
    back: bool
    incident: str = ""
    number: str = ""
    step: str = ""


class Pending(NamedTuple):
    """What intake is to be told: the report's item as JSON, and the department it goes to."""

    id: str
    revision: int
    item: bytes
    department: str


def step(database: Database, rules: Rules, worded: Worded, *, now: int, today: int) -> Moved:
    """Write down which tickets begin, begin again and are over, once whoever looks. `today`: when the day began."""
    with database.read() as connection:
        if not _some(connection, rules, now, today):
            return Moved(full=tuple(sorted(_full(connection, rules, today))))
    with database.write() as transaction:
        transaction.alone("camera tickets")
        done = _Step(transaction, rules, worded, now)
        done.drop_old()
        over = done.end()
        opened, again = done.begin(_spent(transaction.connection, today))
        full = _full(transaction.connection, rules, today)
    return Moved(opened, again, over, tuple(sorted(full)))


def pending(connection: Connection, most: int = AT_ONCE) -> list[Pending]:
    """Return what intake has not confirmed yet, the oldest first."""
    columns = table.c
    query = sa.select(columns.id, columns.revision, columns.item, columns.owner)
    query = query.where(columns.sent < columns.revision).order_by(columns.state_at, columns.id).limit(most)
    return [Pending(row.id, row.revision, bytes(row.item), row.owner) for row in connection.execute(query)]


def sent(database: Database, id: str, revision: int, origin: str) -> None:
    """Note that intake has a revision of a ticket, and under which origin its incident is found."""
    with database.write() as transaction:
        update = sa.update(table).where(table.c.id == id, table.c.sent < revision)
        transaction.connection.execute(update.values(sent=revision, origin=origin))


def of(connection: Connection, camera_id: str, scope: Scope | None) -> Ticket | None:
    """Return the ticket of a camera that is open, or over since less than a day; its incident as `scope` sees it."""
    found = table.outerjoin(incident, sa.and_(incident.c.origin == table.c.origin, *_seen(scope)))
    query = sa.select(table.c.kind, table.c.since_at, table.c.state, incident.c.id, incident.c.number, incident.c.step)
    query = query.select_from(found).where(table.c.subject == camera_id, table.c.state != PAST)
    row = connection.execute(query.order_by(table.c.state_at.desc()).limit(1)).first()
    if row is None:
        return None
    return Ticket(row.kind, row.since_at, row.state == BACK, row.id or "", row.number or "", row.step or "")


def _seen(scope: Scope | None) -> Iterable[ColumnElement[bool]]:
    return [sa.false()] if scope is None else incidents.inside(scope)


def waiting(connection: Connection, rules: Rules, now: int, *also: ColumnElement[bool]) -> dict[str, int]:
    """Return {department: cameras whose fault has lasted and that have no ticket}; "" for owners that are none here."""
    if not rules.enabled:
        return {}
    query = sa.select(camera.c.owner, sa.func.count().label("many")).select_from(_joined())
    query = query.where(*_lasting(connection, rules, now), _unticketed(), *also).group_by(camera.c.owner)
    found: Counter[str] = Counter()
    for row in connection.execute(query):
        found[department(row.owner, rules.departments)] += row.many
    return dict(found)


# ---- which ----------------------------------------------------------------------------------------------------------


def _joined() -> sa.Join:
    ticket = sa.and_(table.c.subject == camera.c.id, table.c.state != PAST)
    return camera.outerjoin(table, ticket).outerjoin(incident, incident.c.origin == table.c.origin)


def _selected() -> sa.Select[Any]:
    columns = [camera.c[name] for name in (*_CAMERA, *_SIGNALS)]
    return sa.select(*columns, *_known(), incident.c.step).select_from(_joined())


def _known() -> list[sa.ColumnElement[Any]]:
    named = [table.c[name].label(f"ticket_{name}") for name in _TICKET]
    return [*named, table.c.id.label("ticket"), table.c.item]


def _off() -> ColumnElement[bool]:
    return sa.or_(camera.c.status == OFF, camera.c.registered == OFF)


def _bad() -> ColumnElement[bool]:
    return sa.and_(~_off(), camera.c.picture.not_in((GOOD, *UNJUDGED)))


def _off_since(at: int) -> ColumnElement[bool]:
    columns = camera.c
    registered = sa.and_(columns.registered == OFF, columns.registered_at <= at)
    return sa.or_(sa.and_(columns.status == OFF, columns.status_at <= at), registered)


def _lasting(connection: Connection, rules: Rules, now: int) -> list[ColumnElement[bool]]:
    """Cameras whose fault has lasted, that nobody works on as planned, and that no mass drop took with it."""
    columns = camera.c
    bad = sa.and_(_bad(), columns.picture_at <= now - rules.picture)
    return [
        columns.gone_at.is_(None),
        columns.maintenance_until <= now,
        columns.point_class.in_(rules.classes),
        sa.or_(_off_since(now - rules.offline), bad),
        *(~sa.and_(_behind(point), ~_before(one.since)) for point, one in outages.told(connection).items()),
    ]


def _unticketed() -> ColumnElement[bool]:
    """No ticket of concern: none, or one that was over and that people have closed."""
    closed = sa.and_(table.c.state == BACK, incident.c.step == CLOSED)
    return sa.or_(table.c.id.is_(None), closed)


def _again() -> ColumnElement[bool]:
    known = sa.and_(table.c.state == BACK, table.c.sent == table.c.revision)
    return sa.and_(known, incident.c.step != CLOSED)


def _before(at: int) -> ColumnElement[bool]:
    """Its fault began before: a mass drop since then is not why."""
    columns = camera.c
    picture = sa.and_(columns.picture.not_in((GOOD, *UNJUDGED)), columns.picture_at < at)
    return sa.or_(_off_since(at - 1), picture)


def _behind(point: Point) -> ColumnElement[bool]:
    columns, name = camera.c, point.name
    if point.level != "area":
        return columns.source == name if point.level == "source" else columns.parent == name
    third = sa.or_(columns.path.like(f"{name}/%/%"), columns.path.like(f"%/{name}/%/%"))
    deeper = sa.or_(columns.path.like(f"{name}/%/%/%"), columns.path.like(f"%/{name}/%/%/%"))
    short = sa.and_(columns.path.like(f"{name}/%"), ~columns.path.like("%/%/%"))
    return sa.or_(sa.and_(third, ~deeper), columns.path == name, short)


def _owned(departments: Iterable[str], rules: Rules) -> ColumnElement[bool]:
    """Cameras whose tickets go to one of these."""
    named = sorted(set(departments))
    ours = camera.c.owner.in_([one for one in named if one])
    return sa.or_(ours, camera.c.owner.not_in(sorted(rules.departments))) if "" in named else ours


def _beginning(connection: Connection, rules: Rules, now: int, full: Iterable[str]) -> sa.Select[Any]:
    unticketed = sa.and_(_unticketed(), ~_owned(full, rules)) if full else _unticketed()
    query = _selected().where(*_lasting(connection, rules, now), sa.or_(unticketed, _again()))
    first = sa.case((camera.c.point_class == 0, len(CLASSES)), else_=camera.c.point_class)
    return query.order_by(first, camera.c.id).limit(AT_ONCE)


def _ending(rules: Rules, now: int) -> sa.Select[Any]:
    """Tickets whose camera has been well for long enough, left the catalogue, or has another kind of fault by now."""
    columns, since = camera.c, now - rules.back
    times = (columns.status_at <= since, columns.registered_at <= since, columns.picture_at <= since)
    well = sa.and_(~_off(), columns.picture.in_((GOOD, *UNJUDGED)), *times)
    blind = sa.and_(table.c.kind == OFFLINE, _bad(), columns.picture_at <= now - rules.picture)
    away = sa.and_(table.c.kind == PICTURE, _off_since(now - rules.offline))
    query = _selected().where(table.c.state == OPEN, table.c.sent == table.c.revision)
    query = query.where(sa.or_(columns.gone_at.is_not(None), well, blind, away))
    return query.order_by(table.c.id).limit(AT_ONCE)


def _some(connection: Connection, rules: Rules, now: int, today: int) -> bool:
    full = _full(connection, rules, today)
    queries = [_ending(rules, now), _old(now)]
    queries += [_beginning(connection, rules, now, full)] if rules.enabled else []
    if any(connection.execute(query.limit(1)).first() is not None for query in queries):
        return True
    began, ended = _drops(connection, rules, now)
    return bool(began or ended)


def _old(now: int) -> sa.Select[Any]:
    over = sa.and_(table.c.state.in_((BACK, PAST)), table.c.sent == table.c.revision)
    return sa.select(table.c.id).where(over, table.c.state_at < now - DAY)


def _spent(connection: Connection, today: int) -> Counter[str]:
    counted = sa.select(table.c.owner, sa.func.count().label("many")).where(
        table.c.opened_at >= today, table.c.kind != OUTAGE
    )
    return Counter({row.owner: row.many for row in connection.execute(counted.group_by(table.c.owner))})


def _full(connection: Connection, rules: Rules, today: int) -> list[str]:
    return [owner for owner, many in _spent(connection, today).items() if many >= rules.most]


def _drops(connection: Connection, rules: Rules, now: int) -> tuple[list[Outage], list[Any]]:
    """Mass drops that have lasted and have no ticket that is open, and tickets of those that are over."""
    there = outages.told(connection)
    query = sa.select(*_known(), table.c.subject, table.c.sent, incident.c.step)
    query = query.outerjoin(incident, incident.c.origin == table.c.origin)
    query = query.where(table.c.kind == OUTAGE, table.c.state == OPEN)
    open_ = {row.subject: row for row in connection.execute(query)}
    subjects = {subject_of(*point): one for point, one in there.items()}
    lasted = [one for name, one in subjects.items() if name not in open_ and one.since <= now - rules.outage]
    over = [row for name, row in open_.items() if name not in subjects and row.sent == row.ticket_revision]
    return (lasted if rules.enabled else []), over


# ---- doing -----------------------------------------------------------------------------------------------------------


class _Step:
    """One round inside its transaction."""

    def __init__(self, transaction: Transaction, rules: Rules, worded: Worded, now: int) -> None:
        self._connection = transaction.connection
        self._rules, self._worded, self._now = rules, worded, now

    def drop_old(self) -> None:
        self._connection.execute(sa.delete(table).where(table.c.id.in_(_old(self._now))))

    def end(self) -> int:
        """Tell of cameras that are back, or ail of something else; of mass drops that are over."""
        rows = self._connection.execute(_ending(self._rules, self._now)).all()
        for row in rows:
            kind = kind_of(signalled(row)) if row.gone_at is None else ""
            if row.step == CLOSED:
                self._revise(row, None, PAST if kind else BACK)
            elif kind:
                self._revise(row, self._worded.item(self._case(row, kind, row.ticket_since_at)), OPEN, kind)
            else:
                self._over(row, "back" if row.gone_at is None else "withdrawn")
        ended = _drops(self._connection, self._rules, self._now)[1]
        for row in ended:
            self._over(row, "back")
        return len(rows) + len(ended)

    def begin(self, spent: Counter[str]) -> tuple[int, int]:
        """Make the tickets of faults that have lasted, as many as their departments may get; returns (new, again)."""
        if not self._rules.enabled:
            return 0, 0
        connection, rules = self._connection, self._rules
        full = [owner for owner, many in spent.items() if many >= rules.most]
        opened = again = 0
        for row in connection.execute(_beginning(connection, rules, self._now, full)).all():
            kind, owner = kind_of(signalled(row)), department(row.owner, rules.departments)
            if row.ticket and row.step != CLOSED:
                case = structs.replace(self._case(row, kind, row.ticket_since_at), again=_since(row, kind))
                self._revise(row, self._worded.item(case), OPEN, kind)
                again += 1
            elif spent[owner] < rules.most:
                began = _since(row, kind)
                fresh = row.ticket is None or id_of(row.id, began) != row.ticket
                self._open(row.ticket, row.id, self._case(row, kind, began if fresh else self._now))
                spent[owner] += 1
                opened += 1
        for one in _drops(connection, rules, self._now)[0]:
            opened += self._drop(one)
        return opened, again

    def _drop(self, one: Outage) -> int:
        """A ticket for a mass drop; that of one within the last day is taken up again."""
        subject = subject_of(*one.point)
        query = sa.select(table.c.id, table.c.revision, table.c.since_at, incident.c.step)
        query = query.outerjoin(incident, incident.c.origin == table.c.origin)
        before = self._connection.execute(query.where(table.c.subject == subject, table.c.state == BACK)).first()
        case = self._case_of(one, subject)
        if before is None or before.step == CLOSED:
            self._open(before.id if before else None, subject, case)
            return 1
        case = structs.replace(case, id=before.id, since=before.since_at, again=one.since)
        self._put(before.id, before.revision + 1, self._worded.item(case), OPEN, OUTAGE)
        return 0

    def _case_of(self, one: Outage, subject: str) -> Case:
        owned = sa.select(camera.c.owner).where(_behind(one.point), camera.c.gone_at.is_(None))
        most = self._connection.execute(owned.group_by(camera.c.owner).order_by(sa.func.count().desc()).limit(1))
        owner = most.scalar() or ""
        return Case(
            id=id_of(subject, one.since),
            kind=OUTAGE,
            name=outages.title(self._connection, one.point) or one.point.name,
            code=one.point.name,
            since=one.since,
            owner=owner,
            department=department(owner, self._rules.departments),
            level=one.point.level,
            gone=one.gone,
            total=one.total,
        )

    def _case(self, row: Row, kind: str, since: int) -> Case:
        return Case(
            id=row.ticket if since == row.ticket_since_at else id_of(row.id, since),
            kind=kind,
            name=row.name or row.code,
            code=row.code,
            since=since,
            owner=row.owner,
            department=department(row.owner, self._rules.departments),
            picture=row.picture,
            lon=row.lon,
            lat=row.lat,
        )

    def _open(self, before: str | None, subject: str, case: Case) -> None:
        if before:
            past = sa.update(table).where(table.c.id == before).values(state=PAST, state_at=self._now)
            self._connection.execute(past)
        values = {
            "id": case.id,
            "subject": subject,
            "kind": case.kind,
            "owner": case.department,
            "since_at": case.since,
            "opened_at": self._now,
            "state": OPEN,
            "state_at": self._now,
            "revision": 1,
            "item": encode(self._worded.item(case) | {"revision": "1"}),
        }
        self._connection.execute(sa.insert(table).values(values))

    def _over(self, row: Row, word: str) -> None:
        item = msgspec.json.decode(bytes(row.item)) | {"status": self._worded.status(word)}
        self._revise(row, None if row.step == CLOSED else item, BACK)

    def _revise(self, row: Row, item: dict[str, Any] | None, state: str, kind: str = "") -> None:
        """Give a ticket another state; with an item there is something to tell, without one nobody waits for it."""
        revision = row.ticket_revision + (item is not None)
        self._put(row.ticket, revision, item, state, kind or row.ticket_kind)

    def _put(self, id: str, revision: int, item: dict[str, Any] | None, state: str, kind: str) -> None:
        values: dict[str, Any] = {"state": state, "state_at": self._now, "revision": revision, "kind": kind}
        if item is not None:
            values["item"] = encode(item | {"revision": str(revision)})
        self._connection.execute(sa.update(table).where(table.c.id == id).values(values))


def _since(row: Row, kind: str) -> int:
    return outages.since(row) if kind == OFFLINE else int(row.picture_at)
