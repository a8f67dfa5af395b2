"""Orders: sent once, answered by whoever answers for a recipient, in the journal and on the board alike."""

from contextlib import nullcontext
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from msgspec import structs

from operations import journal, snapshot
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.orders import rows
from operations.orders.dispatch import OrderDraft, Orders, Wanted
from operations.orders.order import Order, Recipient
from operations.orders.taking_back import undone
from operations.orders.writing import as_entry
from operations.outlets import outbox
from operations.outlets.outlet import Outlet
from operations.policy import Identity
from operations.scope import Scope
from operations.seal import KeyStore
from tests.operations.desk import COMMANDER, LEADER, OPERATOR, ZONE, Desk

pytestmark = pytest.mark.database

FIRE = Wanted("department", "fire", "消防救援", "fire", "lead")
POLICE = Wanted("department", "police", "公安", "police")
FIREMAN = Identity("account", "f1", "fireman", "liaison", Scope(department="fire"))
OTHER = Identity("account", "w1", "water", "liaison", Scope(department="water"))


def draft(**values: object) -> OrderDraft:
    """An order to two departments."""
    given = {"title": "气体泄漏", "text": "立即处置", "recipients": (FIRE, POLICE), "sign_minutes": 5} | values
    return OrderDraft(**given)  # type: ignore[arg-type]


@pytest.fixture
def orders(database: Database, keys: KeyStore, desk: Desk) -> Orders:
    """The commands on orders, with the clock of the desk."""
    return Orders(database, keys, desk.rung.append, zone=ZONE, county="990101", now=desk.tick)


def stands(database: Database, order: Order) -> Order:
    """The order as the board has it."""
    return snapshot.load(database).orders[order.id]


def test_an_order_is_on_the_board_as_it_was_sent(orders: Orders, database: Database) -> None:
    sent = orders.send(OPERATOR, draft())
    assert stands(database, sent) == sent
    assert [one.state for one in sent.recipients] == ["sent", "sent"]
    assert orders.dossier(OPERATOR, sent.id).text == "立即处置"


def test_sending_twice_sends_once(orders: Orders, database: Database) -> None:
    first = orders.send(OPERATOR, draft(key="k1"))
    assert orders.send(OPERATOR, draft(key="k1")).id == first.id
    assert orders.send(COMMANDER, draft(key="k1")).id != first.id, "a key is the sender's own"
    assert len(snapshot.load(database).orders) == 2


def test_a_recipient_answers_and_nobody_else_does(orders: Orders, database: Database) -> None:
    sent = orders.send(OPERATOR, draft())
    for deed in ("delivered", "seen", "signed", "arrived", "progress", "done"):
        after = orders.answer(FIREMAN, sent.id, "department:fire", deed, text="到了" if deed == "arrived" else "")
    assert after.recipients[0].state == "done"
    assert stands(database, sent) == after
    with pytest.raises(NotFound):
        orders.answer(OTHER, sent.id, "department:fire", "signed")
    with pytest.raises(NotFound):
        orders.answer(FIREMAN, sent.id, "department:police", "signed")
    with pytest.raises(Forbidden):
        orders.answer(LEADER, sent.id, "department:fire", "signed")


def test_refusing_needs_a_reason_and_stops_its_clocks(orders: Orders) -> None:
    sent = orders.send(OPERATOR, draft())
    with pytest.raises(Refused):
        orders.answer(FIREMAN, sent.id, "department:fire", "refused")
    after = orders.answer(FIREMAN, sent.id, "department:fire", "refused", reason="not_ours")
    lead = after.lead
    assert lead is not None
    assert (lead.state, lead.reason, lead.refusals) == ("refused", "not_ours", 1)
    assert all(clock.done_at for clock in lead.clocks)
    with pytest.raises(Refused):
        orders.answer(FIREMAN, sent.id, "department:fire", "done")


def test_everybody_finds_what_they_answer_for(orders: Orders) -> None:
    sent = orders.send(OPERATOR, draft())
    assert [one.id for one in orders.mine(FIREMAN)] == [sent.id]
    assert orders.mine(OTHER) == []
    with pytest.raises(NotFound):
        orders.dossier(OTHER, sent.id)


def test_a_receipt_sent_again_under_its_key_is_one_receipt(orders: Orders, database: Database) -> None:
    sent = orders.send(OPERATOR, draft())
    first = orders.answer(FIREMAN, sent.id, "department:fire", "progress", text="水带已铺好", key="k1")
    assert orders.answer(FIREMAN, sent.id, "department:fire", "progress", text="水带已铺好", key="k1") == first
    second = orders.answer(FIREMAN, sent.id, "department:fire", "progress", text="开始稀释", key="k2")
    orders.answer(FIREMAN, sent.id, "department:fire", "done", key="k3")
    ended = orders.answer(FIREMAN, sent.id, "department:fire", "done", key="k3")
    assert second.updated_at > first.updated_at and ended == stands(database, sent)
    assert len(orders.dossier(FIREMAN, sent.id).history) == 4
    with pytest.raises(Refused):
        orders.answer(FIREMAN, sent.id, "department:fire", "done", key="another")


