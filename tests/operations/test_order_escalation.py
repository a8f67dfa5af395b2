"""Who does not sign in time is passed over to the next on duty; whoever of them signs first takes it."""

import pytest
import sqlalchemy as sa

from config.words import Words
from dashboard.history import history
from dashboard.names import Names
from operations.database import Database
from operations.orders.dispatch import Orders
from operations.orders.order import Order
from operations.policy import Identity
from operations.tables import person, shift
from tests.operations.desk import DAY, MINUTE, OPERATOR, START, Desk
from tests.operations.order_story import liaison, orders_of
from tests.operations.test_orders import draft

pytestmark = pytest.mark.database

SECOND_MAN = Identity("account", "a2", "second", "grid_worker")


@pytest.fixture
def orders(desk: Desk, database: Database) -> Orders:
    """The commands on orders, with two of the fire brigade on duty."""
    card = {"post": "班长", "department": "fire", "changed_at": START, "changed_by": "x", "revision": 1}
    with database.write() as transaction:
        for rank in (1, 2):
            who = {"id": f"p{rank}", "name": f"王{rank}", "pinyin": "wang", "initials": "w", "account": f"a{rank}"}
            transaction.connection.execute(sa.insert(person).values(**card, **who))
            held = {"id": f"s{rank}", "department": "fire", "post": "班长", "person": f"p{rank}", "rank": rank}
            times = {"starts_at": START - DAY, "ends_at": START + DAY, "changed_at": START, "changed_by": "x"}
            transaction.connection.execute(sa.insert(shift).values(**held, **times))
    return orders_of(desk)


def late(desk: Desk, sent: Order, minutes: int) -> Order:
    """The order after that long, as the board and the rows have it."""
    desk.now = sent.sent_at + minutes * MINUTE + 1
    desk.firing.step(desk.now)
    after = desk.board().orders[sent.id]
    assert orders_of(desk).dossier(OPERATOR, sent.id).order == after
    return after


def test_near_due_it_is_reminded_by_rule_and_overdue_the_next_is_called(orders: Orders, desk: Desk) -> None:
    sent = orders.send(OPERATOR, draft(sign_minutes=10))
    fire = late(desk, sent, 9).recipient("department:fire")
    assert fire is not None and (fire.reminders, fire.escalations) == (1, 0)
    after = late(desk, sent, 11)
    called = after.recipient("person:p1")
    assert called is not None and (called.name, called.instead_of, called.rank) == ("班长", "department:fire", 1)
    assert "王" not in repr(desk.entries()), "names of people stand in the address book alone"
    later = late(desk, sent, 22)
    assert later.recipient("person:p2") is not None, "the first one called was late as well"
    late(desk, sent, 60)
    assert len(desk.board().orders[sent.id].recipients) == 4, "nobody is left to call"


def test_whoever_signs_first_takes_it_with_the_lead(orders: Orders, desk: Desk) -> None:
    sent = orders.send(OPERATOR, draft(sign_minutes=10))
    late(desk, sent, 11)
    late(desk, sent, 22)
    after = orders.answer(SECOND_MAN, sent.id, "person:p2", "signed")
    assert {one.id: (one.state, one.role) for one in after.recipients} == {
        "person:p2": ("signed", "lead"),
        "department:fire": ("withdrawn", "support"),
        "department:police": ("sent", "support"),
        "person:p1": ("withdrawn", "support"),
    }


def test_the_trail_names_who_was_called_and_only_who_signed(orders: Orders, desk: Desk) -> None:
    sent = orders.send(OPERATOR, draft(sign_minutes=10))
    late(desk, sent, 11)
    orders.answer(liaison("fire"), sent.id, "department:fire", "signed")
    trail = orders.dossier(OPERATOR, sent.id).history
    told = [line.what for line in history(trail, Names.load(Words("zh"), {}, (), {}))]
    assert any("超时" in line and line.endswith("，已转呼班长") for line in told)
    [signed] = [line for line in told if "签收交办" in line]
    assert signed.endswith("消防救援 签收交办"), "whoever was called beside it has not signed"


def test_who_signs_late_keeps_it(orders: Orders, desk: Desk) -> None:
    sent = orders.send(OPERATOR, draft(sign_minutes=10))
    late(desk, sent, 11)
    after = orders.answer(liaison("fire"), sent.id, "department:fire", "signed")
    assert after.lead is not None and after.lead.id == "department:fire"
    assert [one.state for one in after.recipients if one.instead_of] == ["withdrawn"]
