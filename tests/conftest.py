"""What every test may use: its own folder, port, database and engine, and for a few a browser and the whole program.

The engines are real. `DATABASE_URL` moves the tests marked `database` to that PostgreSQL, `REDIS_URL` the engine to
that Redis; both are then emptied by the tests. Without them everything is private to the test process.
"""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import argon2
import hypothesis
import pytest
import redis
import sqlalchemy

from config import clock, parent
from config.browser import CHROMIUM_ARGUMENTS, HOW_TO_INSTALL, find_chromium
from config.settings import ROOT, Settings, child_environment, in_ci, load
from tests import marked, ports

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from operations.database import Database
    from tests.reused import Reused

START_SECONDS = 180

hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
hypothesis.settings.load_profile("ci" if in_ci() else "here")


def _asked() -> Settings:
    """The settings the person running the tests gave: engines, real data, browser."""
    return load(Path(tempfile.gettempdir()))


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts the whole program, say why real data is not there, put the browser last.

    Last, because the browser's driver keeps an event loop running that asyncio tests after it would trip over. A file
    has to say which marks its tests have: the pass over a mark looks into no other.
    """
    for item in items:
        if "running" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.whole)
        for mark in marked.NAMED:
            if item.get_closest_marker(mark) and not marked.holds(item.path, mark):
                raise pytest.UsageError(f"{item.nodeid} is marked {mark}; have its file say {marked.NAMED[mark][0]}")
    if not _asked().test_data:
        for item in items:
            if "real" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="not run: GRIDWALL_TEST_DATA names no folder of real data"))
    items.sort(key=lambda item: "browser" in item.keywords)


@pytest.fixture(scope="session")
def worker_number(worker_id: str) -> int:
    """0 for the only test process or the first of several."""
    return 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder with a path short enough for a socket, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="gw") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; the test is "not run" without it."""
    if not _asked().test_data:
        pytest.skip("not run: GRIDWALL_TEST_DATA names no folder of real data")
    return Path(_asked().test_data)


@pytest.fixture
def free_port() -> int:
    """A port nobody uses and no other test is given."""
    return ports.free()


@pytest.fixture
def settings(folder: Path, free_port: int, request: pytest.FixtureRequest) -> Settings:
    """Settings for a data folder and port of the test's own, on the `valkey` and `database` it also asks for."""
    made = load(folder, environ={}, port=free_port, demo=False, totp_roles="")
    if "valkey" in request.fixturenames:
        made = dataclasses.replace(made, redis_url=request.getfixturevalue("valkey"), embedded_valkey=False)
    if "database" in request.fixturenames:
        made = dataclasses.replace(made, database_url=request.getfixturevalue("database_url"))
    return made


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of passwords that take no time: what is tested is who takes them, not what they cost."""
    from operations import passwords

    monkeypatch.setattr(passwords, "_HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


# ---- engine ----


@pytest.fixture(scope="session")
def valkey_server(worker_number: int) -> Iterator[str]:
    """URL of the engine this test process has to itself: an embedded Valkey, or a database of REDIS_URL's Redis."""
    asked = _asked()
    if not asked.embedded_valkey:
        yield asked.redis_url if worker_number == 0 else f"{asked.redis_url}?db={worker_number}"
        return
    from streams.engine import server_command

    with tempfile.TemporaryDirectory(prefix="gw") as path:
        own = load(path, environ={})
        process = subprocess.Popen(
            server_command(own), stdout=subprocess.DEVNULL, preexec_fn=parent.die_with_me(), start_new_session=True
        )
        try:
            _wait_for_engine(own.redis_url)
            yield own.redis_url
        finally:
            process.terminate()
            process.wait(10)


def _wait_for_engine(url: str) -> None:
    deadline = clock.monotonic() + START_SECONDS
    while True:
        try:
            with redis.Redis.from_url(url) as client:
                client.ping()
            return
        except redis.RedisError:
            if clock.monotonic() > deadline:
                raise
            time.sleep(0.02)


@pytest.fixture
def valkey(valkey_server: str) -> str:
    """URL of an empty engine."""
    with redis.Redis.from_url(valkey_server) as client:
        client.flushdb()
    return valkey_server


# ---- database ----


@pytest.fixture(scope="session")
def sqlite_template() -> Iterator[Path]:
    """A migrated, empty SQLite file to copy."""
    from operations.database import Database

    with tempfile.TemporaryDirectory(prefix="gw") as path:
        file = Path(path, "template.db")
        made = Database(f"sqlite:///{file}")
        made.migrate(Path(path, "copies"))
        made.close()
        yield file


