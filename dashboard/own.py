"""One's own account 我的账号: signing in stage by stage, password, second factor, sessions, unlocking the desk.

Every call is of a thread's kind: it waits for the database, and those with a password for the processor.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from config import clock
from dashboard import asgi
from operations import accounts, assignments, own_account, second_factor, sessions
from operations.accounts import Account
from operations.database import AfterCommit, Database
from operations.errors import NotFound, Refused
from operations.policy import Identity
from operations.rules import Rules
from operations.seal import KeyStore
from operations.sessions import Held, Session

AGAIN, BY_PASSWORD = "again", "password"
"""How a locked desk is opened: by signing in again (no password of ours is known), or by the password."""


class Sender(NamedTuple):
    """The device a sign-in comes from."""

    agent: str
    address: str


class Entry(NamedTuple):
    """A session's secret, for the cookie, and what is left of signing in."""

    secret: str
    stage: str


def sender(scope: Mapping[str, Any]) -> Sender:
    """Return the device a request came from."""
    return Sender(asgi.header(scope, "user-agent"), asgi.address(scope))


class Own:
    """What everybody may do with their own account, under the rules in force."""

    def __init__(
        self, database: Database, keys: KeyStore, rules: Rules, *, hours: int, ring: AfterCommit, now: Callable[[], int]
    ) -> None:
        self._database, self._keys, self.rules = database, keys, rules
        self._hours, self._ring, self._now = hours, ring, now

    # ---- signing in ----

    def enter(self, name: str, password: str, device: Sender) -> Entry:
        """Return a session for a name and its password. Raises Refused."""
        now = self._now()
        account = accounts.check_password(self._database, name, password, now, self.rules)
        stage = self._stage(account, proven=False)
        return Entry(self._opened(account, device, stage, "password"), stage)

    def _opened(self, account: Account, device: Sender, stage: str, method: str) -> str:
        return sessions.open(
            self._database,
            account,
            hours=self._hours,
            now=self._now(),
            **device._asdict(),
            stage=stage,
            method=method,
            after_commit=self._ring,
        )

    def welcome(self, account: Account, device: Sender, *, proven: bool) -> Entry:
        """Return a session for whom an identity provider stands for; `proven`: it asked for a second factor itself."""
        stage = "" if proven else self._stage(account, proven=False)
        return Entry(self._opened(account, device, stage, "oidc"), stage)

    def redeem(self, once: str, device: Sender) -> Entry:
        """Return a session for a one-time link. Raises Refused."""
        opened, account = sessions.redeem(
            self._database,
            once,
            hours=self._hours,
            now=self._now(),
            **device._asdict(),
            stage_of=lambda account: self._stage(account, proven=False),
            after_commit=self._ring,
        )
        return Entry(opened, self._stage(account, proven=False))

    def held(self, secret: str) -> Held | None:
        """Return the session of a secret."""
        return sessions.held(self._database, secret, self._now())

    def leave(self, secret: str) -> None:
        """End the session of a secret."""
        sessions.close(self._database, secret, now=self._now(), after_commit=self._ring)

    def prove(self, identity: Identity, code: str) -> Entry:
        """Take a code of the second factor while signing in. Raises Refused."""
        now = self._now()
        second_factor.check(
            self._database, self._keys, identity, code, now=now, rules=self.rules, after_commit=self._ring
        )
        return self._advance(identity)

    def begin(self, identity: Identity, password: str) -> Entry:
        """Take a new password while signing in. Raises Refused."""
        self._choose(identity, password)
        return self._advance(identity)

    def bind(self, identity: Identity, code: str) -> tuple[Entry, list[str]]:
        """Take the second factor that was offered while signing in; also its recovery codes. Raises Refused."""
        codes = self._enrol(identity, code)
        return self._advance(identity), codes

    def _advance(self, identity: Identity) -> Entry:
        account = self._account(identity)
        stage = self._stage(account, proven=True)
        renewed = sessions.renew(
            self._database, identity.session, stage, hours=self._hours, now=self._now(), after_commit=self._ring
        )
        return Entry(renewed, stage)

    def _stage(self, account: Account, *, proven: bool) -> str:
        now = self._now()
        roles = assignments.roles(self._database, account, now)
        return own_account.next_stage(account, self.rules, now, proven=proven, roles=roles)

    def mandatory(self, account: Account) -> bool:
        """Say whether an account has to have a second factor."""
        return second_factor.mandatory(assignments.roles(self._database, account, self._now()), self.rules)

    # ---- password and second factor ----

    def account(self, identity: Identity) -> Account:
        """Return one's account. Raises NotFound."""
        return self._account(identity)

    def change_password(self, identity: Identity, old: str, new: str) -> None:
        """Take another password for the old one; all other sessions end. Raises Refused."""
        self._confirm(identity, old)
        self._choose(identity, new)

    def offered(self, identity: Identity) -> tuple[str, str]:
        """Return the secret of a second factor to take, and its address for the QR code."""
        secret = second_factor.offered(self._keys, identity.id, identity.session)
        return secret, second_factor.address(secret, identity.name)

    def enrol(self, identity: Identity, password: str, code: str) -> list[str]:
        """Take the offered second factor for one's password and return the recovery codes. Raises Refused."""
        self._confirm(identity, password)
        return self._enrol(identity, code)

    def _enrol(self, identity: Identity, code: str) -> list[str]:
        return second_factor.enrol(self._database, self._keys, identity, code, now=self._now(), after_commit=self._ring)

    def renew_codes(self, identity: Identity, password: str) -> list[str]:
        """Return new recovery codes for one's password; the old ones end. Raises Refused, NotFound."""
        self._confirm(identity, password)
        return second_factor.renew_codes(self._database, self._keys, identity, now=self._now(), after_commit=self._ring)

    def give_up(self, identity: Identity, password: str) -> None:
        """Give the second factor up for one's password. Raises Refused where it is mandatory."""
        self._confirm(identity, password)
        second_factor.disable(
            self._database, self._keys, identity, now=self._now(), rules=self.rules, after_commit=self._ring
        )

    def codes_left(self, identity: Identity) -> int:
        """Return how many recovery codes are left."""
        return second_factor.codes_left(self._database, identity.id)

    def _choose(self, identity: Identity, password: str) -> None:
        own_account.choose_password(
            self._database, identity, password, now=self._now(), rules=self.rules, after_commit=self._ring
        )

    def _confirm(self, identity: Identity, password: str) -> None:
        accounts.check_password(self._database, identity.name, password, self._now(), self.rules)

    def _account(self, identity: Identity) -> Account:
        found = accounts.find(self._database, identity.name)
        if found is None or found.id != identity.id:
            raise NotFound()
        return found

    # ---- sessions ----

    def sessions(self, identity: Identity) -> list[Session]:
        """Return one's own open sessions."""
        return sessions.listed(self._database, identity.id, self._now())

    def end(self, identity: Identity, session_id: str) -> None:
        """End one of one's own sessions. Raises NotFound."""
        if session_id not in {one.id for one in self.sessions(identity)}:
            raise NotFound()
        sessions.revoke(self._database, identity, session_id, now=self._now(), after_commit=self._ring)

    def end_all(self, identity: Identity) -> int:
        """Sign out everywhere, here too, and return how many sessions ended."""
        return sessions.revoke_all(self._database, identity, identity.id, now=self._now(), after_commit=self._ring)

    # ---- a desk that stands idle ----

    def touched(self, identity: Identity, ago_s: int) -> bool:
        """Note that somebody touched the desk so many seconds ago; False when it is locked."""
        return sessions.touch(self._database, identity.session, self._now(), self.rules.idle, ago_s * 1_000_000)

    def unlock(self, identity: Identity, held: Held, password: str) -> None:
        """Open a locked desk by one's password; after too many wrong ones the session ends. Raises Refused."""
        now = self._now()
        if way(held) == BY_PASSWORD and accounts.fits(self._database, identity.id, password):
            sessions.unlock(self._database, identity, now=now, after_commit=self._ring)
            return
        if way(held) == BY_PASSWORD:
            sessions.miss(self._database, identity, self.rules.tries, now=now, after_commit=self._ring)
        raise Refused("operations.sign_in_failed")

    def standing(self, held: Held) -> dict[str, Any]:
        """Return how long a desk may stand idle and has stood, in seconds, whether it is locked, and what opens it."""
        now = self._now()
        applies = not held.account.demo and held.account.role != "wall"
        return {
            "idle": self.rules.idle // 1_000_000 if applies else 0,
            "seen": max(now - held.seen_at, 0) // 1_000_000,
            "locked": held.locked(now, self.rules.idle),
            "how": way(held),
        }


def way(held: Held) -> str:
    """Return how a locked desk of this session is opened."""
    return BY_PASSWORD if held.method == "password" else AGAIN


def own(database: Database, keys: KeyStore, rules: Rules, hours: int, ring: AfterCommit) -> Own:
    """Return what everybody may do with their own account, by the clock."""
    return Own(database, keys, rules, hours=hours, ring=ring, now=clock.now)
