"""Leases: one owner at a time, a token that only grows, given back or run out."""

import pytest

from operations import lease
from operations.database import Database
from operations.errors import LeaseLost

pytestmark = pytest.mark.database


def test_one_owner_at_a_time(database: Database) -> None:
    assert lease.acquire(database, "p", "a", 10, 100) == 1
    assert lease.acquire(database, "p", "b", 10, 109) is None
    assert lease.acquire(database, "p", "b", 10, 110) == 2
    with pytest.raises(LeaseLost):
        lease.renew(database, "p", 1, 10, 111)
    lease.release(database, "p", 1)  # no longer ours: nothing happens
    lease.renew(database, "p", 2, 10, 111)
    assert lease.acquire(database, "p", "a", 10, 120) is None


def test_given_back_it_is_free_and_its_token_is_worth_nothing(database: Database) -> None:
    lease.acquire(database, "p", "a", 10, 100)
    lease.release(database, "p", 1)
    with pytest.raises(LeaseLost), database.write() as transaction:
        lease.check_all(transaction, {"p": 1})
    assert lease.acquire(database, "p", "b", 10, 100) == 2


def test_the_owner_taking_it_again_gets_a_new_token(database: Database) -> None:
    assert [lease.acquire(database, "p", "a", 10, 100) for _ in range(3)] == [1, 2, 3]


def test_a_lease_from_a_clock_that_was_put_back_is_free(database: Database) -> None:
    hours = 6 * 3_600_000_000
    lease.acquire(database, "p", "dead", 10, 100 + hours)
    assert lease.acquire(database, "p", "b", 10, 100) == 2
    lease.acquire(database, "q", "alive", 10, 105)  # on a machine whose clock is a little fast
    assert lease.acquire(database, "q", "b", 10, 100) is None


def test_several_are_renewed_in_one_transaction_and_the_lost_are_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "pqr":
        lease.acquire(database, name, "a", 10, 100)
    lease.acquire(database, "q", "b", 10, 110)
    lease.release(database, "r", 1)
    begun: list[int] = []
    write = database.write
    monkeypatch.setattr(database, "write", lambda: begun.append(1) or write())  # type: ignore[func-returns-value]
    assert lease.renew_all(database, {"p": 1, "q": 1, "r": 1, "never": 1}, 10, 115) == {"q", "r", "never"}
    assert lease.renew_all(database, {}, 10, 115) == set()
    assert begun == [1]
    assert lease.acquire(database, "p", "b", 10, 124) is None
    assert lease.acquire(database, "q", "c", 10, 120) == 3


def test_several_are_checked_at_once(database: Database) -> None:
    lease.acquire(database, "p", "a", 10, 100)
    lease.acquire(database, "q", "a", 10, 100)
    with database.write() as transaction:
        lease.check_all(transaction, {"p": 1, "q": 1})
        for held in ({"p": 1, "q": 2}, {"p": 1, "never": 1}):
            with pytest.raises(LeaseLost) as lost:
                lease.check_all(transaction, held)
            assert lost.value.params["name"] != "p"
