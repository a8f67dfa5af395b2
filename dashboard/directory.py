"""The directory of sources as the administrator's pages use it (数据来源): in the name of whoever asks."""

from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from msgspec import json, structs

from config import clock
from dashboard import access
from operations import cursors, datums, quarantine, rederiving, sources, tokens
from operations.cursors import Cursor
from operations.database import Database
from operations.datums import Standing
from operations.errors import NotFound, Refused
from operations.policy import allowed, require
from operations.report import Refusal, Report
from operations.sources import Source
from streams.fetching import FETCHERS
from streams.port import Port
from streams.probe import Tried
from streams.source_secrets import SourceSecrets
from streams.vitals import Health

DAY = 86_400_000_000

PLACES_MOST = 5_000
FILE = "file"
"""The kind of source whose files an administrator sends in by hand; it needs no token."""


def origin(settings: str) -> tuple[str, str]:
    """Return scheme and host of the address in a source's settings; a kept secret is for that host only."""
    try:
        found = urlsplit(str(json.decode(settings or "{}", type=dict).get("url", "")))
        return found.scheme, found.netloc
    except (ValueError, UnicodeDecodeError):
        return "", ""


class Directory:
    """One per web process; `secrets` keeps the tokens and passwords of sources that are pulled."""

    def __init__(self, database: Database, port: Port, secrets: SourceSecrets) -> None:
        self._database = database
        self._port = port
        self._ring = port.ring
        self._secrets = secrets

    def listed(self) -> list[Source]:
        """Return all sources by id. Raises Forbidden."""
        require(access.current(), "source.read")
        return sources.listed(self._database)

    def get(self, source_id: str) -> Source:
        """Return a source. Raises Forbidden, NotFound."""
        found = next((one for one in self.listed() if one.id == source_id), None)
        if found is None:
            raise NotFound()
        return found

    def add(self, source: Source, secret: str = "") -> str:
        """Add a source and return its first token, which is shown once; "" for one that is fetched from.

        `secret`: what the source wants to see when it is fetched from. Raises Forbidden, Refused.
        """
        identity, now = access.current(), clock.now()
        sources.add(self._database, identity, source, now=now, after_commit=self._ring)
        if source.kind in FETCHERS or source.kind == FILE:
            if secret:
                self._put(source.id, secret)
            return ""
        return tokens.add(
            self._database, identity, source.id, "intake", now=now, source_id=source.id, after_commit=self._ring
        )

    def change(self, source: Source, secret: str = "", *, forget: bool = False) -> None:
        """Change a source, all but its id; its secret only when a new one is given, or it is to be forgotten.

        It is forgotten too when the source moves to another host, which must not be told it. Raises Forbidden,
        NotFound, Refused.
        """
        forget = forget or origin(self.get(source.id).settings) != origin(source.settings)
        if forget and allowed(access.current(), "source.manage"):  # before: no other host may be told it in between
            self._put(source.id, "")
        sources.change(self._database, access.current(), source, now=clock.now(), after_commit=self._ring)
        if secret:
            self._put(source.id, secret)

    def switch(self, source_id: str, *, on: bool) -> None:
        """Switch a source on or off."""
        self.change(structs.replace(self.get(source_id), enabled=on))

    def new_token(self, source_id: str) -> str:
        """Return a new token, which is shown once; those from before end. Raises Forbidden, NotFound."""
        identity, now = access.current(), clock.now()
        require(identity, "token.manage")
        source = self.get(source_id)
        old = [one for one in tokens.listed(self._database) if one.source == source.id and one.revoked_at is None]
        made = tokens.add(
            self._database, identity, source.id, "intake", now=now, source_id=source.id, after_commit=self._ring
        )
        for one in old:
            tokens.revoke(self._database, identity, one.id, now=now, after_commit=self._ring)
        return made

    def has_secret(self, source_id: str) -> bool:
        """Say whether a secret is kept for a source; what it is nobody is told."""
        return bool(self._secrets.get(source_id))

    def health(self, source_id: str) -> Coroutine[Any, Any, Health]:
        """Return, to be waited for, how a source does. Raises Forbidden, NotFound, and EngineAway."""
        return self._port.health(self.get(source_id).id)

    def rejected(self, source_id: str) -> dict[str, int]:
        """Return what of a source's came into quarantine in the last 24 hours, by reason."""
        since = clock.now() - DAY
        return quarantine.reasons(self._database, access.current(), self.get(source_id).id, since=since)

    def cursor(self, source_id: str) -> Cursor:
        """Return how far a source was read."""
        return cursors.get(self._database, self.get(source_id).id)

    def examine(self, source_id: str, item: bytes) -> Report | Refusal:
        """Return what intake would make of an item; nothing is kept. Raises MappingError."""
        return self._port.intake.examine(self.get(source_id), item)

    def example(self, source_id: str, lon: float, lat: float) -> dict[str, object]:
        """Return one item as the source would send it. Raises MappingError."""
        source = self.get(source_id)
        at = datetime.fromtimestamp(clock.now() // 1_000_000, UTC).astimezone(source.zone)
        return self._port.intake.example(source, at, lon, lat)

    def tried(self, source: Source, secret: str, known_as: str = "") -> Coroutine[Any, Any, Tried]:
        """Return, to be waited for, what one fetch comes to; the kept secret of `known_as` is used when none is given.

        Raises Forbidden for anyone but an administrator: it makes us ask an address of their choice.
        """
        require(access.current(), "source.manage")
        if not secret and known_as and origin(self.get(known_as).settings) == origin(source.settings):
            secret = self._secrets.get(known_as)
        return self._port.tried(source, secret)

    def datum_said(self, source_id: str) -> Standing:
        """Return what is proposed of a source's datum and what was decided. Raises Forbidden."""
        require(access.current(), "source.read")
        return datums.standing(self._database, source_id)

    def places_left(self, source: Source, ids: Sequence[str]) -> int:
        """Return how many of the newest `PLACES_MOST` of a source's incidents are still to be read in its datum."""
        require(access.current(), "source.read")
        return len(rederiving.outdated(self._database, sorted(ids)[-PLACES_MOST:], source.datum))

    def decide_datum(self, source_id: str, decision: str) -> None:
        """Decide about a datum: "confirm" what is proposed, "keep" the declared one, or go "back" to the one before.

        Raises Forbidden, NotFound, Refused when there is nothing to decide.
        """
        source, said = self.get(source_id), self.datum_said(source_id)
        if decision == "keep":
            datums.keep(self._database, access.current(), source_id, now=clock.now(), after_commit=self._ring)
            return
        wanted = said.proposal.evidence.datum if decision == "confirm" and said.proposal else ""
        wanted = said.previous if decision == "back" else wanted
        if not wanted:
            raise Refused("operations.no_proposal")
        self.change(structs.replace(source, datum=wanted))

    def _put(self, source_id: str, secret: str) -> None:
        try:
            self._secrets.put(source_id, secret.strip())
        except ValueError:
            raise Refused("operations.source_wrong", field="secret", value="…") from None
