"""The set-up on a copy of the program: a Python without ensurepip and venv, two at once, and what is missing said."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import setup
from config.settings import ROOT

MODULES = ("__init__", "city", "parent", "base_map", "settings", "setup", "words")
CLI = "import sys\ndef main(arguments):\n    print('inside', sys.prefix, *arguments)\n    return 0\n"
BASE = setup.BASE


@pytest.fixture
def copy(folder: Path) -> Path:
    """run.py and what it needs before anything is installed, with a lock of one small package."""
    for name in ("config", "dashboard", "block"):
        (folder / name).mkdir()
    for module in MODULES:
        shutil.copy(ROOT / "config" / f"{module}.py", folder / "config")
    shutil.copytree(ROOT / "config" / "i18n", folder / "config" / "i18n")
    for name in ("run.py", "requirements-uv.lock"):
        shutil.copy(ROOT / name, folder)
    (folder / "dashboard" / "cli.py").write_text(CLI, encoding="utf-8")
    wanted = re.search(r"^msgspec==.*?(?=^\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M | re.S)
    assert wanted is not None
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (folder / lock).write_text(wanted[0], encoding="utf-8")
    if (ROOT / ".uv").exists():  # already fetched and checked; fetching it is the one step that needs pip
        shutil.copytree(ROOT / ".uv", folder / ".uv")
    return folder


@pytest.fixture
def blocked(copy: Path) -> Path:
    """A folder for PYTHONPATH that hides what Debian packages apart."""
    for module in ("ensurepip", "venv"):
        (copy / "block" / f"{module}.py").write_text("raise ImportError('packaged apart')\n", encoding="utf-8")
    return copy / "block"


def _start(copy: Path, *arguments: str, path: Path | None = None, locale: str = "C.UTF-8") -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GRIDWALL_", "PYTHON"))}
    environment["LC_ALL"] = locale
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.Popen(
        [BASE, str(copy / "run.py"), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
    )  # fmt: skip


def _finished(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=120)
    if process.returncode and re.search("Failed to fetch|dns error|client error|No matching distribution", said):
        pytest.skip(f"not run: no package index within reach: {said[-300:]}")
    assert process.returncode == 0, said
    return said


def test_it_sets_up_and_goes_on_inside(copy: Path, blocked: Path) -> None:
    said = _finished(_start(copy, "check", "--data", "here", path=blocked))
    assert "making" in said and "installing" in said
    assert said.splitlines()[-1] == f"inside {copy}/.venv check --data here"
    (copy / ".setup.lock").unlink()
    (copy / ".setup.lock").mkdir()  # as on a disk that nobody may write to: it cannot be opened for writing
    assert _finished(_start(copy, "check")) == f"inside {copy}/.venv check\n"  # the second start has nothing to do


def test_two_at_once_and_a_changed_lock(copy: Path) -> None:
    first, second = _start(copy, "one"), _start(copy, "two")
    said = _finished(first) + _finished(second)
    assert said.count("making") == 1
    with (copy / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# another version of the lock\n")
    assert "installing" in _finished(_start(copy, "three"))


def test_a_half_made_venv_is_made_again(copy: Path) -> None:
    (copy / ".venv" / "bin").mkdir(parents=True)
    (copy / ".venv" / "bin" / "python").write_text("#!/bin/false\n", encoding="utf-8")
    (copy / ".venv" / "bin" / "python").chmod(0o755)
    assert "inside" in _finished(_start(copy, "one"))


def test_without_pip_it_says_what_to_install(copy: Path, blocked: Path) -> None:
    shutil.rmtree(copy / ".uv", ignore_errors=True)
    (blocked / "pip.py").write_text("raise SystemExit(1)\n", encoding="utf-8")
    for locale, told in (("en_GB.UTF-8", "needs pip"), ("zh_CN.UTF-8", "需要 pip"), ("C", "needs pip")):
        process = _start(copy, path=blocked, locale=locale)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 1
        assert told in said and "apt-get install python3-pip" in said


def test_the_test_tools_need_their_own_stamp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(setup, "PYTHON", Path(sys.executable))
    assert not setup.ready(developer=False)
    for developer in (False, True):
        (tmp_path / "stamp").write_text("\n".join(setup._stamp(developer=developer)), encoding="utf-8")
        assert setup.ready(developer=False)
        assert setup.ready(developer=True) is developer
