"""What an order is proposed with: who and why, the lead first, deadlines, and the texts to pick from."""

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from config import order_texts
from operations.database import Database
from operations.errors import NotFound
from operations.orders.dispatch import OrderDraft, Orders, Wanted
from operations.orders.proposal import AREA, DUTY_LIST, ON_DUTY, OWNER, PAST
from operations.policy import Identity
from operations.scope import Scope
from operations.tables import person, responsibility, shift, team
from tests.operations.desk import DAY, DEADLINES, LEAVES, OPERATOR, START, ZONE, Desk, report
from tests.operations.order_story import orders_of

pytestmark = pytest.mark.database
CHANGED = {"changed_at": START, "changed_by": "x"}


@pytest.fixture
def orders(desk: Desk) -> Orders:
    """The commands on orders, with deadlines, and two incidents of one type."""
    desk.send(report("A1"), report("A2"))
    return Orders(desk.database, desk.keys, zone=ZONE, county="990101", now=desk.tick, deadlines=DEADLINES)


def book(database: Database) -> None:
    """A duty list, a team of the place, and somebody on duty."""
    with database.write() as transaction:
        for number, (code, part) in enumerate((("police", "lead"), ("city_management", "support"))):
            line = {"id": f"r{number}", "department": code, "type": "0304", "part": part, "grid": "", "basis": ""}
            transaction.connection.execute(sa.insert(responsibility).values(**line, **CHANGED))
        card = {"revision": 1, "pinyin": "x", "initials": "x", **CHANGED}
        near = {"id": "t1", "name": "一中队", "department": "police", "grid": LEAVES[0], "kind": "中队"}
        far = near | {"id": "t2", "grid": LEAVES[3]}
        who = {"id": "p1", "name": "王五", "post": "值班长", "department": "police", "grid": ""}
        held = {"id": "s1", "department": "police", "post": "值班长", "person": "p1", "rank": 1}
        times = {"starts_at": START - DAY, "ends_at": START + DAY, "grid": ""}
        for table, values in ((team, near), (team, far), (person, who)):
            transaction.connection.execute(sa.insert(table).values(**values, **card))
        transaction.connection.execute(sa.insert(shift).values(**held, **times, **CHANGED))


def test_everybody_is_proposed_with_a_reason_and_the_lead_first(orders: Orders, desk: Desk, database: Database) -> None:
    book(database)
    fire = (Wanted("department", "fire", "消防救援", "fire"), Wanted("department", "police", "公安", "police"))
    orders_of(desk).send(OPERATOR, OrderDraft(title="上次", text="", recipients=fire, incident=desk.incident(1).id))
    found = orders.propose(OPERATOR, desk.incident(0).id)
    assert [(one.wanted.id, one.wanted.role, one.reasons, one.picked) for one in found.recipients] == [
        ("police", "lead", (DUTY_LIST, PAST), True),
        ("city_management", "support", (DUTY_LIST,), True),
        ("fire", "support", (PAST,), True),
        ("t1", "support", (AREA,), False),
        ("p1", "support", (ON_DUTY,), False),
    ]
    assert found.recipients[-1].wanted.name == "值班长"
    assert found.minutes == {"sign": 120, "close": 30 * 24 * 60}


def test_without_a_list_whoever_has_the_incident_leads(orders: Orders, desk: Desk) -> None:
    [one] = orders.propose(OPERATOR, desk.incident(0).id).recipients
    assert (one.wanted.id, one.wanted.role, one.reasons) == ("police", "lead", (OWNER,))
    elsewhere = Identity("account", "o2", "town", "operator", Scope(LEAVES[3]))
    with pytest.raises(NotFound):
        orders.propose(elsewhere, desk.incident(0).id)


def test_it_is_there_before_anybody_typed(orders: Orders, desk: Desk, database: Database) -> None:
    book(database)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        orders.propose(OPERATOR, desk.incident(0).id)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05


def test_texts_suit_the_type_and_are_filled() -> None:
    texts = order_texts.suiting(order_texts.load(), "0301")
    assert [one.name for one in texts] == ["fire", "handle", "verify"]
    values = {"number": "1122-0031", "place": "人民路", "type": "燃气泄漏", "title": "有异味"}
    for one in order_texts.load():
        for lang in ("zh", "en"):
            assert "1122-0031" in one.filled(lang, values) and "{" not in one.filled(lang, values)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('zh = "{phone}"\nen = "x"', "unknown places"),
        ('zh = ""\nen = "x"', "empty"),
        ('en = "x"', "'zh'"),
        ('zh = "x"\nen = "x"\ntypes = ["77"]', "no such type"),
    ],
)
def test_a_wrong_text_is_named(tmp_path: Path, line: str, fault: str) -> None:
    file = tmp_path / "order_texts.toml"
    file.write_text(f'[[text]]\nname = "one"\n{line}\n', "utf-8")
    with pytest.raises(order_texts.OrderTextsError, match=fault):
        order_texts.load(file)
