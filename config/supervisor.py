"""One process that starts the others, keeps them running, keeps their logs and stops them all.

Children end with it whatever happens: on Ctrl-C and SIGTERM they are asked to and given time, and if the supervisor
itself is killed the kernel kills them (`parent.die_with_me`). Linux.
"""

import fcntl
import os
import selectors
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from config import clock, parent
from config.restart import History, Policy, after_end
from config.rolling import RollingFile
from config.settings import ROOT, child_environment

GRACE_SECONDS = 8.0
READY_SECONDS = 180.0
POLL_SECONDS = 0.05
PIECE = 65536
POLICY = Policy()


class SupervisorError(Exception):
    """The program cannot start; the message says why and what to do."""


@dataclass(frozen=True)
class Child:
    """A process to keep running. `ready` is asked before the children after it start."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool] = lambda: True


@dataclass
class _Running:
    """A child's changing side."""

    child: Child
    log: RollingFile
    history: History = field(default_factory=History)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0


LOCK = "gridwall.lock"
"""Held while the program runs; in it the process and, on the second line, the address it serves."""


@contextmanager
def only_one(data: Path, address: str = "") -> Iterator[None]:
    """Hold the data folder for this process, which serves `address`; SupervisorError if another has it."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / LOCK).open("a+", encoding="utf-8") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise SupervisorError(
                f"Gridwall already runs on {data} (process {held.readline().strip() or 'unknown'}). "
                "Stop that one, or give this one another folder with --data."
            ) from None
        held.truncate(0)
        held.write(f"{os.getpid()}\n{address}\n")
        held.flush()
        yield


def served(data: Path) -> str:
    """Return the address that the program running on this folder serves, "" while none runs."""
    try:
        with (data / LOCK).open(encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (data / LOCK).read_text("utf-8").partition("\n")[2].strip()
    except FileNotFoundError:
        return ""
    return ""


def check_port_free(host: str, port: int) -> None:
    """SupervisorError when the address cannot be listened on."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise SupervisorError(
            f"{host} port {port} cannot be used: {error.strerror}. Choose another with --port (and --host)."
        ) from error


class Supervisor:
    """Runs children in order, restarts those that end, stops all of them in reverse order.

    `told` receives one line for each event a person should see.
    """

    def __init__(
        self, logs: Path, *, log_bytes: int, log_files: int, told: Callable[[str], None], policy: Policy = POLICY
    ) -> None:
        self._logs, self._bytes, self._files = logs, log_bytes, log_files
        self._tell, self._policy = told, policy
        self._children: list[_Running] = []
        self._selector = selectors.DefaultSelector()
        self._stopping = False

    def __enter__(self) -> "Supervisor":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup asked for that
                signal.signal(number, self._asked_to_stop)
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def stopping(self) -> bool:
        """Whether somebody asked us to stop."""
        return self._stopping

    def start(self, child: Child) -> bool:
        """Start it and wait until it is ready; False when asked to stop meanwhile. Raises SupervisorError."""
        log = RollingFile(self._logs / f"{child.name}.log", limit=self._bytes, count=self._files)
        running = _Running(child, log)
        self._children.append(running)
        self._spawn(running)
        deadline = clock.monotonic() + READY_SECONDS
        while not child.ready():
            if self._stopping:
                return False
            if clock.monotonic() > deadline:
                raise SupervisorError(f"{child.name} did not become ready; see {self._logs / child.name}.log")
            self.turn(POLL_SECONDS)
        return not self._stopping

    def run(self) -> None:
        """Keep the children running until asked to stop."""
        while not self._stopping:
            self.turn(0.25)

    def turn(self, seconds: float) -> None:
        """One round: move log lines for up to `seconds`, notice ended children, start those whose time has come."""
        self._move_logs(seconds)
        now = clock.monotonic()
        for running in self._children:
            if running.process is None:
                if now >= running.history.start_at and not self._stopping:
                    self._spawn_again(running, now)
            elif running.process.poll() is not None:
                self._ended(running, running.process.returncode, now)

    def stop(self) -> None:
        """Ask the children to end, the last started first; kill what does not within its time.

        What goes wrong with one is told and does not keep the others from being asked.
        """
        self._stopping = True
        for running in reversed(self._children):
            try:
                if running.process is not None and running.process.poll() is None:
                    running.process.terminate()
                    self._wait(running, running.process)
            except OSError as error:
                self._told(f"{running.child.name} could not be stopped in order: {error}")
            running.log.close()
        self._children.clear()
        self._selector.close()

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _told(self, line: str) -> None:
        """Tell a person; a terminal that has gone, or a full disk behind it, is no reason to stop."""
        with suppress(OSError):
            self._tell(line)

    def _spawn_again(self, running: _Running, now: float) -> None:
        """Start an ended child again; what the kernel refuses now (memory, processes) is tried later."""
        try:
            self._spawn(running)
        except OSError as error:
            running.history = after_end(running.history, self._policy, started_at=now, now=now)
            self._told(f"{running.child.name} could not be started: {error}; trying again")

    def _spawn(self, running: _Running) -> None:
        running.started_at = clock.monotonic()
        process = subprocess.Popen(
            running.child.command,
            cwd=ROOT,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops them in order
            preexec_fn=parent.die_with_me(),
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, running.log)
        running.process = process

    def _ended(self, running: _Running, code: int, now: float) -> None:
        self._leave(running)
        running.history = after_end(running.history, self._policy, started_at=running.started_at, now=now)
        if not self._stopping:
            wait = running.history.start_at - now
            self._told(f"{running.child.name} ended ({_reason(code)}); starting it again in {wait:.2g} s")

    def _leave(self, running: _Running) -> None:
        """Let go of an ended process: its last words, its pipe, and whatever it had started itself."""
        assert running.process is not None and running.process.stdout is not None
        pipe = running.process.stdout
        if pipe in self._selector.get_map():
            self._copy(pipe.fileno(), running.log)
            self._selector.unregister(pipe)
        pipe.close()
        _kill_group(running.process.pid)
        running.process = None

    def _wait(self, running: _Running, process: subprocess.Popen[bytes]) -> None:
        deadline = clock.monotonic() + GRACE_SECONDS
        while process.poll() is None:
            if clock.monotonic() > deadline:
                self._told(f"{running.child.name} did not stop in {GRACE_SECONDS:.0f} s; killing it")
                process.kill()
                process.wait()
            self._move_logs(POLL_SECONDS)
        self._leave(running)

    def _move_logs(self, seconds: float) -> None:
        for key, _events in self._selector.select(seconds):
            if not self._copy(key.fd, key.data):
                self._selector.unregister(key.fileobj)

    @staticmethod
    def _copy(source: int, log: RollingFile) -> bool:
        """Move what there is, a bounded number of pieces at a time; False at the end of the stream."""
        for _piece in range(16):
            try:
                data = os.read(source, PIECE)
            except BlockingIOError:
                return True
            if not data:
                return False
            log.write(data)
        return True


def _kill_group(leader: int) -> None:
    """Each child leads its own process group; nothing of it stays behind."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
