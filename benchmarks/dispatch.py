"""An order sent → its receipts on every screen's matrix, beside a page that asks every three seconds, in the same run.

Orders are written by the domain's own commands on the program's database, from this process; the program's web process
hears of them by the doorbell, folds them and sends frames to desks that stand in at protocol level. Every stand-in
reads every frame, so a figure is the time until the last of them had it.
"""

from __future__ import annotations

import bisect
import math
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from benchmarks import program
from benchmarks.program import Program
from benchmarks.wall import others, percentile
from config import clock
from config import settings as configuration
from config.settings import Settings
from operations.database import Database
from operations.orders.dispatch import OrderDraft, Orders, Wanted
from operations.orders.order import Order, Recipient
from operations.policy import Identity
from operations.scope import Scope
from operations.seal import KeyStore
from operations.tables import department, dispatch_order, order_recipient
from streams import doorbell, engine

POLLED = 3.0
"""Seconds between two questions of the usual way."""
PAUSE = 0.3
DEPARTMENTS = 500
OPERATOR = Identity("account", "bench", "bench", "operator")
Figure = dict[str, Any]
Events = list[tuple[str, int]]
"""(order id, when its entry was committed, UTC microseconds)."""


class Size(NamedTuple):
    """How much of everything: screens, orders to `recipients` each, a matrix of orders × recipients, seconds."""

    screens: int = 100
    orders: int = 30
    recipients: int = 500
    matrix: tuple[int, int] = (200, 50)
    seconds: float = 15.0
    rate: float = 20.0


FULL = Size()
SMALL = Size(4, 3, 30, (5, 4), 1.0, 10.0)
"""For a test of the bench itself."""


def run(settings: Settings, size: Size = FULL) -> list[Figure]:
    """Measures one order to many, a matrix under receipts, and receipts written one after the other."""
    with program.running() as (gridwall, _box), commanding(gridwall) as orders:
        words = ("--probes", str(size.screens), "--key", "orders")
        cookie = gridwall.sign_in()
        with others(gridwall, cookie, size.screens, 600, "desk", words) as stand_ins, polling(gridwall) as polled:
            sent = one_to_many(orders, size)
            matrix = filled(orders, size)
            before = gridwall.cpu()
            paced = receipts(orders, matrix, size.seconds, size.rate)
            spent = gridwall.cpu().get("web", 0.0) - before.get("web", 0.0)
            time.sleep(2 + POLLED)
            fast = receipts(orders, matrix, min(5.0, size.seconds), math.inf)
            time.sleep(1)
    seen = stand_ins.result
    return [
        *shown("order to all screens", f"{size.recipients} recipients", sent, seen["came"], size, "p99 < 500"),
        *usual(sent, polled),
        *shown("receipt to all screens", "{} × {}".format(*size.matrix), paced, seen["came"], size, ""),
        figure("web process under receipts", spent / size.seconds, "cores", "", f"{len(paced)} receipts, see above"),
        figure("receipts written", len(fast) / min(5.0, size.seconds), "/s", "", rate_told(fast, size)),
    ]


@contextmanager
def commanding(gridwall: Program) -> Iterator[Orders]:
    """The commands on orders on the program's own database, ringing its doorbell."""
    settings = configuration.load(gridwall.data)
    client = engine.connect_sync(settings.redis_url)
    with closing(Database(settings.database_url)) as database, closing(KeyStore(gridwall.data / "keys")) as keys:
        zone, county = settings.zone, settings.county_code
        furnish(database)
        yield Orders(database, keys, lambda seq: doorbell.ring(client, seq), zone=zone, county=county)
    client.close()


def furnish(database: Database) -> None:
    """Have as many departments as are written to."""
    rows = [{"code": f"d{number:03d}", "name": f"单位 {number}", "added_by": "bench"} for number in range(DEPARTMENTS)]
    with database.write() as transaction:
        known = set(transaction.connection.execute(sa.select(department.c.code)).scalars())
        fresh = [row for row in rows if row["code"] not in known]
        if fresh:
            transaction.connection.execute(sa.insert(department), fresh)


def one_to_many(orders: Orders, size: Size) -> Events:
    """Send orders to many recipients each, and take them back again, so that the matrix begins empty."""
    events: Events = []
    made: list[Order] = []
    for number in range(size.orders):
        made.append(orders.send(OPERATOR, draft(f"one {number}", size.recipients)))
        events.append((made[-1].id, clock.now()))
        time.sleep(PAUSE)
    time.sleep(2 * POLLED)
    for one in made:
        orders.cancel(OPERATOR, one.id, one.revision, "measured")
    return events


def filled(orders: Orders, size: Size) -> list[Order]:
    """Send the orders of the matrix and wait until they have been drawn."""
    made = [orders.send(OPERATOR, draft(f"matrix {number}", size.matrix[1])) for number in range(size.matrix[0])]
    time.sleep(3)
    return made


