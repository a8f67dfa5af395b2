"""`run.py bench access`: what the gate costs the live channel, 300 screens in 30 scopes, beside the same without it.

Both runs have one hub, 30 channels of the wall's panels and ten screens on each. With the gate each channel has a scope
of its own that leaves nothing out (the most work a scope can be), and the keeper of standing asks about 300 sessions;
without it all channels draw the whole board and nobody is asked about. So the frames are the same and the difference is
the gate's.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import verify
from config import clock
from config.city import City
from config.settings import Settings
from dashboard.access import Proof
from dashboard.channel import Topic
from dashboard.gate import Gate
from dashboard.live import Hub
from dashboard.panels import PAGES
from dashboard.screen import Screen
from dashboard.standing import Standing
from operations import accounts, journal, sessions
from operations.database import Database
from operations.entry import Draft
from operations.policy import SYSTEM, Identity
from operations.scope import WHOLE, Scope

SCOPES, EACH = 30, 10
SECONDS, A_SECOND, ROUNDS = 6.0, 2, 5
OPEN_BEFORE = 300
GOAL = 5.0
CHAIN = ("990101", "990101001", "990101001002", "990101001002003")


class Round(NamedTuple):
    """Seconds of one round: from a commit to a screen's taking it, and processor time."""

    p50: float
    p99: float
    worked: float


class Bell:
    """The engine, as far as the hub knows it."""

    def __init__(self) -> None:
        self.rung: asyncio.Queue[int] = asyncio.Queue()

    async def doorbell(self) -> AsyncIterator[int]:
        """Yield each ring."""
        while True:
            yield await self.rung.get()

    async def gauges(self) -> dict[str, Any]:
        """Nothing is measured."""
        return {}


def run(settings: Settings) -> list[dict[str, Any]]:
    """The table's rows, those of `bench verify` too; the database is one of their own, in SQLite."""
    with tempfile.TemporaryDirectory() as folder, closing(Database(f"sqlite:///{folder}/gridwall.db")) as database:
        database.migrate(Path(folder))
        _write(database, [_opened(f"before-{number}") for number in range(OPEN_BEFORE)])
        proofs = _signed_in(database)
        rounds = _rounds(database, proofs)
        asked = asyncio.run(_asked(database, proofs))
    return [*_compared(rounds), _looked(asked), *verify.run(settings)]


def _rounds(database: Database, proofs: dict[Proof, Identity]) -> dict[bool, list[Round]]:
    """Rounds with the gate and without it by turns (ABBA, so that what drifts hits both), after one that only warms."""
    found: dict[bool, list[Round]] = {True: [], False: []}
    for turn in range(1 + ROUNDS * 2):
        gated = turn % 4 in (1, 0) and turn > 0
        worked = _worked()
        took = asyncio.run(_round(database, proofs, turn, gated=gated))
        if turn:
            found[gated].append(Round(_percentile(took, 50), _percentile(took, 99), _worked() - worked))
    return found


def _compared(rounds: dict[bool, list[Round]]) -> list[dict[str, Any]]:
    told = (
        f"medians of {ROUNDS} rounds of {SECONDS:.0f} s each way, by turns; {A_SECOND} new incidents/s, commit → taken"
    )
    with_gate, without = _medians(rounds[True]), _medians(rounds[False])
    spread = ", ".join(f"{one.p99 * 1e3:.0f}" for one in rounds[False])
    p99, work = ((with_gate[at] / without[at] - 1) * 100 for at in (1, 2))
    wide = f"30 channels too; p50 {without.p50 * 1e3:.0f} ms; p99 of each round: {spread}"
    return [
        _figure(
            "300 screens in 30 scopes, p99", with_gate.p99 * 1e3, "ms", "", f"{told}; p50 {with_gate.p50 * 1e3:.0f} ms"
        ),
        _figure("the same without the gate, p99", without.p99 * 1e3, "ms", "", wide),
        _figure("the gate adds to p99", p99, "%", f"< {GOAL:.0f}", "of the medians above"),
        _figure("processor time with the gate", with_gate.worked, "s", "", "of a whole round, median"),
        _figure("processor time without the gate", without.worked, "s", "", "of a whole round, median"),
        _figure("the gate adds to processor time", work, "%", "", "the steadier figure on a busy machine"),
    ]


