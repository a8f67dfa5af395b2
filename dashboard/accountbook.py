"""Accounts as the security administrator's pages use them 账号: in the name of whoever asks."""

from msgspec import Struct

from config import clock
from dashboard import access
from operations import accounts, appointments, assignments, recovery, roll, second_factor, separation, sessions
from operations.appointments import Post
from operations.assignments import Right
from operations.database import AfterCommit, Database
from operations.errors import Forbidden, NotFound
from operations.policy import Identity, allowed, require
from operations.roll import Person
from operations.rules import Rules
from operations.seal import KeyStore
from operations.sessions import Session

MONTH = 31 * 86_400_000_000


class Once(Struct, frozen=True):
    """An account and its new password, which is shown this once and must be changed at the first sign-in."""

    id: str
    name: str
    password: str


class Accountbook:
    """One per web process."""

    def __init__(self, database: Database, keys: KeyStore, ring: AfterCommit, rules: Rules) -> None:
        self._database = database
        self._keys = keys
        self._ring = ring
        self._rules = rules

    def people(self) -> list[Person]:
        """Return all accounts. Raises Forbidden."""
        return roll.people(self._database, access.current(), clock.now())

    def person(self, account_id: str) -> Person:
        """Return one account. Raises Forbidden, NotFound."""
        found = next((one for one in self.people() if one.id == account_id), None)
        if found is None:
            raise NotFound()
        return found

    def add(self, name: str, post: Post) -> Once:
        """Add an account with a password made here. Raises Forbidden, Refused."""
        identity, now = access.current(), clock.now()
        appointments.check(post)
        password = accounts.add(
            self._database, identity, name, post.role, now=now, scope=post.scope, after_commit=self._ring
        )
        found = next(one for one in self.people() if one.name == name)
        appointments.change(
            self._database, identity, found.id, post, revision=found.revision, now=now, after_commit=self._ring
        )
        return Once(found.id, name, password)

    def change(self, account_id: str, post: Post, revision: int) -> None:
        """Appoint an account anew. Raises Forbidden, NotFound, Refused, Changed."""
        appointments.change(
            self._database,
            access.current(),
            account_id,
            post,
            revision=revision,
            now=clock.now(),
            rules=self._rules,
            after_commit=self._ring,
        )

    def switch(self, account_id: str, revision: int, *, on: bool) -> None:
        """Switch an account off or on. Raises Forbidden, NotFound, Refused, Changed."""
        appointments.switch(
            self._database,
            access.current(),
            account_id,
            on=on,
            revision=revision,
            now=clock.now(),
            after_commit=self._ring,
        )

    def give(self, account_id: str, right: Right) -> None:
        """Give a right with a time. Raises Forbidden, NotFound, Refused."""
        assignments.give(
            self._database,
            access.current(),
            account_id,
            right,
            now=clock.now(),
            rules=self._rules,
            after_commit=self._ring,
        )

    def withdraw(self, assignment_id: str) -> None:
        """Take a right back. Raises Forbidden, NotFound, Refused."""
        assignments.withdraw(self._database, access.current(), assignment_id, now=clock.now(), after_commit=self._ring)

    def reset_password(self, account_id: str) -> Once:
        """Give somebody else another password; their sessions end. Raises Forbidden, NotFound, Refused (one's own)."""
        identity, found = self._other(account_id)
        now = clock.now()
        made = accounts.set_password(self._database, identity, found.name, now=now, after_commit=self._ring)
        sessions.revoke_all(self._database, identity, found.id, now=now, after_commit=self._ring)
        return Once(found.id, found.name, made)

    def unlock(self, account_id: str) -> None:
        """Let somebody try again at once. Raises Forbidden, NotFound."""
        identity, found = self._other(account_id)
        accounts.unlock(self._database, identity, found.name, now=clock.now(), after_commit=self._ring)

    def reset_second_factor(self, account_id: str) -> None:
        """Take somebody's second factor away. Raises Forbidden, NotFound, Refused for one's own."""
        identity, found = self._other(account_id)
        second_factor.reset(self._database, self._keys, identity, found.name, now=clock.now(), after_commit=self._ring)

    def sessions(self, account_id: str) -> list[Session]:
        """Return an account's open sessions. Raises Forbidden, NotFound."""
        return sessions.listed(self._database, self.person(account_id).id, clock.now())

    def revoke(self, session_id: str) -> None:
        """End one session. Raises Forbidden, NotFound."""
        identity = self._permitted()
        sessions.revoke(self._database, identity, session_id, now=clock.now(), after_commit=self._ring)

    def revoke_all(self, account_id: str) -> None:
        """Sign an account out everywhere. Raises Forbidden, NotFound."""
        identity, found = self._permitted(), self.person(account_id)
        keep = identity.session if found.id == identity.id else ""
        sessions.revoke_all(self._database, identity, found.id, now=clock.now(), keep=keep, after_commit=self._ring)

    def at_terminal(self) -> list[tuple[int, str, dict[str, str]]]:
        """Return (at, action, body) of what was done about accounts at the server's terminal in the last 31 days.

        The newest come first: also what the recovery key was used for, and what was refused. Raises Forbidden.
        """
        require(access.current(), "account.read")
        return recovery.recent(self._database, clock.now() - MONTH)

    def _permitted(self) -> Identity:
        identity = access.current()
        if not allowed(identity, "account.manage"):
            raise Forbidden(permission="account.manage")
        return identity

    def _other(self, account_id: str) -> tuple[Identity, Person]:
        """Who asks, and somebody else: one's own password and second factor are changed on one's own page."""
        identity = self._permitted()
        separation.check_own(identity, account_id)
        return identity, self.person(account_id)
