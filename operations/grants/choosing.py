"""What whoever decides has to see 审批所见: what came of earlier requests."""

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations.tables import access_grant, access_request, look


class Past(Struct, frozen=True):
    """What an applicant asked for since a moment, and what came of it; `watched_s`: seconds looked."""

    asked: int
    granted: int
    unused: int
    watched_s: int


def past(connection: Connection, applicant: str, since: int) -> Past:
    """Return what came of the requests an account sent since a moment (UTC microseconds)."""
    mine = (access_request.c.applicant == applicant, access_request.c.sent_at >= since)
    asked = connection.execute(sa.select(sa.func.count()).where(*mine)).scalar_one()
    held = sa.select(access_grant.c.id).where(
        access_grant.c.holder == f"account:{applicant}", access_grant.c.request != "", access_grant.c.from_at >= since
    )
    ids = list(connection.execute(held).scalars())
    lasted = sa.func.sum(sa.func.coalesce(look.c.ended_at, look.c.seen_at) - look.c.began_at)
    spent = sa.select(look.c.grant_id, lasted).where(look.c.grant_id.in_(ids)).group_by(look.c.grant_id)
    used = {row[0]: int(row[1] or 0) for row in connection.execute(spent)}
    return Past(int(asked), len(ids), len(set(ids) - used.keys()), sum(used.values()) // 1_000_000)
