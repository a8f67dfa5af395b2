"""Looks (看画面): who looks through which camera, from when to when, and why; each an entry, before the first byte.

Whoever may look gets a ticket: short-lived, for one person, one camera and one use. What lasts is the look; it is
found by its id and can be ended from outside, which whoever serves it notices within a second.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import journal
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft, path
from operations.errors import NotFound, Refused
from operations.incidents import rows as incidents
from operations.policy import Identity, reach
from operations.tables import incident as incident_table
from operations.tables import look as table
from operations.uuid7 import uuid7

SECOND = 1_000_000
TICKET_SECONDS = 30
HEARTBEAT_SECONDS = 10
LOST_AFTER = 35 * SECOND
"""A look nobody has spoken for so long ended when it was last spoken for; more than three heartbeats."""
WHYS = ("incident", "patrol", "request", "maintenance", "wall")
"""Why somebody looks; words of one's own belong to the incident, not to the journal's open part."""
TICKET_MOST = 1_000
SWEEP_MOST = 500


class Whereabouts(NamedTuple):
    """Where a camera is (grids from the root to the leaf) and which department's it is."""

    chain: tuple[str, ...]
    department: str


class Leave(NamedTuple):
    """By whose leave somebody looks: the id and number of a grant, and until when (UTC us).

    All empty: the camera is one's own department's.
    """

    grant: str = ""
    number: str = ""
    until_at: int = 0


OWN = Leave()
Admit = Callable[[Connection, "Ticket", int], None]


class Ticket(Struct, frozen=True, array_like=True):
    """What a ticket says; `holder`: whose it is; `grant`: by whose leave, "" for a camera of one's own department.

    `browser`: a mark of the session, token or wall that asked for it, which tells nothing of the secret itself.
    """

    look: str
    camera: str
    holder: str
    why: str
    incident: str
    expires: int
    grant: str = ""
    number: str = ""
    until_at: int = 0
    browser: str = ""


def issue(
    key: bytes,
    identity: Identity,
    camera: str,
    place: Whereabouts | None,
    why: str,
    *,
    incident: str = "",
    leave: Leave = OWN,
    proof: str = "",
    now: int,
) -> str:
    """Return a ticket for whoever shows the same `proof`.

    Raises Forbidden; NotFound for a camera that is none or out of reach; Refused without a why.
    """
    reached(identity, place, leave.grant)
    if why_wrong(why, incident):
        raise Refused("looks.why_wrong")
    until, mark = now + TICKET_SECONDS * SECOND, _browser(key, proof)
    ticket = Ticket(uuid7(now), camera, _holder(identity), why, incident, until, *leave, mark)
    body = msgspec.json.encode(ticket)
    return _word(body) + "." + _word(_mac(key, body))


def why_wrong(why: str, incident: str) -> bool:
    """Say whether a reason is none: an unknown word, or an incident without its word, or the word without one."""
    return why not in WHYS or (why == "incident") != bool(incident) or len(incident) > 60


def refuse_unknown(connection: Connection, identity: Identity, incident: str) -> None:
    """Raise NotFound for an incident that is none or out of reach: the reason of a look is a matter one knows of."""
    if not incident:
        return
    if not (incident.isascii() and incident.isprintable()):
        raise NotFound()
    reached = incidents.inside(reach(identity, "camera.look"))
    query = sa.select(incident_table.c.id).where(incident_table.c.id == incident, *reached)
    if connection.execute(query).first() is None:
        raise NotFound()


def opened(key: bytes, identity: Identity, camera: str, given: str, *, proof: str = "", now: int) -> Ticket:
    """Return what a ticket says.

    Raises Refused for one that is forged, over, another's, another camera's, or of another browser of the same person.
    """
    ticket = read(key, given, now=now)
    if ticket.camera != camera or ticket.holder != _holder(identity) or ticket.browser != _browser(key, proof):
        raise Refused("looks.ticket_wrong")
    return ticket


