"""Letters 文字编码: which encoding bytes of a foreign table are in, and the text they make.

Chinese shapefiles are often GBK without a word about it, cut in the middle of a character by the width of the column.
"""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass

CHINESE = "gb18030"
GUESSES = ("ascii", "utf-8", CHINESE)
ALIASES = {"gbk": CHINESE, "gb2312": CHINESE, "936": CHINESE, "cp936": CHINESE, "65001": "utf-8", "utf8": "utf-8"}


@dataclass(frozen=True)
class Found:
    """`name` is Python's of the encoding; `unknown`: the one that was named does not exist."""

    name: str
    unknown: bool = False


def plain(name: str) -> str:
    """Return Python's name of an encoding as files call it ("ANSI 936", "GBK", "OEM 936"); "" for an unknown one."""
    word = name.strip().casefold().replace("_", "-").removeprefix("ansi").removeprefix("oem").strip(" -")
    word = ALIASES.get(word, ALIASES.get(word.replace("-", ""), word))
    try:
        found = codecs.lookup(f"cp{word}" if word.isdigit() and len(word) < 6 else word).name
    except (LookupError, ValueError):
        return ""
    return CHINESE if found in ("gbk", "gb2312") else found


def detected(raw: Sequence[bytes], said: str = "") -> Found:
    """Return the encoding that all the bytes are right in: the one that is said, else UTF-8, else GB 18030."""
    named = plain(said) if said else ""
    if said and not named:
        return Found("utf-8", unknown=True)
    for name in (*([named] if named else []), *GUESSES):
        if all(_right(one, name) for one in raw):
            return Found(name)
    return Found(named or "latin-1")


def decoded(raw: bytes, name: str) -> str:
    """Return the text; a character that the width of the column cut in two is left out, a wrong one is marked."""
    decoder = codecs.getincrementaldecoder(name)("replace")
    return decoder.decode(raw, final=False).strip("\0 ")


def _right(raw: bytes, name: str) -> bool:
    """Whether the bytes are text in that encoding, but for a character cut off at the end."""
    try:
        codecs.getincrementaldecoder(name)("strict").decode(raw, final=False)
    except UnicodeDecodeError:
        return False
    return True
