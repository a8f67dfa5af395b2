"""The demo's orders 演示交办: what was acknowledged is sent to departments, and their liaisons answer.

What they do follows from the incident's report and the recipient alone, so it is the same after a restart. They act
through the same commands as people do, under names that say what they are.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from config import departments
from operations.board import Board
from operations.errors import OperationsError
from operations.incident import Incident
from operations.orders.dispatch import Orders
from operations.orders.draft import OrderDraft, Wanted
from operations.orders.order import Order, Recipient
from operations.policy import Identity
from operations.scope import Scope
from streams.demo import duty
from streams.demo.duty import SECOND
from streams.demo.sources import BY_ID

MOST_AT_ONCE = 20
SEND_S = (4.0, 40.0)
SIGN_S = {"critical": (10.0, 70.0), "urgent": (15.0, 150.0), "routine": (20.0, 420.0)}
ARRIVE_SHARE, DONE_SHARE, REVIEW_SHARE = (0.2, 0.45), (0.7, 0.9), 0.94
"""Of the time from the order to the closing of its incident."""
REFUSED_SHARE, SILENT_SHARE = 0.04, 0.03
MINUTES = {"critical": (2, 15), "urgent": (5, 30), "routine": (30, 0)}
"""To sign and to arrive, by urgency; 0 is no deadline."""
HELPERS = ("police", "health", "emergency", "city_management", "street")
TEXT = "演示：请立即核实处置，并反馈到场和办理情况。"
REPLY = "演示：已办结，现场恢复正常。"


class Answers(NamedTuple):
    """Seconds after an order was sent at which a recipient signs (or refuses), arrives and is done."""

    sign_s: float
    arrive_s: float
    done_s: float
    refuses: bool
    silent: bool


def recipients(incident: Incident) -> tuple[Wanted, ...]:
    """Return whom an incident is sent to: the department that leads, and some that support where it is pressing."""
    chance = random.Random(f"order {incident.report_id}")
    names = departments.current()
    lead = incident.department if incident.department in names else "centre"
    others = [code for code in HELPERS if code != lead and code in names]
    count = {"critical": 3, "urgent": chance.choice((1, 1, 2))}.get(incident.urgency, int(chance.random() < 0.3))
    codes = [lead, *chance.sample(others, min(count, len(others)))]
    return tuple(
        Wanted("department", code, names[code].zh, code, "lead" if code == lead else "support") for code in codes
    )


def answers(incident: Incident, order: Order, one: Recipient, pace: float = 1.0) -> Answers:
    """Return how a recipient of an incident's order will answer."""
    chance = random.Random(f"answer {incident.report_id} {one.id}")
    closing = incident.waiting_since + duty.plan(incident, pace).close_s * SECOND
    whole = max((closing - order.sent_at) / SECOND, 60.0 / pace)
    sign = chance.uniform(*SIGN_S[incident.urgency]) / pace
    refuses = one.role != "lead" and chance.random() < REFUSED_SHARE
    silent = one.role != "lead" and chance.random() < SILENT_SHARE
    arrive, done = whole * chance.uniform(*ARRIVE_SHARE), whole * chance.uniform(*DONE_SHARE)
    return Answers(sign, max(sign, arrive), max(sign, done), refuses, silent)


def liaison(department: str) -> Identity:
    """Who answers for a department: not an account, and named as what it is."""
    return Identity("demo", f"liaison-{department}", "演示联络员", "liaison", Scope(department=department))


class Dispatcher:
    """Sends and answers what is due, looking at a board that somebody else keeps."""

    def __init__(self, orders: Orders, board: Board, pace: float) -> None:
        self._orders, self._board, self._pace = orders, board, pace
        self._sent = {one.incident for one in board.orders.values()}

    def step(self, now: int) -> int:
        """Carry out what is due at `now`; returns the number of commands."""
        done = 0
        for act in self._due(now):
            try:
                act()
            except OperationsError:
                continue  # somebody was faster, or it can no longer be
            done += 1
            if done == MOST_AT_ONCE:
                break
        return done

    def _due(self, now: int) -> Iterator[Callable[[], object]]:
        incidents = [one for one in self._board.incidents.values() if one.is_open and one.source in BY_ID]
        taken = self._sent | {one.incident for one in self._board.orders.values()}  # a person was first
        for incident in incidents:
            if incident.acknowledged_at is not None and incident.id not in taken:
                chance = random.Random(f"send {incident.report_id}")
                if now >= incident.acknowledged_at + chance.uniform(*SEND_S) / self._pace * SECOND:
                    yield partial(self._send, incident)
        for order in [one for one in self._board.orders.values() if one.is_open and one.sender in duty.NAMES]:
            if (about := self._board.incidents.get(order.incident)) is not None:
                yield from self._answers(about, order, now)

    def _send(self, incident: Incident) -> None:
        planned = duty.plan(incident, self._pace)
        sign, arrive = MINUTES[incident.urgency]
        self._sent.add(incident.id)
        draft = OrderDraft(
            title=(incident.title or incident.number)[:80],
            text=TEXT,
            recipients=recipients(incident),
            incident=incident.id,
            kind="joint" if incident.urgency == "critical" else "order",
            urgency=incident.urgency,
            sign_minutes=sign,
            arrive_minutes=arrive,
            key=incident.id,
        )
        self._orders.send(duty.identity(planned.name), draft)

    def _answers(self, incident: Incident, order: Order, now: int) -> Iterator[Callable[[], object]]:
        waited = (now - order.sent_at) / SECOND
        for one in order.recipients:
            planned = answers(incident, order, one, self._pace)
            deed = following(one, planned, waited)
            if deed and one.kind == "department":
                reason = "no_capacity" if deed == "refused" else ""
                yield partial(self._orders.answer, liaison(one.department), order.id, one.id, deed, reason=reason)
        closing = incident.waiting_since + duty.plan(incident, self._pace).close_s * SECOND
        if order.reply == "sent" and now >= order.sent_at + (closing - order.sent_at) * REVIEW_SHARE:
            who = duty.identity(duty.plan(incident, self._pace).name)
            yield partial(self._orders.review, who, order.id, True, REPLY)


def following(one: Recipient, planned: Answers, waited: float) -> str:
    """Return the receipt that is due next of a recipient after so many seconds; "" when none is."""
    if one.state in ("sent", "delivered") and waited >= planned.sign_s / 2 and not planned.silent:
        return "seen"
    if one.state == "seen" and waited >= planned.sign_s:
        return "refused" if planned.refuses else "signed"
    if one.state in ("sent", "delivered", "seen", "signed") and waited >= planned.arrive_s:
        return "arrived"
    return "done" if one.state in ("arrived", "working") and waited >= planned.done_s else ""
