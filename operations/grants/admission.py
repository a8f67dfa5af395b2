"""The one gate 准入: by whose leave somebody looks through a camera now, asked before every picture.

A grant in force; else, for the cameras of one's own department, nobody's; else a standing authorisation, of which a
short grant is made; else nothing. What is forbidden is forbidden to everybody.
"""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations.cameras import limits, reading
from operations.cameras.reading import Camera
from operations.database import Transaction
from operations.entry import Draft
from operations.errors import NotFound, Refused, need
from operations.grants import places, posts, ringing, rows, standing
from operations.grants.desk import HOUR, MINUTE, Desk, entry_of, written
from operations.grants.grant import BREAKGLASS, STANDING, Held, common, holder_of, lives
from operations.grants.request import TEXT_LEAST, TEXT_MOST
from operations.incident import Incident
from operations.incidents import rows as incidents
from operations.looks import OWN, Leave, Ticket, Whereabouts
from operations.policy import Identity, reach
from operations.scope import WHOLE, Scope
from operations.tables import access_grant as table
from operations.tables import look
from operations.uuid7 import uuid7

OPENED = ("live", "snapshot")
"""What is let through without a decision: recordings want a request."""


class Denied(Refused):
    """Nothing lets them look; they can ask for it."""

    code = "grants.none"


class Asking(Struct, frozen=True):
    """What somebody wants to see, and why (`looks.WHYS`); `mode`: live, playback, snapshot or export."""

    camera: str
    why: str
    incident: str = ""
    mode: str = "live"


