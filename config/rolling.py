"""A log file that stays within its bound: full, it becomes NAME.1, NAME.1 becomes NAME.2, and the oldest goes.

A log is worth less than the program that writes it. On a full or broken disk lines are dropped and counted, and the
next line that fits is preceded by one that says how much was lost; no OSError ever leaves here.
"""

from contextlib import suppress
from io import RawIOBase
from pathlib import Path
from typing import cast


class RollingFile:
    """Appends bytes; at most `limit` bytes in each of `count` files. `lost`: bytes dropped since the last that fitted.

    Unbuffered, so that nothing unwritten is left to fail in `close`.
    """

    def __init__(self, path: Path, *, limit: int, count: int) -> None:
        self._path, self._limit, self._count = path, limit, count
        self._file: RawIOBase | None = None
        self.lost = 0
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._opened("ab")

    def write(self, data: bytes) -> None:
        """Append or drop; a file may run over its limit by one piece, never by more."""
        told = b"[%d bytes of log lost: the disk is full or cannot be written]\n" % self.lost if self.lost else b""
        try:
            if self._file is None:
                self._file = self._opened("ab")
            if self._file.tell() >= self._limit:
                self._file = self._rolled(self._file)
            _put(self._file, told + data)
            self.lost = 0
        except OSError:
            self.lost += len(data)

    def close(self) -> None:
        """No more writing."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def _rolled(self, full: RawIOBase) -> RawIOBase:
        """Begin a new file; raises OSError, and the next write then begins by opening one."""
        self._file = None
        full.close()
        for number in range(self._count - 1, 0, -1):
            older = self._path if number == 1 else self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        return self._opened("wb")

    def _opened(self, mode: str) -> RawIOBase:
        return cast(RawIOBase, self._path.open(mode, buffering=0))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _put(file: RawIOBase, data: bytes) -> None:
    """Write all of it; an unbuffered file may take only a part at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]
