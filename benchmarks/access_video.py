"""`run.py bench access-video`: from a grant to its first frame, from its end to the last, and what the gate costs.

The whole program with drawn cameras (640 × 360, 12 frames a second, a key frame each second); the client is a WebSocket
on the same machine that notes when each message came. A decision and a revocation are committed by the commands
themselves, beside the program, and count from their commit; the picture is asked for at once. The gate's cost is the
processor time of relay and web process for streams that need a grant beside as many that need none, in the same run.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC
from typing import Any

import httpx
import psutil
import websockets

from benchmarks import program
from benchmarks.program import Program
from benchmarks.tiles import cameras
from config import clock
from config.calendar import Workdays
from config.settings import Settings
from operations import accounts, sessions
from operations.calendar import Calendar
from operations.database import Database
from operations.grants.grants import Grants
from operations.grants.requests import Form, Requests
from operations.policy import SYSTEM, Identity
from operations.scope import Scope

ROUNDS, STREAMS, SECONDS = 60, 16, 20
QUIET = 1.5
"""Seconds in which a frame after the end would still come."""
COMMANDER = Identity("account", "bench-centre", "bench", "duty_commander")
NAME, HOUSE = "bench-liaison", "police"


def run(settings: Settings) -> list[dict[str, Any]]:
    """Return the figures."""
    with program.running() as (gridwall, _), cameras() as put:
        granted = put(gridwall, STREAMS)
        own = put(gridwall, STREAMS, owner=HOUSE, source="own")
        with contextlib.closing(Database(f"sqlite:///{gridwall.data / 'gridwall.db'}")) as database:
            return asyncio.run(_run(gridwall, database, granted, own))


async def _run(gridwall: Program, database: Database, granted: list[str], own: list[str]) -> list[dict[str, Any]]:
    desk = _Desk(gridwall, database)
    first, last, late = [], [], 0
    async with httpx.AsyncClient(base_url=gridwall.url, headers=desk.proof) as client:
        for turn in range(ROUNDS):
            began, ended, after = await desk.round(client, granted[turn % len(granted)])
            first.append(began)
            last.append(ended)
            late += after > 1.0
        costs = {}
        for name, ids in (("a grant", granted), ("none", own)):
            if name == "a grant":
                desk.grant(ids)
            costs[name] = await desk.cost(client, ids)
    way = f"{ROUNDS} rounds, one stream each"
    gate = (costs["a grant"] - costs["none"]) / STREAMS
    return [
        _figure("grant → first frame, p50", _at(first, 50), "ms", way + ", commit to the first fragment", ""),
        _figure("grant → first frame, p99", _at(first, 99), "ms", "same rounds; a key frame comes each second", ""),
        _figure("revoke → last frame, p50", _at(last, 50), "ms", way + ", commit to the last message of a picture", ""),
        _figure("revoke → last frame, p99", _at(last, 99), "ms", "same rounds", "< 1000"),
        _figure("frames later than 1 s", late, "rounds", "same rounds", "0"),
        _figure("gate a stream", gate * 1e3, "m core",
                f"relay and web with {STREAMS} streams by a grant {costs['a grant']:.3f} core, as many of the own "
                f"department {costs['none']:.3f} core, {SECONDS} s each", ""),
    ]  # fmt: skip


class _Desk:
    """Who asks, and who lets them."""

    def __init__(self, gridwall: Program, database: Database) -> None:
        now = clock.now()
        scope = Scope(department=HOUSE)
        accounts.add(database, SYSTEM, NAME, "liaison", now=now, scope=scope, password="bench-Bench-3021!")
        account = accounts.find(database, NAME)
        assert account is not None
        cookie = f"gridwall_session={sessions.open(database, account, hours=2, now=now)}"
        self.proof = {"cookie": cookie, "origin": gridwall.url}
        self._who = account.identity
        calendar, zone = Calendar(Workdays.load(), UTC), UTC
        self._requests, self._grants = Requests(database, calendar, zone=zone), Grants(database, calendar, zone=zone)
        self._gridwall = gridwall

    def grant(self, ids: list[str]) -> str:
        """Have a request decided; return the id of its grant."""
        form = Form(purpose="patrol", basis="decree799_20", text="a round of the bench", cameras=tuple(ids), minutes=30)
        one = self._requests.ask(self._who, form)
        return next(iter(self._requests.approve(COMMANDER, one.id, "centre").grants.values()))

    async def round(self, client: httpx.AsyncClient, camera: str) -> tuple[float, float, float]:
        """Seconds from the grant to the first frame, and from its end to the last; the latter once more."""
        grant = await asyncio.to_thread(self.grant, [camera])
        at = clock.monotonic()
        async with await self._open(client, camera) as socket:
            while not isinstance(await asyncio.wait_for(socket.recv(), 20), bytes):
                pass
            began = clock.monotonic() - at
            revoked = asyncio.create_task(asyncio.to_thread(self._revoke, grant))
            last, over = clock.monotonic(), 0.0
            with contextlib.suppress(websockets.ConnectionClosed, TimeoutError):
                while not over or clock.monotonic() - over < QUIET:
                    if isinstance(await asyncio.wait_for(socket.recv(), QUIET), bytes):
                        last = clock.monotonic()
                    if revoked.done():
                        over = revoked.result()
            over = await revoked
        after = max(last - over, 0.0)
        return began, after, after

    def _revoke(self, grant: str) -> float:
        self._grants.revoke(COMMANDER, grant, "the round is over")
        return clock.monotonic()

    async def _open(self, client: httpx.AsyncClient, camera: str) -> websockets.connect:
        answer = await client.post("/video/tickets", json={"camera": camera, "why": "request"})
        if answer.status_code != 200:
            raise program.ProgramError(f"no ticket: {answer.text}")
        address = f"ws://127.0.0.1:{self._gridwall.port}/video/{camera}?ticket={answer.json()['ticket']}&stream=sub"
        return websockets.connect(address, additional_headers=self.proof, max_size=None)

    async def cost(self, client: httpx.AsyncClient, ids: list[str]) -> float:
        """Cores that relay and web take while all are looked through at once."""
        sockets = [await (await self._open(client, id)) for id in ids]
        reading = [asyncio.create_task(_read(one)) for one in sockets]
        await asyncio.sleep(5)
        before, at = _used(self._gridwall), clock.monotonic()
        await asyncio.sleep(SECONDS)
        spent = (_used(self._gridwall) - before) / (clock.monotonic() - at)
        for one in reading:
            one.cancel()
        await asyncio.gather(*(one.close() for one in sockets))
        return spent


async def _read(socket: websockets.ClientConnection) -> None:
    with contextlib.suppress(websockets.ConnectionClosed):
        async for _ in socket:
            pass


def _used(gridwall: Program) -> float:
    total = 0.0
    for child in psutil.Process(gridwall.process.pid).children():
        if {"relay", "web"} & set(child.cmdline()):
            times = child.cpu_times()
            total += times.user + times.system
    return total


def _at(values: list[float], per_cent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * per_cent // 100)] * 1e3


def _figure(name: str, value: float, unit: str, method: str, goal: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "method": method}