def test_a_call_sent_again_under_its_key_is_one_call(orders: Orders, database: Database) -> None:
    sent = orders.send(OPERATOR, draft())
    for deed in ("called", "signed"):
        first = orders.phone(OPERATOR, sent.id, "department:fire", deed, "王班长", text="已出动", key=deed)
        assert orders.phone(OPERATOR, sent.id, "department:fire", deed, "王班长", text="已出动", key=deed) == first
    calls = [one for one in journal.read(database, 0) if one.action == "order.phone"]
    assert [(one.body or {})["deed"] for one in calls] == ["called", "signed"]
    with pytest.raises(Refused, match="key_wrong"):
        orders.phone(OPERATOR, sent.id, "department:fire", "called", "", key="k" * 65)


def test_a_liaison_of_one_area_answers_an_order_of_no_place(orders: Orders) -> None:
    near = Identity("account", "f2", "near", "liaison", Scope("990101001", "fire"))
    sent = orders.send(OPERATOR, draft())
    assert orders.answer(near, sent.id, "department:fire", "signed").recipients[0].state == "signed"


def test_no_hot_query_of_orders_and_messages_reads_all_that_ever_was(database: Database) -> None:
    """By the plans of SQLite; each of these read or sorted a whole department's past, or a whole queue."""
    if database.file is None:
        return
    scope = Scope(grid="990101", department="fire")
    asked: list[tuple[str, Any]] = []

    def heard(_one: object, _cursor: object, statement: str, given: Any, _context: object, _many: bool) -> None:
        asked.append((statement, given))

    sa.event.listen(database.engine, "before_cursor_execute", heard)
    with database.read() as connection:
        rows.mine(connection, {"department": "fire", "account": "a"})
        rows.of_incident(connection, scope, "i")
        with pytest.raises(NotFound):
            rows.find(connection, scope, "o")
    sms = Outlet("sms", "webhook", terms=None)  # type: ignore[arg-type]
    outbox.claim(database, sms, "me", 1, 10)
    outbox.prune(database, 1)
    sa.event.remove(database.engine, "before_cursor_execute", heard)
    plans = ""
    with database.engine.connect() as connection:
        for statement, given in asked:
            if statement.startswith(("SELECT", "DELETE")):
                found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
                plans += "".join(f"{line[3]}\n" for line in found)
    used = {name: f"INDEX {name} " in plans for name in WANTED_INDEXES}
    assert all(used.values()) and "SCAN" not in plans, plans


WANTED_INDEXES = (
    *("order_recipient_mine", "order_recipient_newest", "order_recipient_given", "order_recipient_account"),
    *("order_recipient_concerned", "delivery_before", "delivery_done"),
)


@pytest.mark.parametrize(("deed", "reason"), [("signed", ""), ("refused", "not_ours"), ("progress", "")])
def test_a_slip_is_taken_back_by_whoever_made_it_while_nothing_followed(
    orders: Orders, database: Database, deed: str, reason: str
) -> None:
    sent = orders.send(OPERATOR, draft())
    orders.answer(FIREMAN, sent.id, "department:fire", "seen")
    before = stands(database, sent)
    orders.answer(FIREMAN, sent.id, "department:fire", deed, reason=reason)
    other = Identity("account", "f9", "another", "liaison", Scope(department="fire"))
    with pytest.raises(Refused, match="not_taken_back"):
        orders.take_back(other, sent.id, "department:fire")
    after = orders.take_back(FIREMAN, sent.id, "department:fire")
    assert after.recipients == before.recipients and stands(database, sent) == after
    assert journal.read(database, 0)[-1].action == "order.taken_back"
    with pytest.raises(Refused, match="not_taken_back"):
        orders.take_back(FIREMAN, sent.id, "department:fire")
    orders.answer(FIREMAN, sent.id, "department:fire", "signed")
    orders.amend(OPERATOR, sent.id, sent.revision, text="改为第二现场")
    with pytest.raises(Refused, match="not_taken_back"):
        orders.take_back(FIREMAN, sent.id, "department:fire")


def test_an_arrival_stays_and_so_does_what_is_a_minute_old() -> None:
    for at, action, taken in ((0, "signed", True), (0, "arrived", False), (61_000_000, "signed", False)):
        body = {"recipients": {"r": {"state": action}}, "set": {"updated_at": 0}}
        whole = Order(
            id="o", number="L1", revision=1, kind="order", title="x", sender="z", department="", county="990101",
            sent_at=0, updated_at=0, recipients=(Recipient(id="r", kind="department", name="r"),),
        )  # fmt: skip
        blank = as_entry(whole, {"set": msgspec.to_builtins(whole)})
        entries = [
            structs.replace(blank, action="order.sent"),
            structs.replace(blank, action=f"order.{action}", actor="me", body=body),
        ]
        with nullcontext() if taken else pytest.raises(Refused):
            assert undone(entries, "me", "r", at) == ("signed", {"state": "sent"})
