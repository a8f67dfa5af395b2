"""The second factor: enrolled by a code, each code once, recovery codes once, and waiting after failures."""

from pathlib import Path

import pyotp
import pytest
from msgspec import structs

from operations import accounts, second_factor, sessions
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import SYSTEM, Identity
from operations.rules import Rules
from operations.seal import KeyStore
from operations.second_factor import STEP
from tests.operations.desk import OPERATOR, SECOND, START
from tests.operations.test_identity import PASSWORD, stored

pytestmark = pytest.mark.database
FREE = Rules(totp_roles=())


@pytest.fixture
def li(database: Database) -> Identity:
    accounts.add(database, SYSTEM, "li", "liaison", now=START, password=PASSWORD)
    account = accounts.find(database, "li")
    assert account is not None
    found = sessions.identify(database, sessions.open(database, account, hours=8, now=START), START)
    assert found is not None
    return found


def code(secret: str, now: int) -> str:
    return pyotp.TOTP(secret).at(now // 1_000_000)


def enrolled(database: Database, keys: KeyStore, who: Identity) -> tuple[str, list[str]]:
    secret = second_factor.offered(keys, who.id, who.session)
    return secret, second_factor.enrol(database, keys, who, code(secret, START), now=START)


def refused(database: Database, keys: KeyStore, who: Identity, typed: str, now: int, why: str = "code_wrong") -> None:
    with pytest.raises(Refused, match=why):
        second_factor.check(database, keys, who, typed, now=now)


def test_it_is_taken_by_a_code_and_its_secret_lies_outside_the_database(
    database: Database, keys: KeyStore, li: Identity, folder: Path
) -> None:
    secret = second_factor.offered(keys, li.id, li.session)
    with pytest.raises(Refused, match="code_wrong"):
        second_factor.enrol(database, keys, li, "000000", now=START)
    assert second_factor.offered(keys, li.id, li.session) == secret
    assert second_factor.offered(keys, li.id, "another") != secret
    codes = second_factor.enrol(database, keys, li, code(secret, START), now=START)
    with pytest.raises(Refused, match="code_wrong"):
        second_factor.enrol(database, keys, li, code(secret, START + STEP), now=START + STEP)
    everything = stored(database)
    assert len(set(codes)) == 10
    assert secret not in everything and not any(one in everything for one in codes)
    assert f"secret={secret}" in second_factor.address(secret, "li")


def test_a_code_holds_for_a_step_before_and_after_and_only_once(
    database: Database, keys: KeyStore, li: Identity
) -> None:
    secret, _ = enrolled(database, keys, li)
    refused(database, keys, li, code(secret, START), START)  # it was used to enrol
    later = START + 10 * STEP
    for typed in (code(secret, later - 2 * STEP), code(secret, later + 2 * STEP), "", "\ud800", "x" * 1_000):
        assert second_factor.step_of(secret, typed, later) is None
    second_factor.check(database, keys, li, code(secret, later - STEP), now=later)
    second_factor.check(
        database, keys, li, f" {code(secret, later + STEP)[:3]} {code(secret, later + STEP)[3:]}", now=later
    )
    refused(database, keys, li, code(secret, later), later)  # of a step before the last one used


def test_a_recovery_code_works_once_and_new_ones_end_the_old(database: Database, keys: KeyStore, li: Identity) -> None:
    _, codes = enrolled(database, keys, li)
    second_factor.check(database, keys, li, codes[0].upper().replace("-", " "), now=START)
    refused(database, keys, li, codes[0], START)
    assert second_factor.codes_left(database, li.id) == 9
    fresh = second_factor.renew_codes(database, keys, li, now=START)
    refused(database, keys, li, codes[1], START)
    second_factor.check(database, keys, li, fresh[0], now=START)


def test_wrong_codes_and_wrong_passwords_count_together(database: Database, keys: KeyStore, li: Identity) -> None:
    secret, codes = enrolled(database, keys, li)
    for _ in range(4):
        refused(database, keys, li, "000000", START)
        accounts.check_password(database, "li", PASSWORD, START)  # which must not forgive them
    with pytest.raises(Refused, match="sign_in_failed"):
        accounts.check_password(database, "li", "wrong wrong", START)
    refused(database, keys, li, codes[0], START, "sign_in_wait")
    later = START + 30 * SECOND
    second_factor.check(database, keys, li, code(secret, later), now=later)
    for _ in range(4):
        refused(database, keys, li, "000000", later)


def test_losing_it(database: Database, keys: KeyStore, li: Identity) -> None:
    secret, codes = enrolled(database, keys, li)
    with pytest.raises(Forbidden):
        second_factor.reset(database, keys, OPERATOR, "li", now=START)
    second_factor.reset(database, keys, SYSTEM, "li", now=START)
    for typed in (code(secret, START + STEP), codes[0]):
        refused(database, keys, li, typed, START + STEP)
    assert second_factor.offered(keys, li.id, li.session) != secret
    for name in ("li", "nobody"):
        with pytest.raises(NotFound):
            second_factor.reset(database, keys, SYSTEM, name, now=START)


def test_giving_it_up_where_nobody_asks_for_it(database: Database, keys: KeyStore, li: Identity) -> None:
    enrolled(database, keys, li)
    with pytest.raises(Refused, match="mandatory"):
        second_factor.disable(database, keys, structs.replace(li, role="operator"), now=START)
    second_factor.disable(database, keys, li, now=START, rules=FREE)
    account = accounts.find(database, "li")
    assert account is not None and not account.second_factor


def test_a_key_that_is_gone_lets_nobody_in(database: Database, keys: KeyStore, li: Identity) -> None:
    secret, _ = enrolled(database, keys, li)
    keys.destroy([f"totp:{li.id}"])
    refused(database, keys, li, code(secret, START + STEP), START + STEP)
