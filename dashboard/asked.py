"""What the browser asked (所求), one field at a time: what is no such thing raises Unclear with its name."""

from typing import Any

from operations.doubles import SHOWN

Asked = dict[str, Any]

TEXT_MOST = 2_000
"""Characters of a note, a result's text or a reason."""
NUMBER_MOST = 2**53
"""The largest whole number a browser counts exactly; no revision and no degree comes near it."""


class Unclear(ValueError):
    """The browser asked for something that is no command; names the field."""


def serial_of(asked: Asked) -> float:
    """Return the browser's own number of what it asked, 0 when it is none."""
    try:
        return number(asked, "serial")
    except Unclear:
        return 0


def word(asked: Asked, name: str, allowed: tuple[str, ...] | None = None) -> str:
    """Return a short text of what was asked; raises Unclear when it is missing or not one of `allowed`."""
    value = asked.get(name)
    if not isinstance(value, str) or not value or len(value) > 100 or (allowed and value not in allowed):
        raise Unclear(name)
    return written(value, name)


def text(asked: Asked, name: str = "text") -> str:
    """Return a free text, possibly empty; raises Unclear when it is too long."""
    value = asked.get(name) or ""
    if not isinstance(value, str) or len(value) > TEXT_MOST:
        raise Unclear(name)
    return written(value, name).strip()


def written(value: str, name: str) -> str:
    """Return a text that can be stored; raises Unclear when it holds half a character (a lone surrogate)."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Unclear(name) from error
    return value


def number(asked: Asked, name: str) -> float:
    """Return a number of what was asked; raises Unclear when it is none, not finite or beyond all reason."""
    value = asked.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unclear(name)
    if not abs(value) <= NUMBER_MOST:  # NaN too
        raise Unclear(name)
    return value


def subject(asked: Asked) -> tuple[str, int]:
    """Return the incident's id and the revision the operator saw."""
    return word(asked, "id"), int(number(asked, "revision"))


def words_of(asked: Asked, name: str, most: int = SHOWN) -> list[str]:
    """Return a few short texts; raises Unclear when it is no list of them, or has more than `most`."""
    value = asked.get(name)
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise Unclear(name)
    return [word({name: one}, name) for one in value]
