"""Secrets of pulled sources: a token or password each, in DATA/keys by the source's id, and nowhere else.

Set on the page once, never shown again; no journal, log or database holds them.
"""

import os
import re
from pathlib import Path

LONGEST = 4_096
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class SourceSecrets:
    """The folder DATA/keys/sources (0700), one file a source (0600); `folder` is DATA/keys."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "sources"

    def get(self, source_id: str) -> str:
        """Return the secret of a source, "" when it has none."""
        try:
            return self._file(source_id).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def put(self, source_id: str, secret: str) -> None:
        """Keep a secret; "" forgets it. Raises ValueError for one that is too long or not one line."""
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
            os.fsync(out.fileno())
        fresh.replace(file)

    def _file(self, source_id: str) -> Path:
        if not _ID.fullmatch(source_id):
            raise ValueError("not the id of a source")
        return self._folder / f"{source_id}.secret"
