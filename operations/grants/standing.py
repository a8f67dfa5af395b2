"""Standing authorisations 常态授权: an owner says in advance for whom, what for and which classes of cameras open.

Each opening then becomes a short grant of its own, bound to an incident where the purpose wants one; the owner is told.
It is signed for some months, never for restricted places, and never by the one who looks.
"""

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from config.access import Access
from operations import journal
from operations.cameras.reading import Camera
from operations.database import Transaction
from operations.entry import Draft
from operations.errors import NotFound, need
from operations.grants import posts, rows
from operations.grants.desk import Desk
from operations.grants.ending import ended
from operations.policy import PEOPLE, SYSTEM, Identity, reach
from operations.tables import access_grant
from operations.tables import access_standing as table
from operations.uuid7 import uuid7

DAY = 86_400_000_000
MONTH = 30 * DAY
ROLES = (*(one for one in PEOPLE if one != "grid_worker"), "wall")
LISTED_MOST = 200
PURPOSES = {"incident": "incident", "patrol": "patrol", "wall": "patrol", "maintenance": "inspection"}
"""{why somebody looks: the purpose it falls under}; what is not there wants a request."""


class Terms(Struct, frozen=True, kw_only=True):
    """What is authorised: for the post `role` of department `unit` ("": the centre), cameras of these classes."""

    role: str
    unit: str = ""
    purposes: tuple[str, ...] = ("incident",)
    urgencies: tuple[str, ...] = ("urgent", "critical")
    classes: tuple[int, ...] = (1, 2, 3)
    positions: tuple[str, ...] = ()
    minutes: int = 30


