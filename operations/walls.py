"""Walls 大屏 that stopped painting: only falling still and coming back are entries."""

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.policy import SYSTEM


def mark(database: Database, wall_id: str, *, stuck: bool, now: int, after_commit: AfterCommit | None = None) -> None:
    """Record that a wall is stuck, or paints again."""
    draft = Draft(
        at=now,
        actor=SYSTEM.actor,
        action="wall.stuck" if stuck else "wall.recovered",
        subject_type="wall",
        subject_id=wall_id,
    )
    with database.write(after_commit) as transaction:
        journal.append(transaction, [draft])
