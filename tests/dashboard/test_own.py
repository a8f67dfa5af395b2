"""One's own account: what its page asks the password for, and which second factor signing in asks for."""

from collections.abc import Callable
from contextlib import closing

import pyotp
import pytest

from config import clock
from config.settings import Settings
from config.words import Words
from dashboard.own import Own, Sender
from dashboard.panels import me
from operations import accounts, assignments, second_factor, sessions
from operations.assignments import Right
from operations.database import Database
from operations.errors import NotFound, Refused
from operations.own_account import CODE, ENROL
from operations.policy import SYSTEM, Identity
from operations.rules import Rules
from operations.seal import KeyStore
from tests.dashboard.web import PASSWORD

HERE, WORDS = Sender("browser", "127.0.0.1"), Words("en")
HOUR = 3_600_000_000
CHOSEN = "quite another 口令"


class Now:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = clock.now()

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def own(settings: Settings, database: Database, now: Now) -> Own:
    keys = KeyStore(settings.data / "keys")
    return Own(database, keys, Rules(), hours=8, ring=lambda _seq: None, now=now)


@pytest.fixture
def signed(own: Own, database: Database, now: Now) -> Callable[[], Identity]:
    """Signs an operator in, who is made the first time."""
    accounts.add(database, SYSTEM, "li", "operator", now=now.at, password=PASSWORD)

    def sign_in() -> Identity:
        entry = own.enter("li", PASSWORD, HERE)
        assert entry.stage == ""
        found = sessions.identify(database, entry.secret, now.at)
        assert found is not None
        return found

    return sign_in


def code(own: Own, who: Identity, at: int) -> str:
    return pyotp.TOTP(own.offered(who)[0]).at(at // 1_000_000)


def test_a_second_factor_and_its_codes_want_the_password(own: Own, signed: Callable[[], Identity], now: Now) -> None:
    who = signed()

    def act(name: str, **typed: str) -> me.Shown:
        return me.done(own, who, name, typed, WORDS)

    assert act("begin").offered == own.offered(who)
    with pytest.raises(Refused, match="sign_in_failed"):
        act("enrol", proof="wrong", code=code(own, who, now.at))
    with pytest.raises(Refused, match="code_wrong"):
        act("enrol", proof=PASSWORD, code="123")
    assert not own.account(who).second_factor
    first = act("enrol", proof=PASSWORD, code=code(own, who, now.at)).codes
    assert len(first) == 10 and own.account(who).second_factor
    for name in ("codes", "give_up"):
        with pytest.raises(Refused, match="sign_in_failed"):
            act(name, proof="wrong")
    assert set(act("codes", proof=PASSWORD).codes).isdisjoint(first)
    act("give_up", proof=PASSWORD)
    assert not own.account(who).second_factor


def test_another_password_wants_the_old_one_twice_typed_and_ends_the_other_sessions(
    own: Own, signed: Callable[[], Identity], database: Database
) -> None:
    other, who = signed(), signed()
    assert me.done(own, who, "password", {"old": PASSWORD, "new": CHOSEN, "again": PASSWORD}, WORDS).told == (
        "wrong",
        WORDS.text("operations.password_twice"),
    )
    with pytest.raises(Refused, match="sign_in_failed"):
        me.done(own, who, "password", {"old": CHOSEN, "new": CHOSEN, "again": CHOSEN}, WORDS)
    me.done(own, who, "password", {"old": PASSWORD, "new": CHOSEN, "again": CHOSEN}, WORDS)
    assert [one.id for one in own.sessions(who)] == [who.session] != [other.session]
    assert own.enter("li", CHOSEN, HERE).stage == ""


def test_only_ones_own_sessions_are_ended(own: Own, signed: Callable[[], Identity], database: Database) -> None:
    other, who = signed(), signed()
    accounts.add(database, SYSTEM, "wang", "operator", now=clock.now(), password=PASSWORD)
    own.enter("wang", PASSWORD, HERE)
    wang = accounts.find(database, "wang")
    assert wang is not None
    [theirs] = sessions.listed(database, wang.id, clock.now())
    with pytest.raises(NotFound):
        me.done(own, who, f"end:{theirs.id}", {}, WORDS)
    me.done(own, who, f"end:{other.session}", {}, WORDS)
    assert [one.id for one in own.sessions(who)] == [who.session]
    me.done(own, who, "end_all", {}, WORDS)
    assert own.sessions(who) == [] and sessions.listed(database, wang.id, clock.now()) == [theirs]


def test_a_right_with_a_second_factor_asks_for_it_as_a_role_does(
    settings: Settings, own: Own, signed: Callable[[], Identity], database: Database, now: Now
) -> None:
    who = signed()
    me.done(own, who, "enrol", {"proof": PASSWORD, "code": code(own, who, now.at)}, WORDS)
    accounts.add(database, SYSTEM, "boss", "security_admin", now=now.at)
    right = Right("liaison", now.at + 3 * HOUR, now.at + HOUR, reason="stands in")
    given = assignments.give(database, SYSTEM, who.id, right, now=now.at)
    assert own.mandatory(own.account(who))
    with pytest.raises(Refused, match="second_factor_mandatory"):
        own.give_up(who, PASSWORD)
    assert own.enter("li", PASSWORD, HERE).stage == CODE
    with closing(KeyStore(settings.data / "keys")) as keys:
        second_factor.reset(database, keys, SYSTEM, "li", now=now.at)
    assert own.sessions(who) == [], "whoever had the authenticator may have opened them"
    assert own.enter("li", PASSWORD, HERE).stage == ENROL, "before the right begins: nobody signs in anew then"
    assignments.withdraw(database, SYSTEM, given, now=now.at)
    assert own.enter("li", PASSWORD, HERE).stage == ""
