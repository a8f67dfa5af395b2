"""Walls 大屏 that stopped painting: only falling still, coming back, and going away while still, are entries."""

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.policy import SYSTEM

STUCK, RECOVERED, GONE = "wall.stuck", "wall.recovered", "wall.gone"


def mark(database: Database, wall_id: str, action: str, *, now: int, after_commit: AfterCommit | None = None) -> None:
    """Record that a wall is stuck, paints again, or has gone."""
    draft = Draft(at=now, actor=SYSTEM.actor, action=action, subject_type="wall", subject_id=wall_id)
    with database.write(after_commit) as transaction:
        journal.append(transaction, [draft])
