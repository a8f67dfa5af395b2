"""Saying what clocks have to say 时限提醒: near due, overdue, gone up the chain; each exactly one entry.

What is said and that it was said are one transaction, and the rows are locked: any number of keepers say each thing
once, also after one of them was killed. After downtime things are said late, and the entry says how late.
"""

from collections.abc import Callable

import sqlalchemy as sa
from msgspec import structs
from sqlalchemy import Connection

from operations import journal
from operations.contacts.roster import next_on_duty
from operations.database import AfterCommit, Database, Transaction
from operations.deadlines import Deadlines, Said
from operations.decision import Standing
from operations.entry import Draft, path
from operations.incident import Incident
from operations.orders import rows
from operations.orders.draft import Wanted
from operations.orders.escalation import NextOnDuty, by_clock
from operations.orders.order import Order
from operations.orders.parties import known
from operations.orders.writing import Change, carried, the
from operations.policy import SYSTEM, reach
from operations.reception import read_standings, store_incident
from operations.tables import dispatch_order, incident, order_recipient

BATCH = 200
"""Rows of one transaction: commands wait behind it."""
ROUNDS = 10
"""Transactions of one step: a backlog after downtime is said over several steps, and other chores have their turn."""
CARDS = ("", "yellow", "red")
ADJUSTED = "clock.adjusted"
"""A clock was to speak and has nothing to say any more: the deadlines were given fewer steps meanwhile."""

Fire = Callable[[Transaction, int], list[Draft]]


class Firing:
    """The clocks of one database."""

    def __init__(self, database: Database, deadlines: Deadlines, doorbell: AfterCommit | None = None) -> None:
        self._database = database
        self._deadlines = deadlines
        self._doorbell = doorbell

    def step(self, now: int) -> int:
        """Say what is due at `now`; return how many entries that made. More than a bounded number waits its turn."""
        reach(SYSTEM, "clock.fire")
        with self._database.read() as connection:  # most times nothing is due, and nobody waits for a look
            incidents, recipients = _due(connection, incident, now), _due(connection, order_recipient, now)
        said = 0
        for wanted, fire in ((incidents, self._incidents), (recipients, self._orders)):
            for _ in range(ROUNDS if wanted else 0):
                if not (made := self._round(fire, now)):
                    break
                said += made
        return said

    def _round(self, fire: Fire, now: int) -> int:
        with self._database.write(self._doorbell) as transaction:
            drafts = fire(transaction, now)
            journal.append(transaction, drafts)
        return len(drafts)

    def _incidents(self, transaction: Transaction, now: int) -> list[Draft]:
        query = sa.select(incident.c.id).where(incident.c.next_at <= now).order_by(incident.c.next_at).limit(BATCH)
        ids = list(transaction.connection.execute(query.with_for_update(skip_locked=True)).scalars())
        drafts: list[Draft] = []
        for _, standing in read_standings(transaction, "id", ids):
            drafts += self._incident(transaction, standing, now)
        return drafts

    def _incident(self, transaction: Transaction, standing: Standing, now: int) -> list[Draft]:
        before = standing.incident
        clocks, said = self._deadlines.fire(before.clocks, before.urgency, now)
        card = max((before.card, *(one.card for one in said)), key=CARDS.index)
        changes: dict[str, object] = {"clocks": clocks} | ({"card": card} if card != before.card else {})
        after = structs.replace(before, clocks=clocks, card=card)
        store_incident(transaction, after, standing.said)
        if not said and clocks != before.clocks:
            return [_draft(after, ADJUSTED, changes, {}, now)]
        return [_draft(after, f"clock.{one.stage}", changes, _told(one), now) for one in said]

    def _orders(self, transaction: Transaction, now: int) -> list[Draft]:
        due = order_recipient.c.next_at <= now
        query = sa.select(order_recipient.c.order_id, order_recipient.c.id).where(due)
        found = transaction.connection.execute(query.order_by(order_recipient.c.next_at).limit(BATCH)).all()
        head = sa.select(dispatch_order.c.id).where(dispatch_order.c.id.in_({row.order_id for row in found}))
        held = transaction.connection.execute(head.order_by(dispatch_order.c.id).with_for_update(skip_locked=True))
        drafts: list[Draft] = []
        for order_id in held.scalars():
            wanted = {row.id for row in found if row.order_id == order_id}
            drafts += self._order(transaction, order_id, wanted, now)
        return drafts

    def _order(self, transaction: Transaction, order_id: str, wanted: set[str], now: int) -> list[Draft]:
        order = rows.find(transaction.connection, reach(SYSTEM, "clock.fire"), order_id)
        drafts: list[Draft] = []
        for key in sorted(wanted):
            order, made = self._recipient(transaction, order, key, now)
            drafts += made
        return drafts

    def _recipient(self, transaction: Transaction, order: Order, key: str, now: int) -> tuple[Order, list[Draft]]:
        """Say what the clocks of a recipient have to say, each with what it does to the order."""
        clocks, said = self._deadlines.fire(the(order, key).clocks, order.urgency, now)
        if not said:
            change = Change(ADJUSTED, {}, {key: {"clocks": clocks}}, more={"recipient": key})
            order, draft = carried(transaction, None, SYSTEM, order, change, now)
            return order, [draft]
        drafts = []
        for heard in said:
            following = self._following(transaction)
            does = by_clock(order, the(order, key), heard.clock.name, heard.stage, now, following)
            changes = {**does, key: {**does.get(key, {}), "clocks": clocks}}
            more = {"recipient": key, **_told(heard)}
            change = Change(f"clock.{heard.stage}", {}, changes, more=more)
            order, draft = carried(transaction, None, SYSTEM, order, change, now)
            drafts.append(draft)
        return order, drafts

    def _following(self, transaction: Transaction) -> NextOnDuty:
        def following(department: str, grid: str, now: int, rank: int) -> Wanted | None:
            wanted = next_on_duty(transaction.connection, department, grid, now, rank)
            return None if wanted is None else known(transaction.connection, [wanted])[0]

        return following


def _due(connection: Connection, table: sa.Table, now: int) -> bool:
    return connection.execute(sa.select(table.c.next_at).where(table.c.next_at <= now).limit(1)).first() is not None


def _told(said: Said) -> dict[str, object]:
    """What an entry says of a clock: which, since when it was due, how late this is said, and who is told."""
    clock = said.clock
    told = {"clock": clock.name, "due_at": clock.due_at, "late_s": said.late_s, "tells": said.tells}
    return told | ({"level": said.level} if said.level else {}) | ({"card": said.card} if said.card else {})


def _draft(after: Incident, action: str, changes: dict[str, object], told: dict[str, object], now: int) -> Draft:
    """The entry; it moves no revision: a clock that speaks is no reason to refuse what somebody is writing."""
    return Draft(
        at=now,
        actor=SYSTEM.actor,
        action=action,
        subject_type="incident",
        subject_id=after.id,
        revision=after.revision,
        scope_grid=path(after.chain),
        scope_grid_before=path(after.chain),
        scope_department=after.department,
        scope_department_before=after.department,
        body={"set": changes, **told},
    )
