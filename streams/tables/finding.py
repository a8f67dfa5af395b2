"""What is said of a file while it is read: findings go with the rows, a file that cannot be read at all is an error."""

import msgspec

from streams.errors import StreamsError

MOST_ROWS = 200_000
MOST_COLUMNS = 200
NO_ROOM = "no_room"
"""Code of a file that could not be read for want of room on our own disk: the file may be good."""
MOST_FINDINGS = 200
"""Findings kept by row; the rest is counted only."""


class Finding(msgspec.Struct, frozen=True):
    """Something a person should know: text `files.finding.CODE`; `row` counts from 1 as in the file, 0 = all."""

    code: str
    row: int = 0
    column: str = ""
    params: dict[str, str] = {}


class TableUnreadable(StreamsError):
    """No rows can be had from a file: text `files.unreadable.CODE` says why and what to do."""

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.params = {name: str(value)[:200] for name, value in params.items()}
        detail = ", ".join(f"{name}={value}" for name, value in self.params.items())
        super().__init__(f"{code}: {detail}" if detail else code)


class Findings:
    """Collects findings; of one code at most MOST_FINDINGS are kept, the others counted."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: dict[str, int] = {}

    def add(self, code: str, row: int = 0, column: str = "", **params: object) -> None:
        """Note one."""
        self._counts[code] = self._counts.get(code, 0) + 1
        if self._counts[code] <= MOST_FINDINGS // 10:
            self._kept.append(Finding(code, row, column, {name: str(value)[:200] for name, value in params.items()}))

    def all(self) -> list[Finding]:
        """Return what was kept, and how many more there were."""
        more = [
            Finding("more", params={"code": code, "count": str(count - MOST_FINDINGS // 10)})
            for code, count in self._counts.items()
            if count > MOST_FINDINGS // 10
        ]
        return [*self._kept[:MOST_FINDINGS], *more]
