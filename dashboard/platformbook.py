"""Platforms below us as their page uses them 下级平台: in the name of whoever asks; passwords lie beside the keys."""

from pathlib import Path
from typing import Any

import msgspec

from config import clock
from dashboard import access
from operations import platforms, sources
from operations.database import AfterCommit, Database
from operations.errors import Refused
from operations.platforms import Platform
from operations.policy import allowed, require
from streams.gb28181 import whereabouts
from streams.gb28181.known import Quirks, out_of_bounds, quirks_of
from streams.gb28181.passwords import Passwords
from streams.gb28181.whereabouts import Last

POSITIONS_SHOWN = 200
LEAST_PASSWORD, LONGEST_PASSWORD = 4, 64


class Platformbook:
    """One per web process; `keys` is DATA/keys, `engine` the engine's URL."""

    def __init__(self, database: Database, ring: AfterCommit, keys: Path, engine: str = "") -> None:
        self._engine = engine
        self._database = database
        self._ring = ring
        self._passwords = Passwords(keys)

    def may(self, action: str) -> bool:
        """Say whether whoever asks may do it."""
        return allowed(access.current(), action)

    def listed(self) -> list[Platform]:
        """Return all. Raises Forbidden."""
        return platforms.listed(self._database, access.current())

    def get(self, code: str) -> Platform:
        """Return one. Raises Forbidden, NotFound."""
        return platforms.get(self._database, access.current(), code)

    def positions(self) -> list[Last]:
        """Return where moving devices last said they were. Raises Forbidden, EngineAway."""
        require(access.current(), "platform.read")
        return whereabouts.latest(self._engine, POSITIONS_SHOWN)

    def datum(self, one: Platform) -> str:
        """Return the datum of what a platform tells."""
        require(access.current(), "platform.read")
        source = sources.get(self._database, one.source)
        return "WGS84" if source is None else source.datum

    def quirks(self, one: Platform) -> Quirks:
        """Return how a platform is treated."""
        return quirks_of(f"{one.agent} {one.maker}", one.quirks)

    def keep(
        self, code: str, revision: int, *, name: str, datum: str, password: str, quirks: dict[str, Any]
    ) -> Platform:
        """Accept a platform or change it; an empty password stays. Raises Forbidden, NotFound, Refused."""
        identity = access.current()
        require(identity, "platform.manage")
        _password(password, empty=True)
        one = self.get(code)
        if not password and not self._passwords.of(code, one.host):
            raise Refused("platforms.password_missing")
        _checked(quirks)
        about: dict[str, Any] = {"now": clock.now(), "after_commit": self._ring}
        one = platforms.accept(self._database, identity, code, name=name, datum=datum, revision=revision, **about)
        if password:
            self._passwords.put(code, password)
            one = platforms.note(self._database, identity, code, "platform.password_set", **about)
        return platforms.set_quirks(self._database, identity, code, quirks, revision=one.revision, **about)

    def refuse(self, code: str) -> Platform:
        """Let one in no longer. Raises Forbidden, NotFound, Refused."""
        one = self.get(code)
        about: dict[str, Any] = {"now": clock.now(), "after_commit": self._ring}
        return platforms.refuse(self._database, access.current(), code, revision=one.revision, **about)

    def forget(self, code: str) -> None:
        """Drop one that is not accepted, and its password. Raises Forbidden, NotFound, Refused."""
        now = clock.now()
        platforms.forget(self._database, access.current(), code, now=now, after_commit=self._ring)
        self._passwords.put(code, "")

    def resync(self, code: str) -> Platform:
        """Have the whole catalogue asked for now. Raises Forbidden, NotFound."""
        about: dict[str, Any] = {"now": clock.now(), "after_commit": self._ring}
        return platforms.note(self._database, access.current(), code, "platform.resync", **about)

    def networks(self) -> list[str]:
        """Return the networks that have a password. Raises Forbidden."""
        require(access.current(), "platform.read")
        return [str(one) for one in self._passwords.networks()]

    def keep_network(self, network: str, password: str) -> None:
        """Set the password of a network, "" forgets it. Raises Forbidden, Refused."""
        identity = access.current()
        require(identity, "platform.manage")
        _password(password, empty=True)
        try:
            self._passwords.put_network(network.strip(), password)
        except ValueError:
            raise Refused("platforms.wrong_network") from None
        now = clock.now()
        platforms.network_set(self._database, identity, network.strip(), now=now, after_commit=self._ring)


def _password(password: str, *, empty: bool) -> None:
    fits = LEAST_PASSWORD <= len(password) <= LONGEST_PASSWORD and password.isprintable()
    if not fits and not (empty and not password):
        raise Refused("platforms.wrong_password", least=LEAST_PASSWORD, most=LONGEST_PASSWORD)


def _checked(values: dict[str, Any]) -> None:
    try:
        quirks = msgspec.convert(values, Quirks)
    except msgspec.ValidationError:
        raise Refused("platforms.wrong_quirks") from None
    if out_of_bounds(quirks):
        raise Refused("platforms.wrong_quirks")
