"""Calling named people for a warning: those it concerns and nobody else, each confirmation counted once."""

import pytest

from operations import sources, warnings
from operations.contacts import cards
from operations.contacts.cards import Person
from operations.contacts.roster import Shift, plan
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.orders.calling import Answered, Calls, standing
from operations.orders.dispatch import Orders
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from operations.seal import KeyStore
from operations.sources import Source
from tests.operations.desk import HOUR, LEADER, LEAVES, OPERATOR, START, ZONE, Desk, chain
from tests.operations.test_warnings import message

pytestmark = pytest.mark.database

WORKER = Identity("account", "w1", "worker", "grid_worker")
FIREMAN = Identity("account", "f1", "fireman", "liaison", Scope(department="fire"))


@pytest.fixture
def orders(database: Database, keys: KeyStore, desk: Desk) -> Orders:
    """The commands on orders."""
    return Orders(database, keys, desk.rung.append, zone=ZONE, county="990101", now=desk.tick)


@pytest.fixture
def people(database: Database) -> dict[str, str]:
    """Who is in the address book: {name: id}."""
    village, far = chain(LEAVES[0])[2], LEAVES[3]
    wanted = [
        Person(name="网格员", post="网格员", department="fire", grid=LEAVES[0]),
        Person(name="村干部", post="村支书", department="fire", grid=village),
        Person(name="外村", post="网格员", department="fire", grid=far),
        Person(name="值班", post="带班领导", department="fire"),
        Person(name="休息", post="值班员", department="fire"),
    ]
    return {one.name: one.id for one in cards.take(database, SYSTEM, wanted, now=START)}


def warned(database: Database, area: int = 0) -> str:
    """A warning in force over the first grid (0) or its town (1); its id."""
    sources.add(database, SYSTEM, Source("qxt", "气象台"), now=START)
    return warnings.record(database, message(area=area), now=START).id


def test_those_it_concerns_are_proposed_the_ones_on_duty_first(
    database: Database, orders: Orders, people: dict[str, str]
) -> None:
    post = Shift(department="fire", post="带班领导", person=people["值班"], starts_at=START, ends_at=START + HOUR)
    plan(database, SYSTEM, [post], now=START)
    calls = Calls(database, orders)
    found = calls.proposed(OPERATOR, warned(database, 1), START + 1)
    assert [one.name for one in found] == ["值班", "村干部", "网格员"]
    assert [one.on_duty for one in found] == [True, False, False]


def test_confirmations_are_the_receipts_and_count_once(
    database: Database, orders: Orders, people: dict[str, str], desk: Desk
) -> None:
    calls, warning = Calls(database, orders), warned(database, 1)
    ids = [people["网格员"], people["村干部"]]
    order = calls.call(OPERATOR, warning, ids, text="请确认", minutes=15, key="k", now=START + 1)
    assert calls.call(OPERATOR, warning, ids, text="请确认", minutes=15, key="k", now=START + 2).id == order.id
    assert (order.kind, order.warning, len(order.recipients)) == ("call", warning, 2)

    def stands() -> Answered:
        found = standing(desk.board().orders.values(), warning)
        assert found is not None
        return found

    assert (stands().confirmed, stands().called) == (0, 2)
    orders.answer(FIREMAN, order.id, f"person:{people['网格员']}", "signed")
    assert (stands().confirmed, stands().called) == (1, 2)
    again = calls.call(OPERATOR, warning, [people["村干部"]], text="再次叫应", minutes=5, key="k2", now=START + 3)
    assert (stands().confirmed, stands().called) == (1, 2), "who is called again is one person"
    assert [one.id for one in stands().missing] == [f"person:{people['村干部']}"]
    assert calls.names(OPERATOR, [one.id for one in stands().missing]) == {f"person:{people['村干部']}": "村干部"}
    assert standing([again], "another") is None


def test_nobody_else_is_called_and_nobody_else_calls(
    database: Database, orders: Orders, people: dict[str, str]
) -> None:
    calls, warning = Calls(database, orders), warned(database)
    with pytest.raises(NotFound):
        calls.call(OPERATOR, warning, [people["外村"]], text="", minutes=15, key="", now=START + 1)
    with pytest.raises(Refused):
        calls.call(OPERATOR, warning, [], text="", minutes=15, key="", now=START + 1)
    for who in (LEADER, WORKER):
        with pytest.raises(Forbidden):
            calls.call(who, warning, [people["网格员"]], text="", minutes=15, key="", now=START + 1)
    elsewhere = Identity("account", "o2", "operator2", "operator", Scope(grid=LEAVES[3]))
    with pytest.raises(NotFound):
        calls.proposed(elsewhere, warning, START + 1)


def test_a_warning_that_is_over_calls_nobody(database: Database, orders: Orders, people: dict[str, str]) -> None:
    calls, warning = Calls(database, orders), warned(database)
    warnings.record(database, message("A2", 5, "Cancel", names=("A",)), now=START + HOUR // 2)
    with pytest.raises(Refused):
        calls.call(OPERATOR, warning, [people["网格员"]], text="", minutes=15, key="", now=START + HOUR // 2)
