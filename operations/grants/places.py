"""Where nobody looks 禁止区域, and where only with a named consent 敏感点位 (Decree 799, articles 8 and 10)."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from config.access import Access
from operations.cameras import limits as viewed
from operations.cameras import reading
from operations.cameras.limits import FORBIDDEN, MASKED, RESTRICTED, Limit
from operations.cameras.reading import Camera
from operations.errors import Refused
from operations.scope import WHOLE
from operations.tables import account

__all__ = ["FORBIDDEN", "MASKED", "RESTRICTED", "bar", "limits", "refuse", "role_of"]


def limits(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return {camera: kind of its view limit} of those that have one."""
    return {id: one.kind for id, one in viewed.of(connection, ids).items()}


def bar(access: Access, one: Camera, limit: Limit | None) -> None:
    """Raise Refused for a camera that nobody may look through: by rule, by its limit, or for want of a consent."""
    called = one.item.name or one.item.code
    forbidden = limit is not None and limit.kind == FORBIDDEN
    if forbidden or viewed.by_rules(access, one.item.name, one.item.position):
        raise Refused("grants.forbidden_place", name=called)
    if limit is not None and limit.barred:
        raise Refused("grants.no_consent", name=called)


def refuse(connection: Connection, access: Access, ids: Sequence[str]) -> None:
    """Raise Refused for cameras that are granted to nobody: which, and why."""
    registered = viewed.of(connection, ids)
    for one in reading.of(connection, WHOLE, ids):
        bar(access, one, registered.get(one.id))


def role_of(connection: Connection, account_id: str) -> str:
    """Return an account's own role, "" where there is none."""
    row = connection.execute(sa.select(account.c.role).where(account.c.id == account_id)).first()
    return "" if row is None else str(row.role)
