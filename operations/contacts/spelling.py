"""How names are spelled for finding them 拼音: every reading of a surname with several, and patterns of what is typed.

A name is kept as its readings, syllables apart: "dan'tian'fang shan'tian'fang". Pure.
"""

import re
from functools import lru_cache
from itertools import islice, product

from msgspec import Struct
from pypinyin import Style, pinyin

READINGS_MOST = 12
"""Readings kept of one name; a name of many characters with several each would have thousands."""
LETTERS = re.compile(r"[a-z0-9']+")
SYLLABLE = "'"
OTHER = re.compile(r"[^a-z0-9]")


class Spelling(Struct, frozen=True):
    """`pinyin`: the readings, a space between them; `initials`: the first letters of each."""

    pinyin: str
    initials: str


@lru_cache(maxsize=8192)
def spelled(name: str) -> Spelling:
    """Return how a name is spelled: 单田 is both "dan'tian" and "shan'tian"; letters stay letters, as one syllable."""
    readings = list(dict.fromkeys(SYLLABLE.join(one) for one in _readings(name) if one))
    first = dict.fromkeys("".join(part[0] for part in one.split(SYLLABLE)) for one in readings)
    return Spelling(" ".join(readings), " ".join(first))


def sounded(readings: str) -> str:
    """Return readings as `pattern` searches them: a space before each, a mark before every syllable."""
    return "".join(f" {SYLLABLE}{one}" for one in readings.split())


def pattern(typed: str) -> re.Pattern[str] | None:
    """Return what finds typed letters in readings as `sounded`, or None for what is no letters.

    Each letter goes on in its syllable or begins the next: "zs", "zhangs", "zhsan" and "zhangsan" all find 张三, and
    a match may begin at any syllable.
    """
    typed = _plain(typed)
    if not LETTERS.fullmatch(typed):
        return None
    letters = [one for one in typed if one != SYLLABLE]
    if not letters:
        return None
    return re.compile(SYLLABLE + rf"(?:[a-z0-9]*{SYLLABLE})?".join(letters))  # a literal beginning is found quickly


def _readings(name: str) -> list[tuple[str, ...]]:
    """The readings of a name: as its words are read, then every reading of each character; the surname's first."""
    words = [_syllables(part) for one in name.split() for part in pinyin(one, style=Style.NORMAL, heteronym=True)]
    if words and not name.lstrip()[0].isascii():
        words[0] = list(
            dict.fromkeys([*words[0], *_syllables(pinyin(name.lstrip()[0], style=Style.NORMAL, heteronym=True)[0])])
        )
    turned = islice(product(*(one for one in reversed(words) if one)), READINGS_MOST)
    return [tuple(reversed(one)) for one in turned]


def _syllables(readings: list[str]) -> list[str]:
    """The readings of one character or foreign word, in letters and digits alone."""
    plain = (OTHER.sub("", _plain(one)) for one in readings)
    return list(dict.fromkeys(one for one in plain if one))


def _plain(text: str) -> str:
    return text.lower().replace("ü", "v")
