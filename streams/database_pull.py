"""Database pull 数据库拉取: reads a table or view of another's database by a column that only grows; never writes.

The session is read-only (SQLite `mode=ro`, PostgreSQL `default_transaction_read_only`). Names are checked against what
the database says it has; no SQL comes from a page. Rows go on from the last watermark on (`>=`), so one that shares it
is not lost; those already seen are told by the key column, or by their digests.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from operations.sources import Source
from streams.errors import SettingsWrong, SourceAway
from streams.pull_settings import DatabasePull, database_address
from streams.pulling import Pulling

if TYPE_CHECKING:
    from streams.fetching import Reach

KIND = "database"
CONNECT_SECONDS, STATEMENT_SECONDS = 10, 30
SOON_SECONDS = 0.2
"""Pause after a full batch: there is more."""
MOST_COLUMNS = 500
MOST_EQUAL = 10_000
"""Rows of one watermark that can be told apart without a key column."""
LOGIN = ("password authentication", "authentication failed", "no password supplied", "role ", "permission denied")

Row = dict[str, Any]


class Rows(NamedTuple):
    """Rows in order, and the cursor after them: `last` the watermark, `key` of the last row, digests at `last`."""

    rows: list[Row]
    cursor: dict[str, Any]
    more: bool = False


def read(settings: DatabasePull, secret: str, cursor: dict[str, Any], data: Path) -> Rows:
    """Return the rows from a cursor on ({} = from the beginning). Blocks. Raises SourceAway.

    `data`: our own folder, which is not read.
    """
    engine = connected(settings, secret, data)
    try:
        with engine.connect() as connection:
            table = checked_table(connection, settings)
            found = connection.execute(query(table, settings, cursor)).mappings().all()
    except DBAPIError as error:
        raise _away(error) from None  # its text may hold the address
    except SQLAlchemyError as error:
        raise SourceAway("database", certain=True, kind=type(error).__name__) from None
    finally:
        engine.dispose()
    return _after(settings, [dict(row) for row in found], cursor)


def connected(settings: DatabasePull, secret: str, data: Path) -> Engine:
    """Return an engine that can only read. Raises SourceAway when a driver is missing or the file is our own."""
    url = database_address(settings.url)
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite(url, data)
        if url.get_backend_name() == "postgresql":
            return _postgresql(url, secret)
        url.get_dialect().import_dbapi()
        made = url.set(password=secret) if secret else url
        return sa.create_engine(made, poolclass=sa.NullPool, execution_options={"postgresql_readonly": True})
    except NoSuchModuleError:
        raise SourceAway("driver_missing", certain=True, driver=url.drivername) from None
    except ModuleNotFoundError as error:
        raise SourceAway("driver_missing", certain=True, driver=error.name or url.drivername) from None


def _sqlite(url: URL, data: Path) -> Engine:
    file = Path(url.database or "").resolve()
    if file.is_relative_to(data.resolve()):
        raise SourceAway("own_data", certain=True)
    if not file.is_file():
        raise SourceAway("not_there", certain=True)
    uri = URL.create("sqlite", database=file.as_uri(), query={"mode": "ro", "uri": "true"})
    return sa.create_engine(uri, poolclass=sa.NullPool, connect_args={"timeout": CONNECT_SECONDS})


def _postgresql(url: URL, secret: str) -> Engine:
    made = url.set(drivername="postgresql+psycopg")
    if secret:
        made = made.set(password=secret)
    options = f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_SECONDS * 1_000}"
    arguments = {"connect_timeout": CONNECT_SECONDS, "options": options, "application_name": "gridwall"}
    return sa.create_engine(made, poolclass=sa.NullPool, connect_args=arguments)


def checked_table(connection: sa.Connection, settings: DatabasePull) -> sa.TableClause:
    """Return the table or view, all its columns without a type of ours. Raises SourceAway for a name it has not."""
    inspector, schema = sa.inspect(connection), settings.schema or None
    names = {*inspector.get_table_names(schema), *inspector.get_view_names(schema)}
    if settings.table not in names:
        raise SourceAway("no_table", certain=True, name=settings.table)
    columns = [str(one["name"]) for one in inspector.get_columns(settings.table, schema)][:MOST_COLUMNS]
    for name in filter(None, (settings.watermark, settings.key)):
        if name not in columns:
            raise SourceAway("no_column", certain=True, name=name)
    return sa.table(settings.table, *(sa.column(name) for name in columns), schema=schema)


def query(table: sa.TableClause, settings: DatabasePull, cursor: dict[str, Any]) -> sa.Select[Any]:
    """Return the query for one batch after the cursor."""
    mark = table.c[settings.watermark]
    order = [mark]
    wanted: sa.ColumnElement[bool] = mark.is_not(None)
    key = table.c[settings.key] if settings.key else None
    if key is not None:
        order.append(key)
    if "last" in cursor:
        last = thawed(cursor["last"])
        if key is None:
            wanted = mark >= last
        else:
            wanted = sa.or_(mark > last, sa.and_(mark == last, key > thawed(cursor["key"])))
    return sa.select(table).where(wanted).order_by(*order).limit(limit_of(settings, cursor))


def limit_of(settings: DatabasePull, cursor: dict[str, Any]) -> int:
    """Return how many rows to read: a batch, and those at the last watermark that are known already."""
    return settings.batch + len(cursor.get("seen", ()))


def _after(settings: DatabasePull, rows: list[Row], cursor: dict[str, Any]) -> Rows:
    """The rows that are new, and the cursor after them. Raises SourceAway when too many share a watermark."""
    if not rows:
        return Rows([], cursor)
    last, more = rows[-1][settings.watermark], len(rows) >= limit_of(settings, cursor)
    if settings.key:
        after = {"last": frozen(last), "key": frozen(rows[-1][settings.key])}
        return Rows([plain(row) for row in rows], after, more)
    known = set(cursor.get("seen", ()))
    digests = [digest(row) for row in rows]
    fresh = [row for row, mark in zip(rows, digests, strict=True) if mark not in known]
    seen = {mark for row, mark in zip(rows, digests, strict=True) if row[settings.watermark] == last}
    kept = sorted(seen | (known if cursor.get("last") == frozen(last) else set()))
    if len(kept) > MOST_EQUAL:
        raise SourceAway("too_many_equal", certain=True, name=settings.watermark)
    return Rows([plain(row) for row in fresh], {"last": frozen(last), "seen": kept}, more)


def frozen(value: object) -> list[Any]:
    """Return a watermark as JSON keeps it, with its type; [type, text or number]. Raises SourceAway for other types."""
    if isinstance(value, datetime):
        return ["datetime", value.isoformat()]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    if isinstance(value, Decimal):
        return ["decimal", str(value)]
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return ["plain", value]
    raise SourceAway("watermark_type", certain=True, kind=type(value).__name__)


def thawed(kept: Sequence[Any]) -> Any:
    """Return the value that `frozen` wrote."""
    kind, value = kept
    return THAW[kind](value) if kind in THAW else value


THAW: dict[str, Callable[[str], object]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "decimal": Decimal,
}


def plain(row: Row) -> Row:
    """Return a row as JSON can say it; bytes are left out."""
    return {name: _plain(value) for name, value in row.items() if not isinstance(value, (bytes, memoryview))}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    if value is None or isinstance(value, (bool, int, float, str, list, dict)):
        return value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value)


def digest(row: Row) -> str:
    """Return what tells a row from another one of the same watermark."""
    return sha256(msgspec.json.encode(plain(row), order="sorted")).hexdigest()[:16]


async def pull(reach: "Reach", source: Source) -> None:
    """Pull one source until cancelled."""
    pulling = Pulling(reach, source)
    settings = await pulling.settings()
    assert isinstance(settings, DatabasePull)
    await pulling.again(Batches(pulling, settings, reach.settings.data).next)


class Batches:
    """One batch after the other: rows durable, then the cursor."""

    def __init__(self, pulling: Pulling, settings: DatabasePull, data: Path) -> None:
        self._pulling = pulling
        self._settings = settings
        self._data = data
        self._of = place(settings)

    async def next(self) -> float:
        """Pull one batch; return the seconds to the next. Raises SourceAway."""
        cursor = await self._pulling.cursor(self._of)
        before = {name: value for name, value in cursor.items() if name != "of"}
        try:
            found = await asyncio.to_thread(read, self._settings, self._pulling.secret, before, self._data)
        except SettingsWrong as error:
            raise SourceAway(error.code, certain=True) from None
        await self._pulling.take(found.rows)
        await self._pulling.reached(taken=len(found.rows))
        if found.cursor != before:
            await self._pulling.keep(self._of, found.cursor)
        return SOON_SECONDS if found.more else float(self._settings.period_s)


def place(settings: DatabasePull) -> str:
    """Return what a cursor belongs to: another table or column begins anew."""
    named = (settings.url, settings.schema, settings.table, settings.watermark, settings.key)
    return sha256("\0".join(named).encode()).hexdigest()[:16]


def _away(error: DBAPIError) -> SourceAway:
    said = str(error.orig).lower()
    if any(part in said for part in LOGIN):
        return SourceAway("login_refused", certain=True)
    if error.connection_invalidated or "connect" in said:
        return SourceAway("unreachable")
    if "locked" in said or "timeout" in said:
        return SourceAway("busy")
    return SourceAway("database", kind=type(error.orig).__name__)
