"""The shelf of files 附件库: sealed files under DATA/attachments, each named by the SHA-256 of what lies there.

The only place that knows files; another store (an object store, say) has the same three methods.
"""

import os
import re
import secrets
from hashlib import sha256
from pathlib import Path

from operations.errors import DatabaseFull, NotFound

_NAME = re.compile(r"[0-9a-f]{64}")


class Shelf:
    """A folder (0700) of files that are never changed; safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        """Keep a file and return its name; it is on disk when this returns. Raises DatabaseFull."""
        name = sha256(content).hexdigest()
        path = self._path(name)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            partial = path.parent / f".{secrets.token_hex(8)}"
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            _flush(path.parent)
        except OSError as error:
            raise DatabaseFull(detail=str(error)) from error
        return name

    def get(self, name: str) -> bytes:
        """Return a file as it was put. Raises NotFound for one that is gone, or no longer what it was."""
        try:
            content = self._path(name).read_bytes()
        except OSError:
            raise NotFound() from None
        if sha256(content).hexdigest() != name:
            raise NotFound()
        return content

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone is removed already."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise NotFound()
        return self._folder / name[:2] / name


def _flush(folder: Path) -> None:
    """Make a new name in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
