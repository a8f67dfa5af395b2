"""A log file that stays within its bound: full, it becomes NAME.1, NAME.1 becomes NAME.2, and the oldest goes."""

from pathlib import Path


class RollingFile:
    """Appends bytes; at most `limit` bytes in each of `count` files."""

    def __init__(self, path: Path, *, limit: int, count: int) -> None:
        self._path, self._limit, self._count = path, limit, count
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")

    def write(self, data: bytes) -> None:
        """Append; a file may run over its limit by one piece, never by more."""
        if self._file.tell() >= self._limit:
            self._roll()
        self._file.write(data)
        self._file.flush()

    def close(self) -> None:
        """No more writing."""
        self._file.close()

    def _roll(self) -> None:
        self._file.close()
        for number in range(self._count - 1, 0, -1):
            older = self._path if number == 1 else self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        self._file = self._path.open("wb")

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
