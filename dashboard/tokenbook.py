"""Tokens as their page uses them 令牌: in the name of whoever asks."""

from msgspec import Struct

from config import clock
from dashboard import access
from operations import grids, sources, tokens
from operations.database import AfterCommit, Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity, allowed
from operations.scope import Scope
from operations.sources import Source
from operations.tokens import RIGHTS, Terms, Token

PLAIN_KINDS = ("http", "websocket", "redis_stream")
"""Kinds of sources that send, and so need a token."""


class Wanted(Struct, frozen=True):
    """A token that is to be made; `source` only of one that sends, `scope` only of one that reads."""

    name: str
    kind: str
    source: str = ""
    scope: Scope = Scope()
    terms: Terms = Terms()


class Once(Struct, frozen=True):
    """A secret that is shown this once."""

    name: str
    secret: str


class Tokenbook:
    """One per web process."""

    def __init__(self, database: Database, ring: AfterCommit) -> None:
        self._database = database
        self._ring = ring

    def listed(self) -> list[Token]:
        """Return all tokens. Raises Forbidden."""
        self._permitted()
        return tokens.listed(self._database)

    def get(self, token_id: str) -> Token:
        """Return a token. Raises Forbidden, NotFound."""
        found = next((one for one in self.listed() if one.id == token_id), None)
        if found is None:
            raise NotFound()
        return found

    def may(self, kind: str) -> bool:
        """Say whether whoever asks makes, rotates and revokes tokens of a kind."""
        return allowed(access.current(), RIGHTS[kind])

    def sources(self) -> list[Source]:
        """Return the sources that send, for whoever makes tokens for them."""
        found = sources.listed(self._database) if self.may("intake") else []
        return [one for one in found if one.kind in PLAIN_KINDS]

    def add(self, wanted: Wanted) -> Once:
        """Make a token. Raises Forbidden, Refused."""
        identity, now = self._permitted(), clock.now()
        grid = wanted.scope.grid
        current = grids.current(self._database, now) if grid else None
        if grid and (current is None or all(row.code != grid for row in current.rows)):
            raise Refused("operations.unknown_grid")
        made = tokens.add(
            self._database,
            identity,
            wanted.name,
            wanted.kind,
            now=now,
            source_id=wanted.source,
            scope=wanted.scope,
            terms=wanted.terms,
            after_commit=self._ring,
        )
        return Once(wanted.name, made)

    def rotate(self, token_id: str, hours: int) -> Once:
        """Give a token another secret; the old one holds for some hours. Raises Forbidden, NotFound, Refused."""
        identity, name = self._permitted(), self.get(token_id).name
        made = tokens.rotate(self._database, identity, token_id, hours=hours, now=clock.now(), after_commit=self._ring)
        return Once(name, made)

    def revoke(self, token_id: str) -> str:
        """End a token for good; return its name. Raises Forbidden, NotFound."""
        identity, name = self._permitted(), self.get(token_id).name
        tokens.revoke(self._database, identity, token_id, now=clock.now(), after_commit=self._ring)
        return name

    def _permitted(self) -> Identity:
        identity = access.current()
        if not allowed(identity, "token.manage"):
            raise Forbidden(permission="token.manage")
        return identity
