"""The static checks, as one command (`run.py lint`) and as part of the suite."""

import subprocess
import sys
from pathlib import Path

from config.settings import ROOT

BIN = Path(sys.executable).parent
CHECKS: dict[str, list[str]] = {
    "ruff": [str(BIN / "ruff"), "check", "--quiet", "."],
    "mypy": [str(BIN / "mypy"), "--no-error-summary"],
    "import-linter": [str(BIN / "lint-imports")],
}


def check(name: str) -> subprocess.CompletedProcess[str]:
    """Run one of the checks on the whole repository."""
    return subprocess.run(CHECKS[name], cwd=ROOT, capture_output=True, text=True)


def main() -> int:
    """Run all of them; 1 if any complains."""
    failed = 0
    for name in CHECKS:
        told = check(name)
        print(f"{name}: {'ok' if told.returncode == 0 else 'failed'}", flush=True)
        if told.returncode:
            print(told.stdout + told.stderr)
            failed = 1
    return failed
