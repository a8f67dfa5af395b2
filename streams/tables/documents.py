"""JSON files: an array of objects, an object that holds one, or one object a line; each stays as it was written."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from streams.item import BOM
from streams.tables import encoding
from streams.tables.finding import MOST_ROWS, TableUnreadable

DEEPEST_LIST = 4
"""How far down the list of objects is looked for."""

NOT_JSON = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Documents:
    """The objects of a JSON file; `inside` names where the list lies, "lines" when each line is one."""

    def __init__(self, data: bytes) -> None:
        self.encoding, _ = encoding.found(data)
        text = data.removeprefix(BOM) if self.encoding in ("utf-8", "utf-8-sig") else _utf8(data, self.encoding)
        self.inside, self._objects = _listed(text.strip())
        if len(self._objects) > MOST_ROWS:
            raise TableUnreadable("rows", count=len(self._objects), most=MOST_ROWS)

    def rows(self) -> Iterator[tuple[int, bytes]]:
        """Yield (number of the object or line from 1, its bytes)."""
        return ((number, one) for number, one in self._objects)


def _utf8(data: bytes, name: str) -> bytes:
    return data.decode(name, "replace").encode().removeprefix(BOM)


def _listed(text: bytes) -> tuple[str, list[tuple[int, bytes]]]:
    for read in (_array, _holder, _lines):
        found = read(text)
        if found is not None:
            return found
    raise TableUnreadable("json")


def _array(text: bytes) -> tuple[str, list[tuple[int, bytes]]] | None:
    try:
        parts = _LIST.decode(text)
    except NOT_JSON:
        return None
    return "", [(number + 1, bytes(part)) for number, part in enumerate(parts)]


def _holder(text: bytes) -> tuple[str, list[tuple[int, bytes]]] | None:
    """The longest list of objects inside an object; one object without any is one row."""
    try:
        whole = _OBJECT.decode(text)
    except NOT_JSON:
        return None
    best: tuple[str, list[tuple[int, bytes]]] | None = None
    level = [("", whole)]
    for _ in range(DEEPEST_LIST):
        below = []
        for at, members in level:
            for name, raw in islice(members.items(), 1_000):
                path = f"{at}.{name}".lstrip(".")
                part = bytes(raw)
                listed = _array(part) if part[:1] == b"[" else None
                if listed and _objects(listed[1]) and (best is None or len(listed[1]) > len(best[1])):
                    best = (path, listed[1])
                inner = _members(part) if part[:1] == b"{" else None
                if inner:
                    below.append((path, inner))
        level = below
    return best or ("", [(1, text)])


def _objects(parts: list[tuple[int, bytes]]) -> bool:
    return any(part[:1] == b"{" for _, part in parts[:10])


def _members(text: bytes) -> dict[str, msgspec.Raw] | None:
    try:
        return _OBJECT.decode(text)
    except NOT_JSON:
        return None


def _lines(text: bytes) -> tuple[str, list[tuple[int, bytes]]] | None:
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    good = sum(line[:1] == b"{" and line[-1:] == b"}" for _, line in lines)
    if len(lines) > 1 and 2 * good > len(lines):
        return "lines", lines
    return None
