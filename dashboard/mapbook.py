"""Field mappings as the administrator's pages use them (字段对照): proposed, tried, saved, and used by a source."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from config import clock
from config.taxonomy import Taxonomy
from dashboard import access
from operations import mappings, sources
from operations.database import AfterCommit, Database
from operations.errors import NotFound, Refused
from operations.mappings import Saved
from operations.policy import Identity, require
from operations.sources import Source
from streams import proposal
from streams.errors import MappingError
from streams.mapping import FOLDER, Mapped, checked
from streams.shelf import Shelf
from streams.tables.columns import Column

Draft = dict[str, Any]


class Mapbook:
    """One per web process; `own` is DATA/sources, whose files go before the shipped ones."""

    def __init__(self, database: Database, ring: AfterCommit, shelf: Shelf, own: Path = FOLDER) -> None:
        self._database = database
        self._ring = ring
        self._shelf = shelf
        self._folders = (own, FOLDER)
        self._taxonomy = Taxonomy.load()

    def proposed(self, columns: list[Column]) -> Draft:
        """Return a first mapping of these columns."""
        return proposal.proposed(columns, self._taxonomy)

    def names(self) -> list[str]:
        """Return the names of all mappings, those of files and those saved here."""
        self._permit()
        return self._shelf.names()

    def draft(self, name: str) -> tuple[Draft, int]:
        """Return a mapping's dict form and its revision, 0 for one of a file. Raises NotFound."""
        self._permit()
        saved = mappings.get(self._database, name)
        if saved is not None:
            return msgspec.json.decode(saved.body, type=dict), saved.revision
        if name not in self._shelf.names():
            raise NotFound()
        path = next((path for folder in self._folders if (path := folder / f"{name}.toml").exists()), None)
        if path is None:
            raise NotFound()
        try:
            return tomllib.loads(path.read_text(encoding="utf-8")), 0
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise MappingError(f"{path.name}: cannot be read: {error}") from error

    def read(self, draft: Draft) -> Mapped:
        """Return the mapping a draft holds. Raises MappingError."""
        return checked(draft, self._taxonomy, "draft", "")

    def source(self, source_id: str) -> Source:
        """Return a source. Raises Forbidden, NotFound."""
        return self._source(source_id)

    def of(self, source_id: str) -> tuple[Source, Mapped]:
        """Return a source and the mapping it uses. Raises NotFound, MappingError."""
        source = self._source(source_id)
        return source, self._shelf.get(source.mapping)

    def save(self, source_id: str, name: str, draft: Draft, revision: int) -> Saved:
        """Save a draft and have the source use it. Raises MappingError, Refused, Changed."""
        identity = self._permit()
        source = self._source(source_id)
        self.read(draft)
        if name in ("", "standard"):
            raise Refused("operations.mapping_name", name=name)
        now, body = clock.now(), msgspec.json.encode(draft).decode()
        saved = mappings.save(self._database, identity, name, body, revision=revision, now=now, after_commit=self._ring)
        self._shelf.look(self._database)
        if source.mapping != name:
            changed = structs.replace(source, mapping=name)
            sources.change(self._database, identity, changed, now=now, after_commit=self._ring)
        return saved

    def _permit(self) -> Identity:
        identity = access.current()
        require(identity, "source.manage")
        return identity

    def _source(self, source_id: str) -> Source:
        self._permit()
        found = sources.get(self._database, source_id)
        if found is None:
            raise NotFound()
        return found
