"""Recipients are what departments and the address book say, whatever a screen sent; search sees what screens see."""

import pytest
import sqlalchemy as sa

from operations import tables
from operations.database import Database
from operations.errors import NotFound, Refused
from operations.orders.dispatch import OrderDraft, Wanted
from operations.orders.order import visible
from operations.policy import Identity
from operations.scope import Scope
from tests.operations.desk import LEAVES, OPERATOR, Desk, report
from tests.operations.order_story import liaison, orders_of
from tests.operations.test_search import caught_up, titles

pytestmark = pytest.mark.database


@pytest.mark.parametrize("kind", ["person", "team", "department"])
def test_nobody_unknown_is_sent_anything(desk: Desk, kind: str) -> None:
    forged = Wanted(kind, "nobody", "x", "fire", account="g1")
    with pytest.raises(Refused, match=r"orders\.recipient_unknown"):
        orders_of(desk).send(OPERATOR, OrderDraft(title="a", text="x", recipients=(forged,)))


def test_a_department_is_called_and_answered_as_it_is(desk: Desk) -> None:
    orders = orders_of(desk)
    forged = Wanted("department", "fire", "张三 13800000000", "police", account="l-police")
    [one] = orders.send(OPERATOR, OrderDraft(title="a", text="x", recipients=(forged,))).recipients
    assert (one.name, one.department, one.account) == ("消防救援", "fire", "")


def test_a_team_has_no_account_from_a_screen(desk: Desk) -> None:
    orders = orders_of(desk)
    order = orders.send(
        OPERATOR, OrderDraft(title="a", text="x", recipients=(Wanted("team", "t1", "x", "", account="z"),))
    )
    with pytest.raises(NotFound):
        orders.answer(Identity("account", "z", "z", "grid_worker"), order.id, "team:t1", "signed")


@pytest.mark.parametrize("leaf", [0, 3])
def test_search_finds_the_orders_that_are_visible(desk: Desk, database: Database, leaf: int) -> None:
    desk.send(report("A1", title="路口红灯不亮"))
    one = next(iter(desk.board().incidents.values()))
    with database.write() as transaction:
        far = {"id": "t9", "name": "远队", "department": "power", "grid": LEAVES[3]}
        transaction.connection.execute(sa.insert(tables.team).values(far))
    asked = OrderDraft(title="抢修停电", text="x", incident=one.id, recipients=(Wanted("team", "t9", "", ""),))
    order = orders_of(desk).send(OPERATOR, asked)
    caught_up(database)
    who = liaison("power", LEAVES[leaf])
    assert (titles(database, "抢修", who) != []) == visible(who.scope, order) == (leaf == 3)


def test_what_moved_away_is_not_found_by_an_index_that_lags(desk: Desk, database: Database) -> None:
    desk.send(report("A1", title="路口红灯不亮"))
    caught_up(database)
    desk.send(report("A1", revision="2", title="红灯新秘密", grid_code=LEAVES[3]))
    town = Identity("account", "t", "t", "operator", Scope(LEAVES[0][:9]))
    assert titles(database, "红灯", town) == []
