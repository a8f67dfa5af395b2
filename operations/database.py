"""The database: SQLite or PostgreSQL behind the same few calls, errors translated for the person who must act."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event

from config import clock
from operations import migrations
from operations.errors import DatabaseAway, DatabaseFull, DatabaseLocked, OperationsError
from operations.turnstile import Turnstile

BUSY_TIMEOUT_S = 5.0
SELECT_BATCH = 500
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-32768",  # KiB
)
DAMAGE = (OperationsError, sa.exc.SQLAlchemyError, sqlite3.Error, msgspec.MsgspecError, TypeError, ValueError)
"""What reading a database may raise that somebody spoiled; for whoever must tell it instead of failing."""
AfterCommit = Callable[[int], None]


class Transaction:
    """One write transaction: `connection` to use, `last_seq` of what the journal appended (0: nothing).

    `held_seconds` is known when it is over: how long nobody else could write, the commit included.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.last_seq = 0
        self.held_seconds = 0.0

    def alone(self, what: str) -> None:
        """Wait until nobody else is alone with `what`, until the end; for what is decided from more than one row.

        SQLite has one writer anyway.
        """
        if self.connection.dialect.name != "sqlite":
            self.connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": what})

    def many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run one statement (marks: ?) for many rows by the driver: several times faster than Core's parameters."""
        if rows:
            self.connection.exec_driver_sql(_marked(self.connection, statement), list(rows))

    def select_in(self, statement: str, values: Iterable[str], *, lock: bool = False) -> list[sa.Row[Any]]:
        """Run a SELECT ending in "IN" for many values, in bounded parts; `lock` holds the rows (FOR UPDATE)."""
        return select_in(self.connection, statement, values, lock=lock)


def select_in(
    connection: Connection,
    statement: str,
    values: Iterable[object],
    *,
    given: tuple[object, ...] = (),
    lock: bool = False,
) -> list[sa.Row[Any]]:
    """The same inside a read that is already open; `given`: what stands for the marks before "IN"."""
    wanted = list(values)
    suffix = " FOR UPDATE" if lock and connection.dialect.name != "sqlite" else ""
    found: list[sa.Row[Any]] = []
    for start in range(0, len(wanted), SELECT_BATCH):
        part = tuple(wanted[start : start + SELECT_BATCH])
        marks = ",".join("?" * len(part))
        found += connection.exec_driver_sql(
            _marked(connection, f"{statement} ({marks}){suffix}"), (*given, *part)
        ).all()
    return found


def _marked(connection: Connection, statement: str) -> str:
    return statement if connection.dialect.name == "sqlite" else statement.replace("?", "%s")


class Database:
    """A database by URL. Safe to share between threads; each process makes its own."""

    def __init__(self, url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.url = url
        self._timeout_s = busy_timeout_s
        self.snapshot_key = b""
        """What snapshots of the board are signed with (`KeyStore.snapshot_key`); it never stands in the database."""
        self.engine = _engine(url, busy_timeout_s)
        file = self.engine.url.database if self.engine.dialect.name == "sqlite" else None
        self._turnstile = Turnstile(Path(file), busy_timeout_s) if file else None

    @property
    def file(self) -> Path | None:
        """The SQLite file, or None for PostgreSQL."""
        return None if self._turnstile is None else self._turnstile.file

    def migrate(self, backup_dir: Path, *, own_copies: bool = False) -> None:
        """Bring the schema up to date under a lock, after a copy into `backup_dir` (not of a PostgreSQL database whose
        keeper makes `own_copies`). Raises SchemaNewer, CopyFailed. Only this makes a SQLite file that is not there.
        """
        with _translated():
            if self.file is not None:
                self.file.touch()
            migrations.migrate(self.engine, self.file, backup_dir, own_copies=own_copies)

    @contextmanager
    def write(self, after_commit: AfterCommit | None = None) -> Iterator[Transaction]:
        """Run one write transaction; `after_commit(last seq)` is called when it appended to the journal."""
        with _translated(), self._turn(), self.engine.connect() as connection:
            options = connection.execution_options(gridwall_begin="IMMEDIATE")
            with options.begin():
                began = clock.monotonic()
                transaction = Transaction(options)
                yield transaction
            transaction.held_seconds = clock.monotonic() - began
        if after_commit is not None and transaction.last_seq:
            after_commit(transaction.last_seq)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Read from one consistent snapshot."""
        level = {} if self._turnstile else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with _translated(), self.engine.connect() as connection:
            options = connection.execution_options(**level)
            with options.begin():
                yield options

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._turnstile is None:
            yield
        else:
            with self._turnstile.turn():
                yield


def scan(connection: Connection, statement: str, page: int) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Pages of a long result as plain tuples of the driver, which costs half of what rows of SQLAlchemy do."""
    kept_at_server = () if connection.dialect.name == "sqlite" else ("scan",)  # by its name, else it comes as a whole
    cursor = connection.connection.cursor(*kept_at_server)
    try:
        cursor.execute(statement)
        while rows := cursor.fetchmany(page):
            yield rows
    finally:
        cursor.close()


def _engine(url: str, busy_timeout_s: float) -> Engine:
    if sa.make_url(url).get_backend_name() != "sqlite":
        return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": 5})
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": busy_timeout_s})

    @event.listens_for(engine, "do_connect")
    def _connecting(_dialect: Any, _record: Any, given: list[Any], named: dict[str, Any]) -> None:
        given[0] = f"{Path(given[0]).absolute().as_uri()}?mode=rw"  # one that is gone is not made anew, and empty
        named["uri"] = True

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        mode = connection.get_execution_options().get("gridwall_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the drivers' errors about locks, space and reach into ours."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        ours = _ours(error.orig)
        if ours is None:
            raise
        raise ours from error
    except (sqlite3.DatabaseError, psycopg.Error) as error:  # of a driver's own cursor
        ours = _ours(error)
        if ours is None:
            raise
        raise ours from error


_DAMAGED = ("not a database", "malformed", "disk image")
_FULL = ("disk is full", "disk i/o error", "readonly database", "no space left")


def _ours(error: BaseException | None) -> OperationsError | None:
    text = str(error).lower()
    if isinstance(error, sqlite3.DatabaseError) and any(word in text for word in _DAMAGED):
        return DatabaseAway(detail=text)
    if isinstance(error, sqlite3.OperationalError):
        if "locked" in text or "busy" in text:
            return DatabaseLocked()
        if any(word in text for word in _FULL):
            return DatabaseFull(detail=text)
        return DatabaseAway(detail=text) if "unable to open" in text else None
    if isinstance(error, psycopg.errors.DiskFull | psycopg.errors.ReadOnlySqlTransaction):
        return DatabaseFull(detail=text)
    if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
        return DatabaseLocked()
    return DatabaseAway(detail=text) if isinstance(error, psycopg.OperationalError) else None
