"""Every code an error can carry has its text in both languages, with the parameters it is given."""

import re
from pathlib import Path

import pytest

from config.settings import ROOT
from config.words import LANGUAGES, Words
from operations import errors

CODE = re.compile(r"\"(operations\.\w+)\"")
NEED = re.compile(r"_need\(.*?\"(\w+)\"\)$", re.MULTILINE)
PREFIX = re.compile(r"Refused\(f\"(\w+)\.\{code\}\"\)")
NOT_ERRORS = {"operations.database"}


def codes() -> set[str]:
    """Every code that stands in the sources."""
    sources = [path.read_text(encoding="utf-8") for path in Path(ROOT, "operations").rglob("*.py")]
    raised = {code for text in sources for code in CODE.findall(text)}
    needed = {f"{prefix}.{code}" for text in sources for prefix in PREFIX.findall(text) for code in NEED.findall(text)}
    return (raised | needed) - NOT_ERRORS


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_its_text(lang: str) -> None:
    words = Words(lang)
    missing = [code for code in sorted(codes()) if code not in words]
    assert missing == []
    assert len(codes()) > 30


def test_every_class_says_its_code() -> None:
    classes = [
        one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.OperationsError)
    ]
    assert len({one.code for one in classes}) == len(classes)
