"""Orders under whatever people do to them: board and rows never differ, sending twice sends once, all find an end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec import structs

from operations import snapshot
from operations.board import project
from operations.database import Database
from operations.errors import OperationsError, Refused
from operations.orders import rows
from operations.orders.dispatch import OrderDraft, Orders
from operations.orders.order import KINDS, Order, Recipient
from operations.orders.receipts import DEEDS
from operations.policy import Identity
from operations.scope import NOWHERE, WHOLE, Scope
from operations.tables import dispatch_order, order_recipient
from operations.ticking import next_at
from tests.operations.desk import LEAVES, MINUTE, Desk, report
from tests.operations.order_story import PICKED, SENDERS, WORKER, liaison, orders_of

SCOPES = (
    *(Scope(department=code) for code in ("fire", "police", "street")),
    Scope(LEAVES[0]),
    Scope(LEAVES[3], "street"),
    Scope(LEAVES[0], "street"),
    NOWHERE,
)
NUMBERS = st.integers(0, 11)
BOSS = SENDERS[0]


def answerer(one: Recipient) -> Identity:
    """Somebody who answers for a recipient."""
    return WORKER if one.account == WORKER.id else liaison(one.department)


class Machine(RuleBasedStateMachine):
    """A desk with one incident; what the rules refuse does not happen and changes nothing."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk, self.orders, self.sent = desk, orders_of(desk), 0
        desk.send(report("A1"))
        self.incident = desk.incident().id

    def order(self, number: int) -> Order:
        """One of the orders."""
        found = list(self.desk.board().orders.values())
        return found[number % len(found)]

    @precondition(lambda self: self.sent < 2)
    @rule(
        one=NUMBERS, about=st.booleans(), lead=st.booleans(), kind=st.sampled_from(KINDS), by=st.sampled_from(SENDERS)
    )
    def send(self, one: int, about: bool, lead: bool, kind: str, by: Identity) -> None:
        self.sent += 1
        picked = [PICKED[(one + step) % len(PICKED)] for step in range(1 + one % 3)]
        picked[0] = structs.replace(picked[0], role="lead" if lead else "support")
        incident = self.incident if about and by is not SENDERS[1] else ""
        draft = OrderDraft(
            title="交办",
            text="请处置",
            recipients=tuple(picked),
            incident=incident,
            kind=kind,
            sign_minutes=5,
            key=f"k{self.sent}",
        )
        with suppress(OperationsError):
            first = self.orders.send(by, draft)
            count = len(self.desk.board().orders)
            assert self.orders.send(by, draft).id == first.id and len(self.desk.board().orders) == count
            with pytest.raises(Refused):
                self.orders.send(by, structs.replace(draft, text="别的"))

    @precondition(lambda self: self.sent)
    @rule(number=NUMBERS, which=NUMBERS, deed=st.sampled_from((*DEEDS, *["refused"] * 4)), phone=st.booleans())
    def answer(self, number: int, which: int, deed: str, phone: bool) -> None:
        with suppress(OperationsError, ZeroDivisionError):
            order = self.order(number)
            one = order.recipients[which % len(order.recipients)]
            reason = "not_ours" if deed == "refused" else ""
            if phone:
                self.orders.phone(BOSS, order.id, one.id, deed, "值班员", reason=reason)
            else:
                self.orders.answer(answerer(one), order.id, one.id, deed, reason=reason)

    @precondition(lambda self: self.sent)
    @rule(number=NUMBERS, which=NUMBERS, deed=st.sampled_from(("signed", "refused", "progress")))
    def slip(self, number: int, which: int, deed: str) -> None:
        with suppress(OperationsError, ZeroDivisionError):
            order = self.order(number)
            one = order.recipients[which % len(order.recipients)]
            reason = "not_ours" if deed == "refused" else ""
            before = self.orders.answer(answerer(one), order.id, one.id, "seen").recipient(one.id)
            self.orders.answer(answerer(one), order.id, one.id, deed, reason=reason)
            assert self.orders.take_back(answerer(one), order.id, one.id).recipient(one.id) == before

    @precondition(lambda self: self.sent)
    @rule(number=NUMBERS, which=NUMBERS, other=st.sampled_from(PICKED), what=st.integers(0, 11))
    def change(self, number: int, which: int, other: Any, what: int) -> None:
        with suppress(OperationsError, ZeroDivisionError):
            order, orders = self.order(number), self.orders
            to = order.recipients[which % len(order.recipients)].id
            deeds: tuple[Callable[[], Order], ...] = (
                lambda: orders.add(BOSS, order.id, [other]),
                lambda: orders.withdraw(BOSS, order.id, to),
                lambda: orders.amend(BOSS, order.id, order.revision, text=f"改为 {which}"),
                lambda: orders.rule(BOSS, order.id, to, "must", "就近"),
                lambda: orders.rule(BOSS, order.id, to, "released", "不在辖区", instead=other),
                lambda: orders.rule(BOSS, order.id, to, "released", "不在辖区"),
                lambda: orders.resend(BOSS, order.id, to),
                lambda: orders.appoint(BOSS, order.id, to),
                lambda: orders.review(BOSS, order.id, which % 2 == 0, "请补充"),
                lambda: orders.remind(BOSS, order.id),
                lambda: orders.undo(BOSS, order.id),
                lambda: orders.reply(
                    answerer(order.recipients[0]), order.id, "已处置", missing=[one.id for one in order.recipients]
                ),
            )
            deeds[what]()

    @precondition(lambda self: self.sent)
    @rule()
    def time_passes(self) -> None:
        self.desk.tick(6 * MINUTE)
        self.desk.firing.step(self.desk.now)

    @invariant()
    def board_and_rows_agree(self) -> None:
        board = self.desk.board()
        with self.desk.database.read() as connection:
            ids = list(connection.execute(sa.select(dispatch_order.c.id)).scalars())
            assert {key: rows.find(connection, WHOLE, key) for key in ids} == board.orders
            for scope in SCOPES:
                inside = connection.execute(sa.select(dispatch_order.c.id).where(*rows.inside(scope))).scalars()
                assert set(inside) == set(project(board, scope).orders)
            for row in connection.execute(sa.select(order_recipient)):
                order = board.orders[row.order_id]
                one = order.recipient(row.id)
                assert one is not None and (row.state, row.role) == (one.state, one.role)
                assert row.next_at == (next_at(one.clocks) if order.is_open else None)
        assert all(
            not next_at(one.clocks) for order in board.orders.values() for one in order.recipients if one.settled
        )
        assert board.incidents[self.incident] == self.desk.stored(self.incident)

    def teardown(self) -> None:
        for order in self.desk.board().orders.values():
            end(self.orders, order)