def receipts(orders: Orders, matrix: list[Order], seconds: float, rate: float) -> Events:
    """Write receipts across the matrix for some seconds, at most so many a second, all from one process."""
    events: Events = []
    begun = clock.monotonic()
    while (spent := clock.monotonic() - begun) < seconds:
        if len(events) > spent * rate:
            time.sleep(0.002)
            continue
        order = matrix[len(events) % len(matrix)]
        at = (len(events) // len(matrix)) % len(order.recipients)
        one = order.recipients[at]
        liaison = Identity("account", f"l{at}", f"l{at}", "liaison", Scope(department=one.department))
        orders.answer(liaison, order.id, one.id, "progress", text="在处置")
        events.append((order.id, clock.now()))
    return events


def draft(title: str, count: int) -> OrderDraft:
    """An order to so many departments."""
    picked = tuple(
        Wanted("department", f"d{number:03d}", f"单位 {number}", f"d{number:03d}") for number in range(count)
    )
    return OrderDraft(title=title, text="请立即处置", recipients=picked, sign_minutes=30)


class Polled(NamedTuple):
    """When the usual way saw an order first, and how long its questions took, in milliseconds."""

    seen: dict[str, int]
    took: list[float]


@contextmanager
def polling(gridwall: Program) -> Iterator[Polled]:
    """Asks the database every three seconds for the newest orders and their receipts, as a callback of an interval."""
    polled, stop = Polled({}, []), threading.Event()
    with closing(Database(configuration.load(gridwall.data).database_url)) as database:
        thread = threading.Thread(target=_poll, args=(database, polled, stop.wait), daemon=True)
        thread.start()
        try:
            yield polled
        finally:
            stop.set()
            thread.join(10)


def _poll(database: Database, polled: Polled, wait: Callable[[float], bool]) -> None:
    newest = sa.select(dispatch_order.c.id, dispatch_order.c.body).order_by(dispatch_order.c.sent_at.desc()).limit(200)
    order, recipient = msgspec.json.Decoder(Order), msgspec.json.Decoder(Recipient)
    while not wait(POLLED):
        begun = time.perf_counter()
        with database.read() as connection:
            found = {row.id: order.decode(row.body) for row in connection.execute(newest)}
            to = sa.select(order_recipient.c.body).where(order_recipient.c.order_id.in_(found))
            _ = [recipient.decode(row.body) for row in connection.execute(to)]
        polled.took.append((time.perf_counter() - begun) * 1e3)
        for key in found:
            polled.seen.setdefault(key, clock.now())


def shown(what: str, of: str, events: Events, came: list[dict[str, list[int]]], size: Size, goal: str) -> list[Figure]:
    """Returns how long the last of all screens waited for what each entry changed."""
    waits, never = [], 0
    for order_id, at in events:
        found = [_first(screen.get(order_id, []), at) for screen in came]
        if not found or None in found:
            never += 1
        else:
            waits.append(max(one - at for one in found if one is not None) / 1e3)
    told = (
        f"{len(events)} entries, from the commit until the last of {len(came)} stand-in desks had read the frame; "
        f"{never} never shown on all of them"
    )
    named = f"{what}, {of}, {size.screens} screens"
    return [
        figure(f"{named}, p50", percentile(waits, 50), "ms", "", told),
        figure(f"{named}, p99", percentile(waits, 99), "ms", goal, "same run"),
    ]


def _first(moments: list[int], at: int) -> int | None:
    """The first frame after an entry; one that was read before the clock was looked at counts as at once."""
    after = bisect.bisect_left(moments, at)
    if after < len(moments):
        return moments[after]
    return at if moments and moments[-1] >= at - 50_000 else None


def usual(events: Events, polled: Polled) -> list[Figure]:
    """Returns how long a page that asks every three seconds takes to know of an order."""
    waits = [(polled.seen[key] - at) / 1e3 for key, at in events if key in polled.seen]
    took = statistics.median(polled.took) if polled.took else math.nan
    told = (
        f"dcc.Interval of {POLLED:.0f} s asking for the newest 200 orders with their recipients, same database, same "
        f"seconds, without the browser's drawing; one question takes {took:.0f} ms and every screen asks its own"
    )
    return [
        figure("usual way, p50", percentile(waits, 50), "ms", "", told),
        figure("usual way, p99", percentile(waits, 99), "ms", "", "same run"),
    ]


def rate_told(fast: Events, size: Size) -> str:
    """Returns how receipts were counted."""
    return (
        f"{len(fast)} receipts one after the other by one process, each durable with its entry, while "
        f"{size.screens} screens watched"
    )


def figure(name: str, value: float, unit: str, goal: str, method: str) -> Figure:
    """Returns one line of the table."""
    return {"name": name, "value": value, "unit": unit, "goal": goal, "method": method}
