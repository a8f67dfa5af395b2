"""Snapshots 截图 of live pictures: who took one of which camera, and why; written down before the picture leaves."""

from msgspec import Struct

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft, path
from operations.errors import NotFound, Refused
from operations.looks import Whereabouts, refuse_unknown, why_wrong
from operations.policy import Identity, reach
from operations.uuid7 import uuid7

FRESH = 10_000_000
"""Microseconds: an older frame shows what was, and is none."""


class Snapshot(Struct, frozen=True):
    """What was taken: `frame_at` is when its frame came, `sha256` (hex) the digest of the picture that left."""

    camera: str
    why: str
    incident: str
    frame_at: int
    sha256: str


def may(identity: Identity, place: Whereabouts | None, why: str, incident: str) -> Whereabouts:
    """Return where the camera is. Raises Forbidden; NotFound for one that is none or out of reach; Refused."""
    scope = reach(identity, "camera.snapshot")
    if place is None or not scope.covers(place.chain, place.department):
        raise NotFound()
    if why_wrong(why, incident):
        raise Refused("looks.why_wrong")
    return place


def fresh(frame_at: int, now: int) -> None:
    """Raise Refused for a frame that is too old."""
    if now - frame_at > FRESH:
        raise Refused("snapshots.old", seconds=(now - frame_at) // 1_000_000)


def note(
    database: Database,
    identity: Identity,
    taken: Snapshot,
    place: Whereabouts | None,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Write down that a snapshot was taken. Raises Forbidden, NotFound, Refused."""
    there = may(identity, place, taken.why, taken.incident)
    body = {"camera": taken.camera, "why": taken.why, "incident": taken.incident}
    entry = Draft(
        at=now,
        actor=identity.actor,
        action="look.snapshot",
        subject_type="look",
        subject_id=uuid7(now),
        scope_grid=path(there.chain),
        scope_department=there.department,
        body={**body, "frame_at": taken.frame_at, "sha256": taken.sha256},
    )
    with database.write(after_commit) as transaction:
        refuse_unknown(transaction.connection, identity, taken.incident)
        journal.append(transaction, [entry])
