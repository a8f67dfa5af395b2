"""Passwords: kept as argon2id, refused when short, leaked, easily guessed, holding the name, or one of the last."""

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import orjson
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from operations.errors import Refused
from operations.rules import Rules

MOST = 200
PAST_KEPT = 5
"""Passwords of before that may not be taken again, the one in force among them."""
GUESSES_LEAST = 1e6
"""Guesses a password has to withstand as zxcvbn counts them (Wheeler, USENIX Security 2016)."""
WEIGHED = 72
"""Characters of a password that zxcvbn weighs; the rest only makes it better."""
DIGEST_HEX = 40
_HASHER = PasswordHasher()


def make() -> str:
    """Return a new password."""
    return secrets.token_urlsafe(12)


def hashed(password: str) -> str:
    """Return what is stored of a password."""
    return _HASHER.hash(password)


def verify(stored: str, password: str) -> bool:
    """Say whether this is the password; costs the same for one that cannot be."""
    try:
        return _HASHER.verify(stored or NOBODY, password[:MOST]) and len(password) <= MOST and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


NOBODY = _HASHER.hash(make())
"""Stands for the password of who has none."""


def check(password: str, name: str, rules: Rules) -> None:
    """Raise Refused, with the reason, when nobody called `name` may take this password."""
    if not rules.password_least <= len(password) <= MOST:
        raise Refused("operations.password_length", least=rules.password_least, most=MOST)
    if name.casefold() in password.casefold():
        raise Refused("operations.password_name")
    if rules.leaked is not None and leaked(password, rules.leaked):
        raise Refused("operations.password_leaked")
    if zxcvbn(password[:WEIGHED], user_inputs=[name, "gridwall", "wanggezhihuiping"])["guesses"] < GUESSES_LEAST:
        raise Refused("operations.password_common")


def check_past(password: str, past: Sequence[str]) -> None:
    """Raise Refused when it is one of the last."""
    if any(verify(stored, password) for stored in past):
        raise Refused("operations.password_past", count=PAST_KEPT)


def past(stored: str, column: str) -> list[str]:
    """Return the hashes of the last passwords, newest first, from the one in force and the column of those before."""
    before: list[str] = orjson.loads(column) if column else []
    return [one for one in (stored, *before) if one][:PAST_KEPT]


def leaked(password: str, file: Path) -> bool:
    """Say whether the sorted list of SHA-1 digests holds the password, by halving. Raises Refused: cannot be read."""
    wanted = hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest().upper().encode()
    try:
        with file.open("rb") as lines:
            low, high = 0, file.stat().st_size
            while low < high:
                middle = (low + high) // 2
                found = _line(lines, middle)
                if found and found < wanted:
                    low = middle + 1
                else:
                    high = middle
            return _line(lines, low) == wanted
    except OSError as error:
        raise Refused("operations.password_list", file=file, reason=error.strerror) from error


def _line(lines: BinaryIO, offset: int) -> bytes:
    """Return the digest in the first line that begins at `offset` or after it; empty at the end."""
    lines.seek(max(offset - 1, 0))
    if offset:
        lines.readline()
    return lines.readline()[:DIGEST_HEX].upper()
