"""The whole program, started as a person starts it, on its own data folder, for benches to push and to hurt."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psutil

from config import clock
from config.settings import ROOT, child_environment
from streams.demo import city
from tests import ports

START_SECONDS = 120.0
Box = tuple[float, float, float, float]
ROLES = ("valkey", "worker", "web", "sources")


class ProgramError(Exception):
    """The program did not do what a bench needs; the message carries its last words."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are answers here: the sign-in link's cookie stands in one."""

    def redirect_request(self, *_told: object) -> None:
        return None


@dataclass
class Program:
    """A running program: where it is, how to sign in, and its processes."""

    data: Path
    port: int
    process: subprocess.Popen[str]
    started_s: float
    link: str
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.port}"

    def command(self, *words: str) -> str:
        """Runs `run.py WORDS --data …` beside the program and returns what it printed."""
        return command(self.data, *words)

    def sign_in(self) -> str:
        """Uses the one-time link and returns the Cookie header of the session."""
        try:
            with urllib.request.build_opener(_Stay).open(self.link, timeout=10) as answer:
                headers = answer.headers
        except urllib.error.HTTPError as redirect:
            headers = redirect.headers
        cookies = [value.split(";", 1)[0] for value in headers.get_all("Set-Cookie") or ()]
        if not cookies:
            raise ProgramError("the sign-in link gave no session")
        return "; ".join(cookies)

    def add_source(self, identifier: str, *words: str) -> str:
        """Adds a source and returns its token."""
        printed = self.command("source", "add", identifier, "--name", identifier, *words)
        self.tokens[identifier] = printed.split()[-1]
        return self.tokens[identifier]

    def roles(self) -> dict[str, psutil.Process]:
        """Returns the children by role, as they are now."""
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                words = [child.name(), *child.cmdline()]  # Valkey writes its address over its command line
            except psutil.NoSuchProcess:
                continue
            role = next(
                (r for r in ROLES if r in words or any(Path(w).name.startswith(r + "-server") for w in words)), ""
            )
            if role:
                found[role] = child
        return found

    def cpu(self) -> dict[str, float]:
        """Returns processor seconds used so far, by role."""
        used = {}
        for role, process in self.roles().items():
            times = process.cpu_times()
            used[role] = times.user + times.system
        return used

    def get(self, path: str, cookie: str) -> Any:
        """Returns the JSON at `path`."""
        request = urllib.request.Request(self.url + path, headers={"Cookie": cookie})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return orjson.loads(answer.read())


def command(data: Path, *words: str) -> str:
    """Runs `run.py WORDS --data …` and returns what it printed. Raises ProgramError with its complaint."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *words, "--data", str(data)],
        capture_output=True,
        text=True,
        env=child_environment(),
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise ProgramError(f"run.py {' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def start(data: Path, *options: str, port: int | None = None) -> Program:
    """Starts everything and returns when it has said where to look. `started_s`: seconds until it answered."""
    port = port or ports.free()
    begun = clock.monotonic()
    words = [sys.executable, str(ROOT / "run.py"), "--data", str(data), "--port", str(port), *options]
    environment = child_environment() | {"PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"(http://\S+/signin\?once=\S+)", line):
            return Program(data, port, process, clock.monotonic() - begun, found[1])
        if clock.monotonic() - begun > START_SECONDS:
            break
    process.kill()
    raise ProgramError("the program did not start:\n" + "".join(said[-30:]))


def stop(program: Program) -> None:
    """Stops it as Ctrl-C does."""
    program.process.send_signal(signal.SIGINT)
    try:
        program.process.wait(30)
    except subprocess.TimeoutExpired:
        program.process.kill()
        program.process.wait()


def _inner(drawn: city.City) -> Box:
    """The middle of the city: a box that lies wholly inside it."""
    west, south, east, north = drawn.level("county")[0].polygon.bounds
    width, height = (east - west) / 6, (north - south) / 6
    x, y = (west + east) / 2, (south + north) / 2
    return x - width, y - height, x + width, y + height


@contextmanager
def running(grids: int = 1800, settings: str = "") -> Iterator[tuple[Program, Box]]:
    """Runs the program without the demonstration on the demonstration city's grids.

    Yields it and the box (west, south, east, north in degrees) inside which reports fall. `settings`: lines for
    DATA/config.toml.
    """
    with tempfile.TemporaryDirectory(prefix="gwb") as name:
        data = Path(name)
        (data / "config.toml").write_text(settings, encoding="utf-8")
        drawn = city.build(grids=grids)
        file = data / "city.geojson"
        file.write_bytes(drawn.geojson())
        command(data, "import", "grids", str(file))
        program = start(data, "--no-demo", "--demo-accounts", "duty")
        try:
            yield program, _inner(drawn)
        finally:
            stop(program)
