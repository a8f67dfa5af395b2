"""Which test files hold tests of a mark, by their text: a pass over one mark need not import all the others."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

NAMED = {
    "browser": ("mark.browser",),
    "database": ("mark.database",),
    "stream": ("mark.stream",),
    "whole": ("mark.whole", "running: Running"),
}
"""What the text of a file says that holds tests of a mark; conftest.py refuses a file that holds some and does not."""
TESTS = Path(__file__).parent


def files(marks: Iterable[str]) -> list[str]:
    """Return the test files that hold tests of one of the marks, in their order."""
    wanted = tuple(marks)
    return [str(file) for file in sorted(TESTS.rglob("test_*.py")) if any(holds(file, mark) for mark in wanted)]


def holds(file: Path, mark: str) -> bool:
    """Say whether a file tells that it holds tests of a mark."""
    text = _text(file)
    return any(said in text for said in NAMED[mark])


@cache
def _text(file: Path) -> str:
    return file.read_text("utf-8")
