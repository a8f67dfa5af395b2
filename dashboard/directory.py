"""The directory of sources as the administrator's pages use it (数据来源): in the name of whoever asks."""

from config import clock
from dashboard import access
from operations import sources, tokens
from operations.database import AfterCommit, Database
from operations.errors import Forbidden
from operations.policy import allowed
from operations.sources import Source


class Directory:
    """One per web process."""

    def __init__(self, database: Database, ring: AfterCommit) -> None:
        self._database = database
        self._ring = ring

    def listed(self) -> list[Source]:
        """Return all sources by id. Raises Forbidden."""
        if not allowed(access.current(), "source.read"):
            raise Forbidden(permission="source.read")
        return sources.listed(self._database)

    def add(self, source: Source) -> str:
        """Add a source and return its first token, which is shown once. Raises Forbidden, Refused."""
        identity, now = access.current(), clock.now()
        sources.add(self._database, identity, source, now=now, after_commit=self._ring)
        return tokens.add(
            self._database, identity, source.id, "intake", now=now, source_id=source.id, after_commit=self._ring
        )

    def change(self, source: Source) -> None:
        """Change a source, all but its id. Raises Forbidden, NotFound, Refused."""
        sources.change(self._database, access.current(), source, now=clock.now(), after_commit=self._ring)
