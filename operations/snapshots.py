"""Snapshots 截图 and clips 片段 of live pictures: who took one of which camera, and why; written before it leaves."""

from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft, path
from operations.errors import NotFound, Refused
from operations.looks import Whereabouts, refuse_unknown, why_wrong
from operations.policy import Identity, reach
from operations.tables import evidence
from operations.uuid7 import uuid7

FRESH = 10_000_000
"""Microseconds: an older frame shows what was, and is none."""


SNAPSHOT, EXPORT = "snapshot", "export"


class Snapshot(Struct, frozen=True):
    """What was taken: `frame_at` is when its (first) frame came, `sha256` (hex) the digest of the picture that left,
    `grant` the id of the grant by which; `kind`: SNAPSHOT, or EXPORT of `seconds`."""

    camera: str
    why: str
    incident: str
    frame_at: int
    sha256: str
    grant: str = ""
    kind: str = SNAPSHOT
    seconds: float = 0.0


def may(identity: Identity) -> None:
    """Raise Forbidden for whoever takes nothing along; of which cameras, their grants say."""
    reach(identity, "camera.snapshot")


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
    admit: Callable[[Connection], None] = lambda _connection: None,
    after_commit: AfterCommit | None = None,
) -> None:
    """Write down that something was taken; `admit` refuses one whose grant has ended meanwhile.

    Raises Forbidden, NotFound, Refused.
    """
    may(identity)
    if place is None:
        raise NotFound()
    if why_wrong(taken.why, taken.incident):
        raise Refused("looks.why_wrong")
    id, there = uuid7(now), path(place.chain)
    told: dict[str, Any] = {"camera": taken.camera, "why": taken.why, "incident": taken.incident, "grant": taken.grant}
    told |= {"frame_at": taken.frame_at} | ({"seconds": taken.seconds} if taken.kind == EXPORT else {})
    entry = Draft(
        at=now,
        actor=identity.actor,
        action=f"look.{taken.kind}",
        subject_type="look",
        subject_id=id,
        scope_grid=there,
        scope_department=place.department,
        body={**told, "sha256": taken.sha256},
    )
    with database.write(after_commit) as transaction:
        refuse_unknown(transaction.connection, identity, taken.incident)
        admit(transaction.connection)
        journal.append(transaction, [entry])
        transaction.connection.execute(
            sa.insert(evidence).values(
                id=id, kind=taken.kind, camera=taken.camera, grant_id=taken.grant, actor=identity.actor,
                sha256=taken.sha256, department=place.department, path=there, made_at=now, state="held", state_at=now,
                state_by="", held=0, body=msgspec.json.encode(told),
            )
        )  # fmt: skip
