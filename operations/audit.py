"""What the audit 审计 wants to know beside changes of state: failed sign-ins, refusals, exports, searches.

A flood must not fill the journal: what is alike within a minute is one entry at once and, if more came, one more with
their number when the minute is over; past `ALIKE_MOST` different ones a minute only their number is told. Pure but for
`append`. Names people typed are never written: an account's id, or a keyed digest.
"""

import hmac
import ipaddress
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from operations import journal, tables
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.policy import SYSTEM, Identity, route_for

MINUTE = 60_000_000
ALIKE_MOST = 200
"""Different notes of a minute that are told one by one."""
NETWORK_BITS = {4: 24, 6: 64}
"""Of an address only the network is kept."""
DIGEST_DIGITS = 16

FAILED, REFUSED, EXPORTED, SEARCHED, DROPPED = (
    "signin.failed", "access.refused", "export.taken", "audit.searched", "audit.dropped",
)  # fmt: skip
ACTIONS = (FAILED, REFUSED, EXPORTED, SEARCHED, DROPPED)


class Note(Struct, frozen=True):
    """Something to write down. `name`: what somebody typed as an account's name; `every`: never counted together."""

    action: str
    actor: str
    subject_type: str = ""
    subject_id: str = ""
    reason: str = ""
    body: dict[str, Any] = {}
    name: str = ""
    every: bool = False

    @property
    def kind(self) -> tuple[str, ...]:
        """What makes two notes alike."""
        return (self.action, self.actor, self.subject_type, self.subject_id, self.reason, self.name)


class Line(Struct, frozen=True):
    """A note to be written, with the time it is of and how many it stands for."""

    note: Note
    at: int
    count: int


def signin_failed(name: str, reason: str, address: str) -> Note:
    """Return the note of a failed sign-in; `reason` is a class such as wrong, wait, disabled, code, link, provider."""
    return Note(FAILED, f"anonymous:{network(address)}", "account", reason=reason, name=name)


def refused(identity: Identity, method: str, path: str, reason: str, address: str) -> Note:
    """Return the note of a refusal by the gate: the pattern of the route that was asked for, never what was asked."""
    found = route_for(method, path)
    pattern, wanted = (found.path, found.action) if found is not None else ("?", "")
    near = network(address)
    actor = identity.actor if identity.kind != "anonymous" else f"anonymous:{near}"
    body = {"method": method, "action": wanted, "network": near, "session": identity.session, "role": identity.role}
    return Note(REFUSED, actor, "route", pattern, reason, body)


def forbidden(identity: Identity, wanted: str) -> Note:
    """Return the note of a command that was refused because its sender's role does not hold the action `wanted`."""
    body = {"action": wanted, "session": identity.session, "role": identity.role}
    return Note(REFUSED, identity.actor, "action", wanted, "forbidden", body)


def exported(identity: Identity, what: str, form: str, **details: Any) -> Note:
    """Return the note of an export: what (heat, findings, journal …), in which form (csv, json, png …)."""
    body = {"form": form, "session": identity.session, **details}
    return Note(EXPORTED, identity.actor, "export", what, body=body, every=True)


def searched(identity: Identity, what: str, subject: str, **asked: Any) -> Note:
    """Return the note of a look into the journal itself."""
    return Note(SEARCHED, identity.actor, what, subject, body={"session": identity.session, **asked}, every=True)


def network(address: str) -> str:
    """Return the network an address lies in ("10.1.2.0/24"), "" when it is none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return str(ipaddress.ip_network(f"{found}/{NETWORK_BITS[found.version]}", strict=False))


class Tally:
    """Decides which notes are entries of their own. Not safe between threads; `now` in UTC microseconds."""

    def __init__(self) -> None:
        self._minute = 0
        self._alike: dict[tuple[str, ...], tuple[Note, int]] = {}
        self._dropped: dict[str, int] = {}
        self._ended: list[Line] = []

    @property
    def waiting(self) -> bool:
        """Say whether a minute is open whose end will bring entries."""
        return bool(self._dropped or self._ended or any(count > 1 for _, count in self._alike.values()))

    def take(self, note: Note, now: int) -> Line | None:
        """Return the line to write at once, or None where it is counted."""
        self._turn(now)
        if note.every:
            return Line(note, now, 1)
        known = self._alike.get(note.kind)
        if known is not None:
            self._alike[note.kind] = (known[0], known[1] + 1)
            return None
        if len(self._alike) >= ALIKE_MOST:
            self.drop(note.action)
            return None
        self._alike[note.kind] = (note, 1)
        return Line(note, now, 1)

    def drop(self, action: str, count: int = 1) -> None:
        """Count what nobody will write one by one."""
        self._dropped[action] = self._dropped.get(action, 0) + count

    def ended(self, now: int, *, all: bool = False) -> list[Line]:
        """Return the lines of minutes that are over; `all`: of the present one too."""
        self._turn(now)
        if all:
            self._close(now)
        lines, self._ended = self._ended, []
        return lines

    def _turn(self, now: int) -> None:
        minute = now // MINUTE
        if minute != self._minute:  # also when the clock was set back
            self._close(now)
            self._minute = minute

    def _close(self, now: int) -> None:
        self._ended += [Line(note, now, count - 1) for note, count in self._alike.values() if count > 1]
        if self._dropped:
            body = {"actions": self._dropped}
            note = Note(DROPPED, SYSTEM.actor, "journal", "audit", body=body)
            self._ended.append(Line(note, now, sum(self._dropped.values())))
        self._alike, self._dropped = {}, {}


def append(database: Database, lines: Sequence[Line], after_commit: AfterCommit | None = None) -> None:
    """Write lines in one transaction. Raises DatabaseTrouble."""
    with database.write(after_commit) as transaction:
        names = {line.note.name for line in lines if line.note.name}
        known = _accounts(transaction.connection, names)
        journal.append(transaction, [_draft(line, known, database.snapshot_key) for line in lines])


def name_digest(key: bytes, name: str) -> str:
    """Return what a name nobody has is written as: keyed, as it may be a password typed into the wrong field."""
    made = hmac.digest(key, b"gridwall-audit-name-1" + name.encode("utf-8", "surrogatepass"), "sha256")
    return made.hex()[:DIGEST_DIGITS]


def _accounts(connection: sa.Connection, names: set[str]) -> dict[str, str]:
    """{name: id} of the accounts there are."""
    asked = sorted(name for name in names if name.isprintable())
    query = sa.select(tables.account.c.name, tables.account.c.id).where(tables.account.c.name.in_(asked))
    return {str(name): str(found) for name, found in connection.execute(query)} if asked else {}


def _draft(line: Line, known: dict[str, str], key: bytes) -> Draft:
    note, body = line.note, {**line.note.body, "count": line.count}
    subject_type, subject_id = note.subject_type, note.subject_id
    if note.name and note.name in known:
        subject_id = known[note.name]
    elif note.name:
        subject_type, subject_id = "stranger", name_digest(key, note.name)
    return Draft(
        at=line.at,
        actor=note.actor,
        action=note.action,
        subject_type=subject_type,
        subject_id=subject_id,
        reason=note.reason,
        body=body,
    )
