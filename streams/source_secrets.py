"""Secrets of pulled sources and of outlets: a token, password or key each, in DATA/keys by id, and nowhere else.

Set on the page once, never shown again; no journal, log or database holds them.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

LONGEST = 4_096
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class SourceSecrets:
    """The folder DATA/keys/sources (0700), one file a source (0600); `folder` is DATA/keys.

    `of`: "sources", "outlets" or "cameras".
    """

    def __init__(self, folder: Path, of: str = "sources") -> None:
        self._folder = folder / of

    def get(self, source_id: str) -> str:
        """Return the secret of a source, "" when it has none."""
        try:
            return self._file(source_id).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def put_many(self, secrets: Mapping[str, str]) -> int:
        """Keep many at once, and wait for the disk once; returns how many were other than before."""
        fresh = {id: secret for id, secret in secrets.items() if self.get(id) != secret}
        for id, secret in fresh.items():
            self._write(id, secret, wait=False)
        if fresh:
            os.sync()
        return len(fresh)

    def put(self, source_id: str, secret: str) -> None:
        """Keep a secret; "" forgets it. Raises ValueError for one that is too long or not one line."""
        self._write(source_id, secret, wait=True)

    def _write(self, source_id: str, secret: str, *, wait: bool) -> None:
        file = self._file(source_id)
        if len(secret) > LONGEST or not secret.isprintable():
            raise ValueError("a secret is one line of at most 4096 characters")
        if not secret:
            file.unlink(missing_ok=True)
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(secret)
            out.flush()
            if wait:
                os.fsync(out.fileno())
        fresh.replace(file)

    def _file(self, source_id: str) -> Path:
        if not _ID.fullmatch(source_id):
            raise ValueError("not the id of a source")
        return self._folder / f"{source_id}.secret"
