"""Search 搜索: incidents and orders by number, title, address and type, in every database by the same tokens.

The index is derived and made by what keeps it up to date: a follower that first reads what exists, the newest last,
and then the journal by its seq. In the transaction of a change it would cost a worker more than a tenth of its speed;
so a change is found about a second later. Sealed text and reporters are never read here.
SQLite: FTS5 over `search_item`; PostgreSQL: a `simple` tsvector, made here, with GIN.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from config import taxonomy
from operations.database import Database, Transaction, select_in
from operations.entry import path
from operations.incident import Incident, visible
from operations.orders import rows as order_rows
from operations.orders.order import Order
from operations.orders.order import visible as order_visible
from operations.policy import Identity, reach
from operations.scope import WHOLE, Scope
from operations.terms import asked, owner, place, terms

AT_ONCE = 1_000
"""Incidents or entries of one step: a transaction of well under a tenth of a second."""
TYPED_MOST, HITS_MOST = 80, 50
NUMBER_MOST = 40
_incident = msgspec.json.Decoder(Incident)
_MADE = {
    "sqlite": (
        "CREATE TABLE IF NOT EXISTS search_state (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS search_item (id INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
        " subject TEXT NOT NULL UNIQUE, path TEXT NOT NULL, departments TEXT NOT NULL,"
        " type TEXT NOT NULL, terms TEXT NOT NULL)",
        "CREATE VIRTUAL TABLE IF NOT EXISTS search_terms USING fts5(terms, content='search_item', content_rowid='id',"
        " prefix='1')",
        "CREATE TRIGGER IF NOT EXISTS search_added AFTER INSERT ON search_item BEGIN"
        " INSERT INTO search_terms (rowid, terms) VALUES (new.id, new.terms); END",
        "CREATE TRIGGER IF NOT EXISTS search_changed AFTER UPDATE ON search_item BEGIN"
        " INSERT INTO search_terms (search_terms, rowid, terms) VALUES ('delete', old.id, old.terms);"
        " INSERT INTO search_terms (rowid, terms) VALUES (new.id, new.terms); END",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS search_state (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS search_item (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " kind TEXT NOT NULL, subject TEXT NOT NULL UNIQUE, path TEXT NOT NULL,"
        " departments TEXT NOT NULL, type TEXT NOT NULL,"
        " terms TSVECTOR NOT NULL)",
        "CREATE INDEX IF NOT EXISTS search_terms ON search_item USING gin (terms)",
    ),
}


class Found(Struct, frozen=True):
    """One that was found: kind incident or order; what its screen shows of it."""

    kind: str
    id: str
    number: str
    title: str
    address: str = ""
    type: str = ""
    step: str = ""
    department: str = ""
    at: int = 0


class Progress(Struct):
    """How far the index is: `incident`, `order`: ids up to which what existed was read; `seq`: of the journal."""

    seq: int = 0
    incident: str = ""
    order: str = ""
    filled: bool = False


def step(database: Database) -> int:
    """Bring the index on by one portion; return how many things it read, 0 when it is up to date."""
    with database.read() as connection:
        known = _progress(connection)
        head = connection.execute(sa.text("SELECT seq FROM journal_head")).scalar() or 0
    if known is None:
        with database.write() as transaction:
            _make(transaction, int(head))
        return 1
    if known.filled and known.seq >= head:
        return 0
    return _follow(database, known) if known.filled else _fill(database, known)


def find(database: Database, identity: Identity, typed: str, limit: int = 20) -> list[Found]:
    """Return incidents and orders that hold all that was typed, the newest first. Raises Forbidden."""
    scope = reach(identity, "search.use")
    wanted = asked(typed[:TYPED_MOST])
    if not wanted:
        return []
    limit = max(1, min(limit, HITS_MOST))
    with database.read() as connection:
        if not _exists(connection):
            return []
        rows = list(connection.execute(*_query(connection, wanted, scope, limit)).all())
        if scope.grid and scope.department:  # an order to one's department may lie anywhere
            anywhere = structs.replace(scope, grid="")
            more = connection.execute(*_query(connection, wanted, anywhere, limit * 4)).all()
            rows += [row for row in more if row.kind == "order" and row not in rows]
        found = (_found(connection, scope, row.kind, row.subject) for row in rows)
        return [one for one in found if one is not None][:limit]


# ---- asking ----


def _query(
    connection: Connection, wanted: Sequence[Sequence[Sequence[str]]], scope: Scope, limit: int
) -> tuple[sa.TextClause, dict[str, object]]:
    """The statement and what it is given; the scope is a condition of the same query, in tokens and in columns."""
    held = [place(scope.grid)] if scope.grid else []
    held += [owner(scope.department)] if scope.department else []
    sqlite = connection.dialect.name == "sqlite"
    given: dict[str, object] = {"terms": (_match if sqlite else _tsquery)(wanted, held), "limit": limit}
    conditions = []
    if scope.grid:
        conditions.append("i.path LIKE :path")
        given["path"] = f"%/{_plain(scope.grid)}/%"
    if scope.department:
        conditions.append("i.departments LIKE :department")
        given["department"] = f"%/{_plain(scope.department)}/%"
    for number, beginning in enumerate((*scope.hidden, *scope.dimmed)):
        conditions.append(f"i.type NOT LIKE :hidden{number}")
        given[f"hidden{number}"] = f"{_plain(beginning)}%"
    more = "".join(f" AND {one} ESCAPE '!'" for one in conditions)
    if sqlite:
        query = "SELECT i.kind, i.subject FROM search_terms JOIN search_item i ON i.id = search_terms.rowid"
        query += f" WHERE search_terms MATCH :terms{more} ORDER BY search_terms.rowid DESC LIMIT :limit"
    else:
        query = f"SELECT i.kind, i.subject FROM search_item i WHERE i.terms @@ CAST(:terms AS tsquery){more}"
        query += " ORDER BY i.id DESC LIMIT :limit"
    return sa.text(query), given


def _match(wanted: Sequence[Sequence[Sequence[str]]], held: Sequence[str]) -> str:
    """For FTS5; tokens hold letters, digits and Chinese characters alone."""
    parts = ["(" + " OR ".join(f'"{" ".join(phrase)}" *' for phrase in any_of) + ")" for any_of in wanted]
    return " AND ".join([*(f'"{one}"' for one in held), *parts])


def _tsquery(wanted: Sequence[Sequence[Sequence[str]]], held: Sequence[str]) -> str:
    """For PostgreSQL, as its own notation."""

    def said(phrase: Sequence[str]) -> str:
        return " <-> ".join(f"'{one}'{':*' if number == len(phrase) - 1 else ''}" for number, one in enumerate(phrase))

    parts = ["(" + " | ".join(f"({said(phrase)})" for phrase in any_of) + ")" for any_of in wanted]
    return " & ".join([*(f"'{one}'" for one in held), *parts])


def _plain(code: str) -> str:
    return code.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _found(connection: Connection, scope: Scope, kind: str, subject: str) -> Found | None:
    """What was found as it is now, None where the scope no longer holds it: the index lags behind."""
    if kind == "incident":
        row = connection.execute(sa.text("SELECT body FROM incident WHERE id = :id"), {"id": subject}).one_or_none()
        one = None if row is None else _incident.decode(bytes(row.body))
        if one is None or not visible(scope, one) or (scope.dimmed and one.type.startswith(scope.dimmed)):
            return None
        about = (one.address, one.type, one.step, one.department, one.received_at)
        return Found(kind, one.id, one.number, one.title, *about)
    order = order_rows.find(connection, WHOLE, subject)
    if not order_visible(scope, order) or (scope.dimmed and order.type.startswith(scope.dimmed)):
        return None
    about = (order.address, order.type, order.state, order.department, order.sent_at)
    return Found(kind, order.id, order.number, order.title, *about)


# ---- keeping ----


def _fill(database: Database, known: Progress) -> int:
    """Read on what existed: incidents by id, which is by age, then orders."""
    query = "SELECT id, body FROM incident WHERE id > :after ORDER BY id LIMIT :most"
    with database.read() as connection:
        rows = connection.execute(sa.text(query), {"after": known.incident, "most": AT_ONCE}).all()
        items = [_of_incident(_incident.decode(bytes(row.body))) for row in rows]
        if rows:
            known.incident = rows[-1].id
        else:
            query = "SELECT id FROM dispatch_order WHERE id > :after ORDER BY id LIMIT :most"
            ids = connection.execute(sa.text(query), {"after": known.order, "most": AT_ONCE}).scalars().all()
            items = [_of_order(order_rows.find(connection, WHOLE, key)) for key in ids]
            known.order, known.filled = (ids[-1], False) if ids else (known.order, True)
    with database.write() as transaction:
        _store(transaction, items)
        _keep(transaction, known)
    return len(items) or 1


def _follow(database: Database, known: Progress) -> int:
    query = "SELECT seq, subject_type, subject_id FROM journal WHERE seq > :after ORDER BY seq LIMIT :most"
    with database.read() as connection:
        rows = connection.execute(sa.text(query), {"after": known.seq, "most": AT_ONCE}).all()
        touched: dict[str, list[str]] = {"incident": [], "order": []}
        for row in rows:
            if row.subject_type in touched:
                touched[row.subject_type].append(row.subject_id)
        bodies = select_in(connection, "SELECT body FROM incident WHERE id IN", sorted(set(touched["incident"])))
        items = [_of_incident(_incident.decode(bytes(row.body))) for row in bodies]
        items += [_of_order(order_rows.find(connection, WHOLE, key)) for key in sorted(set(touched["order"]))]
    known.seq = rows[-1].seq if rows else known.seq
    with database.write() as transaction:
        _store(transaction, items)
        _keep(transaction, known)
    return len(rows)


Item = tuple[str, str, str, str, str, list[str]]
"""Kind, id, path, departments, type, tokens."""


def _of_incident(one: Incident) -> Item:
    tokens = [*terms([one.number, one.title, one.address, *_type_names(one.type)]), *map(place, one.chain)]
    tokens.append(owner(one.department))
    return "incident", one.id, f"/{path(one.chain)}/", f"/{one.department}/", one.type, tokens


def _of_order(one: Order) -> Item:
    departments = sorted({one.department, *(to.department for to in one.recipients)})
    tokens = [*terms([one.number, one.title, one.incident_number]), *map(place, one.chain), *map(owner, departments)]
    return "order", one.id, f"/{path(one.chain)}/", f"/{'/'.join(departments)}/", one.type, tokens


def _type_names(code: str) -> Iterable[str]:
    found = taxonomy.current().types.get(code)
    return () if found is None else (found.zh, found.en)


_STORE = (
    "INSERT INTO search_item (kind, subject, path, departments, type, terms) VALUES (?, ?, ?, ?, ?, {terms})"
    " ON CONFLICT (subject) DO UPDATE SET path = excluded.path, departments = excluded.departments,"
    " type = excluded.type, terms = excluded.terms WHERE search_item.terms <> excluded.terms"
    " OR search_item.path <> excluded.path OR search_item.departments <> excluded.departments"
    " OR search_item.type <> excluded.type"
)


def _store(transaction: Transaction, items: Sequence[Item]) -> None:
    sqlite = transaction.connection.dialect.name == "sqlite"
    said = " ".join if sqlite else _vector
    rows = [(*one[:5], said(one[5])) for one in items]
    transaction.many(_STORE.format(terms="?" if sqlite else "CAST(? AS tsvector)"), rows)


def _vector(tokens: Sequence[str]) -> str:
    return " ".join(f"'{one}':{min(at, 16_383)}" for at, one in enumerate(tokens, 1))


def _make(transaction: Transaction, head: int) -> None:
    transaction.alone("search")
    for statement in _MADE[transaction.connection.dialect.name]:
        transaction.connection.exec_driver_sql(statement)
    _keep(transaction, Progress(seq=head))


def _keep(transaction: Transaction, known: Progress) -> None:
    values: dict[str, Any] = {"value": msgspec.json.encode(known).decode()}
    query = "INSERT INTO search_state (name, value) VALUES ('progress', :value)"
    query += " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    transaction.connection.execute(sa.text(query), values)


def _progress(connection: Connection) -> Progress | None:
    if not _exists(connection):
        return None
    row = connection.execute(sa.text("SELECT value FROM search_state WHERE name = 'progress'")).one_or_none()
    return None if row is None else msgspec.json.decode(row.value, type=Progress)


def _exists(connection: Connection) -> bool:
    return bool(sa.inspect(connection).has_table("search_state"))
