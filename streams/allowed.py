"""The allow-list of fields: what is not on it is dropped at the door and counted by the class of its name. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache

REPORT = frozenset(
    {"id", "revision", "type", "urgency", "title", "text", "occurred_at", "place", "grid_code", "channel", "reporter"}
    | {"attachments", "status", "presence", "source", "received_at"}
)
"""`source` and `received_at` may be there but are ours to say."""
PLACE = frozenset({"lon", "lat", "datum", "accuracy_m", "address"})
REPORTER = frozenset({"name", "phone", "organisation", "address", "relation"})
REPORTER_ORDER = tuple(sorted(REPORTER))
ATTACHMENT = frozenset({"name", "url", "media_type", "size", "sha256"})

CLASSES = (
    ("face", re.compile(r"face|人脸|面部|人像|portrait|facial", re.IGNORECASE)),
    ("plate", re.compile(r"plate|车牌|号牌|hphm|licen[cs]e_?no", re.IGNORECASE)),
    (
        "id_card",
        re.compile(r"id_?card|id_?no$|id_?number|身份证|证件|identity|cert_?no|sfzh|passport|护照", re.IGNORECASE),
    ),
)


@lru_cache(maxsize=4096)
def name_class(name: str) -> str:
    """`face`, `plate`, `id_card`, or `unknown` for any other field that is not on the list."""
    return next((label for label, pattern in CLASSES if pattern.search(name)), "unknown")


def count(dropped: dict[str, int], given: Mapping[str, object], allowed: frozenset[str]) -> None:
    """Add the fields of `given` that are not allowed to `dropped`."""
    if allowed.issuperset(given):
        return
    for name in given.keys() - allowed:
        label = name_class(name[:100])
        dropped[label] = dropped.get(label, 0) + 1
