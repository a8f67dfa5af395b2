"""Intake: durable single POSTs, durable batches, how fast a worker drains them and how fast the journal is verified.

The first two go through the real program (uvicorn, access check, door, engine with `appendfsync always`); the pusher is
a process of its own on the same machine and its processor time is reported apart. Closed loop: each connection sends
its next request when the last one was answered with 202.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from typing import Any

import orjson
from redis.exceptions import RedisError

from benchmarks import program
from config import clock, collector, parent
from config.settings import ROOT, Settings, child_environment, load
from config.taxonomy import Taxonomy
from operations import verification
from operations.database import Database
from operations.sources import Source
from streams import engine
from streams.intake import Intake
from streams.limiter import Limiter
from streams.log import Log
from streams.mapping import load_all
from streams.transit import TransitSeal
from streams.worker import Worker

SECONDS = 8
SINGLE_CONNECTIONS, BATCH_CONNECTIONS = 64, 4
BATCH = 1_000
DRAINED = 40_000
VERIFIED = 3
ENGINE_SECONDS = 10.0


THROUGH = "through the real web process, engine fsyncs every write, worker draining meanwhile on the same cores"


@dataclass(frozen=True)
class Pushed:
    """What a push came to: reports accepted, in how many seconds, with how many processor seconds by role."""

    accepted: int
    seconds: float
    used: dict[str, float]

    @property
    def rate(self) -> float:
        """Reports accepted a second."""
        return self.accepted / self.seconds

    def told(self) -> str:
        """Who used how much of a core, and about what the figure would be if the web process had a core to itself."""
        shares = ", ".join(f"{role} {used / self.seconds:.2f}" for role, used in self.used.items())
        each = self.used["web"] / max(1, self.accepted) * 1e6
        return (
            f"{os.cpu_count()} cores shared by all, load average {os.getloadavg()[0]:.1f}; cores used: {shares}; "
            f"{each:.0f} µs of the web process a report, so about {1e6 / max(each, 1):,.0f}/s where it has a core to "
            "itself; beyond that `web_processes`"
        )


def report(identifier: str) -> dict[str, Any]:
    """One report as a hotline writes it: about 500 bytes, with a phone number to mask and a reporter to seal."""
    return {
        "id": identifier,
        "type": "0304",
        "urgency": "紧急",
        "title": "人民路口燃气味道较大",
        "text": "人民路与南京路交叉口附近有燃气味道，已有居民离开，请尽快派人查看。现场联系电话13812345678。",
        "occurred_at": clock.now(),
        "place": {"lon": 119.1635, "lat": 34.5722, "address": "人民路12号"},
        "reporter": {"name": "王某", "phone": "13812345678"},
        "channel": "12345 热线",
    }


def run(settings: Settings) -> list[dict[str, Any]]:
    """Returns the figures; needs about a minute."""
    with program.running() as (gridwall, _box):
        token = gridwall.add_source("bench")
        single = pushed(gridwall, token, SINGLE_CONNECTIONS, 1)
        batched = pushed(gridwall, token, BATCH_CONNECTIONS, BATCH)
    return [
        {
            "name": "durable single POSTs",
            "value": single.rate,
            "unit": "reports/s",
            "goal": "≥ 3,000",
            "method": f"{SINGLE_CONNECTIONS} connections, closed loop, {SECONDS} s, {THROUGH}; {single.told()}",
        },
        {
            "name": "durable batches",
            "value": batched.rate,
            "unit": "reports/s",
            "goal": "≥ 30,000",
            "method": f"arrays of {BATCH}, {BATCH_CONNECTIONS} connections, closed loop, {SECONDS} s, {THROUGH}; "
            f"{batched.told()}",
        },
        *alone(settings),
    ]


def alone(settings: Settings) -> list[dict[str, Any]]:
    """The log without HTTP, and one worker draining it."""
    with tempfile.TemporaryDirectory(prefix="gwb") as folder:
        own = replace(load(folder, environ={}), intake_bound=10_000_000)
        server = subprocess.Popen(
            engine.server_command(own), stdout=subprocess.DEVNULL, preexec_fn=parent.die_with_me()
        )
        try:
            wait_for_engine(own)
            accepted, accept_us = asyncio.run(filled(own))
            drained = drain(own)
            verified = verify(own)
        finally:
            server.terminate()
            server.wait()
    return [
        {
            "name": "durable batches, without HTTP",
            "value": accepted,
            "unit": "reports/s",
            "goal": "",
            "method": f"{DRAINED:,} reports decoded from JSON, normalised, sealed and fsynced in arrays of {BATCH}, "
            f"two under way at once, one process; {accept_us:.1f} µs of its processor time a report; "
            f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}",
        },
        {
            "name": "drain",
            "value": drained.rate,
            "unit": "reports/s",
            "goal": "≥ 10,000",
            "method": f"one worker, {DRAINED:,} new reports from the engine into SQLite (synchronous=FULL), journal "
            f"chained, personal parts sealed, no grids; {drained.each_us:.1f} µs of its processor time a report; "
            f"batch ended at {drained.batch}; {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}",
        },
        {
            "name": "drain, largest transaction",
            "value": max(drained.held_ms),
            "unit": "ms",
            "goal": "≤ 50",
            "method": f"from BEGIN IMMEDIATE until after the commit, what others wait for; {len(drained.held_ms)} "
            f"transactions, median {statistics.median(drained.held_ms):.0f} ms, "
            f"99 of 100 within {statistics.quantiles(drained.held_ms, n=100, method='inclusive')[98]:.0f} ms",
        },
        {
            "name": "verify, per core",
            "value": verified,
            "unit": "entries/s",
            "goal": "≥ 80,000",
            "method": f"the {DRAINED:,} entries just drained, header and body of each against the chain, by processor "
            f"time of the one process that does it; best of {VERIFIED}",
        },
    ]


def wait_for_engine(settings: Settings) -> None:
    """Waits until the engine answers."""
    deadline = clock.monotonic() + ENGINE_SECONDS
    with engine.connect_sync(settings.redis_url) as client:
        while True:
            try:
                client.ping()
                return
            except RedisError:
                if clock.monotonic() > deadline:
                    raise


async def filled(settings: Settings) -> tuple[float, float]:
    """Accepts the reports; returns how many a second, and our processor microseconds for each."""
    taxonomy = Taxonomy.load()
    seal = TransitSeal(settings.data / "keys")
    log = Log(engine.connect(settings.redis_url), seal, settings.intake_bound, clock.monotonic)
    intake = Intake(
        log, taxonomy, load_all(taxonomy), now=clock.now, limiter=Limiter(clock.monotonic), digest_key=b"bench"
    )
    source = Source(id="bench", name="bench")
    arrays = [[orjson.dumps(report(f"{first + n}")) for n in range(BATCH)] for first in range(0, DRAINED, BATCH)]

    async def take() -> None:
        while arrays:
            await intake.accept(source, arrays.pop())

    collector.settle()  # as the web process does
    begun, used = clock.monotonic(), own_cpu()
    await asyncio.gather(take(), take())
    seconds, used = clock.monotonic() - begun, own_cpu() - used
    await log.close()
    return DRAINED / seconds, used / DRAINED * 1e6


@dataclass(frozen=True)
class Drained:
    """Reports a second, processor µs a report, the batch it came to, how long each transaction held the database."""

    rate: float
    each_us: float
    batch: int
    held_ms: list[float]


def drain(settings: Settings) -> Drained:
    """One worker decides everything."""
    database = Database(settings.database_url)
    database.migrate(settings.data / "copies")
    held_ms = []
    with engine.connect_sync(settings.redis_url) as client:
        worker = Worker(settings, database, client, "bench")
        worker.step(block_ms=1)  # leases
        collector.settle()
        first = worker.decided
        begun, used = clock.monotonic(), own_cpu()
        while worker.decided < DRAINED:
            if worker.step(block_ms=1):
                held_ms.append(worker.held_seconds * 1000)
        seconds, used = clock.monotonic() - begun, own_cpu() - used
        worker.close()
    database.close()
    count = DRAINED - first
    return Drained(count / seconds, used / count * 1e6, worker.batch, held_ms)


def verify(settings: Settings) -> float:
    """Entries of the journal checked in a second of processor time."""
    database = Database(settings.database_url)
    rates = []
    for _ in range(VERIFIED):
        used = own_cpu()
        found = verification.verify(database)
        rates.append(found.count / (own_cpu() - used))
    database.close()
    return max(rates)


def own_cpu() -> float:
    """Processor seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def pushed(gridwall: program.Program, token: str, connections: int, batch: int) -> Pushed:
    """Runs the pusher, a process of its own, and says what it and each part of the program used."""
    words = [sys.executable, "-m", "benchmarks.intake", str(gridwall.port), token, str(connections), str(batch)]
    before = gridwall.cpu()
    done = subprocess.run(words, cwd=ROOT, env=child_environment(), capture_output=True, check=True, timeout=120)
    after = gridwall.cpu()
    said = orjson.loads(done.stdout)
    used = {role: after[role] - before.get(role, 0.0) for role in sorted(after)} | {"generator": said["cpu"]}
    return Pushed(said["accepted"], said["seconds"], used)


