"""Standing in for one who is away 代为审批: who decides for whom, from when to when; the post stays the giver's."""

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import journal
from operations.accounts import account_of
from operations.entry import Draft
from operations.errors import NotFound, need
from operations.grants.desk import Desk
from operations.policy import POLICY, Identity, reach
from operations.tables import access_delegate as table
from operations.tables import account
from operations.uuid7 import uuid7

DAY = 86_400_000_000
DAYS_MOST = 31
LISTED_MOST = 100
DECIDERS = tuple(POLICY["access.decide"])


class Delegate(Struct, frozen=True):
    """`giver` lets `taker` decide; names beside the ids. Times: UTC microseconds."""

    id: str
    giver: str
    giver_name: str
    taker: str
    taker_name: str
    from_at: int
    until_at: int


class Delegates(Desk):
    """Who stands in for whom, in one database."""

    def colleagues(self, identity: Identity) -> list[tuple[str, str]]:
        """Return (id, name) of those who may stand in: of the same house, who may decide themselves."""
        reach(identity, "access.decide")
        with self._database.read() as connection:
            return [(one.id, one.name) for one in self._fit(connection, identity)]

    def give(self, identity: Identity, taker: str, from_at: int, until_at: int) -> Delegate:
        """Let a colleague decide in one's place for a time. Raises Forbidden, NotFound, Refused."""
        reach(identity, "access.decide")
        now = self._now()
        begins = max(from_at, now)
        need(begins < until_at <= begins + DAYS_MOST * DAY, "grants.delegate_time", most=DAYS_MOST)
        with self._database.write(self._doorbell) as transaction:
            found = next((one for one in self._fit(transaction.connection, identity) if one.id == taker), None)
            if found is None:
                raise NotFound()
            mine = sa.select(table.c.id).where(
                table.c.giver == identity.id, table.c.ended_at.is_(None), table.c.until_at > now
            )
            need(transaction.connection.execute(mine).first() is None, "grants.delegate_one")
            made = Delegate(uuid7(now), identity.id, identity.name, found.id, found.name, begins, until_at)
            values = {"id": made.id, "giver": made.giver, "taker": made.taker}
            times = {"from_at": begins, "until_at": until_at}
            transaction.connection.execute(sa.insert(table).values({**values, **times}))
            journal.append(transaction, [_draft(made, "delegate.given", identity, now)])
        return made

    def end(self, identity: Identity, id: str) -> None:
        """Take it back; whoever gave it does. Raises Forbidden, NotFound."""
        reach(identity, "access.decide")
        now = self._now()
        with self._database.write(self._doorbell) as transaction:
            mine = sa.select(table).where(
                table.c.id == id, table.c.giver == identity.id, table.c.ended_at.is_(None), table.c.until_at > now
            )
            row = transaction.connection.execute(mine.with_for_update()).one_or_none()
            if row is None:
                raise NotFound()
            transaction.connection.execute(sa.update(table).where(table.c.id == id).values(ended_at=now))
            over = Delegate(row.id, row.giver, identity.name, row.taker, "", row.from_at, row.until_at)
            journal.append(transaction, [_draft(over, "delegate.ended", identity, now)])

    def listed(self, identity: Identity) -> list[Delegate]:
        """Return what one has given and been given, and is not over. Raises Forbidden."""
        reach(identity, "access.decide")
        mine = sa.or_(table.c.giver == identity.id, table.c.taker == identity.id)
        giver, taker = account.alias(), account.alias()
        query = (
            sa.select(table, giver.c.name.label("giver_name"), taker.c.name.label("taker_name"))
            .join(giver, giver.c.id == table.c.giver)
            .join(taker, taker.c.id == table.c.taker)
            .where(mine, table.c.ended_at.is_(None), table.c.until_at > self._now())
            .order_by(table.c.from_at)
            .limit(LISTED_MOST)
        )
        with self._database.read() as connection:
            return [
                Delegate(row.id, row.giver, row.giver_name, row.taker, row.taker_name, row.from_at, row.until_at)
                for row in connection.execute(query)
            ]

    def _fit(self, connection: Connection, identity: Identity) -> list[Identity]:
        columns = account.c
        house = sa.select(account).where(
            columns.disabled_at.is_(None), columns.scope_department == identity.scope.department,
            columns.id != identity.id, columns.role.in_(DECIDERS),
        )  # fmt: skip
        found = [account_of(row) for row in connection.execute(house.order_by(columns.name))]
        return [one.identity for one in found if one.living(self._now())]


def _draft(one: Delegate, action: str, identity: Identity, now: int) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="delegate",
        subject_id=one.id,
        scope_department=identity.scope.department,
        body={"taker": one.taker, "from_at": one.from_at, "until_at": one.until_at},
    )
