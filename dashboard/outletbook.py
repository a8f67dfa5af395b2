"""The ways out as their page uses them 发送渠道: in the name of whoever asks; secrets lie beside the keys."""

from pathlib import Path
from typing import Any

from msgspec import Struct

from config import clock
from dashboard import access
from operations import sources
from operations.database import AfterCommit, Database
from operations.errors import Refused
from operations.outlets.keeping import Counts, Outlets
from operations.outlets.outbox import Parcel
from operations.outlets.outlet import Outlet
from operations.policy import allowed, require
from operations.sources import Source
from streams.outlets.signature import make_secret
from streams.source_secrets import SourceSecrets


class Made(Struct, frozen=True):
    """An outlet that was added or given a new key; `secret` is shown this once, "" where it was typed in."""

    outlet: Outlet
    secret: str = ""


class Outletbook:
    """One per web process; `keys` is DATA/keys."""

    def __init__(self, database: Database, ring: AfterCommit, keys: Path) -> None:
        self._database = database
        self._outlets = Outlets(database, ring)
        self._secrets = SourceSecrets(keys, "outlets")

    def may(self, action: str) -> bool:
        """Say whether whoever asks may do it."""
        return allowed(access.current(), action)

    def listed(self) -> list[tuple[Outlet, Counts]]:
        """Return all with their counts. Raises Forbidden."""
        return self._outlets.listed(access.current(), clock.now())

    def get(self, name: str) -> Outlet:
        """Return one. Raises Forbidden, NotFound."""
        return self._outlets.get(access.current(), name)

    def sources(self) -> list[Source]:
        """Return the sources that states may go back to, for whoever manages outlets."""
        return sources.listed(self._database) if self.may("outlet.manage") else []

    def add(self, name: str, kind: str, values: dict[str, Any], *, password: str, source: str) -> Made:
        """Add one; a webhook is given a key to sign with. Raises Forbidden, Refused."""
        require(access.current(), "outlet.manage")
        _checked(password)
        made = self._outlets.add(access.current(), name, kind, values, now=clock.now(), source=source)
        secret = make_secret() if kind == "webhook" else ""
        self._secrets.put(name, secret or password)
        return Made(made, secret)

    def change(self, name: str, values: dict[str, Any], *, revision: int, password: str) -> Made:
        """Change one; a password that is left empty stays. Raises Forbidden, NotFound, Refused."""
        _checked(password)
        made = self._outlets.change(access.current(), name, values, revision=revision, now=clock.now())
        if password:
            self._secrets.put(name, password)
        return Made(made)

    def renew(self, name: str) -> Made:
        """Give a webhook another key; the old one is gone at once. Raises Forbidden, NotFound."""
        made, secret = self._outlets.renewed(access.current(), name, now=clock.now()), make_secret()
        self._secrets.put(name, secret)
        return Made(made, secret)

    def switch(self, name: str, *, enabled: bool) -> Outlet:
        """Switch one on or off. Raises Forbidden, NotFound."""
        return self._outlets.switch(access.current(), name, enabled=enabled, now=clock.now())

    def remove(self, name: str) -> int:
        """Remove one and its secret; return how many messages were dropped. Raises Forbidden, NotFound."""
        dropped = self._outlets.remove(access.current(), name, now=clock.now())
        self._secrets.put(name, "")
        return dropped

    def test(self, name: str, to: str) -> str:
        """Queue a test message; return what to ask for with `tested`. Raises Forbidden, NotFound, Refused."""
        return self._outlets.test(access.current(), name, to, now=clock.now())

    def tested(self, about: str) -> Parcel | None:
        """Return how a test message stands. Raises Forbidden."""
        return self._outlets.tested(access.current(), about)

    def dead(self) -> list[Parcel]:
        """Return dead letters, the newest first. Raises Forbidden."""
        return self._outlets.dead(access.current())

    def replay(self, *, name: str = "", delivery: str = "") -> int:
        """Send dead letters again; return how many. Raises Forbidden, NotFound."""
        return self._outlets.replay(access.current(), name=name, delivery=delivery, now=clock.now())


def _checked(password: str) -> None:
    if len(password) > 4_096 or not password.isprintable():
        raise Refused("outlets.wrong", field="password")