def _looked(asked: float) -> dict[str, Any]:
    told = "one look of the keeper, mean of 20; it looks every 0.4 s"
    return _figure("asking about 300 sessions", asked * 1e3, "ms", "", told)


def _medians(rounds: list[Round]) -> Round:
    return Round(*(statistics.median(column) for column in zip(*rounds, strict=True)))


def _figure(name: str, value: float, unit: str, goal: str, method: str) -> dict[str, Any]:
    return {"name": name, "value": float(value), "unit": unit, "goal": goal, "method": method}


def _worked() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _percentile(values: list[float], part: int) -> float:
    return sorted(values)[min(len(values) * part // 100, len(values) - 1)]


async def _round(database: Database, proofs: dict[Proof, Identity], turn: int, *, gated: bool) -> list[float]:
    """Return the seconds from a commit to each screen's taking it."""
    bell = Bell()
    hub = Hub(database, bell, {f"wall{one}": PAGES["wall"] for one in range(SCOPES)}, city=City())
    await hub.start()
    gate = Gate(Database(database.url))
    standing = Standing(gate.standing)
    took: list[float] = []
    written: dict[str, float] = {}
    takers = []
    for one in range(SCOPES):
        topic = Topic(Scope(hidden=(f"none{one}",)) if gated else WHOLE, f"wall{one}", "zh")
        for _ in range(EACH):
            screen = await hub.join(topic, lambda channel: Screen("wall", Identity("wall"), channel))
            takers.append(asyncio.create_task(_take(screen, written, took)))
    holds = [standing.hold(proof, who, lambda code: None) for proof, who in proofs.items()] if gated else []
    for hold in holds:
        hold.__enter__()
    standing.start()
    for number in range(int(SECONDS * A_SECOND)):
        name = f"incident-{turn}-{number}-"
        await asyncio.to_thread(_write, database, [_opened(name)])
        written[name] = clock.monotonic()
        bell.rung.put_nowait(1)
        await asyncio.sleep(1 / A_SECOND)
    await asyncio.sleep(1.0)
    standing.stop()
    for taker in takers:
        taker.cancel()
    await asyncio.gather(*takers, return_exceptions=True)
    await gate.close()
    await hub.stop()
    return took


async def _take(screen: Screen, written: dict[str, float], took: list[float]) -> None:
    done: set[str] = set()
    while True:
        await screen.wake.wait()
        screen.wake.clear()
        while (text := screen.next()) is not None:
            now = clock.monotonic()
            for name in [name for name in reversed(written) if name not in done][:20]:
                if name in text:
                    done.add(name)
                    took.append(now - written[name])


async def _asked(database: Database, proofs: dict[Proof, Identity]) -> float:
    gate = Gate(Database(database.url))
    await gate.standing(list(proofs))
    begun = clock.monotonic()
    for _ in range(20):
        await gate.standing(list(proofs))
    spent = (clock.monotonic() - begun) / 20
    await gate.close()
    return spent


def _signed_in(database: Database) -> dict[Proof, Identity]:
    now, found = clock.now(), {}
    for one in range(SCOPES):
        accounts.add(database, SYSTEM, f"zhang{one}", "operator", now=now, scope=Scope(f"99010100{one:04d}"), demo=True)
        account = accounts.find(database, f"zhang{one}")
        assert account is not None
        for _ in range(EACH):
            secret = sessions.open(database, account, hours=1, now=now)
            who = sessions.identify(database, secret, now)
            assert who is not None
            found[Proof("session", secret)] = who
    return found


def _write(database: Database, drafts: list[Draft]) -> None:
    with database.write() as transaction:
        journal.append(transaction, drafts)


def _opened(name: str) -> Draft:
    at = clock.now()
    values = {
        "id": name, "number": name, "county": CHAIN[0], "revision": 1, "type": "0304", "title": f"路口红灯不亮 {name}",
        "department": "police", "source": "s1", "report_id": name, "occurred_at": at, "received_at": at,
        "opened_at": at, "updated_at": at, "chain": CHAIN, "grid": CHAIN[-1], "urgency": "urgent",
        "lon": 113.5, "lat": 34.7,
    }  # fmt: skip
    grid = "/".join(CHAIN)
    return Draft(
        at=at, actor="worker:w1", action="incident.opened", subject_type="incident", subject_id=name, scope_grid=grid,
        scope_grid_before=grid, body={"set": values},
    )  # fmt: skip
