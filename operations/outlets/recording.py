"""What became of parcels 发送结果, written down once: receipt, state of the outlet, entries.

An outlet that fails a few times running is down: that is one entry, its end another, and in between only one message is
sent by it now and then to see. Messages do not use up their tries on an outlet that is down; they end of age.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs

from operations import journal
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft, path
from operations.errors import NotFound, OperationsError
from operations.orders import rows as orders
from operations.orders.order import Order, Recipient
from operations.orders.receipts import answered
from operations.outlets import rows
from operations.outlets.outbox import DEAD, DELIVERED, DROPPED, SENT, Parcel
from operations.outlets.outlet import Outlet
from operations.policy import SYSTEM
from operations.scope import WHOLE
from operations.tables import delivery as table

SECOND = 1_000_000
TRIES_MOST = 12
AGE_MOST = 24 * 3_600 * SECOND
"""A message that could not be sent for so long is a dead letter."""
DOWN_AFTER = 3
"""Failures running after which an outlet counts as down; one that is certain counts at once."""
BASE, LONGEST = 2 * SECOND, 300 * SECOND
LONGEST_PROBE = 60 * SECOND
DETAIL_MOST = 200


class Outcome(Struct, frozen=True):
    """What became of one try. `state`: sent | delivered | failed | dead; `error`: a code and what the server said.

    `away`: it was the outlet's fault and no message's; `certain`: it will not pass by itself.
    """

    state: str
    error: str = ""
    away: bool = False
    certain: bool = False
    retry_after: float = 0.0  # seconds


Beside = Callable[[Transaction, Sequence[tuple[Parcel, Outcome]], int], list[Draft]]


def record(
    database: Database,
    channel: str,
    tried: Sequence[tuple[Parcel, Outcome]],
    owner: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
    beside: Beside | None = None,
) -> None:
    """Write down what became of what `owner` had claimed; what somebody else has written down meanwhile stays.

    `beside` says, in the same transaction, what the end of parcels means to what is no order.
    """
    with database.write(after_commit) as transaction:
        outlet = _locked(transaction, channel)
        done = [(parcel, _end(parcel, outcome, now)) for parcel, outcome in tried]
        ended = [(parcel, end) for parcel, end in done if end is not None and _finish(transaction, parcel, end, now)]
        for parcel, outcome in tried:
            if _end(parcel, outcome, now) is None:
                _again(transaction, parcel, outcome, owner, now)
        drafts = _receipts(transaction, ended, now)
        drafts += _given_up(channel, ended, now)
        drafts += beside(transaction, ended, now) if beside is not None and ended else []
        if outlet is not None:
            drafts += _circuit(transaction, outlet, [outcome for _, outcome in tried], now)
        journal.append(transaction, drafts)


def pause(failures: int, longest: int = LONGEST, draw: float | None = None) -> int:
    """Return microseconds to the next try: between half and all of a bound that doubles."""
    bound = min(longest, BASE * 2 ** min(failures, 12))
    return int(bound * (0.5 + (random.random() if draw is None else draw) / 2))


def _end(parcel: Parcel, outcome: Outcome, now: int) -> Outcome | None:
    """How it ends with this try; None: it is tried again."""
    if outcome.state != "failed":
        return outcome
    if now - parcel.created_at >= AGE_MOST:
        return Outcome(DEAD, f"too_old {outcome.error}"[:DETAIL_MOST])
    if not outcome.away and parcel.attempts >= TRIES_MOST:
        return Outcome(DEAD, f"too_often {outcome.error}"[:DETAIL_MOST])
    return None


def _finish(transaction: Transaction, parcel: Parcel, outcome: Outcome, now: int) -> bool:
    """Whether it was this that ended it."""
    values = {
        "state": outcome.state,
        "done_at": now,
        "next_at": None,
        "claim": "",
        "error": outcome.error[:DETAIL_MOST],
    }
    where = (table.c.id == parcel.id, table.c.next_at.is_not(None))
    return bool(transaction.connection.execute(sa.update(table).where(*where).values(values)).rowcount)


def _again(transaction: Transaction, parcel: Parcel, outcome: Outcome, owner: str, now: int) -> None:
    wait = max(int(min(outcome.retry_after, 3_600) * SECOND), pause(parcel.attempts))
    where = (table.c.id == parcel.id, table.c.claim == owner, table.c.next_at.is_not(None))
    values = {"next_at": now + wait, "claim": "", "error": outcome.error[:DETAIL_MOST]}
    transaction.connection.execute(sa.update(table).where(*where).values(values))


def _receipts(transaction: Transaction, ended: Sequence[tuple[Parcel, Outcome]], now: int) -> list[Draft]:
    """What ended, at the recipients of its orders: one entry an order."""
    by_order: dict[str, list[tuple[Parcel, Outcome]]] = defaultdict(list)
    for parcel, outcome in ended:
        if parcel.subject_type == "order":
            by_order[parcel.subject_id].append((parcel, outcome))
    drafts = []
    for order_id, results in sorted(by_order.items()):
        try:
            order = orders.find(transaction.connection, WHOLE, order_id, lock=True)
        except NotFound:
            continue
        changed = _changed(order, results, now)
        if changed:
            drafts.append(_conveyed(transaction, order, changed, now))
    return drafts


def _changed(order: Order, results: Sequence[tuple[Parcel, Outcome]], now: int) -> dict[str, dict[str, Any]]:
    known = {one.id: one for one in order.recipients}
    changed: dict[str, dict[str, Any]] = {}
    for parcel, outcome in results:
        one = known.get(parcel.recipient)
        if one is None:
            continue
        fields = {"ways": {**one.ways, parcel.channel: outcome.state}, **_delivered(order, one, parcel, outcome, now)}
        known[one.id] = structs.replace(one, **fields)
        changed[one.id] = changed.get(one.id, {}) | fields
    return changed


def _delivered(order: Order, one: Recipient, parcel: Parcel, outcome: Outcome, now: int) -> dict[str, Any]:
    """The receipt that whoever took it says: it has reached the recipient."""
    if outcome.state != DELIVERED or not order.is_open or one.state != "sent":
        return {}
    try:
        return {**answered(order, one, "delivered", now), "channel": parcel.channel}
    except OperationsError:
        return {}


def _conveyed(transaction: Transaction, order: Order, changed: Mapping[str, dict[str, Any]], now: int) -> Draft:
    body = {"set": {"updated_at": now}, "recipients": msgspec.to_builtins(dict(changed))}
    people = tuple(structs.replace(one, **changed[one.id]) if one.id in changed else one for one in order.recipients)
    after = structs.replace(order, updated_at=now, recipients=people)
    orders.store(transaction, after, [one for one in people if one.id in changed])
    received = any("state" in fields for fields in changed.values())
    return Draft(
        at=now,
        actor=SYSTEM.actor,
        action="order.delivered" if received else "order.conveyed",
        subject_type="order",
        subject_id=order.id,
        revision=order.revision,
        scope_grid=path(order.chain),
        scope_grid_before=path(order.chain),
        scope_department=order.department,
        scope_department_before=order.department,
        body=body,
    )


def _given_up(channel: str, ended: Sequence[tuple[Parcel, Outcome]], now: int) -> list[Draft]:
    """Which messages are dead letters now, and why."""
    dead = [(parcel, outcome) for parcel, outcome in ended if outcome.state == DEAD]
    if not dead:
        return []
    told = [
        {"id": one.id, "about": one.subject_id, "to": one.recipient, "why": outcome.error.split(" ")[0]}
        for one, outcome in dead
    ]
    return [entry_of(SYSTEM.actor, "outlet.gave_up", channel, {"messages": told}, now)]


def _locked(transaction: Transaction, channel: str) -> Outlet | None:
    """The outlet, which nobody else changes until the end; None when it was removed meanwhile."""
    try:
        return rows.find(transaction.connection, channel, lock=True)
    except NotFound:
        return None


def _circuit(transaction: Transaction, before: Outlet, outcomes: Sequence[Outcome], now: int) -> list[Draft]:
    """Keep whether the outlet works; an entry when that changes."""
    channel = before.name
    after = circuit(before, outcomes, now)
    rows.store(transaction, after)
    if (before.failing_since is None) == (after.failing_since is None):
        return []
    if after.failing_since is None:  # what waited need not wait for its own time
        waiting = (table.c.channel == channel, table.c.next_at.is_not(None), table.c.claim == "")
        transaction.connection.execute(sa.update(table).where(*waiting, table.c.next_at > now).values(next_at=now))
    failed = after.failing_since is not None
    said = {"title": after.title, "why": after.error.split(" ")[0]} if failed else {"title": after.title}
    return [entry_of(SYSTEM.actor, "outlet.failed" if failed else "outlet.recovered", channel, said, now)]


def circuit(outlet: Outlet, outcomes: Sequence[Outcome], now: int) -> Outlet:
    """Return the outlet after some tries: any that the server took means it works."""
    outcomes = [outcome for outcome in outcomes if outcome.state != DROPPED]  # nobody was asked
    if any(outcome.state != "failed" for outcome in outcomes):
        worked = any(outcome.state in (SENT, DELIVERED) for outcome in outcomes)
        worked_at = now if worked else outlet.worked_at
        return structs.replace(outlet, failures=0, failing_since=None, retry_at=None, error="", worked_at=worked_at)
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if not failed:
        return outlet
    failures = outlet.failures + len(failed)
    last = failed[-1]
    down = outlet.failing_since is not None or failures >= DOWN_AFTER or any(one.certain for one in failed)
    if not down:
        return structs.replace(outlet, failures=failures, error=last.error[:DETAIL_MOST])
    tries = failures if outlet.failing_since is not None else 1
    wait = max(pause(tries, LONGEST_PROBE), int(min(last.retry_after, 3_600) * SECOND))
    return structs.replace(
        outlet,
        failures=failures,
        failing_since=outlet.failing_since or now,
        retry_at=now + wait,
        error=last.error[:DETAIL_MOST],
    )


def entry_of(actor: str, action: str, name: str, body: dict[str, Any], now: int, revision: int = 0) -> Draft:
    """Return an entry about an outlet."""
    return Draft(
        at=now, actor=actor, action=action, subject_type="outlet", subject_id=name, revision=revision, body=body
    )
