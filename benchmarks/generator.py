"""An open-loop generator of reports, run as a process of its own so that its processor time can be told apart.

Reports are sent at their scheduled moment whatever became of the earlier ones; a 429 or 503 is obeyed and the same
report is sent again. The result is one JSON line per report on standard output: id, when it was due, when it was
answered with 202 (UTC microseconds), and a closing line with the processor seconds the generator used itself.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from config import clock

CONNECTIONS = 24
MAX_RETRIES = 600
TYPES = ("0101", "0203", "0301", "0401", "0501", "0601")


@dataclass(slots=True)
class Load:
    """What to send: `rate` reports a second for `seconds`, `batch` in a request, ids beginning with `prefix`."""

    host: str
    port: int
    token: str
    rate: float
    seconds: float
    batch: int
    prefix: str
    box: tuple[float, float, float, float]
    answered: dict[str, tuple[int, int]] = field(default_factory=dict)
    refused: int = 0
    failed: int = 0


def report(number: int, load: Load, draw: random.Random) -> dict[str, object]:
    """Returns one report whose place is unique in the run, so that a screen's marker names its report."""
    west, south, east, north = load.box
    identifier = f"{load.prefix}-{number:07d}"
    return {
        "id": identifier,
        "type": draw.choice(TYPES),
        "urgency": "urgent" if number % 20 == 0 else "routine",
        "title": identifier,
        "place": {"lon": round(draw.uniform(west, east), 7), "lat": round(draw.uniform(south, north), 7)},
    }


async def post(load: Load, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> int:
    """Sends one request on a kept-alive connection and returns the status of the answer."""
    head = (
        f"POST /api/v1/reports HTTP/1.1\r\nHost: {load.host}:{load.port}\r\nAuthorization: Bearer {load.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    answer = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in answer.split(b"\r\n")[1:]:
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":", 1)[1])
    await reader.readexactly(length)
    return int(answer.split(b" ", 2)[1])


async def sender(load: Load, due: asyncio.Queue[tuple[int, list[dict[str, object]]] | None]) -> None:
    """Takes due requests one by one; reconnects and repeats until the answer is 202."""
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while (item := await due.get()) is not None:
        when, reports = item
        body = orjson.dumps(reports if load.batch > 1 else reports[0])
        for _ in range(MAX_RETRIES):
            try:
                connection = connection or await asyncio.open_connection(load.host, load.port)
                status = await asyncio.wait_for(post(load, *connection, body), 15)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                if connection is not None:
                    connection[1].close()
                connection, status = None, 0
            if status == 202:
                answered = clock.now()
                load.answered.update((str(r["id"]), (when, answered)) for r in reports)
                break
            load.refused += 1
            await asyncio.sleep(0.1)
        else:
            load.failed += len(reports)
    if connection is not None:
        connection[1].close()


async def drive(load: Load) -> None:
    """Puts requests on the schedule of the rate and waits until all are answered."""
    due: asyncio.Queue[tuple[int, list[dict[str, object]]] | None] = asyncio.Queue()
    senders = [asyncio.create_task(sender(load, due)) for _ in range(CONNECTIONS)]
    draw = random.Random(load.prefix)
    start, interval = clock.monotonic(), load.batch / load.rate
    for index in range(int(load.seconds * load.rate / load.batch)):
        late = clock.monotonic() - start - index * interval
        if late < 0:
            await asyncio.sleep(-late)
        first = index * load.batch
        due.put_nowait((clock.now(), [report(first + k, load, draw) for k in range(load.batch)]))
    for _ in senders:
        due.put_nowait(None)
    await asyncio.gather(*senders)


def arguments(argv: list[str]) -> Load:
    """Reads the command line into a load."""
    parser = argparse.ArgumentParser(prog="benchmarks.generator")
    convert: dict[str, Callable[[str], object]] = {"port": int, "rate": float, "seconds": float, "batch": int}
    for name in ("host", "port", "token", "rate", "seconds", "batch", "prefix", "box"):
        parser.add_argument(f"--{name}", required=True, type=convert.get(name, str))
    values = vars(parser.parse_args(argv))
    west, south, east, north = (float(part) for part in str(values.pop("box")).split(","))
    return Load(**values, box=(west, south, east, north))


def main(argv: list[str]) -> int:
    """Runs one load and prints what became of each report."""
    load = arguments(argv)
    asyncio.run(drive(load))
    out = sys.stdout.buffer
    for identifier, (due, answered) in load.answered.items():
        out.write(orjson.dumps([identifier, due, answered]) + b"\n")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    closing = {"cpu_s": usage.ru_utime + usage.ru_stime, "refused": load.refused, "failed": load.failed}
    out.write(orjson.dumps(closing) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
