"""`run.py test`: the fast tests first, then the engines, the grown-up engines, and last the browser.

With pytest arguments of one's own it is a plain pytest run, nothing more.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from config import clock
from config.settings import ROOT, Settings, child_environment
from tests import engines, marked, tools

PROCESSES = min(2, os.cpu_count() or 1)
NOTHING_COLLECTED = 5
PARALLEL = ("-n", str(PROCESSES), "--dist", "worksteal")
BY_FILE = ("-n", str(PROCESSES + 1), "--dist", "loadfile")
"""Files share a running program, which is not to be started in each process; browsers mostly wait, so one more fits."""


@dataclass
class Tally:
    """What the passes add up to."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("tests", "failures", "errors", "skipped"), 0))
    code: int = 0

    def add(self, report: Path, code: int) -> None:
        """Count one pass by its JUnit report; a pass that found no test of its kind is fine."""
        if code not in (0, NOTHING_COLLECTED):
            self.code = self.code or code
        if report.exists():
            for suite in ElementTree.parse(report).iter("testsuite"):
                for name in self.counts:
                    self.counts[name] += int(suite.get(name, "0"))

    def line(self, seconds: float) -> str:
        """The closing line, as pytest writes it."""
        failed, errors, skipped = self.counts["failures"], self.counts["errors"], self.counts["skipped"]
        passed = self.counts["tests"] - failed - errors - skipped
        parts = [
            (failed, "failed"),
            (passed, "passed"),
            (skipped, "skipped"),
            (errors, "error" if errors == 1 else "errors"),
        ]
        text = ", ".join(f"{count} {word}" for count, word in parts if count) or "no tests ran"
        return f" {text} in {seconds:.2f}s ({int(seconds) // 60} min {int(seconds) % 60} s) ".center(100, "=")


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run the tests; the exit code is pytest's."""
    if arguments:
        return subprocess.run(_pytest(arguments), cwd=ROOT).returncode
    started = clock.monotonic()
    available = tools.provide(settings.chromium)
    tally = Tally()
    plain = dict(child_environment())
    asked = {name: plain.pop(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    _run(
        "lint and unit tests",
        ["-m", "not browser and not whole and not stream and not database", *PARALLEL],
        plain,
        tally,
    )
    engine_files = marked.files(["whole", "stream", "database"])
    select = ["-m", "(whole or stream or database) and not browser", *PARALLEL, *engine_files]
    _run("tests with engines", select, plain, tally)
    again = _Again("database", "DATABASE_URL", asked["DATABASE_URL"], PARALLEL)
    _run_again(again, _postgres(available), plain, tally)
    # one process: the databases of one Redis are apart, but what is published in one is heard in all
    again = _Again("stream", "REDIS_URL", asked["REDIS_URL"])
    _run_again(again, _redis(available), plain, tally)
    _run("browser tests", ["-m", "browser", *BY_FILE, *marked.files(["browser"])], plain, tally)
    print(tally.line(clock.monotonic() - started), flush=True)
    return tally.code


def _postgres(available: tools.Tools) -> AbstractContextManager[str] | None:
    return engines.postgres(available.postgres) if available.postgres else None


def _redis(available: tools.Tools) -> AbstractContextManager[str] | None:
    return engines.redis_7(available.redis) if available.redis else None


@dataclass(frozen=True)
class _Again:
    """A second pass: which tests, on which engine; `url` as the person asked, or "" for a private one."""

    marker: str
    variable: str
    url: str
    options: Sequence[str] = ()


def _run_again(
    again: _Again, private: AbstractContextManager[str] | None, plain: Mapping[str, str], tally: Tally
) -> None:
    engine = nullcontext(again.url) if again.url else private
    if engine is None:
        return  # said before, with what to install
    with engine as url:
        select = ["-m", f"{again.marker} and not whole and not browser", *again.options, *marked.files([again.marker])]
        _run(f"tests marked {again.marker} again, {again.variable}", select, {**plain, again.variable: url}, tally)


def _run(title: str, select: Sequence[str], environment: Mapping[str, str], tally: Tally) -> None:
    """One pass, with its own heading and pytest's own output."""
    print(f"\n{f' {title} '.center(100, '#')}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gw") as folder:
        report = Path(folder, "report.xml")
        command = _pytest(["-q", "-rfEs", "--durations=5", f"--junitxml={report}", *select])
        tally.add(report, subprocess.run(command, cwd=ROOT, env=environment).returncode)


def _pytest(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]
