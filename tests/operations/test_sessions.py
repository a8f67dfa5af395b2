"""Sessions that are half done, stand idle, end everywhere, or whose account has a time."""

import pytest
import sqlalchemy as sa

from operations import accounts, sessions
from operations.accounts import Account
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import POLICY, SYSTEM, allowed
from operations.rules import DEFAULT
from operations.scope import NOWHERE
from operations.tables import account as account_table
from tests.operations.desk import MINUTE, OPERATOR, SECOND, START
from tests.operations.test_identity import PASSWORD

pytestmark = pytest.mark.database
IDLE = DEFAULT.idle


@pytest.fixture
def li(database: Database) -> Account:
    return made(database, "li", "operator")


def made(database: Database, name: str, role: str, *, demo: bool = False) -> Account:
    accounts.add(database, SYSTEM, name, role, now=START, password="" if demo else PASSWORD, demo=demo)
    found = accounts.find(database, name)
    assert found is not None
    return found


def test_half_a_sign_in_may_only_be_finished_and_then_has_another_secret(database: Database, li: Account) -> None:
    first = sessions.open(database, li, hours=8, now=START, stage="code")
    pending = sessions.identify(database, first, START)
    assert pending is not None and (pending.role, pending.scope) == ("pending", NOWHERE)
    assert {action for action in POLICY if allowed(pending, action)} == {"public", "signin.finish"}
    assert sessions.identify(database, first, START + 15 * MINUTE) is None
    second = sessions.renew(database, pending.session, "enrol", hours=8, now=START)
    whole = sessions.renew(database, pending.session, "", hours=8, now=START)
    assert [sessions.identify(database, one, START) for one in (first, second)] == [None, None]
    found = sessions.identify(database, whole, START + 16 * MINUTE)
    assert found is not None and (found.role, found.session) == ("operator", pending.session)
    with pytest.raises(NotFound):
        sessions.renew(database, pending.session, "", hours=8, now=START)


def test_a_desk_nobody_touches_locks_and_only_the_password_opens_it(database: Database, li: Account) -> None:
    secret = sessions.open(database, li, hours=8, now=START)
    found = sessions.identify(database, secret, START + IDLE - 1, IDLE)
    assert found is not None and not found.locked
    assert sessions.touch(database, found.session, START + IDLE - 1, IDLE, ago=10 * SECOND)
    seen = START + IDLE - 1 - 10 * SECOND
    assert sessions.touch(database, found.session, START + IDLE, IDLE, ago=3 * MINUTE), "a lie gains a minute at most"
    for now, locked in ((seen + IDLE - 1, False), (seen + IDLE, True)):
        found = sessions.identify(database, secret, now, IDLE)
        assert found is not None and found.locked is locked
    assert {one for one in POLICY if allowed(found, one)} & {
        "incident.close",
        "incident.read",
        "session.active",
    } == set()
    assert allowed(found, "live.watch")
    assert not sessions.touch(database, found.session, seen + IDLE, IDLE), "or a timer could wake it"
    sessions.unlock(database, found, now=seen + IDLE)
    found = sessions.identify(database, secret, seen + IDLE, IDLE)
    assert found is not None and not found.locked


def test_demonstrations_never_lock(database: Database) -> None:
    account = made(database, "x", "duty_commander", demo=True)
    found = sessions.identify(database, sessions.open(database, account, hours=8, now=START), START + 2 * IDLE, IDLE)
    assert found is not None and not found.locked


def test_signing_out_everywhere(database: Database, li: Account) -> None:
    other = made(database, "other", "operator")
    here, there = (sessions.open(database, li, hours=8, now=START, address="10.0.0.7") for _ in range(2))
    apart = sessions.open(database, other, hours=8, now=START)
    identity = sessions.identify(database, here, START)
    assert identity is not None
    assert [one.address for one in sessions.listed(database, li.id, START)] == ["10.0.0.7"] * 2
    with pytest.raises(Forbidden):
        sessions.revoke_all(database, identity, other.id, now=START)
    with pytest.raises(Forbidden):
        sessions.everybody(database, OPERATOR, START)
    assert [one.name for one in sessions.everybody(database, SYSTEM, START)] == ["li", "li", "other"]
    assert sessions.revoke_all(database, identity, li.id, now=START, keep=identity.session) == 1
    assert sessions.identify(database, here, START) == identity
    assert sessions.identify(database, there, START) is None
    assert sessions.revoke_all(database, SYSTEM, other.id, now=START) == 1
    assert sessions.identify(database, apart, START) is None


def test_an_account_with_a_time_opens_only_within_it(database: Database, li: Account) -> None:
    secret = sessions.open(database, li, hours=8, now=START)
    with database.write() as transaction:
        until = sa.update(account_table).values(valid_from=START + SECOND, valid_to=START + MINUTE)
        transaction.connection.execute(until)
    for now, living in ((START, False), (START + SECOND, True), (START + MINUTE - 1, True), (START + MINUTE, False)):
        assert (sessions.identify(database, secret, now) is not None) is living
        if living:
            assert accounts.check_password(database, "li", PASSWORD, now).name == "li"
            continue
        with pytest.raises(Refused, match="sign_in_failed"):
            accounts.check_password(database, "li", PASSWORD, now)
        with pytest.raises(NotFound):
            sessions.issue_one_time(database, "li", now)


def test_the_first_security_administrator_founds_it(database: Database) -> None:
    accounts.add(database, SYSTEM, "security", "security_admin", now=START)
    assert not accounts.founded(database)
    accounts.set_password(database, SYSTEM, "security", PASSWORD, now=START)
    assert accounts.founded(database)
