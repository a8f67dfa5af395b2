"""Which texts the sources name: by key, by a pattern of it (`f"desk.fact.{name}"`), by its table, or by its rest under
a part that a page is handed.

What fills a hole of a pattern counts when the sources say it: as a word, as a string, or by a pattern in its turn.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from config.settings import ROOT

FOLDERS = ("config", "geo", "operations", "streams", "dashboard", "assets")
HOLE = "\0"
KEY = re.compile(rf"[\w.{HOLE}]*\w{{2}}[\w.{HOLE}]*")
SCRIPT_TEXTS = (re.compile(r'"([^"\n]*)"'), re.compile(r"'([^'\n]*)'"), re.compile(r"`([^`]*)`"))
SCRIPT_HOLE = re.compile(r"\$\{[^{}]*\}")


class Sources:
    """What the Python, the JavaScript and the data of the program say."""

    def __init__(self) -> None:
        files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*")] + [ROOT / "run.py"]
        python, scripts, data = (read(files, suffix) for suffix in (".py", ".js", ".toml"))
        said = {text for source in python for text in said_in_python(source)}
        said |= {text for source in scripts for text in said_in_script(source)}
        self._strings = {text for text in said if KEY.fullmatch(text)}
        self._patterns = [pattern(text) for text in self._strings if HOLE in text]
        self._handed = {part for source in python for part in re.findall(r'\.under\("([\w.]+)"\)', source)}
        self._words = set(re.findall(r"\w+", "\n".join(python + scripts + data)))

    def name(self, key: str) -> bool:
        """Say whether anything can ask for the text under `key`."""
        rests = (key.removeprefix(f"{part}.") for part in self._handed if key.startswith(f"{part}."))
        return any(self._ask_for(part) for part in (key, *rests))

    def _ask_for(self, key: str) -> bool:
        table, _, last = key.rpartition(".")
        of_a_table = "." in table and not self._strings.isdisjoint((table, f"{table}.")) and self._say(last)
        return key in self._strings or of_a_table or self._fill(key)

    def _fill(self, key: str, *, nested: bool = False) -> bool:
        matches = filter(None, (one.fullmatch(key) for one in self._patterns))
        return any(all(self._say(value, nested=nested) for value in match.groups()) for match in matches)

    def _say(self, value: str, *, nested: bool = False) -> bool:
        if not value or value.isdigit() or value in self._words:
            return True
        return any(one in self._strings or (not nested and self._fill(one, nested=True)) for one in spellings(value))


def read(files: Iterable[Path], suffix: str) -> list[str]:
    """Return the contents of the files of one kind, those of the texts themselves left out."""
    return [path.read_text("utf-8") for path in files if path.suffix == suffix and "i18n" not in path.parts]


def pattern(text: str) -> re.Pattern[str]:
    """Return what matches `text` with anything in its holes."""
    return re.compile(re.escape(text).replace(re.escape(HOLE), r"([\w.]*)"))


def spellings(value: str) -> Iterator[str]:
    """Return how the sources may write a part of a key: `place_lon` also stands for "place.lon"."""
    yield value
    yield from (f"{value[:at]}.{value[at + 1 :]}" for at, letter in enumerate(value) if letter == "_")


def said_in_python(source: str) -> Iterator[str]:
    """Return every string of a module, holes where values go."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else HOLE for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def said_in_script(source: str) -> Iterator[str]:
    """Return every string of a script, also those within others, holes where values go."""
    for text in (text for kind in SCRIPT_TEXTS for text in kind.findall(source)):
        yield SCRIPT_HOLE.sub(HOLE, text)
