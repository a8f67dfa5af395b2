"""Databases of earlier versions, brought up to date with what is in them."""

import importlib
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from operations import grids, migrations
from operations.database import Database
from tests.operations.desk import Desk, report

doors = importlib.import_module("operations.migrations.versions.0003_doors")


@pytest.mark.database
def test_when_an_incident_was_received_is_read_from_its_body(desk: Desk, database: Database) -> None:
    at = desk.now
    desk.send(report(received_at=at))
    with database.write() as transaction:
        transaction.connection.execute(sa.text("UPDATE incident SET received_at = 0"))
        transaction.connection.execute(sa.text(doors.RECEIVED[transaction.connection.dialect.name]))
    with database.read() as connection:
        assert connection.execute(sa.text("SELECT received_at FROM incident")).scalars().all() == [at]


def test_grids_of_the_version_before_are_in_force_at_once(folder: Path) -> None:
    file = folder / "old.sqlite"
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(sa.text("INSERT INTO grid_version (id, digest, count, imported_at) VALUES (1, 'd', 1, 77)"))
        grid = "INSERT INTO grid (version, code, name, kind, level, parent, wkb)"
        grid += " VALUES (1, '1', 'n', 'general', 1, '', x'00')"
        connection.execute(sa.text(grid))
    engine.dispose()
    database = Database(f"sqlite:///{file}")
    database.migrate(folder / "copies")
    assert len(list((folder / "copies").iterdir())) == 1
    found = grids.current(database)
    database.close()
    assert found is not None and [row.code for row in found.rows] == ["1"]
