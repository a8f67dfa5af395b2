"""Files that may be thrown away: what was reckoned once is kept on disk, and believed only if its checksum agrees."""

import hashlib
import os
import tempfile
from pathlib import Path

MAGIC = b"gridwall-cache-1\n"
SUM_BYTES = 32


def write(path: Path, blob: bytes) -> None:
    """Put `blob` at `path`, whole or not at all; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + _sum(blob))
            file.write(blob)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def sweep(path: Path, pattern: str) -> None:
    """Remove what was kept beside `path` for other versions: everything in its folder that matches; raises OSError."""
    for other in path.parent.glob(pattern):
        if other != path:
            other.unlink(missing_ok=True)


def read(path: Path) -> memoryview | None:
    """The blob at `path`; None if there is none, or it is not byte for byte what was written."""
    try:
        whole = memoryview(path.read_bytes())
    except OSError:
        return None
    start = len(MAGIC) + SUM_BYTES
    blob = whole[start:]
    return blob if bytes(whole[:start]) == MAGIC + _sum(blob) else None


def _sum(blob: bytes | memoryview) -> bytes:
    return hashlib.sha256(blob).digest()
