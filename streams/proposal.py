"""A first mapping for columns nobody has mapped yet: by their usual names, and by what stands in them. Pure.

It is a proposal: a person looks at it, changes it, tries it and only then saves it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from config.taxonomy import UNKNOWN, Taxonomy, Type
from streams.errors import Unreadable
from streams.mapping import written
from streams.moment import EPOCH_NUMBER, EXCEL, ISO, moment
from streams.normalise import URGENCIES
from streams.tables.columns import Column
from streams.tables.usual import NAMES

FORMATS = (
    *(ISO, EXCEL, "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d"),
    *(
        "%Y年%m月%d日 %H:%M:%S",
        "%Y年%m月%d日 %H:%M",
        "%Y年%m月%d日%H时%M分",
        "%Y年%m月%d日 %H时%M分%S秒",
        "%Y年%m月%d日",
    ),
    *("%Y.%m.%d %H:%M:%S", "%Y.%m.%d %H:%M", "%Y.%m.%d", "%Y%m%d%H%M%S", "%Y%m%d %H%M%S", "%Y%m%d"),
    *("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d %b %Y %H:%M:%S", "%m/%d/%Y %H:%M", EPOCH_NUMBER),
)
"""Forms of times that are tried on the samples, and offered on the page."""
PLAUSIBLE = (631_152_000_000_000, 4_102_444_800_000_000)
"""1990 to 2100: digits read by the wrong form give other years."""
CRITICAL = re.compile(r"特急|特提|加急|红|一级|最高|critical|emergency|highest|p1", re.IGNORECASE)
URGENT = re.compile(r"紧急|急|高|橙|二级|urgent|high|p2", re.IGNORECASE)
SLASHES = re.compile(r"[/／>\-—|、\s]+")
ALIKE = 2
"""Characters in a row that two names must share."""
PARTS = re.compile(r"[\s/_\-（()）.：:]+")
_UTC = ZoneInfo("UTC")

Draft = dict[str, Any]


def proposed(columns: Sequence[Column], taxonomy: Taxonomy) -> Draft:
    """Return a mapping in its dict form; `fields` may lack the id or the title when no column looks like them."""
    taken: dict[str, Column] = {}
    for ours, names in NAMES.items():
        best = _best([one for one in columns if one not in taken.values() or ours == "revision"], names)
        if best is not None:
            taken[ours] = best
    order = taken.pop("revision", None)
    draft: Draft = {"fields": {ours: written(column.path) for ours, column in taken.items()}}
    draft["time"] = {"formats": formats_of([taken["occurred_at"]] if "occurred_at" in taken else [])}
    draft["numbers"] = {"strings": True}
    if "type" in taken:
        draft["types"] = types_of(taken["type"].words, taxonomy)
    if "urgency" in taken:
        draft["urgency"] = urgency_of(taken["urgency"].words)
    if order is not None:
        draft["revision"] = {"rule": "content", "fields": [written(order.path)]}
    return draft


def formats_of(columns: Iterable[Column]) -> list[str]:
    """Return the forms that read every sample of these columns, the first that fits first; ISO 8601 always."""
    samples = [sample for column in columns for sample in (*column.samples, *list(column.words)[:50])]
    kept: list[str] = [ISO]
    left = [one for one in samples if not _reads(one, (ISO,))]
    for form in FORMATS[1:]:
        reads = [one for one in left if _reads(one, (form,))]
        if reads:
            kept.append(form)
            left = [one for one in left if one not in reads]
    return kept


def types_of(words: Iterable[str], taxonomy: Taxonomy) -> dict[str, str]:
    """Return their words for types with the type whose name is most alike; what is like none stays out."""
    found = {word: _alike(word, taxonomy) for word in words}
    return {word: code for word, code in found.items() if code}


def urgency_of(words: Iterable[str]) -> dict[str, str]:
    """Return their words for urgency with ours; every other word is routine."""
    found = {}
    for word in words:
        level = URGENCIES.get(word)
        level = level or ("critical" if CRITICAL.search(word) else "urgent" if URGENT.search(word) else "routine")
        found[word] = level
    return found


def _best(columns: Sequence[Column], names: Sequence[str]) -> Column | None:
    """The column whose name stands first in the list; the whole name counts before a part of it."""
    scored = [(_rank(one, names), -one.filled, number) for number, one in enumerate(columns)]
    best = min(scored, default=None)
    return columns[best[2]] if best is not None and best[0] < len(names) * 2 else None


def _rank(column: Column, names: Sequence[str]) -> int:
    whole = plain(column.path[-1])
    parts = {plain(part) for part in PARTS.split(column.path[-1])} | {plain(column.path[-1].rpartition("/")[2])}
    for number, name in enumerate(names):
        if plain(name) == whole:
            return number
    for number, name in enumerate(names):
        if plain(name) in parts:
            return len(names) + number
    return len(names) * 2


def plain(name: str) -> str:
    """A column's name without blanks, lines below and what stands in brackets behind it."""
    return re.sub(r"[\s_\-*]|[（(][^）)]*[）)]?$", "", name).lower()


def _reads(text: str, forms: Sequence[str]) -> bool:
    try:
        return PLAUSIBLE[0] <= moment(text, _UTC, forms) < PLAUSIBLE[1]
    except Unreadable:
        return False


def _alike(word: str, taxonomy: Taxonomy) -> str:
    """The code of the type that shares most characters in a row with the word, two at least."""
    if taxonomy.known(word):
        return word
    types = [one for one in taxonomy.types.values() if one.code != UNKNOWN]
    for part in reversed(SLASHES.split(word)):  # the last part of "class/kind" says most
        scores = {one.code: _likeness(part, one) for one in types}
        best = max(scores, key=lambda code: scores[code])
        if scores[best] >= ALIKE:
            return best
    return ""


def _likeness(part: str, one: Type) -> float:
    """How many characters in a row they share, of a short name more than of a long one; a type before its group."""
    size = max(_common(part, one.zh), _common(part.lower(), one.en.lower()) / 3)
    return size + size / len(one.zh) / 2 + (0.1 if len(one.code) > len(one.group) else 0)


def _common(one: str, other: str) -> int:
    """The length of the longest run of characters both have."""
    longest = 0
    for start in range(len(one)):
        while one[start : start + longest + 1] in other and start + longest + 1 <= len(one):
            longest += 1
    return longest
