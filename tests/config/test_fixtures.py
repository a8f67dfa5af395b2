"""The fixtures keep what they promise: engines of one's own, the ones asked for, empty each time."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis
import sqlalchemy
from playwright.sync_api import Page

from config.browser import find_chromium
from config.settings import ROOT, Settings, load
from operations.database import Database
from tests import ports


@pytest.mark.database
def test_the_database_is_the_one_asked_for_and_migrated(database: Database, settings: Settings) -> None:
    asked = load("/nowhere").database_url
    wanted = "postgresql" if asked.startswith("postgresql") else "sqlite"
    assert sqlalchemy.make_url(settings.database_url).get_backend_name() == wanted
    with database.read() as connection:
        assert connection.execute(sqlalchemy.text("SELECT count(*) FROM journal")).scalar_one() == 0


@pytest.mark.database
@pytest.mark.parametrize("again", [1, 2])
def test_nothing_is_left_behind_in_the_database(database: Database, again: int) -> None:
    with database.write() as transaction:
        assert transaction.connection.execute(sqlalchemy.text("SELECT count(*) FROM lease")).scalar_one() == 0
        transaction.connection.execute(sqlalchemy.text("INSERT INTO lease (name) VALUES ('left behind')"))


@pytest.mark.stream
@pytest.mark.parametrize("again", [1, 2])
def test_the_engine_is_durable_and_empty(valkey: str, settings: Settings, again: int) -> None:
    assert settings.redis_url == valkey
    with redis.Redis.from_url(valkey, decode_responses=True) as client:
        assert client.dbsize() == 0
        client.set("left", again)
        assert client.config_get("appendfsync") == {"appendfsync": "always"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_each_test_has_a_folder_and_port_of_its_own(settings: Settings, folder: Path) -> None:
    assert settings.data == folder
    assert list(folder.iterdir()) == []
    assert settings.port != 8050


@pytest.mark.browser
def test_the_browser_draws_chinese(page: Page) -> None:
    """A font with Chinese glyphs draws different characters differently; without one all are the same box."""
    page.set_content(
        "<p id=a style='display:inline-block'>网格指挥屏</p><p id=b style='display:inline-block'>登记分流办</p>"
    )
    assert page.locator("#a").screenshot() != page.locator("#b").screenshot()


def test_a_browser_asked_for_by_path_is_not_replaced_by_another() -> None:
    assert find_chromium("/nowhere/chromium") is None


def test_ports_are_ones_no_connection_and_no_other_process_is_given() -> None:
    ours = {ports.free() for _ in range(5)}
    asked = "from tests import ports; print(*(ports.free() for _ in range(5)))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    theirs = {int(word) for word in done.stdout.split()}
    assert len(ours | theirs) == 10
    assert max(ours | theirs) < 32_768, "a port of those the system gives to connections"


def test_a_port_in_use_is_not_given_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports.free()))
        assert taken.getsockname()[1] not in {ports.free() for _ in range(400)}
