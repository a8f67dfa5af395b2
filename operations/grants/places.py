"""Where nobody looks 禁止区域, and where only with a named consent 敏感点位 (Decree 799, articles 8 and 10)."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from config.access import Access
from operations.cameras import reading
from operations.errors import Refused
from operations.scope import WHOLE
from operations.tables import account, camera_limit

FORBIDDEN, RESTRICTED, MASKED = "forbidden", "restricted", "masked"


def limits(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return {camera: kind of its view limit} of those that have one."""
    query = sa.select(camera_limit.c.camera, camera_limit.c.kind).where(camera_limit.c.camera.in_(list(ids)))
    return {row.camera: row.kind for row in connection.execute(query)}


def by_rule(access: Access, name: str, position: str) -> str:
    """Return the code of the rule by which there must be no camera at all, "" where there is none."""
    for rule in access.forbidden:
        if any(word in name for word in rule.words) or (rule.positions and position.startswith(rule.positions)):
            return rule.code
    return ""


def refuse(connection: Connection, access: Access, ids: Sequence[str], _modes: Collection[str] = ()) -> None:
    """Raise Refused for cameras that are granted to nobody: which, and why."""
    registered = limits(connection, ids)
    for one in reading.of(connection, WHOLE, ids):
        if registered.get(one.id) == FORBIDDEN or by_rule(access, one.item.name, one.item.position):
            raise Refused("grants.forbidden_place", name=one.item.name or one.item.code)


def role_of(connection: Connection, account_id: str) -> str:
    """Return an account's own role, "" where there is none."""
    row = connection.execute(sa.select(account.c.role).where(account.c.id == account_id)).first()
    return "" if row is None else str(row.role)
