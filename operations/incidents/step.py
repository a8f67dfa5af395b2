"""What a command does to an incident, and what it asks of the words that people write."""

from typing import Any

from msgspec import Struct

from operations.errors import Refused, need
from operations.wording import cleaned

TEXT_MOST = 2_000  # characters
REASON_LEAST = 2


class Step(Struct, frozen=True):
    """What a command does to an incident: fields to set, the entry's reason, words to seal."""

    action: str
    changes: dict[str, Any]
    reason: str = ""
    words: dict[str, str] = {}
    more: dict[str, Any] = {}
    """What the entry says beside the fields it sets."""


def words(name: str, text: str, *, required: bool = False) -> dict[str, str]:
    """Return {name: text} to be sealed, nothing for no text. Raises Refused."""
    text = written(text, required=required)
    return {name: text} if text else {}


def written(text: str, *, required: bool) -> str:
    """Return a text without what no database takes. Raises Refused for one too long, or missing."""
    text = cleaned(text)
    if len(text) > TEXT_MOST:
        raise Refused("operations.text_too_long", most=TEXT_MOST)
    need(not required or len(text) >= REASON_LEAST, "operations.text_missing")
    return text