def read(key: bytes, given: str, *, now: int) -> Ticket:
    """Return what a ticket says, whosever it is. Raises Refused for one that is forged or over."""
    body, _, mac = given.partition(".") if len(given) <= TICKET_MOST else ("", "", "")
    try:
        said, proof = _bytes(body), _bytes(mac)
        if not hmac.compare_digest(_mac(key, said), proof):
            raise Refused("looks.ticket_wrong")
        ticket = msgspec.json.decode(said, type=Ticket)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise Refused("looks.ticket_wrong") from error
    if ticket.expires < now:
        raise Refused("looks.ticket_wrong")
    return ticket


def begin(
    database: Database,
    identity: Identity,
    ticket: Ticket,
    place: Whereabouts | None,
    *,
    stream: str,
    mode: str = "live",
    now: int,
    admit: Admit | None = None,
    after_commit: AfterCommit | None = None,
) -> None:
    """Write down that a look begins; a ticket is good for one. Raises Forbidden, NotFound, Refused.

    `mode`: live or export. `admit` is asked inside the transaction whether the ticket's grant still lets somebody
    look; it raises Refused.
    """
    there = reached(identity, place, ticket.grant)
    values = {"id": ticket.look, "camera": ticket.camera, "stream": stream, "actor": identity.actor}
    values |= {
        "why": ticket.why,
        "incident": ticket.incident,
        "path": path(there.chain),
        "department": there.department,
        "grant_id": ticket.grant,
        "mode": mode,
    }
    body = {"camera": ticket.camera, "stream": stream, "why": ticket.why, "incident": ticket.incident}
    body |= {"grant": ticket.grant} if ticket.grant else {}
    body |= {"mode": mode} if mode != "live" else {}
    with database.write(after_commit) as transaction:
        refuse_unknown(transaction.connection, identity, ticket.incident)
        known = sa.select(table.c.id).where(table.c.id == ticket.look)
        if transaction.connection.execute(known).first() is not None:
            raise Refused("looks.ticket_wrong")
        if admit is not None:
            admit(transaction.connection, ticket, now)
        transaction.connection.execute(sa.insert(table).values({**values, "began_at": now, "seen_at": now}))
        entry = Draft(
            at=now,
            actor=identity.actor,
            action="look.began",
            subject_type="look",
            subject_id=ticket.look,
            scope_grid=path(there.chain),
            scope_department=there.department,
            body=body,
        )
        journal.append(transaction, [entry])


def end(
    database: Database, looks: Collection[str], how: str, *, now: int, after_commit: AfterCommit | None = None
) -> int:
    """Write down that looks have ended, as far as nobody has; returns how many that were. `how`: left, rights, lost."""
    with database.write(after_commit) as transaction:
        return _ended(transaction, _living(transaction, table.c.id.in_(list(looks))), how, now, actor="")


