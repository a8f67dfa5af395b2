"""What the tests of the domain share: keys, rules, and a small city of sixteen grids."""

from collections.abc import Iterator
from pathlib import Path

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
