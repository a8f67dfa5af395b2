"""Another datum than declared 坐标系建议: proposed from evidence, confirmed or refused by a person; all of it entries.

Confirming is changing the source (`sources.change`); what follows for stored places is `rederiving`.
"""

from collections.abc import Iterable

from msgspec import Struct, convert, structs
from sqlalchemy import Connection

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft, Entry
from operations.errors import Refused
from operations.policy import SYSTEM, Identity, require

PROPOSED, KEPT = "source.datum_proposed", "source.datum_kept"


class Evidence(Struct, frozen=True):
    """Of `count` reports that name their grid so many lie in it read as `declared` and as `datum`; the mean shift.

    `metres` and `bearing` (degrees clockwise from north): how far and where to the points move.
    """

    declared: str
    datum: str
    count: int
    inside_declared: int
    inside_datum: int
    metres: float
    bearing: float


class Proposal(Struct, frozen=True):
    """What waits for a person: since when (UTC microseconds), and why."""

    at: int
    evidence: Evidence


class Standing(Struct, frozen=True):
    """What was said of a source's datum: a proposal that waits, until when evidence has been refused (0: never), and
    the datum before the present one ("": always the same)."""

    proposal: Proposal | None = None
    refused_at: int = 0
    previous: str = ""


def standing(database: Database, source_id: str) -> Standing:
    """Return what was proposed and refused of a source."""
    with database.read() as connection:
        return _standing(connection, source_id)


def propose(
    database: Database, source_id: str, evidence: Evidence, *, now: int, after_commit: AfterCommit | None = None
) -> bool:
    """Propose a datum, once: not again while one waits. Returns whether it was written."""
    with database.write(after_commit) as transaction:
        transaction.alone("datums")
        if _standing(transaction.connection, source_id).proposal is not None:
            return False
        body: dict[str, object] = {"set": {"proposed": evidence.datum}, "evidence": structs.asdict(evidence)}
        journal.append(transaction, [_draft(SYSTEM, PROPOSED, source_id, now, body)])
        return True


def keep(
    database: Database, identity: Identity, source_id: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Refuse what is proposed: only reports that come later can speak for it again. Raises Forbidden, Refused."""
    require(identity, "source.manage")
    with database.write(after_commit) as transaction:
        transaction.alone("datums")
        if _standing(transaction.connection, source_id).proposal is None:
            raise Refused("operations.no_proposal")
        journal.append(transaction, [_draft(identity, KEPT, source_id, now, {"set": {"proposed": ""}})])


def _standing(connection: Connection, source_id: str) -> Standing:
    return folded(entry for entry, _ in journal.of_subject(connection, source_id))


def folded(entries: Iterable[Entry]) -> Standing:
    """Return what a source's entries, oldest first, come to."""
    proposal: Proposal | None = None
    refused_at, datum, previous = 0, "", ""
    for entry in entries:
        body = entry.body or {}
        if body.get("datum", datum) != datum:
            datum, previous = body["datum"], datum
        if entry.action == PROPOSED and "evidence" in body:
            proposal = Proposal(entry.at, convert(body["evidence"], Evidence))
        elif entry.action == KEPT:
            proposal, refused_at = None, entry.at
        elif entry.action == "source.changed" and proposal is not None:
            proposal = proposal if body.get("datum") == proposal.evidence.declared else None
    return Standing(proposal, refused_at, previous)


def _draft(identity: Identity, action: str, source_id: str, now: int, body: dict[str, object]) -> Draft:
    return Draft(at=now, actor=identity.actor, action=action, subject_type="source", subject_id=source_id, body=body)
