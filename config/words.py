"""Texts for people, in Chinese and English (界面文字).

Every owner keeps `config/i18n/zh/NAME.toml` and `config/i18n/en/NAME.toml`. All files of a language are merged as they
stand, so `wall.toml` holding `[wall.alerts]` `title = "…"` gives the key `wall.alerts.title`. A text is a
`str.format` template; a missing key or parameter raises, it is never shown.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from config.city import City

LANGUAGES = ("zh", "en")
DEFAULT = "zh"
FOLDER = Path(__file__).parent / "i18n"
PARAMETER = re.compile(r"{(\w*)")


class MissingText(KeyError):
    """No text under this key in this language; names both."""


class Words:
    """The texts of one language, for screens of one city."""

    def __init__(self, lang: str = DEFAULT, city: City = City()) -> None:  # noqa: B008 frozen
        if lang not in LANGUAGES:
            raise ValueError(f"language {lang!r}: one of {', '.join(LANGUAGES)}")
        self.lang = lang
        self.city = city
        self._texts = load(FOLDER / lang)

    def text(self, key: str, /, **params: object) -> str:
        """Return the text under `key` with its parameters filled in."""
        template = self._texts.get(key)
        if template is None:
            raise MissingText(f"{key} ({self.lang})")
        return template.format(**params) if params or "{" in template else template

    def under(self, prefix: str) -> dict[str, str]:
        """Return the raw templates under `prefix.`, keyed by the rest: what a page hands to its browser code."""
        start = prefix + "."
        return {key.removeprefix(start): text for key, text in self._texts.items() if key.startswith(start)}

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def pick(self, zh: str, en: str) -> str:
        """Return whichever of two given names belongs to this language (taxonomy and department names carry both)."""
        return zh if self.lang == "zh" or not en else en


def choose(lang: str | None) -> str:
    """Return `lang` if it is one of ours, else the default."""
    return lang if lang in LANGUAGES else DEFAULT


@cache
def load(folder: Path) -> dict[str, str]:
    """Return {dotted key: template} merged from every TOML file in `folder`; a key given twice is an error."""
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        for key, text in flatten(tomllib.loads(path.read_text("utf-8"))).items():
            if key in texts:
                raise ValueError(f"{path}: {key} is already given by another file")
            texts[key] = text
    return texts


def flatten(table: dict[str, object], prefix: str = "") -> dict[str, str]:
    """Return {dotted key: text} of a nested TOML table; anything but text is an error."""
    texts: dict[str, str] = {}
    for name, value in table.items():
        key = prefix + name
        if isinstance(value, dict):
            texts |= flatten(value, key + ".")
        elif isinstance(value, str):
            texts[key] = value
        else:
            raise ValueError(f"{key}: a text is wanted, not {type(value).__name__}")
    return texts


def parameters(template: str) -> set[str]:
    """Return the names a template wants filled."""
    return set(PARAMETER.findall(template))