def close(
    database: Database,
    identity: Identity,
    looks: Collection[str],
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> int:
    """End looks from outside, as far as one reaches; returns how many that were. Raises Forbidden."""
    scope = reach(identity, "look.close")
    with database.write(after_commit) as transaction:
        found = _living(transaction, table.c.id.in_(list(looks)))
        within = [row for row in found if scope.covers(tuple(row.path.split("/")), row.department)]
        return _ended(transaction, within, "closed", now, actor=identity.actor)


def over(database: Database, looks: Collection[str]) -> dict[str, str]:
    """Return which of these looks have ended, and how; for whoever serves them."""
    if not looks:
        return {}
    query = sa.select(table.c.id, table.c.ended_how).where(table.c.id.in_(list(looks)), table.c.ended_at.is_not(None))
    with database.read() as connection:
        return {row.id: row.ended_how for row in connection.execute(query)}


def ended_with(transaction: Transaction, grants: Collection[str], how: str, now: int) -> list[Draft]:
    """End the looks of grants that end, and return their entries; `how`: one of the ways in which a grant ends."""
    found = _living(transaction, table.c.grant_id.in_(list(grants))) if grants else ()
    return _endings(transaction, found, how, now, actor="")


def serves(database: Database, look: str, stream: str) -> bool:
    """Say whether a look is under way by a stream."""
    query = sa.select(table.c.id).where(table.c.id == look, table.c.stream == stream, table.c.ended_at.is_(None))
    with database.read() as connection:
        return connection.execute(query).first() is not None


def streams(database: Database, named: Sequence[str]) -> dict[str, bool]:
    """Return {stream: whether a look is under way by it} of those that any look was by."""
    found: dict[str, bool] = {}
    query = sa.select(table.c.stream, sa.func.count(table.c.id) - sa.func.count(table.c.ended_at))
    with database.read() as connection:
        for at in range(0, len(named), SWEEP_MOST):
            some = named[at : at + SWEEP_MOST]
            rows = connection.execute(query.where(table.c.stream.in_(some)).group_by(table.c.stream))
            found |= {stream: living > 0 for stream, living in rows}
    return found


def seen(database: Database, looks: Collection[str], *, now: int) -> None:
    """Say that these still look."""
    if looks:
        with database.write() as transaction:
            alive = sa.update(table).where(table.c.id.in_(list(looks)), table.c.ended_at.is_(None))
            transaction.connection.execute(alive.values(seen_at=now))


def sweep(database: Database, *, now: int, after_commit: AfterCommit | None = None) -> int:
    """End the looks of processes that are gone, at the moment they were last known, as uncertain."""
    lost = table.c.seen_at < now - LOST_AFTER
    with database.read() as connection:
        if connection.execute(sa.select(table.c.id).where(lost, table.c.ended_at.is_(None)).limit(1)).first() is None:
            return 0
    with database.write(after_commit) as transaction:
        return _ended(transaction, _living(transaction, lost), "uncertain", now, actor="")


def _living(transaction: Transaction, condition: sa.ColumnElement[bool]) -> Sequence[sa.Row[tuple[object, ...]]]:
    query = sa.select(table).where(condition, table.c.ended_at.is_(None)).limit(SWEEP_MOST).with_for_update()
    return transaction.connection.execute(query).all()


def _ended(transaction: Transaction, rows: Sequence[sa.Row[tuple[object, ...]]], how: str, now: int, actor: str) -> int:
    journal.append(transaction, drafts := _endings(transaction, rows, how, now, actor))
    return len(drafts)


def _endings(
    transaction: Transaction, rows: Sequence[sa.Row[tuple[object, ...]]], how: str, now: int, actor: str
) -> list[Draft]:
    drafts: list[Draft] = []
    for row in rows:
        until = row.seen_at if how == "uncertain" else now
        change = sa.update(table).where(table.c.id == row.id).values(ended_at=until, ended_how=how)
        transaction.connection.execute(change)
        drafts.append(
            Draft(
                at=now,
                actor=actor or row.actor,
                action="look.ended",
                subject_type="look",
                subject_id=row.id,
                scope_grid=row.path,
                scope_department=row.department,
                body={"camera": row.camera, "from": row.began_at, "to": until, "how": how, "who": row.actor},
            )
        )
    return drafts


def reached(identity: Identity, place: Whereabouts | None, grant: str = "") -> Whereabouts:
    """Return where a camera is; a grant reaches further than one's own department. Raises Forbidden, NotFound."""
    scope = reach(identity, "camera.look")
    if place is None or not (grant or scope.covers(place.chain, place.department)):
        raise NotFound()
    return place


def _holder(identity: Identity) -> str:
    return f"{identity.kind}:{identity.id}"


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"gridwall-look-1" + body, "sha256")


def _browser(key: bytes, proof: str) -> str:
    return _word(hmac.digest(key, b"gridwall-browser-1" + proof.encode(), "sha256")[:12]) if proof else ""


def _word(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(word: str) -> bytes:
    return base64.b64decode(word.encode() + b"=" * (-len(word) % 4), altchars=b"-_", validate=True)
