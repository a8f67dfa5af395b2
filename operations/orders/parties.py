"""Who recipients are 收件人: what the address book knows of them goes before what a screen sent.

Names of people stand in the address book alone: a person is known in orders and entries by the post.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from msgspec import structs
from sqlalchemy import Connection

from operations import departments
from operations.errors import Refused
from operations.orders.draft import NAME_MOST, Wanted
from operations.tables import person, team


def known(connection: Connection, wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Return recipients as departments and address book have them, whatever a screen sent of them.

    Raises Refused for one that is in neither, or has ended there.
    """
    picked = tuple(wanted)
    people = _found(connection, person, person.c.post.label("name"), picked, "person", person.c.account)
    teams = _found(connection, team, team.c.name, picked, "team")
    facts = {"department": _offices(connection), "person": people, "team": teams}
    return tuple(_as_known(one, facts[one.kind].get(one.id)) for one in picked)


def _as_known(one: Wanted, facts: dict[str, str] | None) -> Wanted:
    if facts is None:
        raise Refused("orders.recipient_unknown", name=one.id[:NAME_MOST])
    return structs.replace(one, **{"account": "", **facts})


def _offices(connection: Connection) -> dict[str, dict[str, str]]:
    living = {code: one for code, one in departments.on(connection).items() if not one.ended}
    return {code: {"name": one.zh, "department": code} for code, one in living.items()}


def _found(
    connection: Connection,
    table: sa.Table,
    name: sa.ColumnElement[str],
    picked: Iterable[Wanted],
    kind: str,
    *more: sa.ColumnElement[str],
) -> dict[str, dict[str, str]]:
    ids = [one.id for one in picked if one.kind == kind]
    if not ids:
        return {}
    query = sa.select(table.c.id, name, table.c.department, table.c.grid, *more)
    rows = connection.execute(query.where(table.c.id.in_(ids), table.c.ended_at.is_(None)))
    return {row.id: {key: value for key, value in row._mapping.items() if key != "id"} for row in rows}
