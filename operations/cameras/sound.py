"""How names of cameras are read 拼音: places and numbers, tens of thousands at once. Pure.

Names of people are spelled in every reading of all their characters (`contacts.spelling`). A camera is called by a
road and a side, so each character is read as it usually is, and one at a time in its other usual reading: that is
a twentieth of the work.
"""

import re
from functools import lru_cache
from itertools import islice

from pypinyin import Style, pinyin

from operations.contacts.spelling import SYLLABLE, sounded

READINGS_MOST = 4
"""Of one name: as it is usually read, and others in each of which one character is read otherwise."""
PART = re.compile(r"[a-z0-9]+|[^\x00-\x7f]")
OTHER = re.compile(r"[^a-z]")


def sound(name: str) -> str:
    """Return how a name sounds, as `contacts.spelling.pattern` searches it; "" for what has no sound."""
    parts = [_readings(part) for part in PART.findall(name.lower())]
    told = [one for one in parts if one]
    usual = [one[0] for one in told]
    others = ((at, one[1]) for at, one in enumerate(told) if len(one) > 1)
    read = [usual, *([*usual[:at], other, *usual[at + 1 :]] for at, other in islice(others, READINGS_MOST - 1))]
    return sounded(" ".join(SYLLABLE.join(one) for one in read if one))


@lru_cache(maxsize=16_384)
def _readings(part: str) -> tuple[str, ...]:
    """The two usual readings of a character; letters and numbers as they are, and nothing for a sign."""
    if part.isascii():
        return (part,)
    plain = (OTHER.sub("", one.lower().replace("ü", "v")) for one in pinyin(part, Style.NORMAL, heteronym=True)[0])
    return tuple(islice(dict.fromkeys(one for one in plain if one), 2))
