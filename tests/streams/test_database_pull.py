"""Database pull on real databases, SQLite and PostgreSQL: only reading, each row once, however the watermarks tie."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis.asyncio
import sqlalchemy as sa

from config import clock
from config.settings import Settings
from operations import cursors, sources
from operations.database import Database
from operations.policy import SYSTEM
from operations.sources import Source
from streams import database_pull, engine
from streams.database_pull import Batches, frozen, read, thawed
from streams.errors import SourceAway
from streams.pull_settings import DatabasePull
from streams.pulling import Pulling
from tests.streams.feed import durable, reach
from tests.streams.samples import make_intake, make_log

pytestmark = [pytest.mark.stream, pytest.mark.database]
COLUMNS = "id TEXT, title TEXT, revision TEXT, occurred_at TEXT, changed INTEGER, lon NUMERIC(9, 4)"


class Theirs:
    """A department's database: `url` without a password, `secret` the password."""

    def __init__(self, url: sa.URL) -> None:
        self.secret = url.password or ""
        self.url = url.set(password=None).render_as_string(hide_password=False)
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.run(f"CREATE TABLE orders ({COLUMNS})", "CREATE VIEW recent AS SELECT * FROM orders WHERE changed > 0")

    def run(self, *statements: str) -> None:
        """Run statements."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def add(self, *pairs: tuple[str, int]) -> None:
        """Add orders by (id, changed)."""
        for id, changed in pairs:
            self.run(f"INSERT INTO orders VALUES ('{id}', 't', '{changed}', '2025-11-22 12:00:00', {changed}, 119.5)")


@pytest.fixture
def theirs(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Theirs]:
    """A database that is not ours: on PostgreSQL the test's own one under another schema, else a file."""
    url = sa.make_url(database_url)
    made = Theirs(url if url.get_backend_name() == "postgresql" else sa.make_url(f"sqlite:///{tmp_path / 'their.db'}"))
    yield made
    made.engine.dispose()


def read_all(settings: DatabasePull, theirs: Theirs, cursor: dict[str, Any], data: Path) -> tuple[list[str], Any]:
    """Every id in the order read, batch after batch, and the cursor at the end."""
    found: list[str] = []
    while True:
        batch = read(settings, theirs.secret, cursor, data)
        found += [row["id"] for row in batch.rows]
        cursor = json.loads(json.dumps(batch.cursor))
        if not batch.more:
            return found, cursor


@pytest.mark.parametrize("table", ["orders", "recent"])
@pytest.mark.parametrize("key", ["", "id"])
def test_each_row_comes_once_in_order_though_watermarks_tie(theirs: Theirs, folder: Path, table: str, key: str) -> None:
    how = DatabasePull(theirs.url, table, "changed", key=key, batch=3)
    theirs.add(("a", 1), ("b", 2), ("c", 2), ("d", 3), ("e", 3))
    found, cursor = read_all(how, theirs, {}, folder)
    assert sorted(found) == ["a", "b", "c", "d", "e"]
    theirs.add(("f", 3), ("g", 4))
    found, cursor = read_all(how, theirs, cursor, folder)
    assert found == ["f", "g"]
    assert read_all(how, theirs, cursor, folder)[0] == []


def test_many_rows_of_one_watermark_are_said_not_skipped(
    theirs: Theirs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs.add(*((letter, 1) for letter in "abcde"))
    how = DatabasePull(theirs.url, "orders", "changed", batch=3)
    assert sorted(read_all(how, theirs, {}, folder)[0]) == list("abcde")
    monkeypatch.setattr(database_pull, "MOST_EQUAL", 4)
    first = read(how, theirs.secret, {}, folder)
    with pytest.raises(SourceAway, match="too_many_equal"):
        read(how, theirs.secret, first.cursor, folder)
    by_key = DatabasePull(theirs.url, "orders", "changed", key="id", batch=3)
    assert read_all(by_key, theirs, {}, folder)[0] == list("abcde")


def test_it_cannot_write(theirs: Theirs, folder: Path) -> None:
    engine = database_pull.connected(DatabasePull(theirs.url, "orders", "changed"), theirs.secret, folder)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"(?i)read-?only"):
        connection.execute(sa.text("INSERT INTO orders (id) VALUES ('x')"))
    engine.dispose()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"table": "nothing"}, "no_table"),
        ({"table": "orders; DROP TABLE orders"}, "no_table"),
        ({"watermark": "nothing"}, "no_column"),
        ({"key": "1 OR 1=1"}, "no_column"),
        ({"url": "mysql+pymysql://u@127.0.0.1/x"}, "driver_missing"),
        ({"url": "nosuch://u@127.0.0.1/x"}, "driver_missing"),
        ({"url": "sqlite:////nowhere/at/all.db"}, "not_there"),
        ({"url": "postgresql://u@127.0.0.1:1/x"}, "unreachable"),
    ],
)
def test_what_may_be_wrong(theirs: Theirs, folder: Path, change: dict[str, str], code: str) -> None:
    how = msgspec.structs.replace(DatabasePull(theirs.url, "orders", "changed"), **change)
    with pytest.raises(SourceAway) as error:
        read(how, theirs.secret or "s3cret", {}, folder)
    assert error.value.code == code and "s3cret" not in repr(error.value)


def test_our_own_data_is_not_a_source(settings: Settings, database: Database) -> None:
    own = f"sqlite:///{settings.data / 'gridwall.db'}"
    with pytest.raises(SourceAway, match="own_data"):
        read(DatabasePull(own, "account", "added_at"), "", {}, settings.data)


@pytest.mark.parametrize(
    "value", [7, 1.5, "2025-11-22", datetime(2025, 11, 22, 4, tzinfo=UTC), date(2025, 11, 22), Decimal("1.10")]
)
def test_watermarks_are_kept_with_their_type(value: object) -> None:
    assert thawed(json.loads(json.dumps(frozen(value)))) == value


@pytest.fixture
async def client(settings: Settings, valkey: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of the engine."""
    async with engine.connect(settings.redis_url) as made:
        yield made


async def test_rows_are_durable_before_the_cursor_and_a_restart_repeats_nothing(
    theirs: Theirs,
    settings: Settings,
    database: Database,
    client: redis.asyncio.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    how = DatabasePull(theirs.url, "orders", "changed", batch=2)
    source = Source("dept", "某部门", kind="database", settings=msgspec.json.encode(how).decode())
    sources.add(database, SYSTEM, source, now=clock.now())
    theirs.add(("a", 1), ("b", 2), ("c", 3))
    log = make_log(settings)
    intake = make_intake(log)

    class Known(Pulling):
        """Knows the password, without a file."""

        secret = theirs.secret

    def begin() -> tuple[Pulling, Batches]:
        pulling = Known(reach(settings, database, client, intake), source)
        return pulling, Batches(pulling, how, settings.data / "none")

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    pulling, batches = begin()
    monkeypatch.setattr(pulling, "keep", killed)
    with pytest.raises(KeyboardInterrupt):
        await batches.next()
    assert durable(settings) == ["a", "b"] and cursors.get(database, "dept").cursor == ""
    _, batches = begin()
    assert [await batches.next() < 1, await batches.next()] == [True, 60]
    assert set(durable(settings)) == {"a", "b", "c"}
    assert intake.totals.duplicates == 2
    _, batches = begin()
    await batches.next()
    assert intake.totals.duplicates == 2
    await log.close()
