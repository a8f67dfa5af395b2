"""Which row names the columns: titles above it are passed over, merged header cells joined ("位置 / 经度"). Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from streams.tables.finding import Findings

LOOKED_AT = 30
"""Rows at the top among which the header is."""
LONGEST_NAME = 40
JOINT = " / "
_VALUE = re.compile(r"[-+]?[\d.,:/\s年月日时分秒TZ+-]+%?|true|false", re.IGNORECASE)
_TOTAL = re.compile(
    r"(合\s*计|总\s*计|小\s*计|共\s*计|汇\s*总|total|sum|subtotal)\b|共\s*\d+\s*[条件行]|制表|填报|审核人",
    re.IGNORECASE,
)

Row = tuple[int, list[str]]
Merged = Sequence[tuple[tuple[int, int], tuple[int, int]]]


class Heading(NamedTuple):
    """`at`: index of the last row of the header among the rows looked at; `names`: one a column; `number`: its row."""

    at: int
    number: int
    names: list[str]


def found(rows: Sequence[Row], known: Iterable[str], merged: Merged, findings: Findings) -> Heading | None:
    """Return the header among the first rows, or None when no row looks like one."""
    words = {_plain(one) for one in known}
    width = max((sum(map(bool, cells)) for _, cells in rows), default=0)
    scores = [_score(cells, width, words) for _, cells in rows]
    if not scores or max(scores) <= 0:
        return None
    best = scores.index(max(scores))
    top, last = _block(rows, best, merged)
    above = [number for number, cells in rows[:top] if any(cells)]
    if above:
        findings.add("title_rows", above[0], rows=", ".join(map(str, above[:10])))
    if last > top:
        findings.add("header_joined", rows[top][0], rows=f"{rows[top][0]}-{rows[last][0]}")
    return Heading(last, rows[last][0], _named(_joined(rows[top : last + 1], merged), rows[last][0], findings))


def is_total(cells: Sequence[str]) -> bool:
    """Whether a row at the end sums up or signs rather than being one more record."""
    filled = [cell for cell in cells if cell]
    return bool(filled) and 2 * len(filled) <= len(cells) + 1 and any(_TOTAL.match(cell) for cell in filled[:2])


def _score(cells: Sequence[str], width: int, words: set[str]) -> float:
    """How much a row looks like names: filled, different, short, none of them a number or a time."""
    filled = [cell for cell in cells if cell]
    if not filled or not width:
        return 0
    names = [cell for cell in filled if _is_name(cell)]
    if len(set(names)) * 2 < len(filled):
        return 0
    hits = sum(_plain(cell) in words for cell in filled)
    share = len(set(names)) / width
    return share + hits / len(filled) if share > 0.3 or hits > 1 else 0


def _is_name(cell: str) -> bool:
    return len(cell) <= LONGEST_NAME and not _VALUE.fullmatch(cell)


def _block(rows: Sequence[Row], best: int, merged: Merged) -> tuple[int, int]:
    """First and last row of the header: one row, or two where cells were merged."""
    if best + 1 < len(rows) and _completes(rows[best], rows[best + 1], merged):
        return best, best + 1
    if best and _stands_above(rows[best - 1], rows[best], merged):
        return best - 1, best
    return best, best


def _completes(upper: Row, lower: Row, merged: Merged) -> bool:
    """Whether the row below gives names of its own under merged cells of the row above."""
    gaps = _under(upper, merged)
    filled = {column for column, cell in enumerate(lower[1]) if cell}
    if not filled or not gaps & filled or not all(_is_name(lower[1][column]) for column in filled):
        return False
    if lower[0] != upper[0] + 1 or len({lower[1][column] for column in filled}) < len(filled):
        return False
    empty_below = any(upper[1][column : column + 1] and upper[1][column] and column not in filled
                      for column in range(len(upper[1])))  # fmt: skip
    return (bool(merged) and _spans(upper[0], merged)) or empty_below


def _under(upper: Row, merged: Merged) -> set[int]:
    """Columns under a merged cell of the row, or without the ranges: empty ones right of a filled one."""
    spans = [span for span in merged if span[0][0] + 1 == upper[0] and span[1][1] > span[0][1]]
    if spans:
        return {column for (_, left), (_, right) in spans for column in range(left, right + 1)}
    first = next((column for column, cell in enumerate(upper[1]) if cell), len(upper[1]))
    return {column for column, cell in enumerate(upper[1]) if not cell and column > first}


def _spans(number: int, merged: Merged) -> bool:
    return any(top + 1 == number and right > left for (top, left), (_, right) in merged)


def _stands_above(upper: Row, lower: Row, merged: Merged) -> bool:
    """Whether the row above groups the names below it; a title over all of them does not."""
    filled = [cell for cell in upper[1] if cell]
    if upper[0] + 1 != lower[0] or len(filled) < 2 or any("：" in cell or ":" in cell for cell in filled):
        return False
    gaps = _under(upper, merged)
    return bool(gaps) and all(map(_is_name, filled))


def _joined(rows: Sequence[Row], merged: Merged) -> list[str]:
    """The names of the columns from one or two rows; a merged cell's name holds for every column it covers."""
    if len(rows) == 1:
        return list(rows[0][1])
    upper, lower = (list(cells) for _, cells in rows)
    width = max(len(upper), len(lower))
    upper += [""] * (width - len(upper))
    lower += [""] * (width - len(lower))
    spread = _spread(upper, lower, rows[0][0], merged)
    return [JOINT.join(dict.fromkeys(part for part in pair if part)) for pair in zip(spread, lower, strict=True)]


def _spread(upper: list[str], lower: list[str], number: int, merged: Merged) -> list[str]:
    spans = [span for span in merged if span[0][0] + 1 == number]
    if spans:
        spread = list(upper)
        for (_, left), (_, right) in spans:
            for column in range(left, min(right + 1, len(spread))):
                spread[column] = upper[left]
        return spread
    held, spread = "", []
    for above, below in zip(upper, lower, strict=True):
        held = above or (held if below else "")
        spread.append(held)
    return spread


def _named(names: list[str], number: int, findings: Findings) -> list[str]:
    """Every column with a name of its own: one that has none is called by its place, one of a pair gets a number."""
    seen: dict[str, int] = {}
    out = []
    for index, name in enumerate(names):
        name = " ".join(name.split())[:100]
        if not name:
            name = f"#{index + 1}"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            findings.add("same_name", number, name, count=seen[name])
            name = f"{name} ({seen[name]})"
        out.append(name)
    return out


def _plain(name: str) -> str:
    return re.sub(r"[\s_*（(].*$|[\s_*]", "", name).lower()


def names_of(mapping: Mapping[str, Sequence[str]]) -> list[str]:
    """All the usual names of all fields."""
    return [name for names in mapping.values() for name in names]