class Admission(Desk):
    """The gate of one database."""

    def leave(self, identity: Identity, asking: Asking, place: Whereabouts | None) -> Leave:
        """Return by whose leave somebody looks. Raises Forbidden, NotFound; Denied, Refused: nobody's."""
        reach(identity, "camera.look")
        if place is None:
            raise NotFound()
        now = self._now()
        with self._database.read() as connection:
            camera = reading.get(connection, WHOLE, asking.camera)
            kind = self._barred(connection, asking.camera, camera)
            held = self._held(connection, identity, asking, now)
            if held is not None:
                if asking.mode == "live":
                    self._room(connection, held, asking.camera)
                return Leave(held.id, held.number, held.until_at)
            if kind != places.RESTRICTED and _own(identity, place):
                return OWN
            mine = not identity.scope.grid or identity.scope.grid in place.chain
            found = None
            if kind != places.RESTRICTED and mine:
                point = standing.point_of(camera)
                found = self._authorised(connection, identity, asking, place.department, point, now)
        if found is None:
            raise Denied()
        return self._opened(identity, asking, place, found, now)

    def granted(self, identity: Identity, cameras: Sequence[str]) -> list[str]:
        """Return through which of some cameras a grant lets somebody look now. Raises Forbidden."""
        reach(identity, "camera.look")
        now = self._now()
        with self._database.read() as connection:
            asked = [Asking(one, "") for one in dict.fromkeys(cameras) if one.isprintable()]
            return [one.camera for one in asked if self._held(connection, identity, one, now) is not None]

    def still(self, connection: Connection, ticket: Ticket, now: int) -> None:
        """Raise Refused when a ticket's grant lets nobody look any more; asked where the look is written down."""
        if not ticket.grant:
            return
        held = rows.grant(connection, ticket.grant, lock=True)
        if not lives(held, now) or ticket.camera not in held.cameras:
            raise Denied()
        self._room(connection, held, ticket.camera)

    def lets(self, connection: Connection, grant: str, asking: Asking, now: int) -> None:
        """Raise Refused when a grant ("": none is needed) does not let somebody do this any more."""
        if not grant:
            return
        held = rows.grant(connection, grant, lock=True)
        if not lives(held, now) or asking.camera not in held.cameras or asking.mode not in held.modes:
            raise Denied()

    def deny(self, identity: Identity, asking: Asking, place: Whereabouts | None, why: str) -> None:
        """Write down that somebody was not let through."""
        now = self._now()
        draft = Draft(
            at=now,
            actor=identity.actor,
            action="look.denied",
            subject_type="look",
            subject_id=uuid7(now),
            scope_grid="/".join(place.chain) if place is not None else "",
            scope_department=place.department if place is not None else "",
            body={
                "camera": asking.camera[:60], "why": asking.why[:20], "incident": asking.incident[:60],
                "mode": asking.mode, "code": why,
            },
        )  # fmt: skip
        with self._database.write(self._doorbell) as transaction:
            written(transaction, [draft])

    def break_glass(
        self, identity: Identity, cameras: Collection[str], incident: str, text: str, *, modes: tuple[str, ...] = ()
    ) -> list[Held]:
        """Look at once, in an emergency: a grant for each owner, loud until somebody ratifies. Raises Refused."""
        reach(identity, "access.break")
        now, access = self._now(), self._access()
        need(identity.role in access.breakglass.roles, "grants.breakglass.role")
        need(set(modes) <= set(OPENED), "grants.modes")
        need(TEXT_LEAST <= len(text.strip()) <= TEXT_MOST, "grants.text", least=TEXT_LEAST, most=TEXT_MOST)
        need(0 < len(set(cameras)) <= access.limits.breakglass_cameras, "grants.cameras",
             most=access.limits.breakglass_cameras, n=len(cameras))  # fmt: skip
        scope = Scope(reach(identity, "camera.look").grid)
        with self._database.write(self._doorbell) as transaction:
            connection = transaction.connection
            about = incidents.find(connection, reach(identity, "camera.look"), incident).incident
            need(about.is_open and about.urgency in access.breakglass.urgencies, "grants.breakglass.urgency")
            chosen = reading.of(connection, scope, list(dict.fromkeys(cameras)))
            if len(chosen) != len(set(cameras)):
                raise NotFound()
            places.refuse(connection, access, [one.id for one in chosen])
            registered = places.limits(connection, [one.id for one in chosen])
            for one in chosen:
                restricted = one.item.restricted or registered.get(one.id) == places.RESTRICTED
                need(not restricted, "grants.breakglass.restricted", name=one.item.name)
                need(one.item.point_class in access.breakglass.classes, "grants.breakglass.class", name=one.item.name)
            made = [
                self._broken(transaction, identity, about, text.strip(), modes or OPENED, mine, now)
                for mine in _by_owner(chosen).values()
            ]
            ringing.alarm(transaction, made, now)
            written(
                transaction,
                [
                    entry_of(one, "grant.broken", identity.actor, now, reason=one.text, more={
                        "cameras": list(one.cameras), "ratify_by": one.ratify_by,
                    })
                    for one in made
                ],
            )  # fmt: skip
        return made

    # ---- how it is done ----

    def _barred(self, connection: Connection, id: str, camera: Camera | None) -> str:
        """Return the camera's view limit; raises Refused for one that nobody may look through."""
        limit = limits.of(connection, [id]).get(id)
        kind = limit.kind if limit is not None else ""
        if camera is None:
            return kind
        places.bar(self._access(), camera, limit)
        return places.RESTRICTED if camera.item.restricted else kind

    def _held(self, connection: Connection, identity: Identity, asking: Asking, now: int) -> Held | None:
        """The grant in force that fits best: of the same incident, else the one that lasts longest."""
        mine = rows.of_holder(holder_of(identity))
        found = rows.living(connection, mine, table.c.until_at > now, rows.of_camera(asking.camera))
        fit = [one for one in found if lives(one, now) and asking.mode in one.modes]
        return max(fit, key=lambda one: (one.incident == asking.incident, one.until_at), default=None)

    def _room(self, connection: Connection, held: Held, camera: str) -> None:
        looking = sa.select(sa.func.count()).where(
            look.c.grant_id == held.id, look.c.camera == camera, look.c.ended_at.is_(None)
        )
        if connection.execute(looking).scalar_one() >= held.viewers:
            raise Refused("grants.viewers", most=held.viewers)

    def _authorised(
        self,
        connection: Connection,
        identity: Identity,
        asking: Asking,
        department: str,
        point: standing.Point,
        now: int,
    ) -> tuple[standing.Standing, Incident | None, str] | None:
        purpose = standing.PURPOSES.get(asking.why, "")
        rule = self._access().purpose_of(purpose)
        if rule is None or asking.mode not in OPENED or (rule.incident and not asking.incident):
            return None
        about = _incident(connection, identity, asking.incident)
        if asking.incident and (about is None or not about.is_open):
            return None
        urgency = about.urgency if about is not None else ""
        for one in standing.of_owner(connection, department, now):
            if standing.fits(one.terms, identity, point, purpose, urgency):
                if identity.kind == "wall":
                    return one, about, ""
                house = identity.scope.department or posts.CENTRE
                ranks = posts.on_duty(connection, house, "", now)
                if not ranks or identity.id in ranks:
                    return one, about, house if ranks else ""
        return None

    def _opened(
        self,
        identity: Identity,
        asking: Asking,
        place: Whereabouts,
        found: tuple[standing.Standing, Incident | None, str],
        now: int,
    ) -> Leave:
        """Make a short grant of a standing authorisation; the owner is told by its entry."""
        one, about, house = found
        with self._database.write(self._doorbell) as transaction:
            authorised = standing.locked(transaction.connection, one.id)
            known = self._held(transaction.connection, identity, asking, now)  # another tile was quicker
            if known is not None:
                return Leave(known.id, known.number, known.until_at)
            if authorised.ended_at is not None:
                raise Denied()
            there = reading.get(transaction.connection, WHOLE, asking.camera)
            held = Held(
                id=uuid7(now),
                number=self._number(transaction, "G", now),
                kind=STANDING,
                standing=one.id,
                holder=holder_of(identity),
                who=identity.name,
                role=identity.role,
                unit=identity.scope.department,
                duty=house,
                department=place.department,
                purpose=standing.PURPOSES[asking.why],
                incident=about.id if about is not None else "",
                incident_number=about.number if about is not None else "",
                modes=OPENED,
                cameras=(asking.camera,),
                names=(there.item.name if there is not None else "",),
                path="/".join(place.chain),
                viewers=self._access().limits.viewers,
                from_at=now,
                until_at=now + one.terms.minutes * MINUTE,
                given_by=(one.signed_by,),
            )
            rows.add_grant(transaction, held)
            more = {"cameras": [asking.camera], "standing": one.id}
            written(transaction, [entry_of(held, "grant.opened", identity.actor, now, more=more)])
        return Leave(held.id, held.number, held.until_at)

    def _broken(
        self, transaction: Transaction, identity: Identity, about: Incident, text: str, modes: tuple[str, ...],
        cameras: list[Camera], now: int,
    ) -> Held:  # fmt: skip
        access = self._access()
        held = Held(
            id=uuid7(now),
            number=self._number(transaction, "G", now),
            kind=BREAKGLASS,
            holder=holder_of(identity),
            who=identity.name,
            role=identity.role,
            unit=identity.scope.department,
            department=cameras[0].item.owner,
            purpose="incident",
            text=text,
            incident=about.id,
            incident_number=about.number,
            modes=modes,
            cameras=tuple(one.id for one in cameras),
            names=tuple(one.item.name for one in cameras),
            path=_shared(cameras),
            viewers=access.limits.viewers,
            from_at=now,
            until_at=now + access.limits.breakglass_minutes * MINUTE,
            ratify_by=now + access.limits.ratify_hours * HOUR,
        )
        rows.add_grant(transaction, held)
        return held


def _own(identity: Identity, place: Whereabouts) -> bool:
    """Whether a camera is of somebody's own department; what has no owner is the centre's, and nobody's own."""
    return bool(place.department) and identity.scope.department == place.department


def _incident(connection: Connection, identity: Identity, id: str) -> Incident | None:
    if not id:
        return None
    return incidents.find(connection, reach(identity, "camera.look"), id).incident


def _by_owner(cameras: Collection[Camera]) -> Mapping[str, list[Camera]]:
    found: dict[str, list[Camera]] = {}
    for one in cameras:
        found.setdefault(one.item.owner, []).append(one)
    return found


def _shared(cameras: list[Camera]) -> str:
    return common(["/".join(one.chain) for one in cameras])
