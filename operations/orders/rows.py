"""Orders in the database: the order in one row, each recipient in one of its own; found by id inside a scope."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import sqlalchemy as sa
from msgspec import structs
from sqlalchemy import ColumnElement, Connection

from operations.database import Transaction
from operations.entry import path
from operations.errors import NotFound
from operations.orders.order import ENDED, STATES, Order, Recipient, ordered
from operations.scope import Scope
from operations.tables import dispatch_order as table
from operations.tables import order_recipient
from operations.ticking import next_at

LIVING = tuple(one for one in STATES if one not in ENDED)
_order = msgspec.json.Decoder(Order)
_recipient = msgspec.json.Decoder(Recipient)


def inside(scope: Scope) -> Iterable[ColumnElement[bool]]:
    """Conditions that say whether a scope may see an order: `order.visible` in SQL."""
    sent = []
    if scope.grid:
        sent.append(("/" + table.c.path + "/").contains(f"/{scope.grid}/", autoescape=True))
    if scope.department:
        sent.append(table.c.department == scope.department)
    if sent:
        yield sa.or_(sa.and_(*sent), concerns(scope, table.c.id))


def concerns(scope: Scope, order_id: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that one of an order's recipients lies inside a scope: `order.concerns` in SQL."""
    columns = order_recipient.c
    wanted = [columns.order_id == order_id]
    if scope.department:
        wanted.append(columns.department == scope.department)
    if scope.grid:
        near = columns.grid.startswith(scope.grid, autoescape=True)
        wanted.append(sa.or_(near, columns.grid == "") if scope.department else near)
    return sa.select(columns.order_id).where(*wanted).exists()


def find(connection: Connection, scope: Scope, order_id: str, *, lock: bool = False) -> Order:
    """Return an order with all its recipients; `lock` holds its row. Raises NotFound."""
    if not (order_id.isascii() and order_id.isprintable()):
        raise NotFound()
    query = sa.select(table.c.body).where(table.c.id == order_id, *inside(scope))
    row = connection.execute(query.with_for_update(of=table) if lock else query).one_or_none()
    if row is None:
        raise NotFound()
    return structs.replace(_order.decode(row.body), recipients=recipients(connection, order_id))


def recipients(connection: Connection, order_id: str) -> tuple[Recipient, ...]:
    """Return all recipients of an order: the lead first, then as they were named."""
    query = sa.select(order_recipient.c.body).where(order_recipient.c.order_id == order_id)
    found = [_recipient.decode(row.body) for row in connection.execute(query.order_by(order_recipient.c.id))]
    return ordered(found)


def by_key(connection: Connection, key: str) -> str | None:
    """Return the id of the order that was sent under an idempotency key."""
    return connection.execute(sa.select(table.c.id).where(table.c.key == key)).scalar()


def insert(transaction: Transaction, order: Order, key: str) -> None:
    """Write a new order."""
    head = structs.replace(order, recipients=())
    values = {
        "id": order.id,
        "number": order.number,
        "kind": order.kind,
        "incident": order.incident,
        "state": order.state,
        "county": order.county,
        "department": order.department,
        "path": path(order.chain),
        "sender": order.sender,
        "sent_at": order.sent_at,
        "key": key or None,
        "body": msgspec.json.encode(head),
    }
    transaction.connection.execute(sa.insert(table).values(values))
    add(transaction, order, order.recipients)


def of_incident(connection: Connection, scope: Scope, incident_id: str) -> list[str]:
    """Return the ids of an incident's orders as far as a scope sees them, oldest first."""
    query = sa.select(table.c.id).where(table.c.incident == incident_id, *inside(scope))
    return list(connection.execute(query.order_by(table.c.sent_at, table.c.id)).scalars())


def add(transaction: Transaction, order: Order, added: Sequence[Recipient]) -> None:
    """Write new recipients of an order."""
    rows = [_row(order, one) for one in added]
    if rows:
        transaction.connection.execute(sa.insert(order_recipient), rows)


def store(transaction: Transaction, order: Order, changed: Sequence[Recipient]) -> None:
    """Write an order's new state and that of those of its recipients that changed."""
    head = structs.replace(order, recipients=())
    change = {"state": order.state, "body": msgspec.json.encode(head)}
    transaction.connection.execute(sa.update(table).where(table.c.id == order.id).values(change))
    for one in changed:
        row = _row(order, one)
        where = (order_recipient.c.order_id == order.id, order_recipient.c.id == one.id)
        transaction.connection.execute(sa.update(order_recipient).where(*where).values(row))


def mine(connection: Connection, named: Mapping[str, str], limit: int = 200) -> list[str]:
    """Return ids of orders to a department or an account: those that wait first, then the newest."""
    columns = order_recipient.c
    waiting: list[tuple[int, str]] = []
    newest: list[tuple[int, str]] = []
    for name, value in named.items():  # each its own index; in one query all that ever came would be sorted
        query = sa.select(columns.sent_at, columns.order_id).where(columns[name] == value).limit(limit)
        living = query.where(columns.state.in_(LIVING)).order_by((columns.sent_at + 0).desc())  # by state, then sorted
        waiting += [(row.sent_at, row.order_id) for row in connection.execute(living)]
        newest += [(row.sent_at, row.order_id) for row in connection.execute(query.order_by(columns.sent_at.desc()))]
    found = [*sorted(waiting, reverse=True), *sorted(newest, reverse=True)]
    return list(dict.fromkeys(order_id for _, order_id in found))[:limit]


def _row(order: Order, one: Recipient) -> dict[str, object]:
    return {
        "order_id": order.id,
        "id": one.id,
        "kind": one.kind,
        "department": one.department,
        "account": one.account,
        "grid": one.grid,
        "state": one.state,
        "role": one.role,
        "sent_at": order.sent_at,
        "next_at": next_at(one.clocks) if order.is_open else None,
        "body": msgspec.json.encode(one),
    }