async def push(port: int, token: str, connections: int, batch: int) -> dict[str, float]:
    """Pushes for SECONDS; returns what was accepted, in how many seconds, with how many processor seconds."""
    deadline = clock.monotonic() + SECONDS
    begun, used = clock.monotonic(), own_cpu()
    counts = await asyncio.gather(*(_connection(port, token, n, batch, deadline) for n in range(connections)))
    return {"accepted": sum(counts), "seconds": clock.monotonic() - begun, "cpu": own_cpu() - used}


async def _connection(port: int, token: str, number: int, batch: int, deadline: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sample = orjson.dumps(report("@@@@@@@@@@@@"))
    accepted = sent = 0
    while clock.monotonic() < deadline:
        items = [sample.replace(b"@@@@@@@@@@@@", b"%03d-%08d" % (number, sent + n)) for n in range(batch)]
        body = items[0] if batch == 1 else b"[" + b",".join(items) + b"]"
        sent += batch
        head = (
            f"POST /api/v1/reports HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        said = orjson.loads(await reader.readexactly(length))
        if answer.split(b" ", 2)[1] == b"202":
            accepted += said["accepted"]
        else:
            await asyncio.sleep(0.1)
    writer.close()
    return accepted


def main(words: list[str]) -> int:
    """The pusher process: port, token, connections, batch."""
    port, token, connections, batch = int(words[0]), words[1], int(words[2]), int(words[3])
    sys.stdout.buffer.write(orjson.dumps(asyncio.run(push(port, token, connections, batch))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
