"""What goes back to sources 回写, in their own words: those of `[back]` in the source's mapping, else our codes."""

from collections.abc import Callable

from config.settings import Settings
from config.taxonomy import Taxonomy
from operations import sources
from operations.database import Database
from operations.outlets import writeback
from streams.errors import MappingError
from streams.mapping import load_all
from streams.shelf import Shelf

ROUNDS = 20
"""Portions of the journal read for one outlet before the next one's turn."""


class Writeback:
    """Follows the journal for every outlet that writes back. Blocking."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        taxonomy = Taxonomy.load()
        self._shelf = Shelf(load_all(taxonomy, settings.data / "sources"), taxonomy)

    def step(self, now: int) -> int:
        """Queue what is new; returns how many messages. Raises database trouble."""
        told = 0
        outlets = writeback.behind(self._database)
        if outlets:
            self._shelf.look(self._database)
        for outlet in outlets:
            say = self._words(outlet.source)
            for _ in range(ROUNDS):
                told += writeback.step(self._database, outlet.name, say, now)
                if all(one.name != outlet.name for one in writeback.behind(self._database)):
                    break
        return told

    def _words(self, source_id: str) -> Callable[[str, str], str]:
        source = sources.get(self._database, source_id)
        try:
            back = self._shelf.get(source.mapping).back if source is not None else {}
        except MappingError:  # said where the mapping is kept; our own codes are better than nothing
            back = {}
        return lambda kind, code: back.get(f"{kind}.{code}", code)
