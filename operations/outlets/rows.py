"""Outlets in the database."""

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from operations.database import Transaction
from operations.errors import NotFound
from operations.outlets.outlet import Outlet, read
from operations.tables import outlet as table


def listed(connection: Connection) -> list[Outlet]:
    """Return all outlets by name."""
    return [_outlet(row) for row in connection.execute(sa.select(table).order_by(table.c.name))]


def find(connection: Connection, name: str, *, lock: bool = False) -> Outlet:
    """Return one; `lock` holds its row. Raises NotFound."""
    query = sa.select(table).where(table.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound()
    return _outlet(row)


def insert(transaction: Transaction, outlet: Outlet) -> None:
    """Write a new one."""
    transaction.connection.execute(sa.insert(table).values(_values(outlet)))


def store(transaction: Transaction, outlet: Outlet) -> None:
    """Write one's new state."""
    transaction.connection.execute(sa.update(table).where(table.c.name == outlet.name).values(_values(outlet)))


def remove(transaction: Transaction, name: str) -> None:
    """Take one away."""
    transaction.connection.execute(sa.delete(table).where(table.c.name == name))


def _outlet(row: sa.Row[tuple[object, ...]]) -> Outlet:
    values = row._asdict()
    terms = read(values["kind"], values.pop("body"))
    return Outlet(**{**values, "enabled": bool(values["enabled"]), "terms": terms})


def _values(outlet: Outlet) -> dict[str, object]:
    values = {name: getattr(outlet, name) for name in Outlet.__struct_fields__ if name != "terms"}
    body = msgspec.json.encode(outlet.terms).decode()
    return {**values, "enabled": int(outlet.enabled), "body": body}
