"""The words people wrote in an order's entries 文字: sealed under the order's own key, opened for who may read it."""

from contextlib import suppress
from typing import Any

import msgspec
from msgspec import structs

from operations.entry import Entry
from operations.errors import Sealed
from operations.seal import KeyStore, unseal


def opened(keys: KeyStore, order_id: str, sealed: bytes | None) -> dict[str, Any] | None:
    """Return the words of a sealed part, {} where there are none, None once their key was destroyed."""
    if not sealed:
        return {}
    key = keys.find([order_id]).get(order_id)
    if key is None:
        return None
    with suppress(Sealed):  # by a key that was destroyed, before there was another
        words: dict[str, Any] = msgspec.json.decode(unseal(key, order_id, sealed))
        return words
    return None


def with_words(keys: KeyStore, entry: Entry, sealed: bytes | None) -> Entry:
    """Return an entry about an order with its words in `body["words"]`."""
    if not sealed or entry.body is None:
        return entry
    return structs.replace(entry, body={**entry.body, "words": opened(keys, entry.subject_id, sealed)})
