"""Which passwords are refused, each for its own reason, and choosing another."""

import hashlib
from pathlib import Path

import pytest

from operations import accounts, own_account, passwords, sessions
from operations.database import Database
from operations.errors import NotFound, Refused
from operations.own_account import CODE, ENROL, PASSWORD, next_stage
from operations.policy import SYSTEM
from operations.rules import DAY, DEFAULT, Rules
from tests.operations.desk import START

GOOD = "correct horse 电池"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short 电池", "length"),
        ("x" * 201, "length"),
        ("password123", "common"),
        ("1234567890", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("qwertyuiop", "common"),
        ("Gridwall123", "common"),
        ("old Zhang san 4711", "name"),
    ],
)
def test_what_nobody_may_take(password: str, why: str) -> None:
    with pytest.raises(Refused, match=f"password_{why}"):
        passwords.check(password, "zhang", DEFAULT)
    passwords.check(GOOD, "zhang", DEFAULT)


def test_a_list_of_leaked_passwords_is_looked_up_wherever_it_stands(tmp_path: Path) -> None:
    known = [f"{word} {GOOD}" for word in ("one", "two", "three", "four", "five", "six", "seven")]
    digests = sorted(hashlib.sha1(one.encode()).hexdigest().upper() for one in known)
    file = tmp_path / "leaked.txt"
    for lines in ([f"{one}:{number * 10**number}" for number, one in enumerate(digests)], digests):
        file.write_text("\n".join(lines))
        assert all(passwords.leaked(one, file) for one in known)
        assert not any(passwords.leaked(f"{one}!", file) for one in known)
    with pytest.raises(Refused, match="password_leaked"):
        passwords.check(known[0], "zhang", Rules(leaked=file))
    file.write_text("")
    assert not passwords.leaked(known[0], file)
    with pytest.raises(Refused, match="password_list"):
        passwords.leaked(known[0], tmp_path / "none")


@pytest.mark.database
def test_another_password_ends_the_other_sessions_and_none_of_the_last_comes_back(database: Database) -> None:
    made = accounts.add(database, SYSTEM, "li", "operator", now=START)
    account = accounts.find(database, "li")
    assert account is not None and next_stage(account, DEFAULT, START, proven=False) == PASSWORD
    here, there = (sessions.open(database, account, hours=8, now=START) for _ in range(2))
    identity = sessions.identify(database, here, START)
    assert identity is not None
    chosen = [f"{GOOD} {word}" for word in ("eins", "zwei", "drei", "vier", "fünf")]
    for password in chosen:
        own_account.choose_password(database, identity, password, now=START)
    assert sessions.identify(database, here, START) is not None
    assert sessions.identify(database, there, START) is None
    for password in chosen:
        with pytest.raises(Refused, match="password_past"):
            own_account.choose_password(database, identity, password, now=START)
    own_account.choose_password(database, identity, GOOD, now=START)
    own_account.choose_password(database, identity, chosen[0], now=START)
    with pytest.raises(Refused, match="sign_in_failed"):
        accounts.check_password(database, "li", made, START)
    assert accounts.check_password(database, "li", chosen[0], START).must_change is False


@pytest.mark.database
def test_a_password_made_for_somebody_waits_for_a_week(database: Database) -> None:
    made = accounts.add(database, SYSTEM, "li", "operator", now=START)
    assert accounts.check_password(database, "li", made, START + 7 * DAY - 1).must_change
    with pytest.raises(Refused, match="sign_in_failed"):
        accounts.check_password(database, "li", made, START + 7 * DAY)


@pytest.mark.database
def test_an_account_of_the_demonstration_has_no_password(database: Database) -> None:
    assert accounts.add(database, SYSTEM, "duty", "security_admin", now=START, demo=True) == ""
    account = accounts.find(database, "duty")
    assert account is not None and next_stage(account, DEFAULT, START, proven=False) == ""
    with pytest.raises(Refused, match="sign_in_failed"):
        accounts.check_password(database, "duty", "", START)
    with pytest.raises(NotFound):
        accounts.set_password(database, SYSTEM, "duty", GOOD, now=START)
    assert not accounts.founded(database)


@pytest.mark.database
def test_a_right_guess_among_too_many_wrong_ones_at_once_waits_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.add(database, SYSTEM, "li", "operator", now=START, password=GOOD)
    verify = passwords.verify

    def while_others_try(stored: str, typed: str) -> bool:
        for _ in range(DEFAULT.tries if typed == GOOD else 0):
            with pytest.raises(Refused, match="sign_in_failed"):
                accounts.check_password(database, "li", "wrong", START)
        return verify(stored, typed)

    monkeypatch.setattr(passwords, "verify", while_others_try)
    with pytest.raises(Refused, match="sign_in_wait"):
        accounts.check_password(database, "li", GOOD, START)


def test_what_is_left_of_signing_in() -> None:
    def left(role: str = "operator", *, proven: bool = False, rules: Rules = DEFAULT, **about: int) -> str:
        account = accounts.Account("1", "li", role, password_at=START, **about)  # type: ignore[arg-type]
        return next_stage(account, rules, START + 90 * DAY, proven=proven)

    assert left() == ""
    assert left(second_factor=True) == CODE
    assert left(second_factor=True, proven=True) == ""
    assert left(rules=Rules(password_days=90)) == PASSWORD
    assert left(second_factor=True, must_change=True) == CODE, "the password may only be changed by who has both"
    assert [left(role) for role in ("system_admin", "security_admin", "audit_admin", "liaison")] == [ENROL] * 4
    assert left("liaison", rules=Rules(totp_roles=())) == ""
    assert left(external=True, must_change=True, rules=Rules(password_days=90)) == "", "it has no password of ours"
    assert left("liaison", external=True) == ENROL
