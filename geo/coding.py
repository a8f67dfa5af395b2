"""Codes of grids 编码规则: how many digits each level has, and where a parent's code stands in its child's."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

RULE = re.compile(r"\d{1,2}(@\d{1,2})?(,\d{1,2}(@\d{1,2})?){0,8}|\d{1,2}(\+\d{1,2}){1,8}")
LONGEST = 40


class CodeRule(NamedTuple):
    """Digits of each level's code, from the top, and how many at its beginning belong to no area."""

    lengths: tuple[int, ...]
    skips: tuple[int, ...]

    def level(self, code: str) -> int:
        """Return 1 for a county's code, 2 for a town's and so on; 0 for something that is no such code."""
        plain = code.isascii() and code.isdigit() and len(code) in self.lengths
        return self.lengths.index(len(code)) + 1 if plain else 0

    def above(self, code: str, upper: int) -> str:
        """Return the code of level `upper` (from 1) that a code of a lower level names."""
        start = self.skips[self.level(code) - 1]
        skip, length = self.skips[upper - 1], self.lengths[upper - 1]
        own = code[start : start + length - skip]
        return code[:skip] + own if skip else own


@lru_cache(maxsize=64)
def parse(text: str) -> CodeRule:
    """Return the rule. Raises ValueError.

    "6,9,12,15": lengths from the top. "12+2": what each level adds; 12 and more digits of a first part are the national
    ones (6, 9, 12). "6,9,12,20@6" (CJ/T): a code of 20 digits, the first 6 of which say what kind of thing it is.
    """
    if not RULE.fullmatch(text):
        raise ValueError(f"{text!r} is no rule of codes such as 6,9,12,15 or 12+2 or 6,9,12,20@6")
    if "+" in text:
        lengths = [0]
        for part in text.split("+"):
            lengths.append(lengths[-1] + int(part))
        lengths = [*[one for one in (6, 9) if one < lengths[1] == 12], *lengths[1:]]
        skips = [0] * len(lengths)
    else:
        pairs = [part.split("@") for part in text.split(",")]
        lengths = [int(pair[0]) for pair in pairs]
        skips = [int(pair[1]) if len(pair) > 1 else 0 for pair in pairs]
    own = [length - skip for length, skip in zip(lengths, skips, strict=True)]
    rising = all(one < other for one, other in pairwise(own)) and own[0] > 0
    if not rising or len(set(lengths)) < len(lengths) or max(lengths) > LONGEST:
        raise ValueError(f"{text!r}: each level has more digits than the one above it, at most {LONGEST}")
    return CodeRule(tuple(lengths), tuple(skips))