@pytest.fixture(scope="session")
def reused(worker_number: int) -> "Iterator[Reused]":
    """The PostgreSQL database of this test process."""
    from tests.reused import Reused

    made = Reused(sqlalchemy.make_url(_asked().database_url), f"gridwall_test_{worker_number}")
    yield made
    made.drop()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, folder: Path, worker_number: int) -> Iterator[str]:
    """URL of a migrated, empty database: PostgreSQL for tests marked `database` if DATABASE_URL is set, else SQLite."""
    if "database" not in request.keywords or not _asked().database_url.startswith("postgresql"):
        template = request.getfixturevalue("sqlite_template")
        shutil.copy(template, folder / "gridwall.db")
        yield f"sqlite:///{folder / 'gridwall.db'}"
        return
    reused: Reused = request.getfixturevalue("reused")
    reused.empty()
    yield reused.url.render_as_string(hide_password=False)


@pytest.fixture
def database(database_url: str) -> "Iterator[Database]":
    """A migrated, empty Database."""
    from operations.database import Database

    made = Database(database_url)
    yield made
    made.close()


# ---- browser and the whole program ----


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """The system's Chromium under the playwright driver; the test is "not run" without one."""
    path = find_chromium(_asked().chromium)
    if path is None:
        pytest.skip(f"not run: no Chromium. {HOW_TO_INSTALL}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: "Browser") -> "Iterator[Page]":
    """A fresh page of 1920×1080 with no cookies."""
    context = chromium.new_context(viewport={"width": 1920, "height": 1080})
    yield context.new_page()
    context.close()


@dataclasses.dataclass(frozen=True)
class Running:
    """The whole program, started by `run.py` on a data folder of its own.

    `source_token` may send reports (source "tests"), `read_token` may read.
    """

    url: str
    source_token: str
    read_token: str
    settings: Settings
    process: subprocess.Popen[str]

    @property
    def token(self) -> str:
        """The one that may send reports."""
        return self.source_token

    def link(self, account: str = "duty") -> str:
        """A new one-time sign-in link; "duty" is the duty commander made at the first start."""
        from operations.database import Database
        from operations.sessions import issue_one_time

        database = Database(self.settings.database_url)
        try:
            return f"{self.url}/signin?once={issue_one_time(database, account, clock.now())}"
        finally:
            database.close()


DEMO_ACCOUNTS = "duty,admin,security,audit"


def run_py(*arguments: str) -> list[str]:
    """The command line of run.py under the interpreter the tests run in."""
    return [sys.executable, str(ROOT / "run.py"), *arguments]


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """The whole program without the demonstration, its address, a token that may post and read, and sign-in links."""
    with program() as made:
        yield made


@contextmanager
def program() -> Iterator[Running]:
    """An empty installation of its own, running."""
    with tempfile.TemporaryDirectory(prefix="gw") as path:
        made = load(path, environ={}, port=ports.free(), demo=False)
        environment = child_environment()
        for name in ("DATABASE_URL", "REDIS_URL"):
            environment.pop(name, None)
        output = (made.data / "output.txt").open("w+", encoding="utf-8")
        process = subprocess.Popen(
            run_py(
                *("--data", path, "--port", str(made.port), "--no-demo", "--demo-accounts", "duty,admin,security,audit")
            ),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        try:
            url = f"http://{made.host}:{made.port}"
            _wait_for_program(url, process, made.data)
            source, reader = _tokens(made)
            yield Running(url, source, reader, made, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
            output.close()


def _wait_for_program(url: str, process: subprocess.Popen[str], data: Path) -> None:
    deadline = clock.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url + "/readyz", timeout=5):
                return
        except OSError as error:
            if process.poll() is not None or clock.monotonic() > deadline:
                said = (data / "output.txt").read_text(encoding="utf-8")
                logs = "".join(f"\n--- {log.name}\n{log.read_text()[-2000:]}" for log in sorted(data.glob("log/*.log")))
                raise AssertionError(f"the program did not become ready ({error}):\n{said}{logs}") from error
            time.sleep(0.1)


def _tokens(made: Settings) -> tuple[str, str]:
    """Tokens of the source "tests", which may send, and of a program that may read."""
    from operations import sources, tokens
    from operations.database import Database
    from operations.policy import SYSTEM

    now = clock.now()
    with closing(Database(made.database_url)) as database:
        sources.add(database, SYSTEM, sources.Source("tests", "Tests", time_zone=made.city_time_zone), now=now)
        return (
            tokens.add(database, SYSTEM, "tests", "intake", now=now, source_id="tests"),
            tokens.add(database, SYSTEM, "tests", "read", now=now),
        )
