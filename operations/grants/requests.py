"""What applicants and those who decide do to requests 调阅申请与审批: one transaction and at least one entry each."""

from collections.abc import Callable, Collection, Sequence

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from operations.cameras import reading
from operations.database import Transaction
from operations.entry import Draft
from operations.errors import NotFound, Refused, need
from operations.grants import places, posts, ringing, rows, screens
from operations.grants import request as deeds
from operations.grants.desk import Desk, entry_of, written
from operations.grants.grant import REQUEST, Held, common, holder_of
from operations.grants.request import DECIDED, DRAFT, Request, Seat, Wanted
from operations.incidents import rows as incidents
from operations.policy import SYSTEM, Identity, allowed, reach
from operations.scope import Scope
from operations.tables import access_request, access_seat
from operations.uuid7 import uuid7

LISTED_MOST = 200


class Form(Struct, frozen=True, kw_only=True):
    """What an applicant writes; `cameras`, `needed` and `walls`: ids."""

    purpose: str
    basis: str
    text: str
    urgency: str = "routine"
    incident: str = ""
    order: str = ""
    cameras: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    modes: tuple[str, ...] = ("live",)
    from_at: int = 0
    minutes: int = 0
    walls: tuple[str, ...] = ()


class Requests(Desk):
    """The requests of one database."""

    # ---- applicants ----

    def draft(self, identity: Identity, form: Form, *, id: str = "", copied: str = "", extends: str = "") -> Request:
        """Keep a draft, new or over the one of `id`. Raises Forbidden, NotFound, Refused."""
        reach(identity, "access.ask")
        now = self._now()
        with self._database.write(self._doorbell) as transaction:
            known = self._mine(transaction.connection, identity, id) if id else None
            need(known is None or known.state == DRAFT, "grants.not_draft")
            made = self._drafted(transaction.connection, identity, form, now)
            made = structs.replace(made, copied=copied, extends=extends)
            if known is not None:
                kept = {name: getattr(known, name) for name in ("id", "made_at", "copied", "extends")}
                made = structs.replace(made, **kept, revision=known.revision + 1)
            rows.put_request(transaction, made)
            written(transaction, [entry_of(made, "request.drafted", identity.actor, now)])
        return made

    def send(self, identity: Identity, id: str) -> Request:
        """Send a draft to those who decide. Raises Forbidden, NotFound, Refused."""

        def deed(one: Request, transaction: Transaction, now: int) -> Request:
            need(bool(one.cameras), "grants.cameras", most=self._access().limits.cameras, n=0)
            form = self._offered(transaction.connection, identity, one)
            now_so = self._drafted(transaction.connection, identity, form, now)
            facts = {name: getattr(now_so, name) for name in ("cameras", "name", "role", "unit", "walls", "wall_names")}
            one = structs.replace(one, **facts)
            places.refuse(transaction.connection, self._access(), [each.id for each in one.cameras])
            number = self._number(transaction, "D", now)
            return deeds.submitted(one, self._access(), number, now, self._due)

        return self._own(identity, id, "request.sent", deed)

    def ask(self, identity: Identity, form: Form, *, copied: str = "", extends: str = "") -> Request:
        """Draft and send in one go; nothing is kept when it cannot be sent."""
        self._rehearsed(identity, form)
        return self.send(identity, self.draft(identity, form, copied=copied, extends=extends).id)

    def withdraw(self, identity: Identity, id: str) -> Request:
        """Take a request back that is not decided yet."""
        return self._own(identity, id, "request.withdrawn", lambda one, *_: deeds.withdrawn(one))

    def answer(self, identity: Identity, id: str, text: str) -> Request:
        """Answer what was asked back."""
        return self._own(
            identity, id, "request.answered", lambda one, _, now: deeds.answered(one, text, now, self._due), text
        )

    def copy(self, identity: Identity, id: str) -> Request:
        """Make a new draft of an old request, for what is needed again and again."""
        with self._database.read() as connection:
            one = self._mine(connection, identity, id)
            form = self._offered(connection, identity, one)
        return self.draft(identity, form, copied=one.id)

    def extend(self, identity: Identity, grant_id: str, minutes: int, text: str) -> Request:
        """Ask for a grant to go on: a request of its own, decided anew. Raises NotFound, Refused."""
        with self._database.read() as connection:
            held = rows.grant(connection, grant_id)
            known = {one.id for one in screens.offered(connection, identity)}
        if held.holder != holder_of(identity):
            raise NotFound()
        need(held.kind == REQUEST, "grants.not_asked_for")
        form = Form(
            purpose=held.purpose,
            basis=held.basis,
            text=text,
            urgency="urgent",
            incident=held.incident,
            cameras=held.cameras,
            modes=held.modes,
            from_at=held.until_at,
            minutes=minutes,
            walls=tuple(one for one in held.walls if one in known),
        )
        return self.ask(identity, form, extends=held.id)

    # ---- those who decide ----

    def approve(
        self,
        identity: Identity,
        id: str,
        seat: str,
        *,
        cameras: Collection[str] | None = None,
        minutes: int = 0,
        text: str = "",
    ) -> Request:
        """Approve, all or fewer cameras, as long as asked or shorter. Raises Forbidden, NotFound, Refused."""

        def deed(one: Request, transaction: Transaction, now: int) -> Request:
            who = identity.id, identity.name
            return deeds.approved(one, seat, cameras, minutes, who, text, now, self._due)

        return self._decided(identity, id, seat, "request.approved", deed, text)

    def refuse(self, identity: Identity, id: str, seat: str, text: str) -> Request:
        """Refuse, with a reason."""

        def deed(one: Request, transaction: Transaction, now: int) -> Request:
            return deeds.refused(one, seat, (identity.id, identity.name), text, now, self._due)

        return self._decided(identity, id, seat, "request.refused", deed, text)

    def ask_back(self, identity: Identity, id: str, seat: str, text: str) -> Request:
        """Ask the applicant something first."""

        def deed(one: Request, transaction: Transaction, now: int) -> Request:
            return deeds.asked_back(one, seat, (identity.id, identity.name), text, now)

        return self._decided(identity, id, seat, "request.asked_back", deed, text)

    # ---- reading ----

    def mine(self, identity: Identity) -> list[Request]:
        """Return one's own requests, the newest first. Raises Forbidden."""
        reach(identity, "access.ask")
        columns = access_request.c
        query = sa.select(columns.body).where(columns.applicant == identity.id).order_by(columns.made_at.desc())
        with self._database.read() as connection:
            return rows.requests(connection, query.limit(LISTED_MOST))

    def inbox(self, identity: Identity) -> list[tuple[Request, Seat]]:
        """Return what waits for whoever asks, the most urgent first. Raises Forbidden."""
        reach(identity, "access.decide")
        now = self._now()
        house = identity.scope.department or posts.CENTRE
        owners = sa.and_(access_seat.c.kind == "owner", access_seat.c.department == house)
        mine = sa.or_(access_seat.c.kind != "owner", owners) if house == posts.CENTRE else owners
        waits = sa.select(access_seat.c.request).where(access_seat.c.state == deeds.OPEN, mine)
        gravest = sa.case({"critical": 0, "urgent": 1}, value=access_request.c.urgency, else_=2)
        query = sa.select(access_request.c.body).where(
            access_request.c.id.in_(waits), access_request.c.state == deeds.WAITING
        )
        with self._database.read() as connection:
            found = rows.requests(connection, query.order_by(gravest, access_request.c.sent_at).limit(LISTED_MOST))
            waiting = [
                (one, seat) for one in found for seat in one.waiting if posts.may(connection, identity, one, seat, now)
            ]
        first: dict[str, tuple[Request, Seat]] = {}
        for one, seat in waiting:  # of two seats of one house somebody has one
            first.setdefault(f"{one.id} {seat.kind} {seat.department}", (one, seat))
        gravity = ("critical", "urgent", "routine")
        return sorted(first.values(), key=lambda each: (gravity.index(each[0].urgency), each[0].sent_at or 0))

    def seat(self, identity: Identity, one: Request) -> str:
        """Return the key of the seat of a request in which somebody may decide now, "" for none."""
        now = self._now()
        with self._database.read() as connection:
            mine = (seat.key for seat in one.waiting if posts.may(connection, identity, one, seat, now))
            return next(mine, "")

    def past(self, identity: Identity) -> list[Request]:
        """Return the requests that whoever asks has decided, the newest first."""
        reach(identity, "access.decide")
        mine = sa.select(access_seat.c.request).where(access_seat.c.decided_by == identity.id)
        query = sa.select(access_request.c.body).where(access_request.c.id.in_(mine))
        with self._database.read() as connection:
            return rows.requests(connection, query.order_by(access_request.c.sent_at.desc()).limit(LISTED_MOST))

    def find(self, identity: Identity, id: str) -> Request:
        """Return a request that somebody asked, decides, or oversees. Raises NotFound."""
        with self._database.read() as connection:
            one = rows.request(connection, id)
            if not self._sees(connection, identity, one):
                raise NotFound()
        return one

    # ---- the clocks ----

    def step(self, now: int) -> int:
        """Say what the clocks of requests have to say; returns how many requests changed."""
        reach(SYSTEM, "clock.fire")
        due = sa.select(access_request.c.id).where(access_request.c.next_at <= now).limit(200)
        with self._database.read() as connection:
            ids = list(connection.execute(due).scalars())
        for id in ids:
            self._tick(id, now)
        return len(ids)

    def _tick(self, id: str, now: int) -> None:
        with self._database.write(self._doorbell) as transaction:
            before = rows.request(transaction.connection, id, lock=True)
            after, raised = deeds.escalated(before, self._access(), now, self._due)
            if after == before:
                return
            after = structs.replace(after, revision=before.revision + 1)
            rows.put_request(transaction, after)
            action = "request.lapsed" if after.state == deeds.LAPSED else "request.escalated"
            more = {"seats": [one.key for one in raised], "level": max((one.level for one in raised), default=0)}
            ringing.ring(transaction, after, raised, now)
            written(transaction, [entry_of(after, action, SYSTEM.actor, now, more=more)])

    # ---- how it is done ----

    def _own(
        self,
        identity: Identity,
        id: str,
        action: str,
        deed: Callable[[Request, Transaction, int], Request],
        text: str = "",
    ) -> Request:
        reach(identity, "access.ask")
        now = self._now()
        with self._database.write(self._doorbell) as transaction:
            before = self._mine(transaction.connection, identity, id, lock=True)
            after = structs.replace(deed(before, transaction, now), revision=before.revision + 1)
            said = after.text if action == "request.sent" else text
            return self._written(transaction, identity, before, after, action, now, said)

    def _decided(
        self,
        identity: Identity,
        id: str,
        seat: str,
        action: str,
        deed: Callable[[Request, Transaction, int], Request],
        text: str,
    ) -> Request:
        reach(identity, "access.decide")
        now = self._now()
        with self._database.write(self._doorbell) as transaction:
            before = rows.request(transaction.connection, id, lock=True)
            if not self._sees(transaction.connection, identity, before):
                raise NotFound()
            held = deeds.seat_of(before, seat)
            if not posts.may(transaction.connection, identity, before, held, now):
                raise Refused("grants.not_your_post")
            right = posts.holder(transaction.connection, identity, before, held, now)
            after = structs.replace(deed(before, transaction, now), revision=before.revision + 1)
            if right is not None and right.id != identity.id:
                after = deeds.stood_in(after, seat, right.name)
            return self._written(transaction, identity, before, after, action, now, text, seat=seat)

    def _written(
        self,
        transaction: Transaction,
        identity: Identity,
        before: Request,
        after: Request,
        action: str,
        now: int,
        text: str,
        *,
        seat: str = "",
    ) -> Request:
        """Write a change, make what it lets through into grants, and ring those whose turn it is now."""
        after, made = self._granted(transaction, after, now)
        rows.put_request(transaction, after)
        told = next((one for one in after.seats if one.key == seat), None)
        more: dict[str, object] = {"seat": seat} if seat else {}
        more |= {"cameras": list(told.approved)} if told is not None and told.approved else {}
        more |= {"for": told.for_name} if told is not None and told.for_name else {}
        if after.state == DECIDED:
            more |= {"took_s": round((now - (after.sent_at or now)) / 1e6, 1)}
        if not seat:
            more |= {"asks": {"cameras": [one.id for one in after.cameras], "modes": list(after.modes)}}
        drafts = [entry_of(after, action, identity.actor, now, reason=text.strip(), more=more), *made]
        turned = [one for one in after.waiting if one not in before.waiting]
        ringing.ring(transaction, after, turned, now)
        written(transaction, drafts)
        return after

    def _granted(self, transaction: Transaction, one: Request, now: int) -> tuple[Request, list[Draft]]:
        drafts = []
        for ready in deeds.ready(one):
            later = now - one.from_at if one.at_once else 0
            until = ready.until_at + later
            if until <= now:
                continue  # its window is over: there is nothing left to grant
            chosen = [each for each in one.cameras if each.id in ready.cameras]
            signed = [each for each in one.seats if set(each.approved) & set(ready.cameras)]
            held = Held(
                id=uuid7(now),
                number=self._number(transaction, "G", now),
                kind=REQUEST,
                request=one.id,
                holder=f"account:{one.applicant}",
                who=one.name,
                role=one.role or places.role_of(transaction.connection, one.applicant),
                unit=one.unit,
                department=ready.department,
                purpose=one.purpose,
                basis=one.basis,
                text=one.text,
                incident=one.incident,
                incident_number=one.incident_number,
                modes=one.modes,
                cameras=tuple(each.id for each in chosen),
                names=tuple(each.name for each in chosen),
                walls=one.walls,
                wall_names=one.wall_names,
                path=common([each.path for each in chosen]),
                viewers=self._access().limits.viewers,
                from_at=one.from_at + later,
                until_at=until,
                given_by=tuple(dict.fromkeys(each.name for each in signed)),
            )
            rows.add_grant(transaction, held)
            one = structs.replace(one, grants={**one.grants, ready.department: held.id})
            more = {"cameras": list(held.cameras), "modes": list(held.modes), "request": one.number}
            drafts.append(entry_of(held, "grant.given", SYSTEM.actor, now, reason=one.text, more=more))
        return one, drafts

    def _mine(self, connection: Connection, identity: Identity, id: str, *, lock: bool = False) -> Request:
        one = rows.request(connection, id, lock=lock)
        if one.applicant != identity.id or identity.kind != "account":
            raise NotFound()
        return one

    def _sees(self, connection: Connection, identity: Identity, one: Request) -> bool:
        """Whether somebody asked it, is of a house that decides of it, may or did decide of it, or oversees all."""
        if one.applicant == identity.id or any(seat.by == identity.id for seat in one.seats):
            return True
        house = allowed(identity, "access.decide") and any(posts.at_home_in(identity, seat) for seat in one.seats)
        if identity.role == "audit_admin" or (house and not identity.scope.grid):
            return True
        now = self._now()
        return any(posts.may(connection, identity, one, seat, now) for seat in one.waiting)

    def _offered(self, connection: Connection, identity: Identity, one: Request) -> Form:
        """Return the form of an earlier request without walls that are there no more."""
        known = {each.id for each in screens.offered(connection, identity)}
        return structs.replace(_form_of(one), walls=tuple(each for each in one.walls if each in known))

    def _rehearsed(self, identity: Identity, form: Form) -> None:
        """Raise what sending would raise, before anything is kept."""
        reach(identity, "access.ask")
        now = self._now()
        with self._database.read() as connection:
            made = self._drafted(connection, identity, form, now)
            deeds.checked(made, self._access(), now)
            places.refuse(connection, self._access(), [one.id for one in made.cameras])

    def _drafted(self, connection: Connection, identity: Identity, form: Form, now: int) -> Request:
        scope = Scope(reach(identity, "access.ask").grid)
        there = {one.id: one for one in reading.of(connection, scope, form.cameras)}
        if len(there) != len(set(form.cameras)):
            raise NotFound()
        offered = {one.id: one.name for one in screens.offered(connection, identity)} if form.walls else {}
        need(set(form.walls) <= offered.keys(), "grants.walls")
        limits = places.limits(connection, list(there))
        number = ""
        if form.incident:
            number = incidents.find(connection, reach(identity, "camera.look"), form.incident).incident.number
        cameras = tuple(
            Wanted(
                id=one.id,
                name=one.item.name,
                code=one.item.code,
                owner=one.item.owner,
                path="/".join(one.chain),
                point_class=one.item.point_class,
                position=one.item.position,
                restricted=one.item.restricted or limits.get(one.id) == places.RESTRICTED,
            )
            for one in (there[id] for id in dict.fromkeys(form.cameras))
        )
        return Request(
            id=uuid7(now),
            applicant=identity.id,
            name=identity.name,
            role=identity.role,
            unit=identity.scope.department,
            purpose=form.purpose,
            basis=form.basis,
            text=form.text.strip()[: deeds.TEXT_MOST],
            urgency=form.urgency,
            incident=form.incident,
            incident_number=number,
            order=form.order,
            cameras=cameras,
            needed=tuple(form.needed),
            modes=tuple(form.modes),
            from_at=form.from_at,
            minutes=form.minutes,
            walls=tuple(form.walls),
            wall_names=tuple(offered[id] for id in form.walls),
            made_at=now,
        )


def _form_of(one: Request) -> Form:
    return Form(
        purpose=one.purpose,
        basis=one.basis,
        text=one.text[: deeds.TEXT_MOST],
        urgency=one.urgency,
        incident=one.incident,
        cameras=tuple(each.id for each in one.cameras),
        needed=one.needed,
        modes=one.modes,
        minutes=one.minutes,
        walls=one.walls,
    )


def cameras_of(requests: Sequence[Request]) -> set[str]:
    """Return every camera that some requests ask for."""
    return {each.id for one in requests for each in one.cameras}
