"""The mappings in force: those of files, read once at the start, and before them those saved on screen, followed.

Every process that takes reports has one and looks at the database every few seconds, so that a change needs no restart.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from config.taxonomy import Taxonomy
from operations import mappings as saved
from operations.database import Database
from operations.errors import DatabaseTrouble
from streams.errors import MappingError
from streams.mapping import Mapped, Mappings, checked

LOOK_SECONDS = 2.0

log = logging.getLogger(__name__)


class Shelf:
    """Answers `get(name)`; safe to ask from any thread."""

    def __init__(self, files: Mappings, taxonomy: Taxonomy) -> None:
        self._files = files
        self._taxonomy = taxonomy
        self._revisions: dict[str, int] = {}
        self._all = files

    def get(self, name: str) -> Mapped:
        """Return the mapping of that name; raises MappingError when it is wrong or not there."""
        return self._all.get(name)

    def names(self) -> list[str]:
        """Return every name there is, the wrong ones too."""
        return sorted({*self._all.good, *self._all.wrong} - {""})

    def look(self, database: Database) -> None:
        """Take over what was saved since the last look. Blocking; raises DatabaseTrouble."""
        revisions = saved.revisions(database)
        if revisions == self._revisions:
            return
        found = Mappings(dict(self._files.good), dict(self._files.wrong))
        for one in saved.listed(database):
            found.wrong.pop(one.name, None)
            found.good.pop(one.name, None)
            try:
                found.good[one.name] = self.read(one.name, one.body)
            except MappingError as error:
                found.wrong[one.name] = error
                log.error("what comes by this mapping is refused until it is mended: %s", error)
        self._all, self._revisions = found, revisions

    def read(self, name: str, body: str) -> Mapped:
        """Return the mapping a JSON text holds. Raises MappingError."""
        try:
            data = msgspec.json.decode(body, type=dict)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise MappingError(f"mapping {name}: cannot be read: {error}") from error
        return checked(data, self._taxonomy, name, f"mapping {name}")

    async def follow(self, database: Database, said: Callable[[str], None] = log.warning) -> None:
        """Look again and again until cancelled; trouble is said once and waited out."""
        troubled = False
        while True:
            try:
                await asyncio.to_thread(self.look, database)
                troubled = False
            except DatabaseTrouble as error:
                if not troubled:
                    said(f"mappings cannot be looked up now: {error}")
                troubled = True
            await asyncio.sleep(LOOK_SECONDS)