def end(orders: Orders, order: Order) -> None:
    """Bring an order to its end without calling it back: there is a way out of every state."""
    for one in order.recipients:
        if one.state == "refused" and not one.ruling:
            order = orders.rule(BOSS, order.id, one.id, "must", "就近")
    for one in order.recipients:
        if order.is_open and (now := order.recipient(one.id)) and now.waits:
            order = orders.answer(answerer(one), order.id, one.id, "done")
    if order.is_open:
        order = orders.review(BOSS, order.id, True)
    assert not order.is_open


def test_orders_come_to_an_end_whatever_happens(new_desk: Callable[[], Desk]) -> None:
    health = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Machine(new_desk()),
        settings=settings(max_examples=12, stateful_step_count=14, suppress_health_check=health),
    )


@pytest.mark.database
def test_receipts_of_many_at_once_are_all_kept(desk: Desk, database: Database) -> None:
    orders = orders_of(desk)
    codes = ("fire", "police", "water", "power", "health", "street")
    picked = tuple(structs.replace(PICKED[0], id=code, department=code) for code in codes)
    sent = orders.send(BOSS, OrderDraft(title="交办", text="", recipients=picked))

    def sign(code: str) -> None:
        orders.answer(liaison(code), sent.id, f"department:{code}", "signed")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(sign, codes))
    after = snapshot.load(database).orders[sent.id]
    assert [one.state for one in after.recipients] == ["signed"] * 6
    with database.read() as connection:
        assert rows.find(connection, WHOLE, sent.id) == after
