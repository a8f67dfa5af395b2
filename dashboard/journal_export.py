"""Exports of the journal 日志导出: CSV or JSON with the chain's head and a signature to check it by.

The lines hold each entry's header and digests, so that its hash can be computed anew; bodies as an auditor may see
them, which no digest covers. Written and read a page at a time, whatever their size.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from dashboard.spreadsheet import harmless
from operations import chain, inquiry, journal
from operations.database import Database
from operations.entry import Entry, Head
from operations.inquiry import PAGE_MOST, Asked, Place
from operations.policy import Identity
from operations.seal import KeyStore

FORMS = ("csv", "json")
STATEMENT = "signature.json"
"""Beside the lines in the ZIP."""
FORMAT = "gridwall-export-1"
LINE_MOST = 1_000_000
"""Characters of a line a check reads."""
COLUMNS = (
    "seq", "at", "actor", "action", "subject_type", "subject_id", "revision", "scope_grid", "scope_grid_before",
    "scope_department", "scope_department_before", "reason", "schema", "body_digest", "prev_hash", "hash", "body",
)  # fmt: skip
NUMBERS = frozenset({"seq", "at", "revision", "schema"})


class Statement(Struct, frozen=True):
    """What is signed of a file: its digest, how many entries it holds, what was asked for, the journal's head then."""

    format: str
    file: str
    sha256: str
    count: int
    asked: Asked
    epoch: int
    seq: int
    hash: str
    at: int
    by: str
    key: str = ""
    signature: str = ""

    @property
    def message(self) -> bytes:
        """The bytes that are signed: the statement's fields as canonical JSON, without key and signature."""
        told = msgspec.structs.replace(self, key="", signature="")
        return msgspec.json.encode(told, order="sorted")


class Export:
    """One export, taken by iterating once over `content`; afterwards `statement` is signed."""

    def __init__(self, database: Database, identity: Identity, asked: Asked, form: str, *, now: int) -> None:
        inquiry.permit(identity, "audit.export")
        self._database, self._identity, self._asked, self._form, self._now = database, identity, asked, form, now
        self._by = identity.actor
        self._digest, self._count = hashlib.sha256(), 0
        self.file = f"journal.{form}"
        self.head: Head = journal.head(database)

    def content(self) -> Iterator[bytes]:
        """Yield the file a page at a time; what is appended meanwhile is not in it."""
        write = _csv if self._form == "csv" else _json
        for part in write(self._entries()):
            self._digest.update(part)
            yield part

    def statement(self, keys: KeyStore) -> bytes:
        """Return the signed statement as JSON; only when `content` was taken to its end."""
        told = Statement(
            FORMAT,
            self.file,
            self._digest.hexdigest(),
            self._count,
            self._asked,
            self.head.epoch,
            self.head.seq,
            self.head.hash,
            self._now,
            self._by,
        )
        key = keys.public_key().public_bytes_raw().hex()
        signed = msgspec.structs.replace(told, key=key, signature=keys.signature(told.message).hex())
        return msgspec.json.format(msgspec.json.encode(signed), indent=2) + b"\n"

    def _entries(self) -> Iterator[list[Entry]]:
        after: Place | None = None
        while True:
            found = inquiry.page(self._database, self._identity, self._asked, after, PAGE_MOST, self.head.seq)
            self._count += len(found.entries)
            yield found.entries
            if found.next is None:
                return
            after = found.next


class Wrong(Struct, frozen=True):
    """What is wrong with an exported file: signature, digest, count, line (`seq` cannot be read), changed, link."""

    kind: str
    seq: int = 0


def check(statement: Statement, lines: Iterable[bytes], public_key: Ed25519PublicKey) -> Wrong | None:
    """Return the first thing wrong with a file, given the bytes of its lines, or None when all of it holds."""
    try:
        public_key.verify(bytes.fromhex(statement.signature), statement.message)
    except (InvalidSignature, ValueError):
        return Wrong("signature")
    digest, count = hashlib.sha256(), 0
    before: dict[str, Any] | None = None
    fault: Wrong | None = None
    for one in _rows(_digested(lines, digest), statement.file.endswith(".csv")):
        count += 1
        fault = fault or _fault(one, before, count)
        before = one
    if fault is not None:
        return fault
    if digest.hexdigest() != statement.sha256:
        return Wrong("digest")
    return None if count == statement.count else Wrong("count", count)


def _fault(one: dict[str, Any] | None, before: dict[str, Any] | None, line: int) -> Wrong | None:
    if one is None:
        return Wrong("line", line)
    header = tuple(one[name] for name in COLUMNS[1:13])
    try:
        made = chain.entry_hash(one["seq"], header, bytes.fromhex(one["body_digest"]), bytes.fromhex(one["prev_hash"]))
    except (TypeError, ValueError):
        return Wrong("line", line)
    if made.hex() != one["hash"]:
        return Wrong("changed", one["seq"])
    if before is not None and before["seq"] == one["seq"] + 1 and before["prev_hash"] != one["hash"]:
        return Wrong("link", one["seq"])
    return None


def _digested(lines: Iterable[bytes], digest: Any) -> Iterator[str]:
    for line in lines:
        digest.update(line)
        yield line.decode("utf-8", "replace")


def _rows(lines: Iterable[str], table: bool) -> Iterator[dict[str, Any] | None]:
    yield from _from_csv(lines) if table else _from_json(lines)


def _from_csv(lines: Iterable[str]) -> Iterator[dict[str, Any] | None]:
    reader = csv.reader(lines)
    try:
        next(reader, None)
        for values in reader:
            if len(values) != len(COLUMNS):
                yield None
                continue
            named = dict(zip(COLUMNS, map(exact, values), strict=True))
            numbers = {name: int(named[name]) for name in NUMBERS if named[name].lstrip("-").isdecimal()}
            yield {**named, **numbers}
    except csv.Error:
        yield None


def _from_json(lines: Iterable[str]) -> Iterator[dict[str, Any] | None]:
    for line in lines:
        text = line.strip().rstrip(",")
        if text in ("[", "]", ""):
            continue
        try:
            one = msgspec.json.decode(text)
        except msgspec.DecodeError:
            yield None
            continue
        yield one if isinstance(one, dict) and all(name in one for name in COLUMNS) else None


def _csv(pages: Iterable[list[Entry]]) -> Iterator[bytes]:
    yield (",".join(COLUMNS) + "\r\n").encode()
    for entries in pages:
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerows([_cell(name, entry) for name in COLUMNS] for entry in entries)
        yield out.getvalue().encode()


def _cell(name: str, entry: Entry) -> str | int:
    value = getattr(entry, name)
    if name == "body":
        return "" if value is None else msgspec.json.encode(value, order="sorted").decode()
    return value if isinstance(value, int) else quoted(value)


def quoted(text: str) -> str:
    """Return a cell a spreadsheet takes for text; an apostrophe of one's own is doubled, so that `exact` undoes it."""
    return f"'{text}" if text.startswith("'") else harmless(text)


def exact(cell: str) -> str:
    """Return the text that `quoted` made this cell of."""
    return cell.removeprefix("'")


def _json(pages: Iterable[list[Entry]]) -> Iterator[bytes]:
    begun = False
    yield b"[\n"
    for entries in pages:
        lines = [msgspec.json.encode({name: getattr(entry, name) for name in COLUMNS}) for entry in entries]
        if lines:
            yield (b",\n" if begun else b"") + b",\n".join(lines)
            begun = True
    yield b"\n]\n" if begun else b"]\n"
