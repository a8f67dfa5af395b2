"""The whole program as a person starts it: where to look, restart of what dies, and nothing left behind."""

import os
import re
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.settings import Settings, child_environment, load
from tests.conftest import Running, run_py

pytestmark = pytest.mark.whole
CHILDREN = ("valkey", "worker", "web", "relay", "health", "sources")
SECONDS = 180
WITHOUT_DEMO = ("--no-demo", "--demo-accounts", "duty")


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen in {SECONDS} s"
        time.sleep(0.05)


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def processes(data: Path) -> dict[str, int]:
    """{role: pid} of what runs on the folder, the supervisor as ""."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if str(data) in words:
            found[next((word for word in words if word in CHILDREN), "")] = int(entry.name)
        elif str(data) in words[0] and "valkey" in words[0]:  # it writes its socket into its own title
            found["valkey"] = int(entry.name)
    return found


@pytest.fixture
def started(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """run.py on a folder of the test's own, once it says that it is ready."""
    process = _start(settings)
    _until(lambda: "sign in" in _said(settings) or process.poll() is not None)
    assert process.poll() is None, _said(settings)
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


def _start(settings: Settings) -> subprocess.Popen[bytes]:
    environment = child_environment() | {"LC_ALL": "C.UTF-8"}
    with (settings.data / "said.txt").open("wb") as said:
        return subprocess.Popen(
            run_py("--data", str(settings.data), "--port", str(settings.port), *WITHOUT_DEMO),
            stdout=said, stderr=subprocess.STDOUT, env=environment, start_new_session=True,
        )  # fmt: skip


def _said(settings: Settings) -> str:
    return (settings.data / "said.txt").read_text(encoding="utf-8")


def test_it_says_where_to_look_and_the_link_works_once(settings: Settings, started: subprocess.Popen[bytes]) -> None:
    link = re.search(r"http://\S+/signin\?once=\S+", _said(settings))
    assert f"http://127.0.0.1:{settings.port}/wall" in _said(settings)
    assert link is not None
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(link[0]) as answer:
        assert answer.status == 200
    with opener.open(f"http://127.0.0.1:{settings.port}/wall") as answer:
        assert answer.url.endswith("/wall")
    assert _get(link[0])[0] in (401, 403, 410)

    second = _start_again(settings)
    assert second.returncode == 2
    assert f"process {started.pid}" in second.stderr and "--data" in second.stderr


def _start_again(settings: Settings, *more: str) -> subprocess.CompletedProcess[str]:
    command = run_py("--data", str(settings.data), "--port", str(settings.port), "--no-demo", *more)
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)


@pytest.mark.parametrize("role", ["web", "worker", "valkey", "relay", "health", "sources"])
def test_what_is_killed_comes_back(running: Running, role: str) -> None:
    before = processes(running.settings.data)[role]
    os.kill(before, signal.SIGKILL)
    _until(lambda: processes(running.settings.data).get(role, before) != before)
    _until(lambda: _get(f"{running.url}/readyz")[0] == 200)


def test_killed_it_leaves_nothing_behind(settings: Settings, started: subprocess.Popen[bytes]) -> None:
    assert set(processes(settings.data)) == {"", *CHILDREN}
    started.kill()
    started.wait(SECONDS)
    _until(lambda: not processes(settings.data))


def test_a_port_in_use_is_said(running: Running, folder: Path) -> None:
    told = _start_again(load(folder, environ={}, port=running.settings.port))
    assert told.returncode == 2
    assert f"port {running.settings.port}" in told.stderr and "--port" in told.stderr
    assert not processes(folder)


def test_told_to_stop_it_leaves_nothing_behind_and_a_second_start_finds_its_data(settings: Settings) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        process = _start(settings)
        _until(lambda: "sign in" in _said(settings))
        os.kill(process.pid, number)
        assert process.wait(SECONDS) == 0
        assert "did not stop" not in _said(settings)
        assert not processes(settings.data)
    told = subprocess.run(
        run_py("check", "--data", str(settings.data)), capture_output=True, text=True, timeout=SECONDS
    )
    assert told.returncode == 0, told.stdout


def test_a_newer_schema_is_refused(settings: Settings) -> None:
    assert subprocess.run(run_py("check", "--data", str(settings.data)), timeout=SECONDS).returncode == 0
    subprocess.run(run_py("token", "add", "t", "--data", str(settings.data)), timeout=SECONDS, check=True)
    with sqlite3.connect(settings.data / "gridwall.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    told = _start_again(settings)
    assert told.returncode == 2
    assert "9999" in told.stderr or "newer" in told.stderr
    assert not processes(settings.data)
