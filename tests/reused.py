"""One PostgreSQL database for all tests of a process: emptied after each, and made anew where its shape was changed.

Copying a migrated database costs more than most tests do: hundreds of files each time.
"""

import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from operations.database import Database

OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
TOUCHED = """
    SELECT quote_ident(relname) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
"""
SHAPE = """
    SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
        SELECT format('%s.%s %s %s', relname, attname, atttypid, attnotnull) AS part
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT format('%s %s %s', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT format('%s %s', conrelid::regclass, conname) FROM pg_constraint
        UNION ALL SELECT format('%s %s', proname, md5(prosrc)) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
    ) AS parts
"""


class Reused:
    """A migrated database called `name` on `server`; as it is after migrating whenever `empty` has run."""

    def __init__(self, server: sa.URL, name: str) -> None:
        self._server, self.url = server, server.set(database=name)
        self._engine = sa.create_engine(self.url, pool_size=1, pool_pre_ping=True)
        self._first: dict[sa.Table, list[dict[str, Any]]] = {}
        self._shape = ""

    def empty(self) -> None:
        """Take away what a test wrote, and whoever is still connected; the first time, make it."""
        try:
            emptied = self._emptied()
        except sa.exc.OperationalError:  # a test dropped it
            emptied = False
        if not emptied:
            self._make()

    def drop(self) -> None:
        """Remove the database."""
        self._engine.dispose()
        with _outside(self._server) as connection:
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {self.url.database} WITH (FORCE)"))

    def _make(self) -> None:
        self.drop()
        with _outside(self._server) as connection:
            connection.execute(sa.text(f"CREATE DATABASE {self.url.database}"))
        database = Database(self.url.render_as_string(hide_password=False))
        with tempfile.TemporaryDirectory(prefix="gw") as path:
            database.migrate(Path(path))
        database.close()
        with self._engine.connect() as connection:
            tables = sa.MetaData()
            tables.reflect(connection)
            rows = {table: connection.execute(sa.select(table)).mappings().all() for table in tables.sorted_tables}
            self._first = {table: [dict(row) for row in found] for table, found in rows.items() if found}
            self._shape = connection.execute(sa.text(SHAPE)).scalar_one()

    def _emptied(self) -> bool:
        with self._engine.begin() as connection:
            connection.execute(sa.text(OTHERS))
            if connection.execute(sa.text(SHAPE)).scalar_one() != self._shape:
                return False
            touched = connection.execute(sa.text(TOUCHED)).scalars().all()
            if touched:
                connection.execute(sa.text(f"TRUNCATE {', '.join(touched)} RESTART IDENTITY CASCADE"))
            for table, rows in self._first.items():
                connection.execute(table.insert(), rows)
        return True


def _outside(url: sa.URL) -> AbstractContextManager[sa.Connection]:
    return sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect()
