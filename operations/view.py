"""What a smaller jurisdiction is told of the journal: no number that counts what it may not see (可见范围).

A seq tells how much went on in between, so it is left out; a page of entries goes on after a number that stands for the
seq, made by a keyed permutation (a Feistel network of four rounds), which nobody can read or guess.
"""

import hmac

from msgspec import structs

from operations.entry import Entry
from operations.scope import WHOLE, Scope

HALF = 26
"""Bits of one half; a browser counts 53 bits exactly."""
MASK = (1 << HALF) - 1
ROUNDS = 4


def told(entry: Entry, scope: Scope) -> Entry:
    """Return an entry as a jurisdiction may know it: without its seq, and without the side that lies outside.

    What leaves the jurisdiction is told as having left: neither where to nor what it became.
    """
    if scope == WHOLE:
        return entry
    entry = structs.replace(entry, seq=0)
    if entry.subject_type != "incident":
        return entry
    if not _held(scope, entry.scope_grid_before, entry.scope_department_before):
        entry = structs.replace(entry, scope_grid_before="", scope_department_before="")
    if not _held(scope, entry.scope_grid, entry.scope_department):
        entry = structs.replace(entry, scope_grid="", scope_department="", body=None)
    return entry


def veiled(key: bytes, seq: int) -> int:
    """Return the number that stands for a seq; 0, the beginning, stands for itself."""
    return _permuted(key, seq, range(ROUNDS)) if seq else 0


def unveiled(key: bytes, number: int) -> int:
    """Return the seq that a number stands for; of a number nobody was told, any."""
    if not number or number >> (2 * HALF):
        return number
    left, right = number >> HALF, number & MASK
    return _permuted(key, right << HALF | left, range(ROUNDS - 1, -1, -1), swapped=True)


def _permuted(key: bytes, number: int, rounds: range, *, swapped: bool = False) -> int:
    left, right = number >> HALF & MASK, number & MASK
    for step in rounds:
        left, right = right, left ^ _mixed(key, step, right)
    return right << HALF | left if swapped else left << HALF | right


def _mixed(key: bytes, step: int, half: int) -> int:
    digest = hmac.digest(key, b"gridwall-cursor-1" + bytes((step,)) + half.to_bytes(4), "sha256")
    return int.from_bytes(digest[:4]) & MASK


def _held(scope: Scope, path: str, department: str) -> bool:
    return scope.covers(tuple(path.split("/")), department)
