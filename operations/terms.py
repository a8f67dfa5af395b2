"""Words as the search index knows them: pairs of Chinese characters, first letters of their pinyin, words and numbers.

A tokeniser of a database knows no Chinese, so texts are cut here and the database sees plain tokens with their places:
"路口红灯" is 路口 口红 红灯 灯, and by sound plk pkh phd pd. Pure.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from pypinyin import Style, lazy_pinyin

RUNS = re.compile(r"[a-z0-9]+|[\u3400-\u9fff\U00020000-\U0002fa1f]+")
SOUND = "p"
"""Before first letters, so that they are no words."""
WORDS_MOST = 6


@lru_cache(maxsize=32_768)
def initial(character: str) -> str:
    """Return the first letter of a character's usual reading, "" for one without."""
    letter = lazy_pinyin(character, style=Style.FIRST_LETTER)[0][:1].lower()
    return letter if letter.isascii() and letter.isalpha() else ""


def terms(texts: Iterable[str]) -> list[str]:
    """Return the tokens of texts, in their order; a gap stands between two runs, so that no phrase crosses it."""
    found: list[str] = []
    for text in texts:
        for run in RUNS.findall(text.lower()):
            if run.isascii():
                found.append(run)
                continue
            found += pairs(run)
            letters = "".join(map(initial, run))
            found += ["x", *(SOUND + pair for pair in pairs(letters))]
        found.append("x")
    return found


def pairs(run: str) -> list[str]:
    """Return each character with the one after it; the last stands alone."""
    return [run[at : at + 2] for at in range(len(run))]


def asked(typed: str) -> list[list[list[str]]]:
    """Return what is looked for: all of these, each any of these phrases; a phrase's last token is a beginning.

    Letters are the beginning of a word, or first letters of a sound.
    """
    found: list[list[list[str]]] = []
    for run in RUNS.findall(typed.lower())[:WORDS_MOST]:
        if not run.isascii():
            found.append([pairs(run)[:-1] or [run]])
        elif run.isalpha() and len(run) > 1:
            found.append([[run], [SOUND + pair for pair in pairs(run)[:-1]]])
        else:
            found.append([[run]])
    return found


def place(code: str) -> str:
    """Return the token of a grid, by which a jurisdiction is a condition of the search itself."""
    return "g" + re.sub(r"[^a-z0-9]", lambda match: f"z{ord(match[0]):x}z", code.lower())


def owner(department: str) -> str:
    """Return the token of a department, in the same way."""
    return "d" + re.sub(r"[^a-z0-9]", lambda match: f"z{ord(match[0]):x}z", department.lower())
