"""Addresses of streams as ledgers have them: user and password apart from the address, which is all that is kept open.

The secret is `user:password`, for DATA/keys/cameras, where the relay reads it.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

_TOLD = re.compile(r"(?:pass(?:word|wd)?|pwd)\s*=|password_", re.IGNORECASE)


class SecretInPath(ValueError):
    """A password in the path or the query of an address, where it cannot be told apart from it."""


class Address(NamedTuple):
    """An address without user and password, and these as `user:password` ("": none)."""

    url: str
    secret: str


def parted(text: str) -> Address:
    """Return an address and its secret. Raises SecretInPath, ValueError for what is no address."""
    parts = urlsplit(text)
    user, _, host = parts.netloc.rpartition("@")
    if _TOLD.search(unquote(f"{parts.path}?{parts.query}#{parts.fragment}")):
        raise SecretInPath("password")
    if "@" in parts.path + parts.query and not user:
        raise SecretInPath("@")  # of a password with / or ? in it
    return Address(urlunsplit(parts._replace(netloc=host)), unquote(user))


def credential(username: str, password: str) -> str:
    """Return the secret of a user and a password from columns of their own; a user alone is none."""
    return f"{username or 'admin'}:{password}" if password else ""
