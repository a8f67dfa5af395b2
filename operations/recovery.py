"""The sealed recovery key 恢复密钥 and its trail: what the command line did about accounts, also what it was refused.

The key is printed once at the first start and belongs into an envelope; DATA/keys keeps its digest.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from operations import journal
from operations.database import Database
from operations.entry import Draft
from operations.policy import SYSTEM
from operations.tables import journal as journal_table
from operations.tables import journal_body

FILE = "recovery.sha256"
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
GROUPS, GROUP = 6, 5
"""30 characters of 31: 148 bits."""
MADE, USED, REFUSED, COMMAND = "recovery.made", "recovery.used", "recovery.refused", "account.by_command"
SUBJECT = "recovery"
SHOWN_MOST = 20


def make(database: Database, folder: Path, *, now: int) -> str:
    """Make a recovery key, where none is, and return it; only this once. An empty string when there is one."""
    file = folder / FILE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return ""
    key = "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
    with os.fdopen(descriptor, "w") as out:
        out.write(_digest(key) + "\n")
        out.flush()
        os.fsync(out.fileno())
    _note(database, MADE, now, {})
    return key


def fits(folder: Path, given: str) -> bool:
    """Say whether this is the recovery key."""
    try:
        kept = (folder / FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return False
    return bool(kept) and hmac.compare_digest(kept, _digest(given))


def note(database: Database, action: str, command: str, name: str, *, login: str, now: int) -> None:
    """Record what somebody did, or was refused, at the server's own terminal; `login`: their name there."""
    _note(database, action, now, {"command": command, "name": name, "login": login})


def recent(database: Database, since: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Return (at, action, body) of what was done at the terminal since then, newest first, at most 20."""
    columns = (journal_table.c.at, journal_table.c.action, journal_body.c.body)
    joined = sa.join(journal_table, journal_body, journal_table.c.seq == journal_body.c.seq)
    query = sa.select(*columns).select_from(joined).where(journal_table.c.subject_id == SUBJECT)
    query = query.where(journal_table.c.at >= since).order_by(journal_table.c.seq.desc()).limit(SHOWN_MOST)
    with database.read() as connection:
        return [(row.at, row.action, _body(row.body)) for row in connection.execute(query)]


def _body(stored: bytes | None) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(stored) if stored else {}
    return body


def _note(database: Database, action: str, now: int, body: dict[str, object]) -> None:
    draft = Draft(at=now, actor=SYSTEM.actor, action=action, subject_type=SUBJECT, subject_id=SUBJECT, body=body)
    with database.write() as transaction:
        journal.append(transaction, [draft])


def _digest(key: str) -> str:
    plain = "".join(one for one in key.upper() if one.isalnum())
    return hashlib.sha256(b"gridwall-recovery-key-1" + plain.encode("utf-8", "surrogatepass")).hexdigest()
