"""Who looks and who looked, for the page of it 观看记录: in the name of whoever asks, each search and file an entry."""

from typing import Any

import msgspec

from config import clock
from dashboard import access
from dashboard.trail import Trail
from operations import audit, looked, looks
from operations.database import AfterCommit, Database
from operations.looked import Asked, Look, Page
from operations.policy import allowed


class Lookers:
    """One per web process."""

    def __init__(self, database: Database, trail: Trail, ring: AfterCommit) -> None:
        self._database, self._trail, self._ring = database, trail, ring

    def may_close(self) -> bool:
        """Say whether whoever asks may end looks."""
        return allowed(access.current(), "look.close")

    def living(self) -> list[Look]:
        """Return who looks now. Raises Forbidden."""
        return looked.living(self._database, access.current())

    def past(self, asked: Asked, after: tuple[int, str] | None = None) -> Page:
        """Return a page of looks; the search, not each page of it, is an entry. Raises Forbidden."""
        identity = access.current()
        found = looked.past(self._database, identity, asked, after)
        if after is None:
            self._trail.note(audit.searched(identity, "looks", "", **_said(asked)))
        return found

    def exported(self, asked: Asked) -> list[Look]:
        """Return what is asked for as a file holds it; that it is taken is an entry. Raises Forbidden."""
        identity = access.current()
        found = looked.every(self._database, identity, asked)
        self._trail.note(audit.exported(identity, "looks", "csv", count=len(found), **_said(asked)))
        return found

    def close(self, look: str) -> int:
        """End a look from outside; its picture is dark within a second. Raises Forbidden."""
        identity = access.current()
        return looks.close(self._database, identity, [look], now=clock.now(), after_commit=self._ring)


def _said(asked: Asked) -> dict[str, Any]:
    """Return what was asked for, without the words somebody typed to find a person."""
    given = msgspec.to_builtins(asked)
    return {"asked": {name: bool(value) if name == "who" else value for name, value in given.items() if value}}
