"""Texts of orders 常用语 as data: by type or group of types, in both languages, with places for its facts."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from config.taxonomy import Taxonomy

FILE = Path(__file__).with_name("order_texts.toml")
PLACES = frozenset({"number", "title", "place", "type"})
"""What a text may leave open: {number}, {title}, {place}, {type} of the incident."""
MOST = 500


class OrderTextsError(ValueError):
    """The file is wrong; the message names it and the text at fault."""


@dataclass(frozen=True)
class OrderText:
    """One text to pick; `types` are beginnings of type codes, none: for every incident. `labels`: what the text is
    called in `zh` and `en`.
    """

    name: str
    zh: str
    en: str
    types: tuple[str, ...] = ()
    labels: tuple[str, str] = ("", "")

    def label(self, lang: str) -> str:
        """Return what the text is called in `zh` or `en`; its name where the file does not say."""
        return self.labels[lang == "en"] or self.name

    def filled(self, lang: str, values: dict[str, str]) -> str:
        """Return the text in `zh` or `en` with an incident's values in it."""
        template = self.en if lang == "en" else self.zh
        return re.sub(r"{(\w+)}", lambda found: values[found.group(1)], template)


@cache
def load(path: Path = FILE) -> tuple[OrderText, ...]:
    """Return all texts in the order of the file. Raises OrderTextsError."""
    known = Taxonomy.load().types
    found = tuple(_text(one, path) for one in tomllib.loads(path.read_text(encoding="utf-8")).get("text", []))
    for one in found:
        if unknown := [code for code in one.types if code not in known]:
            raise OrderTextsError(f"{path.name}: text {one.name!r}: no such type: {', '.join(unknown)}")
    names = [one.name for one in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise OrderTextsError(f"{path.name}: two texts are called {', '.join(twice)}")
    return found


def suiting(texts: tuple[OrderText, ...], kind: str) -> list[OrderText]:
    """Return the texts for a type of incident: those for it first, then those of its group, then those for all."""
    fitting = [one for one in texts if not one.types or kind.startswith(one.types)]
    return sorted(fitting, key=lambda one: -max((len(code) for code in one.types if kind.startswith(code)), default=0))


def _text(one: dict[str, Any], path: Path) -> OrderText:
    try:
        made = OrderText(one["name"], one["zh"], one["en"], tuple(one.get("types", ())), _labels(one))
    except KeyError as error:
        raise OrderTextsError(f"{path.name}: a text has no {error}") from error
    for written in (made.zh, made.en):
        wrong = set(re.findall(r"{(.*?)}", written)) - PLACES
        if not 0 < len(written) <= MOST or wrong:
            raise OrderTextsError(
                f"{path.name}: text {made.name!r}: empty, too long, or unknown places {sorted(wrong)}"
            )
    return made


def _labels(one: dict[str, Any]) -> tuple[str, str]:
    said = one.get("label", {})
    return str(said.get("zh", "")), str(said.get("en", ""))
