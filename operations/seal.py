"""Sealing: one key a subject (AES-256-GCM), kept in DATA/keys/ outside the database and its backup.

Destroying a subject's key makes everything sealed for it unreadable for ever, while the journal's chain stays whole.
The folder also holds the key that signs the journal's head (Ed25519: head.key, head.pub).
"""

import hmac
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from operations import heads
from operations.entry import Head
from operations.errors import DatabaseFull, DatabaseLocked, Sealed
from operations.heads import SignedHead

KEY_BYTES = 32
NONCE_BYTES = 12
BUSY_TIMEOUT_S = 5.0
LOOKUP_BATCH = 500


class KeyStore:
    """The keys in `folder` (0700). Safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._folder = folder
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            folder / "keys.db", timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS subject_key (subject TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID"
        )
        (folder / "keys.db").chmod(0o600)

    def make(self, subjects: Iterable[str]) -> dict[str, bytes]:
        """Return {subject: key}, making those that are missing; they are on disk when this returns."""
        wanted = list(dict.fromkeys(subjects))
        known = self.find(wanted)
        missing = [subject for subject in wanted if subject not in known]
        drawn = os.urandom(KEY_BYTES * len(missing))
        new = [(subject, drawn[n * KEY_BYTES : (n + 1) * KEY_BYTES]) for n, subject in enumerate(missing)]
        if not new:
            return known
        if self._execute_all("INSERT OR IGNORE INTO subject_key VALUES (?, ?)", new) == len(new):
            return known | dict(new)
        return self.find(wanted)  # somebody else made some of them at the same time

    def find(self, subjects: Iterable[str]) -> dict[str, bytes]:
        """Return {subject: key} of those that exist."""
        wanted = list(subjects)
        found: dict[str, bytes] = {}
        for start in range(0, len(wanted), LOOKUP_BATCH):
            part = wanted[start : start + LOOKUP_BATCH]
            marks = ",".join("?" * len(part))
            with self._lock:
                query = f"SELECT subject, key FROM subject_key WHERE subject IN ({marks})"
                found.update(self._connection.execute(query, part).fetchall())
        return found

    def destroy(self, subjects: Iterable[str]) -> None:
        """Destroy keys; the pages that held them are overwritten. Record the entry `key.destroyed` first."""
        self._execute_all("DELETE FROM subject_key WHERE subject = ?", [(subject,) for subject in subjects])
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def open(self, subject: str, sealed: bytes) -> bytes:
        """Return what was sealed for the subject. Raises Sealed when the key is gone or does not fit."""
        key = self.find([subject]).get(subject)
        if key is None:
            raise Sealed("operations.key_gone", subject=subject)
        return unseal(key, subject, sealed)

    def sign(self, head: Head, at: int) -> SignedHead:
        """Sign a head with our key, made on first use."""
        return heads.sign(self._signing_key(), head, at)

    def signature(self, message: bytes) -> bytes:
        """Sign bytes of an archive or a segment, which name themselves, so that they are never taken for a head."""
        return self._signing_key().sign(message)

    def public_key(self) -> Ed25519PublicKey:
        """Return the key that checks our signatures."""
        return self._signing_key().public_key()

    def snapshot_key(self) -> bytes:
        """Return the key of the snapshots' digests, derived from the one that signs."""
        return hmac.digest(self._signing_key().private_bytes_raw(), b"gridwall-snapshot-1", "sha256")

    def digest_key(self) -> bytes:
        """Return the key of the digests that stand for phone and ID-card numbers in identifiers; it never changes."""
        return hmac.digest(self._signing_key().private_bytes_raw(), b"gridwall-digest-1", "sha256")

    def copy(self, target: Path) -> None:
        """Copy the keys of subjects, as they are at one moment, into a SQLite file."""
        with self._lock, closing(sqlite3.connect(target)) as sink:
            self._connection.backup(sink)

    def close(self) -> None:
        """Close the store."""
        self._connection.close()

    def _execute_all(self, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
        """Run a statement for many rows in one durable transaction and return how many rows it changed."""
        try:
            with self._lock:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    changed = self._connection.executemany(statement, rows).rowcount
                    self._connection.execute("COMMIT")
                except sqlite3.Error:
                    self._connection.execute("ROLLBACK")
                    raise
        except sqlite3.OperationalError as error:
            locked = "locked" in str(error)
            raise (DatabaseLocked() if locked else DatabaseFull(detail=str(error))) from error
        return changed

    def _signing_key(self) -> Ed25519PrivateKey:
        file = self._folder / "head.key"
        if not file.exists():
            self._make_signing_key(file)
        return Ed25519PrivateKey.from_private_bytes(file.read_bytes())

    def _make_signing_key(self, file: Path) -> None:
        """Write the key so that of two processes one wins and both then read the same."""
        key = Ed25519PrivateKey.generate()
        partial = file.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(key.private_bytes_raw())
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(partial, file)
            file.with_suffix(".pub").write_text(key.public_key().public_bytes_raw().hex() + "\n", encoding="ascii")
        except FileExistsError:
            pass
        partial.unlink()


def seal(key: bytes, subject: str, content: bytes) -> bytes:
    """Return nonce + ciphertext, bound to the subject."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, subject.encode())


def unseal(key: bytes, subject: str, sealed: bytes) -> bytes:
    """Return the content. Raises Sealed when the key or the subject does not fit."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], subject.encode())
    except (InvalidTag, ValueError) as error:
        raise Sealed("operations.key_wrong", subject=subject) from error
