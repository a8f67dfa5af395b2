"""Sources that we play ourselves (the demo, a replay): registered like any other, their tokens kept beside the keys.

Only a token's hash is in the database; the token itself is needed again after a restart, so it lies in DATA/keys
(0700), readable by its owner only. A token that no longer works is replaced.
"""

import json
import os
from pathlib import Path

from operations import sources, tokens
from operations.database import AfterCommit, Database
from operations.policy import SYSTEM
from operations.sources import Source

FILE = "own-sources.json"


class OwnSources:
    """The tokens of our own sources; `folder` is DATA/keys."""

    def __init__(self, database: Database, folder: Path, after_commit: AfterCommit | None = None) -> None:
        self._database = database
        self._after_commit = after_commit
        self._file = folder / FILE
        self._tokens = _read(self._file)

    def token(self, source: Source, now: int) -> str:
        """The token of a source of ours, which is registered first where it is not."""
        if sources.get(self._database, source.id) is None:
            sources.add(self._database, SYSTEM, source, now=now, after_commit=self._after_commit)
        kept = self._tokens.get(source.id, "")
        holder = tokens.identify(self._database, kept, now) if kept else None
        if holder is not None and holder.id == source.id:
            return kept
        made = tokens.add(
            self._database,
            SYSTEM,
            source.kind,
            "intake",
            now=now,
            source_id=source.id,
            after_commit=self._after_commit,
        )
        self._tokens[source.id] = made
        self._write()
        return made

    def _write(self) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(self._tokens, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)


def _read(file: Path) -> dict[str, str]:
    """The kept tokens; none when the file is missing or spoiled (new ones are then made)."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): str(token) for name, token in kept.items()} if isinstance(kept, dict) else {}
