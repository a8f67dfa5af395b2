"""The rules a reader may rely on, checked: style, types, who imports whom, and who alone may do a thing."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import ROOT
from tests import lint

PACKAGES = ("config", "geo", "operations", "streams", "dashboard")
CLOCK_CALLS = {"time", "time_ns", "monotonic", "monotonic_ns", "now", "utcnow", "today", "perf_counter"}
CLOCK_MODULES = {"time", "datetime", "date"}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def _calls_the_clock(node: ast.AST) -> bool:
    """`time.time()`, `datetime.now()`, `datetime.datetime.now()` and the like."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK_CALLS):
        return False
    owner = node.func.value
    name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    return name in CLOCK_MODULES


def _reads_the_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv"}
    return (isinstance(node, ast.Attribute) and node.attr in names) or (isinstance(node, ast.Name) and node.id in names)


def _imports_the_clock(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "time" and any(a.name in CLOCK_CALLS for a in node.names)


def _where(matches: object, allowed: set[str]) -> list[str]:
    assert callable(matches)
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _sources()
        if str(path.relative_to(ROOT)) not in allowed
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if matches(node) and isinstance(node, ast.expr | ast.stmt)
    ]


@pytest.mark.parametrize("name", lint.CHECKS)
def test_static_checks(name: str) -> None:
    told = lint.check(name)
    assert told.returncode == 0, told.stdout + told.stderr


def test_one_module_reads_the_clock() -> None:
    assert _where(lambda node: _calls_the_clock(node) or _imports_the_clock(node), {"config/clock.py"}) == []


def test_one_module_reads_the_environment() -> None:
    assert _where(_reads_the_environment, {"config/settings.py"}) == []


def test_files_are_named_by_what_is_in_them() -> None:
    assert [str(path) for path in _sources() if path.stem in EMPTY_NAMES] == []


def test_the_set_up_needs_only_the_standard_library() -> None:
    """run.py imports config.setup before anything is installed: -S -I leaves the installed packages out."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import config.setup"
    told = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


def _pins(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1)[0].split("==", 1) for line in lines if "==" in line and line[:1].isalnum())


def test_the_tests_run_on_the_very_versions_the_program_runs_on() -> None:
    wanted, tested = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert {name: tested.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"])
def test_locks_carry_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text.replace("--no-emit-index-url", "")
    entries = text.split("\n")
    pinned = [number for number, line in enumerate(entries) if "==" in line and line[:1].isalnum()]
    assert pinned and all("--hash=sha256:" in entries[number + 1] for number in pinned)


def test_every_direct_requirement_is_locked() -> None:
    lines = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    names = [line.split("[")[0].split(">")[0].split("=")[0].strip() for line in lines if line[:1].isalpha()]
    assert set(names) <= set(_pins("requirements.lock"))


def test_the_licence_is_named_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