class Standing(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A standing authorisation; `department` owns the cameras. Times: UTC microseconds."""

    id: str
    department: str
    terms: Terms
    signed_by: str
    signed_at: int
    until_at: int
    ended_at: int | None = None
    ended_by: str = ""
    revision: int = 1


_standing = msgspec.json.Decoder(Standing)


class Standings(Desk):
    """The standing authorisations of one database."""

    def sign(self, identity: Identity, terms: Terms, *, department: str = "", id: str = "") -> Standing:
        """Sign one, or one anew. Raises Forbidden, NotFound, Refused."""
        reach(identity, "access.authorise")
        now, access = self._now(), self._access()
        check(terms, access)
        with self._database.write(self._doorbell) as transaction:
            known = locked(transaction.connection, id) if id else None
            department = known.department if known is not None else department
            _mine(identity, department)
            made = Standing(
                id=known.id if known is not None else uuid7(now),
                department=department,
                terms=terms,
                signed_by=identity.name,
                signed_at=now,
                until_at=now + access.limits.standing_months * MONTH,
                revision=known.revision + 1 if known is not None else 1,
            )
            _put(transaction, made)
            journal.append(transaction, [_draft(made, "standing.signed", identity.actor, now)])
        return made

    def end(self, identity: Identity, id: str) -> Standing:
        """Take one back: nothing opens by it from now on, and what it has opened ends."""
        reach(identity, "access.authorise")
        now = self._now()
        with self._database.write(self._doorbell) as transaction:
            known = locked(transaction.connection, id)
            _mine(identity, known.department)
            need(known.ended_at is None, "grants.ended")
            over = structs.replace(known, ended_at=now, ended_by=identity.name, revision=known.revision + 1)
            _put(transaction, over)
            opened = rows.living(transaction.connection, access_grant.c.standing == id, lock=True)
            told = [_draft(over, "standing.ended", identity.actor, now)]
            ended(transaction, opened, "revoked", identity.actor, now, before=told)
        return over

    def listed(self, identity: Identity) -> list[Standing]:
        """Return those of one's house, of all houses for the centre and auditors; the newest first."""
        reach(identity, "access.read")
        query = sa.select(table.c.body).order_by(table.c.signed_at.desc()).limit(LISTED_MOST)
        house = identity.scope.department
        if house and house != posts.CENTRE:
            query = query.where(table.c.department == house)
        with self._database.read() as connection:
            return [_standing.decode(row.body) for row in connection.execute(query)]


def check(terms: Terms, access: Access) -> None:
    """Raise Refused for terms that cannot be."""
    known = {one.code for one in access.purpose if one.standing}
    need(terms.role in ROLES, "grants.standing.role")
    need(bool(terms.purposes) and set(terms.purposes) <= known, "grants.standing.purposes")
    need(bool(terms.urgencies) and set(terms.urgencies) <= {"routine", "urgent", "critical"}, "grants.standing.urgency")
    need(bool(terms.classes) and set(terms.classes) <= {0, 1, 2, 3}, "grants.standing.classes")
    need(all(one.isdigit() and len(one) <= 7 for one in terms.positions), "grants.standing.positions")
    need(0 < terms.minutes <= access.limits.standing_minutes, "grants.minutes", most=access.limits.standing_minutes)


class Point(Struct, frozen=True):
    """What of a camera decides: class of the point, code of its capture position, whether it is restricted."""

    point_class: int = 0
    position: str = ""
    restricted: bool = False


def point_of(camera: Camera | None) -> Point:
    """Return a camera's; of one outside the catalogue nothing is known."""
    if camera is None:
        return Point()
    return Point(camera.item.point_class, camera.item.position, camera.item.restricted)


def fits(terms: Terms, identity: Identity, point: Point, purpose: str, urgency: str) -> bool:
    """Say whether terms let somebody look through a camera; `urgency` is the incident's, "" where there is none."""
    house = identity.scope.department
    unit = "" if house == posts.CENTRE else house
    return (
        terms.role == identity.role
        and (terms.unit == unit or identity.kind == "wall")
        and purpose in terms.purposes
        and (not urgency or urgency in terms.urgencies)
        and point.point_class in terms.classes
        and (not terms.positions or point.position.startswith(terms.positions))
        and not point.restricted
    )


def of_owner(connection: Connection, department: str, now: int) -> list[Standing]:
    """Return what an owner has authorised and is in force."""
    query = sa.select(table.c.body).where(
        table.c.department == department, table.c.ended_at.is_(None), table.c.until_at > now
    )
    return [_standing.decode(row.body) for row in connection.execute(query.order_by(table.c.signed_at))]


def _mine(identity: Identity, department: str) -> None:
    """Raise NotFound unless somebody signs for this house; what has no owner is the centre's."""
    house = identity.scope.department
    centre = house in ("", posts.CENTRE) and identity.role in ("duty_commander", "leader")
    if identity != SYSTEM and not (centre if department == "" else house == department):
        raise NotFound()


def locked(connection: Connection, id: str) -> Standing:
    """Return one as it is now; it stays so until the transaction ends. Raises NotFound."""
    if not (id.isascii() and id.isprintable()):
        raise NotFound()
    row = connection.execute(sa.select(table.c.body).where(table.c.id == id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound()
    return _standing.decode(row.body)


def _put(transaction: Transaction, one: Standing) -> None:
    values = {
        "department": one.department,
        "signed_at": one.signed_at,
        "until_at": one.until_at,
        "ended_at": one.ended_at,
        "revision": one.revision,
        "body": msgspec.json.encode(one),
    }
    change = sa.update(table).where(table.c.id == one.id).values(values)
    if not transaction.connection.execute(change).rowcount:
        transaction.connection.execute(sa.insert(table).values({"id": one.id, **values}))


def _draft(one: Standing, action: str, actor: str, now: int) -> Draft:
    return Draft(
        at=now,
        actor=actor,
        action=action,
        subject_type="standing",
        subject_id=one.id,
        revision=one.revision,
        scope_department=one.department,
        scope_department_before=one.department,
        body={"terms": msgspec.to_builtins(one.terms), "until_at": one.until_at},
    )
