"""The demo's orders: each acknowledged incident is sent once, its departments answer in order and it is reviewed."""

from pathlib import Path

import pytest

from operations.commands import Commands
from operations.database import Database
from operations.orders.dispatch import OrderDraft, Orders
from operations.orders.order import Recipient
from operations.seal import KeyStore
from streams.demo import duty
from streams.demo.dispatcher import Answers, Dispatcher, following, recipients
from tests.operations.desk import MINUTE, OPERATOR, SECOND, START, ZONE, Desk, report

pytestmark = pytest.mark.database


@pytest.mark.parametrize(
    ("state", "waited", "due"),
    [
        ("sent", 4, ""),
        ("sent", 5, "seen"),
        ("seen", 9, ""),
        ("seen", 10, "signed"),
        ("signed", 20, "arrived"),
        ("arrived", 29, ""),
        ("arrived", 30, "done"),
        ("done", 99, ""),
        ("refused", 99, ""),
    ],
)
def test_a_recipient_answers_one_thing_after_the_other(state: str, waited: float, due: str) -> None:
    one = Recipient(id="department:fire", kind="department", name="消防", department="fire", state=state)
    assert following(one, Answers(10.0, 20.0, 30.0, refuses=False, silent=False), waited) == due


def test_an_acknowledged_incident_is_sent_once_answered_and_reviewed(database: Database, folder: Path) -> None:
    keys = KeyStore(folder / "keys")
    desk = Desk(database, keys)
    desk.send(report("D1", source="demo-hotline", received_at=START))
    at = [START]
    commands = Commands(database, keys, now=lambda: at[0])
    orders = Orders(database, keys, zone=ZONE, county="990101", now=lambda: at[0])
    board = desk.board()
    incident = next(iter(board.incidents.values()))
    planned = duty.plan(incident)
    commands.acknowledge(duty.identity(planned.name), incident.id, incident.revision)
    follower = duty.Duty(database, commands, board, 1.0)
    dispatcher = Dispatcher(orders, follower.board, 1.0)
    while at[0] < START + planned.close_s * SECOND - MINUTE:
        at[0] += MINUTE
        follower.step(at[0])
        dispatcher.step(at[0])
    [order] = desk.board().orders.values()
    settled = {one.state for one in order.recipients}
    assert order.incident == incident.id and settled <= {"done", "reviewed", "refused", "withdrawn", "arrived"}
    lead = order.lead
    assert lead is not None and lead.signed_at and lead.arrived_at and lead.done_at


def test_an_incident_a_person_has_ordered_for_is_left_to_that_person(database: Database, folder: Path) -> None:
    keys = KeyStore(folder / "keys")
    desk = Desk(database, keys)
    desk.send(report("D1", source="demo-hotline", received_at=START))
    board = desk.board()
    incident = next(iter(board.incidents.values()))
    commands = Commands(database, keys, now=lambda: START)
    commands.acknowledge(OPERATOR, incident.id, incident.revision)
    follower = duty.Duty(database, commands, board, 1.0)
    orders = Orders(database, keys, zone=ZONE, county="990101", now=lambda: START)
    dispatcher = Dispatcher(orders, follower.board, 1.0)
    orders.send(OPERATOR, OrderDraft(title="气体泄漏", text="", recipients=recipients(incident), incident=incident.id))
    for minute in range(1, 10):
        follower.step(START + minute * MINUTE)
        dispatcher.step(START + minute * MINUTE)
    assert len(desk.board().orders) == 1
