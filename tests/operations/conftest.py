"""What the tests of the domain share: keys, rules, and a small city of sixteen grids."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from operations.database import Database
from operations.seal import KeyStore
from tests.operations.desk import Desk


@pytest.fixture
def keys(folder: Path) -> Iterator[KeyStore]:
    """A key store of the test's own."""
    store = KeyStore(folder / "keys")
    yield store
    store.close()


@pytest.fixture
def desk(database: Database, keys: KeyStore) -> Desk:
    """A worker and an operator's desk on one database, with a clock of their own."""
    return Desk(database, keys)


@pytest.fixture
def new_desk(sqlite_template: Path) -> Iterator[Callable[[], Desk]]:
    """Makes a desk on a fresh SQLite database each time: for properties, where every example needs its own."""
    with ExitStack() as stack:

        def make() -> Desk:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="gw")))
            shutil.copy(sqlite_template, folder / "gridwall.db")
            database = Database(f"sqlite:///{folder / 'gridwall.db'}")
            stack.callback(database.close)
            store = KeyStore(folder / "keys")
            stack.callback(store.close)
            return Desk(database, store)

        yield make
