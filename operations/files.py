"""That a file was sent in a source's name is an entry: who, which bytes, what came of it; its name may name people."""

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.policy import Identity, require


def record(
    database: Database,
    identity: Identity,
    source_id: str,
    sha256: str,
    counts: dict[str, int],
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Write one entry `file.sent`; `counts`: accepted, duplicates, quarantined of how many rows. Raises Forbidden."""
    require(identity, "source.manage")
    body: dict[str, object] = {"source": source_id, **counts}
    draft = Draft(at=now, actor=identity.actor, action="file.sent", subject_type="file", subject_id=sha256, body=body)
    with database.write(after_commit) as transaction:
        journal.append(transaction, [draft])
