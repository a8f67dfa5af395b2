"""Makes `.venv` from the locked requirements and continues inside it. Standard library only.

uv does the work: one exact version of it, its hash checked, is put into `.uv` by pip. That needs neither the `venv`
module nor `ensurepip` (Debian packages both apart), and `--target` is allowed where a global install is not (PEP 668).
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from config import parent
from config.settings import ROOT, child_environment, terminal_language
from config.words import Words

BASE: str = getattr(sys, "_base_executable", "") or sys.executable
"""The Python outside every virtual environment."""
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "gridwall.stamp"
UV = ROOT / ".uv"
UV_LOCK = ROOT / "requirements-uv.lock"
LOCK = ROOT / "requirements.lock"
DEVELOPER_LOCK = ROOT / "requirements-dev.lock"
DEVELOPER_COMMANDS = (["test"], ["lint"], ["bench"])


class SetupError(Exception):
    """The set-up cannot go on; the message says what to do."""


def enter(arguments: list[str], *, developer: bool = False) -> None:
    """Return when running inside an up-to-date `.venv`; else make it and start again inside it."""
    developer = developer or arguments[:1] in DEVELOPER_COMMANDS
    if ready(developer=developer):  # a program that was set up may lie on a disk nobody may write to
        if Path(sys.prefix) != VENV:
            _again(arguments)
        return
    try:
        with _alone():
            if not ready(developer=developer):
                install(developer=developer or _was_developer())
    except SetupError as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit("\n" + _text("interrupted"))
    _again(arguments)


def ready(*, developer: bool) -> bool:
    """Whether `.venv` holds what the lock asks for under this Python."""
    return PYTHON.exists() and set(_stamp(developer=developer)) <= set(_stamped())


def install(*, developer: bool) -> None:
    """Bring `.venv` to the lock. The stamp is written last; without one `.venv` is half made and made anew."""
    uv = _uv()
    usable = STAMP.exists() and _venv_works()
    STAMP.unlink(missing_ok=True)
    if not usable:
        _say("making", folder=VENV)
        shutil.rmtree(VENV, ignore_errors=True)
        _call([uv, "venv", "--quiet", "--no-config", "--no-python-downloads", "--python", BASE, VENV])
    lock = DEVELOPER_LOCK if developer else LOCK
    _say("installing", lock=lock.name)
    _call([uv, "pip", "sync", "--require-hashes", "--no-config", "--python", PYTHON, lock])
    STAMP.with_suffix(".new").write_text("\n".join(_stamp(developer=developer)) + "\n", encoding="utf-8")
    STAMP.with_suffix(".new").replace(STAMP)
    _say("done")


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the set-up lock: of two processes that start at once the second waits for the first."""
    with (ROOT / ".setup.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not PYTHON.exists() or not STAMP.exists():
                _say("waiting")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _stamp(*, developer: bool) -> list[str]:
    """What a finished set-up writes down: the interpreter and the hash of each lock it satisfies."""
    locks = [LOCK, DEVELOPER_LOCK] if developer else [LOCK]
    version = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return [version, *(f"{lock.name} {hashlib.sha256(lock.read_bytes()).hexdigest()}" for lock in locks)]


def _stamped() -> list[str]:
    try:
        return STAMP.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _was_developer() -> bool:
    """Once the test tools are in, later set-ups keep them."""
    return any(line.startswith(DEVELOPER_LOCK.name) for line in _stamped())


def _venv_works() -> bool:
    """Whether `.venv` runs and is of this Python (a system upgrade leaves a broken one behind)."""
    if not PYTHON.exists():
        return False
    told = subprocess.run([PYTHON, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True)
    return told.stdout.strip() == str(sys.version_info[:2])


def _uv() -> Path:
    """The pinned uv, put into `.uv` when it is not there; uv itself tells its version."""
    program = UV / "bin" / "uv"
    wanted = UV_LOCK.read_text(encoding="utf-8").split()[0].partition("==")[2]
    if program.exists():
        told = subprocess.run([program, "--version"], capture_output=True, text=True)
        if told.stdout.split()[1:2] == [wanted]:
            return program
    if subprocess.run([BASE, "-m", "pip", "--version"], capture_output=True).returncode:
        raise SetupError(_text("no_pip", python=BASE))
    _say("fetching", version=wanted)
    pip = [BASE, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    pip += ["--upgrade", "--require-hashes", "--only-binary", ":all:", "--target", str(UV), "-r", str(UV_LOCK)]
    _call(pip)
    return program


def _call(command: Sequence[str | Path]) -> None:
    """Run one step of the set-up with its own progress shown."""
    try:
        subprocess.run(command, check=True, cwd=ROOT, env=_environment(), preexec_fn=parent.die_with_me())
    except subprocess.CalledProcessError as error:
        raise SetupError(_text("failed", program=Path(command[0]).name, code=error.returncode)) from error


def _environment() -> dict[str, str]:
    """uv asks the package index that pip is set up for, where that is not PyPI itself; no other .venv is in the way."""
    environment = child_environment()
    environment.pop("VIRTUAL_ENV", None)
    environment["PIP_ROOT_USER_ACTION"] = "ignore"
    told = subprocess.run([BASE, "-m", "pip", "config", "list"], capture_output=True, text=True)
    for line in told.stdout.splitlines():
        name, _, value = line.partition("=")
        if name in ("global.index-url", ":env:.index-url", "install.index-url"):
            environment.setdefault("UV_DEFAULT_INDEX", value.strip("'\""))
    return environment


def _text(name: str, **params: object) -> str:
    """A text of the set-up in the language of the terminal."""
    return Words(terminal_language()).text(f"setup.{name}", **params)


def _say(name: str, **params: object) -> None:
    print(_text(name, **params), flush=True)


def _again(arguments: list[str]) -> NoReturn:
    """Start the same command again inside `.venv`, in this very process."""
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), str(ROOT / "run.py"), *arguments])
