"""An order and the incident it is about: dispatched by it, under review by its reply, and its history beside it."""

import pytest

from config.words import Words
from dashboard.history import history
from dashboard.names import Names
from operations.database import Database
from operations.incident import Incident
from operations.orders.dispatch import Orders
from operations.policy import Identity
from operations.scope import Scope
from tests.operations.desk import COMMANDER, OPERATOR, Desk, report
from tests.operations.order_story import liaison, orders_of
from tests.operations.test_orders import FIRE, draft

pytestmark = pytest.mark.database


@pytest.fixture
def orders(desk: Desk) -> Orders:
    """The commands on orders of a desk with one open incident."""
    desk.send(report("A1"))
    return orders_of(desk)


def stands(desk: Desk) -> Incident:
    """The incident on the board, which is as its row."""
    one = desk.incident()
    assert desk.stored(one.id) == one
    return one


def test_the_first_order_dispatches_its_incident(orders: Orders, desk: Desk) -> None:
    sent = orders.send(OPERATOR, draft(incident=desk.incident().id))
    one = stands(desk)
    assert (one.step, one.department, one.support) == ("handle", "fire", ("police",))
    assert (sent.incident_number, sent.type, sent.chain) == (one.number, one.type, one.chain)
    assert [entry.action for entry in desk.entries()][-2:] == ["order.sent", "incident.ordered"]


def test_a_reply_goes_to_review_and_back_and_is_accepted(orders: Orders, desk: Desk) -> None:
    sent = orders.send(OPERATOR, draft(incident=desk.incident().id))
    fire, police = liaison("fire"), liaison("police")
    orders.answer(police, sent.id, "department:police", "done")
    orders.reply(fire, sent.id, "已处置")
    assert (stands(desk).step, stands(desk).reply) == ("review", "sent")
    orders.review(OPERATOR, sent.id, False, "缺照片")
    assert (stands(desk).step, stands(desk).reply, stands(desk).returns) == ("handle", "returned", 1)
    orders.answer(fire, sent.id, "department:fire", "done")
    assert stands(desk).step == "review", "the last that was awaited, so it waits for review"
    ended = orders.review(OPERATOR, sent.id, True)
    assert (ended.state, [one.state for one in ended.recipients]) == ("done", ["reviewed", "reviewed"])
    assert (stands(desk).step, stands(desk).reply) == ("follow_up", "accepted")


def test_another_order_that_is_open_holds_the_incident(orders: Orders, desk: Desk) -> None:
    first, second = (orders.send(OPERATOR, draft(incident=desk.incident().id, recipients=(FIRE,))) for _ in range(2))
    for one in (first, second):
        orders.reply(liaison("fire"), one.id, "已处置")
    orders.review(OPERATOR, first.id, True)
    assert stands(desk).step == "review"
    orders.review(OPERATOR, second.id, True)
    assert stands(desk).step == "follow_up"


def test_an_order_taken_back_at_once_dispatched_nothing(orders: Orders, desk: Desk) -> None:
    sent = orders.send(OPERATOR, draft(incident=desk.incident().id))
    assert orders.undo(OPERATOR, sent.id).state == "cancelled"
    assert stands(desk).step == "triage"


def test_a_department_that_asks_others_stays_the_lead(orders: Orders, desk: Desk) -> None:
    policeman = Identity("account", "p1", "policeman", "operator", Scope(department="police"))
    orders.send(policeman, draft(incident=desk.incident().id, recipients=(FIRE,)))
    assert (stands(desk).department, stands(desk).support) == ("police", ("fire",))


def test_the_history_of_an_incident_tells_its_orders(orders: Orders, database: Database, desk: Desk) -> None:
    sent = orders.send(OPERATOR, draft(incident=desk.incident().id))
    orders.answer(liaison("police"), sent.id, "department:police", "seen")
    orders.answer(liaison("police"), sent.id, "department:police", "refused", reason="not_ours", text="属城管")
    orders.phone(OPERATOR, sent.id, "department:fire", "signed", "王班长", text="已出动")
    orders.amend(OPERATOR, sent.id, 1, text="改走北门")
    names = Names(Words("zh"), {}, {"fire": "消防救援", "police": "公安"})
    lines = history(desk.commands.dossier(COMMANDER, desk.incident().id).history, names)
    assert [(one.what, one.more) for one in reversed(lines)][1:] == [
        (f"交办单 {sent.number}：消防救援、公安 下达交办", "立即处置"),
        (f"按交办单 {sent.number} 分流", ""),
        (f"交办单 {sent.number}：公安 退回交办", "理由：不属本单位职责；属城管"),
        (f"交办单 {sent.number}：消防救援 （电话）签收交办", "接听：王班长；已出动"),
        (f"交办单 {sent.number}：修改交办", "改走北门"),
    ]
