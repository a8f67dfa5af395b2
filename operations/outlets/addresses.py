"""Where a recipient of an order can be reached: looked up in the address book when it is needed, never copied."""

from collections.abc import Iterable

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations.database import select_in
from operations.orders.order import Recipient
from operations.tables import department


class Address(Struct, frozen=True):
    """E-mail and phone, "" where there is none; `name` of a person, which stands in the address book alone."""

    email: str = ""
    phone: str = ""
    name: str = ""

    def has(self, needed: str) -> bool:
        """Say whether it has what an outlet needs."""
        return not needed or bool(getattr(self, needed))


_BOOK = {
    "person": "SELECT id, email, phone, name FROM person WHERE ended_at IS NULL AND id IN",
    "team": "SELECT id, '' AS email, phone, '' AS name FROM team WHERE ended_at IS NULL AND id IN",
}


def of(connection: Connection, recipients: Iterable[Recipient]) -> dict[str, Address]:
    """Return {recipient's id: address}; a team without e-mail is reached at its department's."""
    wanted = list(recipients)
    offices = _offices(connection)
    found = {}
    for kind, statement in _BOOK.items():
        ids = [_key(one) for one in wanted if one.kind == kind]
        for row in select_in(connection, statement, ids) if ids else ():
            found[f"{kind}:{row.id}"] = Address(row.email, row.phone, row.name)
    out = {}
    for one in wanted:
        office = offices.get(one.department, Address())
        own = office if one.kind == "department" else found.get(one.id, Address())
        out[one.id] = Address(office.email, own.phone) if one.kind == "team" else own
    return out


def _offices(connection: Connection) -> dict[str, Address]:
    columns = department.c
    query = sa.select(columns.code, columns.email, columns.phone)
    return {row.code: Address(row.email, row.phone) for row in connection.execute(query)}


def _key(one: Recipient) -> str:
    return one.id.partition(":")[2]
