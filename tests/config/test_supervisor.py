"""The supervisor with real processes: restart, orderly stop, and nobody left behind."""

import errno
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.restart import Policy
from config.settings import ROOT
from config.supervisor import Child, Supervisor, SupervisorError, check_port_free, only_one, served

QUICK = Policy(first=0.01, longest=0.05)


def _child(name: str, body: str) -> Child:
    return Child(name, [sys.executable, "-u", "-c", textwrap.dedent(body)])


def _supervisor(folder: Path, told: list[str]) -> Supervisor:
    return Supervisor(folder, log_bytes=100_000, log_files=2, told=told.append, policy=QUICK)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _until(condition: Callable[[], object], between: Callable[[], object] = lambda: time.sleep(0.02)) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in 20 s"
        between()


@pytest.fixture(autouse=True)
def _signals_as_before() -> object:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    told: list[str] = []
    with _supervisor(tmp_path, told) as supervisor:
        supervisor.start(_child("web", r"import os, time; os.write(1, b'%d\n' % os.getpid()); time.sleep(60)"))
        log = tmp_path / "web.log"
        killed: list[str] = []
        while len(killed) < 3:
            _until(lambda: len(log.read_text().split()) > len(killed), lambda: supervisor.turn(0.02))
            killed.append(log.read_text().split()[-1])
            os.kill(int(killed[-1]), signal.SIGKILL)
            _until(lambda: len(told) == len(killed), lambda: supervisor.turn(0.02))
        assert "web ended (signal SIGKILL)" in told[0]


def test_stopping_is_orderly_and_the_last_words_are_kept(tmp_path: Path) -> None:
    body = """
        import signal, sys, time
        def bye(*_):
            print("bye"); sys.exit(0)
        signal.signal(signal.SIGTERM, bye); sys.stdout.write("up\\n")
        time.sleep(60)
    """
    with _supervisor(tmp_path, []) as supervisor:
        for name in ("engine", "web"):
            supervisor.start(_child(name, body))
            _until((tmp_path / f"{name}.log").read_text, lambda: supervisor.turn(0.02))
    for name in ("engine", "web"):
        assert (tmp_path / f"{name}.log").read_text() == "up\nbye\n"


def test_grandchildren_go_too(tmp_path: Path) -> None:
    body = """
        import subprocess, sys, time
        print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid); time.sleep(60)
    """
    with _supervisor(tmp_path, []) as supervisor:
        supervisor.start(_child("web", body))
        _until(lambda: (tmp_path / "web.log").read_text(), lambda: supervisor.turn(0.02))
    pid = int((tmp_path / "web.log").read_text())
    _until(lambda: not _alive(pid))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_the_supervisor(tmp_path: Path, number: signal.Signals) -> None:
    body = f"""
        import sys
        from pathlib import Path
        from config.supervisor import Child, Supervisor
        with Supervisor(Path({str(tmp_path)!r}), log_bytes=10_000, log_files=1, told=print) as supervisor:
            for name in ("engine", "web"):
                code = "import os, time; print(os.getpid()); time.sleep(60)"
                supervisor.start(Child(name, [sys.executable, "-u", "-c", code]))
            supervisor.run()
    """
    logs = [tmp_path / "engine.log", tmp_path / "web.log"]
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(body)], cwd=ROOT)
    _until(lambda: all(log.exists() and log.read_text() for log in logs))
    process.send_signal(number)
    process.wait(20)
    children = [int(log.read_text()) for log in logs]
    _until(lambda: not any(map(_alive, children)))


def test_a_child_that_is_never_ready_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.supervisor.READY_SECONDS", 0.1)
    child = _child("engine", "import time; time.sleep(60)")
    with _supervisor(tmp_path, []) as supervisor, pytest.raises(SupervisorError, match=r"engine did not .*engine\.log"):
        supervisor.start(Child(child.name, child.command, ready=lambda: False))


def test_a_second_one_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(SupervisorError, match=f"process {os.getpid()}"), only_one(tmp_path):
        pass
    assert served(tmp_path) == ""
    with only_one(tmp_path, "http://127.0.0.1:8701"):
        assert served(tmp_path) == "http://127.0.0.1:8701"
    assert served(tmp_path) == "" and served(tmp_path / "none") == ""
    with only_one(tmp_path):
        pass


def test_a_port_in_use_is_named(free_port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        with pytest.raises(SupervisorError, match=f"port {free_port} .*--port"):
            check_port_free("127.0.0.1", free_port)
    check_port_free("127.0.0.1", free_port)


def test_a_full_disk_neither_ends_the_program_nor_its_orderly_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The children's lines are lost, as is what would be told; the children go on and are stopped."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("config.rolling._put", full)
    supervisor = Supervisor(tmp_path, log_bytes=100, log_files=2, told=full, policy=QUICK)
    with supervisor:
        for name in ("engine", "web"):
            supervisor.start(_child(name, "import time\nwhile True: print('line'); time.sleep(0.01)"))
        running = list(supervisor._children)
        _until(lambda: all(one.log.lost > 20 for one in running), lambda: supervisor.turn(0.02))
        pids = [one.process.pid for one in running if one.process is not None]
        assert len(pids) == 2 and all(map(_alive, pids))
        os.kill(pids[0], signal.SIGKILL)
        _until(
            lambda: running[0].process is not None and running[0].process.pid != pids[0], lambda: supervisor.turn(0.02)
        )
    _until(lambda: not any(map(_alive, pids)))
