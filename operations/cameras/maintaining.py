"""Planned maintenance of a camera 检修: until when nothing counts against it, who said so and why."""

import sqlalchemy as sa

from operations import journal
from operations.cameras.reading import within
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import Identity, reach
from operations.tables import camera as table
from operations.wording import cleaned

DAY = 86_400_000_000
LONGEST_DAYS = 90
REASON_LEAST, REASON_MOST = 2, 200


def maintain(
    database: Database,
    identity: Identity,
    id: str,
    until: int,
    *,
    seen: int,
    reason: str,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Plan the maintenance of a camera until a time (UTC microseconds), or end it (0); `seen`: until when it was said
    to go on before. Raises Forbidden, NotFound, Refused.
    """
    scope, reason = reach(identity, "camera.manage"), cleaned(reason)
    if until and not now < until <= now + LONGEST_DAYS * DAY:
        raise Refused("cameras.maintenance_wrong", days=LONGEST_DAYS)
    if not REASON_LEAST <= len(reason) <= REASON_MOST:
        raise Refused("cameras.reason_missing", least=REASON_LEAST, most=REASON_MOST)
    with database.write(after_commit) as transaction:
        columns = table.c
        query = sa.select(columns.path, columns.owner, columns.code, columns.maintenance_until)
        query = query.where(columns.id == id, columns.gone_at.is_(None), *within(scope)).with_for_update()
        row = transaction.connection.execute(query).one_or_none() if id.isascii() and id.isprintable() else None
        if row is None:
            raise NotFound()
        if row.maintenance_until != seen:
            raise Refused("cameras.changed_meanwhile")
        update = sa.update(table).where(columns.id == id).values(maintenance_until=until)
        transaction.connection.execute(update)
        draft = Draft(
            at=now,
            actor=identity.actor,
            action="camera.maintained",
            subject_type="camera",
            subject_id=id,
            scope_grid=row.path,
            scope_grid_before=row.path,
            scope_department=row.owner,
            scope_department_before=row.owner,
            reason=reason,
            body={"code": row.code, "until": until},
        )
        journal.append(transaction, [draft])
