"""Calling named people for a warning 叫应: who answers for the grids it covers, the order that asks them to confirm.

The confirmations are the order's receipts: in the application, by telephone, by whatever else reaches them.
"""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import warnings
from operations.contacts import cards
from operations.database import Database
from operations.errors import NotFound, need
from operations.orders.dispatch import OrderDraft, Orders, Wanted
from operations.orders.order import RECIPIENTS_MOST, Order, Recipient
from operations.policy import Identity, reach
from operations.scope import Scope
from operations.tables import person, shift
from operations.warning import WarningState

MINUTES = 15
"""In which a call is to be confirmed, where nobody says otherwise."""
MINUTES_MOST = 24 * 60
CONFIRMED = ("signed", "arrived", "working", "done", "reviewed")


class Callee(Struct, frozen=True):
    """Somebody who answers for a grid that a warning covers, or is on duty for it now."""

    id: str
    name: str
    post: str
    department: str
    grid: str
    account: str
    on_duty: bool = False

    @property
    def wanted(self) -> Wanted:
        """As the recipient of an order."""
        return Wanted("person", self.id, self.post, self.department, "support", self.account, self.grid)


class Answered(Struct, frozen=True):
    """How the calls for one warning stand: all who were called, and those who have not confirmed."""

    called: int
    missing: tuple[Recipient, ...]

    @property
    def confirmed(self) -> int:
        """How many have."""
        return self.called - len(self.missing)


def standing(orders: Iterable[Order], warning_id: str) -> Answered | None:
    """Return how the calls for a warning stand, None where nobody was called; who was called twice counts once."""
    people: dict[str, Recipient] = {}
    for order in sorted((one for one in orders if one.warning == warning_id), key=lambda one: one.sent_at):
        if order.kind != "call" or order.state == "cancelled":
            continue
        for one in order.recipients:
            known = people.get(one.id)
            if one.state != "withdrawn" and (known is None or known.state not in CONFIRMED):
                people[one.id] = one
    missing = tuple(one for one in people.values() if one.state not in CONFIRMED)
    return Answered(len(people), missing) if people else None


def callees(connection: Connection, warning: WarningState, scope: Scope, now: int) -> list[Callee]:
    """Return whom a warning concerns: those on duty first, then who answers for the widest area."""
    columns = person.c
    query = sa.select(columns.id, columns.name, columns.post, columns.department, columns.grid, columns.account)
    duty = _on_duty(connection, now)
    found = [
        Callee(*row, on_duty=row.id in duty)
        for row in connection.execute(query.where(columns.ended_at.is_(None)))
        if cards.visible(scope, row.department, row.grid)
    ]
    covered = Covered(warning.codes)
    chosen = [one for one in found if covered.holds(one.grid) or (one.on_duty and covered.touches(duty[one.id]))]
    return sorted(chosen, key=lambda one: (not one.on_duty, len(one.grid), one.department, one.name, one.id))


class Covered:
    """The grids a warning covers, by their codes, which begin with the codes of those above them."""

    def __init__(self, codes: Sequence[str]) -> None:
        self._codes = frozenset(codes)
        self._lengths = sorted({len(code) for code in codes})

    def holds(self, grid: str) -> bool:
        """Say whether a grid lies in them."""
        return bool(grid) and any(grid[:length] in self._codes for length in self._lengths)

    def touches(self, grid: str) -> bool:
        """Say whether a grid lies in them or holds one of them; "" is the whole city."""
        return bool(self._codes) and (self.holds(grid) or any(code.startswith(grid) for code in self._codes))


def _on_duty(connection: Connection, now: int) -> dict[str, str]:
    """Return {person: grid} of those on duty now."""
    columns = shift.c
    query = sa.select(columns.person, columns.grid).where(
        columns.cancelled_at.is_(None), columns.ends_at > now, columns.starts_at <= now
    )
    return {row.person: row.grid for row in connection.execute(query)}


class Calls:
    """The commands on calls of one database."""

    def __init__(self, database: Database, orders: Orders) -> None:
        self._database = database
        self._orders = orders

    def proposed(self, identity: Identity, warning_id: str, now: int) -> list[Callee]:
        """Return whom to call for a warning. Raises Forbidden, NotFound where it is absent or out of scope."""
        scope = reach(identity, "order.send")
        warning = warnings.dossier(self._database, scope, warning_id).warning
        with self._database.read() as connection:
            return callees(connection, warning, scope, now)

    def names(self, identity: Identity, ids: Iterable[str]) -> dict[str, str]:
        """Return {recipient's id: name} of people, from the address book. Raises Forbidden."""
        scope = reach(identity, "directory.read")
        wanted = {one.removeprefix("person:") for one in ids}
        query = sa.select(person.c.id, person.c.name, person.c.department, person.c.grid)
        with self._database.read() as connection:
            rows = connection.execute(query.where(person.c.id.in_(wanted))).all()
        return {f"person:{row.id}": row.name for row in rows if cards.visible(scope, row.department, row.grid)}

    def call(
        self, identity: Identity, warning_id: str, ids: Sequence[str], *, text: str, minutes: int, key: str, now: int
    ) -> Order:
        """Ask people to confirm a warning; only those it concerns. Raises Forbidden, NotFound, Refused."""
        scope = reach(identity, "order.send")
        dossier = warnings.dossier(self._database, scope, warning_id)
        need(dossier.state == warnings.IN_FORCE, "calls.over")
        need(0 < len(ids) <= RECIPIENTS_MOST, "orders.recipients_wrong")
        need(0 < minutes <= MINUTES_MOST, "orders.minutes_wrong")
        known = {one.id: one for one in self.proposed(identity, warning_id, now)}
        if any(one not in known for one in ids):
            raise NotFound()
        told = dossier.warning.words("zh")
        draft = OrderDraft(
            title=" ".join((told.headline or told.event).split())[:80],
            text=text,
            recipients=tuple(known[one].wanted for one in dict.fromkeys(ids)),
            warning=warning_id,
            kind="call",
            urgency="critical" if dossier.warning.level in ("red", "orange") else "urgent",
            sign_minutes=minutes,
            key=key,
        )
        return self._orders.send(identity, draft)
