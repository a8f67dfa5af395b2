"""What happens to orders in a story: sent, answered, changed and reviewed by whoever comes, on a real database."""

from collections.abc import Callable

import sqlalchemy as sa
from msgspec import structs

from operations import tables
from operations.orders.dispatch import OrderDraft, Orders, Wanted
from operations.orders.order import Order
from operations.orders.receipts import DEEDS, REASONS
from operations.policy import Identity
from operations.scope import Scope
from tests.operations.desk import COMMANDER, LEAVES, ZONE, Desk

LEAF, FAR = LEAVES[0], LEAVES[3]
PICKED = (
    Wanted("department", "fire", "消防救援", "fire"),
    Wanted("department", "police", "公安", "police"),
    Wanted("team", "t1", "一中队", "fire", grid=LEAF),
    Wanted("person", "p1", "街道值班", "street", account="g1", grid=FAR),
    Wanted("department", "water", "水务", "water"),
)
SENDERS = (
    COMMANDER,
    Identity("account", "o2", "town", "operator", Scope(LEAF[:9])),
    Identity("account", "o3", "policeman", "duty_commander", Scope(department="police")),
)
WORKER = Identity("account", "g1", "worker", "grid_worker", Scope(FAR))


def listed(desk: Desk) -> None:
    """Have the team and the person of the story stand in the address book."""
    with desk.database.write() as transaction:
        for table, id, more in ((tables.team, "t1", {}), (tables.person, "p1", {"account": "g1"})):
            one = next(one for one in PICKED if one.id == id)
            name = {"post": one.name} if more else {"name": one.name}
            there = transaction.connection.execute(sa.select(table.c.id).where(table.c.id == id)).first()
            if there is None:
                values = {"id": id, "department": one.department, "grid": one.grid, **name, **more}
                transaction.connection.execute(sa.insert(table).values(values))


def orders_of(desk: Desk) -> Orders:
    """The commands on orders at a desk."""
    listed(desk)
    return Orders(desk.database, desk.keys, desk.rung.append, zone=ZONE, county="990101", now=desk.tick)


def liaison(department: str, grid: str = "") -> Identity:
    """Who answers for a department, everywhere or in one area."""
    return Identity("account", f"l-{department}", f"{department}-liaison", "liaison", Scope(grid, department))


def draft(one: int, two: int, incident: str) -> OrderDraft:
    """An order to two or three of those there are, with a lead or without."""
    picked = [PICKED[(one + step) % len(PICKED)] for step in range(2 + two % 2)]
    if two < 4:
        picked[0] = structs.replace(picked[0], role="lead")
    kind = ("order", "joint", "whistle", "call")[one % 4]
    return OrderDraft(
        title=f"交办 {one}", text="请处置", recipients=tuple(picked), incident=incident, kind=kind, sign_minutes=5
    )


def which(desk: Desk, number: int) -> Order:
    """One of the orders on the board."""
    found = sorted(desk.board().orders.values(), key=lambda one: one.id)
    return found[number % len(found)]


def receipt(desk: Desk, number: int, one: int, two: int) -> None:
    """A recipient answers."""
    order = which(desk, number)
    to = order.recipients[one % len(order.recipients)]
    by = WORKER if to.account else liaison(to.department)
    deed = DEEDS[(one + two) % len(DEEDS)]
    orders_of(desk).answer(by, order.id, to.id, deed, reason=REASONS[0] if deed == "refused" else "")


def change(desk: Desk, number: int, one: int, two: int) -> None:
    """Somebody of the sender's side changes it."""
    order, orders, by = which(desk, number), orders_of(desk), SENDERS[0]
    to = order.recipients[one % len(order.recipients)].id
    other = PICKED[one % len(PICKED)]
    changes: tuple[Callable[[], Order], ...] = (
        lambda: orders.add(by, order.id, [other]),
        lambda: orders.withdraw(by, order.id, to),
        lambda: orders.amend(by, order.id, order.revision, title=f"改 {two}", text=f"改为 {one}"),
        lambda: orders.cancel(by, order.id, order.revision, "不用了"),
        lambda: orders.rule(by, order.id, to, "must", "就近"),
        lambda: orders.rule(by, order.id, to, "released", "不在辖区", instead=other),
        lambda: orders.resend(by, order.id, to),
        lambda: orders.appoint(by, order.id, to),
        lambda: orders.review(by, order.id, two % 2 == 0, "请补充"),
        lambda: orders.remind(by, order.id),
        lambda: orders.phone(by, order.id, to, "signed", "值班员"),
        lambda: orders.evaluate(by, order.id, 1 + one % 5),
    )
    changes[one % len(changes)]()


def reply(desk: Desk, number: int, one: int, two: int) -> None:
    """The lead replies, naming everybody else as missing."""
    order = which(desk, number)
    if order.lead is not None:
        by = WORKER if order.lead.account else liaison(order.lead.department)
        orders_of(desk).reply(by, order.id, "已处置", missing=[one.id for one in order.recipients])
