"""What becomes of grants 授权变更: extended, given back, revoked, and ended by time, incident or post; an entry each.

The end of a grant ends its looks in the same transaction.
"""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from msgspec import structs
from sqlalchemy import Connection

from operations import assignments
from operations.accounts import account_of
from operations.errors import NotFound, need
from operations.grants import posts, rows
from operations.grants.desk import MINUTE, Desk, entry_of, written
from operations.grants.ending import ended
from operations.grants.grant import BREAKGLASS, Held, holder_of
from operations.grants.request import TEXT_LEAST, TEXT_MOST, seats_of
from operations.incident import Incident
from operations.incidents import rows as incidents
from operations.policy import SYSTEM, Identity, allowed, reach
from operations.scope import WHOLE
from operations.tables import access_grant as table
from operations.tables import account, wall

SWEPT_MOST = 500


class Grants(Desk):
    """The grants of one database."""

    # ---- people ----

    def revoke(self, identity: Identity, id: str, text: str) -> Held:
        """End a grant at once: its owner, the centre, or its holder gives it back. Raises NotFound, Refused."""
        now = self._now()
        with self._database.write(self._doorbell) as transaction:
            held = rows.grant(transaction.connection, id, lock=True)
            mine = held.holder == holder_of(identity)
            if not (mine or self._oversees(transaction.connection, identity, held, now)):
                raise NotFound()
            need(held.ended_at is None, "grants.ended")
            need(mine or TEXT_LEAST <= len(text.strip()) <= TEXT_MOST, "grants.text", least=2, most=TEXT_MOST)
            how = "returned" if mine else "revoked"
            return ended(transaction, [held], how, identity.actor, now, text.strip())[0]

    def extend(self, identity: Identity, id: str, minutes: int, text: str = "") -> Held:
        """Let a grant go on, by one who could have decided it; never beyond the longest. Raises NotFound, Refused."""
        now, limits = self._now(), self._access().limits
        with self._database.write(self._doorbell) as transaction:
            held = rows.grant(transaction.connection, id, lock=True)
            if held.holder == holder_of(identity) or not self._oversees(transaction.connection, identity, held, now):
                raise NotFound()
            need(held.ended_at is None and held.until_at > now, "grants.ended")
            until = max(held.until_at, held.warned_until) if held.warned_at else held.until_at
            until += minutes * MINUTE
            most = limits.breakglass_minutes if held.kind == BREAKGLASS else limits.longest_minutes
            need(minutes > 0 and until - held.from_at <= most * MINUTE, "grants.minutes", most=most)
            self._may_extend(transaction.connection, identity, held, (until - held.from_at) // MINUTE, now)
            after = structs.replace(
                held, until_at=until, warned_at=None, warned_until=0, extended_at=now, revision=held.revision + 1,
                given_by=tuple(dict.fromkeys((*held.given_by, identity.name))),
            )  # fmt: skip
            rows.put_grants(transaction, [after])
            more = {"until_at": until, "minutes": minutes}
            written(
                transaction, [entry_of(after, "grant.extended", identity.actor, now, reason=text.strip(), more=more)]
            )
        return after

    def ratify(self, identity: Identity, id: str, *, right: bool, text: str = "") -> Held:
        """Say of a broken glass that it was right, or that it was not; which ends it. Raises NotFound, Refused."""
        reach(identity, "access.decide")
        now = self._now()
        with self._database.write(self._doorbell) as transaction:
            held = rows.grant(transaction.connection, id, lock=True)
            if held.holder == holder_of(identity) or not self._oversees(transaction.connection, identity, held, now):
                raise NotFound()
            need(held.kind == BREAKGLASS and held.ratified_at is None, "grants.ratified")
            need(right or len(text.strip()) >= TEXT_LEAST, "grants.why_refused")
            after = structs.replace(
                held, ratified_at=now, ratified_by=identity.name, unratified=held.unratified or not right,
                revision=held.revision + 1,
            )  # fmt: skip
            action = "grant.ratified" if right else "grant.rejected"
            if right or held.ended_at is not None:
                rows.put_grants(transaction, [after])
                written(transaction, [entry_of(after, action, identity.actor, now, reason=text.strip())])
                return after
            told = [entry_of(after, action, identity.actor, now, reason=text.strip())]
            return ended(transaction, [after], "unratified", identity.actor, now, text.strip(), before=told)[0]

    # ---- reading ----

    def living(self, identity: Identity) -> list[Held]:
        """Return the grants in force, or not yet, that somebody holds, gave or oversees, the newest first."""
        now = self._now()
        with self._database.read() as connection:
            return rows.living(connection, table.c.until_at > now, *self._shown(identity))

    def unratified(self, identity: Identity) -> list[Held]:
        """Return the broken glasses that nobody has said anything of, as far as somebody oversees them."""
        with self._database.read() as connection:
            waits = rows.grants(connection, table.c.kind == BREAKGLASS, *self._shown(identity))
        return [one for one in waits if one.loud]

    def past(self, identity: Identity, most: int = 100) -> list[Held]:
        """Return grants that have ended, as far as somebody held, gave or oversees them, the newest first."""
        with self._database.read() as connection:
            return rows.grants(connection, table.c.ended_at.is_not(None), *self._shown(identity), most=most)

    def find(self, identity: Identity, id: str) -> Held:
        """Return a grant that somebody holds, gave or oversees. Raises NotFound."""
        with self._database.read() as connection:
            found = rows.grants(connection, table.c.id == id, *self._shown(identity))
        if not found:
            raise NotFound()
        return found[0]

    def may_end(self, identity: Identity, held: Held) -> bool:
        """Say whether somebody may revoke and extend a grant."""
        with self._database.read() as connection:
            return self._oversees(connection, identity, held, self._now())

    def _shown(self, identity: Identity) -> Iterable[sa.ColumnElement[bool]]:
        mine = table.c.holder == holder_of(identity)
        if identity.role == "audit_admin":
            return
        if not allowed(identity, "access.decide"):
            yield mine
            return
        scope = identity.scope
        within = [("/" + table.c.path + "/").contains(f"/{scope.grid}/", autoescape=True)] if scope.grid else []
        house = [sa.or_(table.c.department == scope.department, table.c.unit == scope.department)]
        centre = not scope.department or scope.department == posts.CENTRE
        yield sa.or_(mine, sa.and_(sa.true(), *within, *([] if centre else house)))

    # ---- the program ----

    def all_living(self) -> list[Held]:
        """Return every grant that has not ended, for whoever keeps their time."""
        reach(SYSTEM, "clock.fire")
        with self._database.read() as connection:
            return rows.living(connection)

    def step(self, now: int, over: Sequence[str] = ()) -> int:
        """End what is over: by time, by its incident, by its holder's post; returns how many grants changed.

        `over`: ids of grants whose time has run out by a clock that nobody can put back.
        """
        reach(SYSTEM, "clock.fire")
        with self._database.read() as connection:
            due = rows.living(connection, sa.or_(table.c.until_at <= now, table.c.id.in_(list(over))))
            left = [one for one in rows.living(connection) if self._left(connection, one, now)]
            closing = [one for one in rows.living(connection, table.c.incident != "") if one not in due + left]
            found = {one.incident: self._whole(connection, one.incident) for one in closing}
            late = rows.grants(connection, table.c.ratify_by <= now)
        changed = 0
        for held in due:
            changed += self._over(held.id, "", now)
        for held in left:
            changed += self._over(held.id, "post", now)
        for held in closing:
            changed += self._followed(held, found[held.incident], now)
        for held in late:
            changed += self._unratified(held.id, now)
        return changed

    def _over(self, id: str, how: str, now: int) -> int:
        """End a grant, "": because its time is over."""
        with self._database.write(self._doorbell) as transaction:
            held = rows.grant(transaction.connection, id, lock=True)
            if held.ended_at is not None:
                return 0
            ended(transaction, [held], how or held.by_time, SYSTEM.actor, now)
        return 1

    def _followed(self, held: Held, incident: Incident | None, now: int) -> int:
        """Follow what becomes of a grant's incident: merged it goes on with the whole, closed it is about to end."""
        after = after_incident(held, incident, now, self._access().limits.closing_minutes)
        if after == held:
            return 0
        action = "grant.carried" if after.incident != held.incident else "grant.warned"
        if action == "grant.warned" and after.warned_at is None:
            action = "grant.resumed"
        with self._database.write(self._doorbell) as transaction:
            current = rows.grant(transaction.connection, held.id, lock=True)
            if current != held:
                return 0
            after = structs.replace(after, revision=held.revision + 1)
            rows.put_grants(transaction, [after])
            written(transaction, [entry_of(after, action, SYSTEM.actor, now, more={"until_at": after.until_at})])
        return 1

    def _unratified(self, id: str, now: int) -> int:
        with self._database.write(self._doorbell) as transaction:
            held = rows.grant(transaction.connection, id, lock=True)
            if held.ratified_at is not None or held.unratified:
                return 0
            after = structs.replace(held, unratified=True, revision=held.revision + 1)
            rows.put_grants(transaction, [after])
            written(transaction, [entry_of(after, "grant.unratified", SYSTEM.actor, now)])
        return 1

    def _whole(self, connection: Connection, id: str) -> Incident | None:
        """Return an incident, or the one it has become part of; None: there is none any more."""
        try:
            found = incidents.find(connection, WHOLE, id).incident
            return incidents.find(connection, WHOLE, found.merged_into).incident if found.merged_into else found
        except NotFound:
            return None

    def _left(self, connection: Connection, held: Held, now: int) -> bool:
        """Whether the holder is no longer who got it: gone, of another role, of another department."""
        kind, _, id = held.holder.partition(":")
        if kind == "wall":
            row = connection.execute(sa.select(wall.c.revoked_at).where(wall.c.id == id)).first()
            return row is None or row.revoked_at is not None
        row = connection.execute(sa.select(account).where(account.c.id == id)).one_or_none()
        if row is None:
            return True
        found = account_of(row)
        ranks = posts.on_duty(connection, held.duty, "", now) if held.duty else {}
        if ranks and id not in ranks:
            return True
        if not found.living(now):
            return True
        as_it_counts = assignments.standings(connection, {found.id: found}, now)[found.id]
        return (as_it_counts.scope.department, as_it_counts.role) != (held.unit, held.role) and (
            (found.scope.department, found.role) != (held.unit, held.role)
        )

    def _may_extend(self, connection: Connection, identity: Identity, held: Held, minutes: int, now: int) -> None:
        """Raise Refused for who is off duty, and where more than one post would have to decide of so long a window."""
        if identity.role == "leader" and identity.scope.department in ("", posts.CENTRE):
            return
        ranks = posts.on_duty(connection, identity.scope.department or posts.CENTRE, "", now)
        need(not ranks or identity.id in ranks, "grants.not_your_post")
        if held.request:
            asked = rows.request(connection, held.request)
            mine = tuple(one for one in asked.cameras if one.id in held.cameras)
            wanted = seats_of(self._access().rule, structs.replace(asked, cameras=mine, minutes=minutes))
            need(not any(one.kind == "leader" or one.key == "centre:2" for one in wanted), "grants.extend_leader")

    def _oversees(self, connection: Connection, identity: Identity, held: Held, now: int) -> bool:
        """Whether somebody may end or extend a grant: of the house that owns the cameras, or the centre."""
        if identity.kind != "account" or not allowed(identity, "access.decide"):
            return False
        scope = identity.scope
        if scope.grid and scope.grid not in held.path.split("/"):
            return False
        owner = bool(held.department) and scope.department == held.department
        centre = scope.department in ("", posts.CENTRE) and identity.role in ("duty_commander", "leader")
        return owner or centre


def after_incident(held: Held, incident: Incident | None, now: int, minutes: int) -> Held:
    """Return a grant as its incident leaves it: carried to the whole it became part of, about to end, or going on."""
    if incident is None:
        return held
    if incident.id != held.incident:
        return structs.replace(held, incident=incident.id, incident_number=incident.number)
    if not incident.is_open and held.warned_at is None:
        until = min(held.until_at, now + minutes * MINUTE)
        if incident.closed_at is not None and max(held.from_at, held.extended_at) > incident.closed_at:
            return held  # given or extended after it was closed, knowing that
        return structs.replace(held, until_at=until, warned_at=now, warned_until=held.until_at)
    if incident.is_open and held.warned_at is not None:
        return structs.replace(held, until_at=held.warned_until, warned_at=None, warned_until=0)
    return held
