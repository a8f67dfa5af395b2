"""The page of one's orders: what it is told and what it may do, on a real database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dashboard.answering import difference, perform
from dashboard.door import home_of
from dashboard.names import Names
from dashboard.panels.my_orders import rows
from operations import snapshot, tables
from operations.database import Database
from operations.orders.dispatch import OrderDraft, Orders, Wanted
from operations.policy import Identity
from operations.scope import Scope
from operations.seal import KeyStore
from tests.dashboard.panel_board import WORDS
from tests.operations.desk import OPERATOR, ZONE, Desk

FIRE = Wanted("department", "fire", "消防救援", "fire", "lead")
POLICE = Wanted("department", "police", "公安", "police")
FIREMAN = Identity("account", "f1", "fireman", "liaison", Scope(department="fire"))
POLICEMAN = Identity("account", "p1", "policeman", "liaison", Scope(department="police"))
SECOND = Identity("account", "f2", "second", "liaison", Scope(department="fire"))
STRANGER = Identity("account", "w1", "water", "liaison", Scope(department="water"))
WORKER = Identity("account", "g1", "worker", "grid_worker", Scope("990101001"))
NAMES = Names.load(WORDS, {}, (), {})


@pytest.fixture
def orders(database: Database, folder: Path) -> Iterator[Orders]:
    """The commands on orders, with the clock of the desk."""
    keys = KeyStore(folder / "keys")
    yield Orders(database, keys, None, zone=ZONE, county="990101", now=Desk(database, keys).tick)
    keys.close()


def sent(orders: Orders, *recipients: Wanted, text: str = "立即处置", **values: Any) -> str:
    """Send an order and return its id."""
    return orders.send(
        OPERATOR, OrderDraft(title="气体泄漏", text=text, recipients=recipients or (FIRE, POLICE), **values)
    ).id


def ask(orders: Orders, who: Identity, action: str, **asked: Any) -> dict[str, Any]:
    """What the page is told."""
    return perform(orders, who, NAMES, {"serial": 1, "action": action, **asked})


def test_what_is_listed_is_delivered_and_what_is_opened_is_seen(orders: Orders) -> None:
    key = sent(orders, sign_minutes=5)
    [row] = ask(orders, FIREMAN, "list")["rows"]
    assert (row["state"], row["role"], row["due"]["name"]) == ("delivered", "lead", "sign")
    told = ask(orders, FIREMAN, "open", id=key, recipient="department:fire")
    assert told["told"] == "立即处置" and told["rows"][0]["state"] == "seen"
    assert [one["state"] for one in told["recipients"]] == ["seen", "sent"]
    ask(orders, FIREMAN, "open", id=key, recipient="department:fire")
    assert len(orders.dossier(OPERATOR, key).history) == 3, "opening again says nothing new"


def test_from_signing_to_done_and_the_leads_reply(orders: Orders) -> None:
    key = sent(orders)
    asked = {"id": key, "recipient": "department:police"}
    assert ask(orders, POLICEMAN, "signed", key="a", **asked)["rows"][0]["deeds"] == [
        "refused", "arrived", "progress", "done",
    ]  # fmt: skip
    arrived = ask(orders, POLICEMAN, "arrived", key="b", lon=113.5, lat=34.7, text="北门", **asked)
    assert arrived["ok"] and arrived["rows"][0]["state"] == "arrived"
    lead = {"id": key, "recipient": "department:fire", "text": "综合情况"}
    assert ask(orders, FIREMAN, "reply", key="r", **lead)["code"] == "orders.support_waits"
    assert ask(orders, POLICEMAN, "done", key="c", text="已处置", **asked)["rows"][0]["deeds"] == []
    told = ask(orders, POLICEMAN, "open", **asked)
    assert [one["more"] for one in told["history"]][:2] == ["已处置", "北门"]
    assert ask(orders, FIREMAN, "reply", key="r", **lead)["rows"][0]["reply"] == "sent"


def test_a_lead_may_reply_for_those_who_have_not_finished(orders: Orders) -> None:
    lead = {"id": sent(orders), "recipient": "department:fire", "text": "公安未到", "missing": True}
    assert ask(orders, FIREMAN, "reply", key="r", **lead)["rows"][0]["state"] == "done"


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "refused"},
        {"action": "refused", "reason": "because"},
        {"action": "arrived", "lon": 200.0, "lat": 1.0},
        {"action": "arrived", "lon": "1", "lat": 1.0},
        {"action": "signed", "recipient": ""},
        {"action": "signed", "key": ""},
        {"action": "signed", "text": "x" * 2_001},
        {"action": "withdrawn"},
    ],
)
def test_nonsense_is_refused_and_writes_nothing(orders: Orders, wrong: dict[str, Any]) -> None:
    asked = {"id": sent(orders), "recipient": "department:fire", "key": "k"} | wrong
    action = asked.pop("action")
    assert ask(orders, FIREMAN, action, **asked)["ok"] is False
    assert len(orders.dossier(OPERATOR, asked["id"]).history) == 1


def test_of_two_liaisons_the_second_is_told_what_stands(orders: Orders) -> None:
    asked = {"id": sent(orders), "recipient": "department:fire"}
    assert ask(orders, FIREMAN, "signed", key="a", **asked)["ok"]
    told = ask(orders, SECOND, "signed", key="b", **asked)
    assert told["code"] == "orders.not_now" and "已签收" in told["text"]
    assert ask(orders, FIREMAN, "signed", key="a", **asked)["ok"], "the answer to the first was lost on its way"


def test_another_departments_order_cannot_be_told_from_none(orders: Orders) -> None:
    key = sent(orders)
    assert ask(orders, STRANGER, "list")["rows"] == []
    for action in ("open", "signed"):
        found = ask(orders, STRANGER, action, id=key, recipient="department:fire", key="k")
        absent = ask(orders, STRANGER, action, id="0" * 36, recipient="department:fire", key="k")
        assert found == absent and found["ok"] is False
    assert ask(orders, FIREMAN, "signed", id=key, recipient="department:police", key="k")["ok"] is False


def test_a_grid_worker_answers_what_names_their_account(orders: Orders, database: Database) -> None:
    with database.write() as transaction:
        known = {"id": "p1", "post": "王网格", "account": "g1", "grid": "990101001"}
        transaction.connection.execute(sa.insert(tables.person).values(known))
    sent(orders)
    person = Wanted("person", "p1", "王网格", "", account="g1", grid="990101001")
    key = sent(orders, person, FIRE)
    [row] = ask(orders, WORKER, "list")["rows"]
    assert (row["id"], row["recipient"]) == (key, "person:p1")
    assert ask(orders, WORKER, "signed", id=key, recipient="person:p1", key="k")["ok"]
    assert not ask(orders, WORKER, "signed", id=key, recipient="department:fire", key="k2")["ok"]


def test_the_frame_of_a_scope_holds_ids_and_nothing_else(orders: Orders, database: Database) -> None:
    key = sent(orders)
    found = snapshot.load(database)
    told = rows(found, 0, None)
    assert set(told) == {key} and str(told[key]).isdigit()
    assert rows(found, 0, [key, "gone"]) == {**told, "gone": None}


def test_a_difference_puts_both_texts_together_again() -> None:
    before, after = "派一个中队到东门", "派两个中队到东门，带测漏仪"
    parts = difference(before, after)
    assert "".join(said for sign, said in parts if sign != "+") == before
    assert "".join(said for sign, said in parts if sign != "-") == after
    assert ["-", "一"] in parts and ["+", "两"] in parts


def test_a_phone_opens_on_ones_orders() -> None:
    assert home_of(FIREMAN, handheld=True) == home_of(WORKER, handheld=True) == home_of(WORKER) == "/orders"
    assert home_of(FIREMAN) == home_of(OPERATOR, handheld=True) == "/desk"


def test_a_slip_of_the_thumb_is_offered_to_be_taken_back_and_is(orders: Orders) -> None:
    key = sent(orders)
    to = {"id": key, "recipient": "department:fire"}
    assert ask(orders, FIREMAN, "signed", **to, key="k1")["back"]
    told = ask(orders, FIREMAN, "take_back", **to)
    assert told["ok"] and told["rows"][0]["state"] == "sent"
    assert ask(orders, STRANGER, "take_back", **to)["code"] == "operations.not_found"
    assert not ask(orders, FIREMAN, "arrived", **to, key="k2")["back"]
    assert ask(orders, FIREMAN, "take_back", **to)["code"] == "orders.not_taken_back"
