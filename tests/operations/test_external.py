"""Accounts of people an identity provider vouches for: one each, never somebody else's, never two administrators."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from operations import accounts, external, journal
from operations.claims import Grant
from operations.database import Database
from operations.errors import Refused
from operations.external import Person
from operations.policy import SYSTEM
from operations.scope import WHOLE, Scope
from tests.operations.desk import START

pytestmark = pytest.mark.database
ISSUER = "https://id.example.gov.cn"
ZHANG = Person(ISSUER, "0001", "zhang", "张三")
OPERATOR = Grant("operator", Scope("990101001"))


def test_two_first_sign_ins_at_once_make_one_account(database: Database) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: external.enter(database, ZHANG, OPERATOR, now=START).id, range(8)))
    assert len(set(found)) == 1
    assert [entry.action for entry in journal.read(database, 0)] == ["account.added"]


def test_who_somebody_is_says_issuer_and_subject_not_the_name(database: Database) -> None:
    accounts.add(database, SYSTEM, "zhang", "operator", now=START, password="horse 电池 staple")
    one = external.enter(database, ZHANG, OPERATOR, now=START)
    other = external.enter(database, Person("https://elsewhere.example", "0001", "zhang"), OPERATOR, now=START)
    assert (one.name, other.name) == ("zhang-2", "zhang-3")
    renamed = external.enter(database, Person(ISSUER, "0001", "<script>", "张三丰\n"), OPERATOR, now=START)
    assert (renamed.id, renamed.name) == (one.id, "zhang-2")
    for name in ("zhang-2", "zhang-3"):
        for password in ("", "horse 电池 staple"):
            with pytest.raises(Refused):
                accounts.check_password(database, name, password, START)
    for subject in ("", "x" * 256, "a\nb"):
        with pytest.raises(Refused, match="claims_subject"):
            external.enter(database, Person(ISSUER, subject), OPERATOR, now=START)


def test_an_administrator_never_becomes_another_one(database: Database) -> None:
    external.enter(database, ZHANG, Grant("audit_admin", WHOLE), now=START)
    for role in ("operator", "security_admin"):
        if role == "operator":
            assert external.enter(database, ZHANG, OPERATOR, now=START).role == "operator"
            continue
        with pytest.raises(Refused, match="account_separated"):
            external.enter(database, ZHANG, Grant(role, WHOLE), now=START)
    found = accounts.find(database, "zhang")
    assert found is not None and found.role == "operator"
