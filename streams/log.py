"""The durable log between intake and workers: 16 streams of sealed packets in the engine.

Writing: concurrent requests are gathered and written in one `MULTI` (one fsync), so a request is answered once all of
its reports are on disk, or refused as a whole. Counters of accepted and decided reports are kept in the same
transactions as the entries they count. Reading: a partition has one reader, its lease holder, which starts after the
last stream id its committed transactions recorded; entries are deleted only after that commit, never by length.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

import hiredis
import msgspec
import redis
import redis.asyncio

from operations.report import Refusal, Report
from streams.engine import ANSWER_SECONDS, away, translated
from streams.errors import BacklogFull, EngineAway, EngineMisconfigured
from streams.packet import Packet, partition_of, place_of, sealed
from streams.transit import TransitSeal

ACCEPTED, DECIDED = "gridwall:accepted", "gridwall:decided"
"""Hashes: partition number (and `all`) → count since the engine's data began."""
HEARD = "gridwall:heard"
"""Hash: source → when it last sent anything, a repetition too."""
REPORTERS, WARNERS = "gridwall:reporters", "gridwall:warners"
"""Sets of the sources that ever sent a report, and that ever sent a warning."""
SEEN = "gridwall:seen"
MOST_SEEN = 500_000
"""Digests kept to tell a repeat in the answer; only a hint, the journal decides."""
SEEN_SECONDS = 86_400
MOST_AT_ONCE = 2_000
"""Reports written in one transaction."""
MOST_IN_PACKET = 200
"""A packet is decided as a whole, so it bounds how short a worker's transaction can be."""
MOST_WAITING = 20_000
"""Reports of requests that wait for their turn in this process."""
FAST_FAIL_SECONDS = 0.25
WAITAOF_MS = 2_000
"""How long a replica may take to have a write on its disk."""

TOTALS = 5
"""Commands at the end of each transaction that serve all its batches."""


log = logging.getLogger(__name__)


class Batch(msgspec.Struct):
    """What one request wants made durable."""

    source: str
    received_at: int
    reports: list[Report]
    refusals: list[Refusal]

    @property
    def count(self) -> int:
        """Reports and refusals in it."""
        return len(self.reports) + len(self.refusals)


class Log:
    """Writes batches durably; one per process."""

    def __init__(
        self, client: redis.asyncio.Redis, seal: TransitSeal, bound: int, monotonic: Callable[[], float]
    ) -> None:
        self._client = client
        self._seal = seal
        self._bound = bound
        self._monotonic = monotonic
        self._queue: deque[tuple[Batch, asyncio.Future[int]]] = deque()
        self._waiting = 0
        self._writer: asyncio.Task[None] | None = None
        self._failed_at = -FAST_FAIL_SECONDS
        self._failure: Exception | None = None
        self.pending = 0
        """Accepted and undecided reports, as of the last write."""

    async def append(self, batch: Batch) -> int:
        """Return how many of the batch were seen before (a hint) once all of it is fsynced.

        Raises EngineAway, BacklogFull or EngineMisconfigured; then it is safe, and needed, to send it again.
        """
        if not batch.count:
            return 0
        if self._failure is not None and self._monotonic() < self._failed_at + FAST_FAIL_SECONDS:
            raise copy(self._failure)  # each its own, or their tracebacks would grow on one
        if self._waiting + batch.count > MOST_WAITING:
            raise BacklogFull("queue_full", "more requests wait than this process can write")
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append((batch, done))
        self._waiting += batch.count
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all(), name="log writer")
        return await done

    async def hear(self, source: str, at: int) -> None:
        """Note that a source was heard at a time (UTC microseconds). Raises EngineAway, EngineMisconfigured."""
        with translated():
            pipe = self._client.pipeline(transaction=False)
            pipe.hset(HEARD, source, str(at))
            pipe.sadd(WARNERS, source)
            await pipe.execute()

    async def close(self) -> None:
        """Let the writes under way finish."""
        if self._writer is not None:
            await self._writer
        await self._client.aclose()

    async def _write_all(self) -> None:
        while self._queue:
            taken: list[tuple[Batch, asyncio.Future[int]]] = []
            count = 0
            while self._queue and (not taken or count + self._queue[0][0].count <= MOST_AT_ONCE):
                taken.append(self._queue.popleft())
                count += taken[-1][0].count
            self._waiting -= count
            await self._write(taken, count)

    async def _write(self, taken: list[tuple[Batch, asyncio.Future[int]]], count: int) -> None:
        try:
            repeats = await self._write_once([batch for batch, _ in taken], count)
        except (EngineAway, BacklogFull, EngineMisconfigured) as error:
            if not isinstance(error, BacklogFull):
                self._failed_at, self._failure = self._monotonic(), error
            for _, done in taken:
                if not done.done():
                    done.set_exception(error)
            return
        except Exception as error:  # process edge: whoever waits must hear of it, and the next ones be written
            log.exception("a write failed for a reason nobody foresaw")
            for _, done in taken:
                if not done.done():
                    done.set_exception(error)
            return
        self._failure = None
        for (_, done), repeated in zip(taken, repeats, strict=True):
            if not done.done():  # its request may have been cancelled
                done.set_result(repeated)

    async def _write_once(self, batches: list[Batch], count: int) -> list[int]:
        """One transaction; returns the repeats of each batch."""
        with translated():
            if self.pending + count > self._bound:
                self.pending = await self._count_pending()
        if self.pending + count > self._bound:
            raise BacklogFull(
                "backlog_full", f"{self.pending} reports wait for a decision; the bound is {self._bound}", retry_after=5
            )
        digests = [[bytes.fromhex(report.content_sha256[:24]) for report in batch.reports] for batch in batches]
        answers = await self._transaction(self._commands(batches, digests, count))
        total, decided, seen = int(answers[-3]), int(answers[-2] or 0), int(answers[-1])
        self.pending = max(0, total - decided)
        if seen > MOST_SEEN:
            with translated():
                await self._client.unlink(SEEN)
        flags: Any = answers[-TOTALS - 2] if any(digests) else ()
        return _repeats(digests, flags)

    async def _count_pending(self) -> int:
        accepted, decided = await self._client.hget(ACCEPTED, "all"), await self._client.hget(DECIDED, "all")
        return int(accepted or 0) - int(decided or 0)

    def _commands(self, batches: list[Batch], digests: list[list[bytes]], count: int) -> list[tuple[object, ...]]:
        """XADD and HINCRBY for each partition, which digests were seen, that they are now, then the totals."""
        packets = _by_partition(batches)
        reporters = {batch.source for batch in batches if batch.reports}
        commands: list[tuple[object, ...]] = [("SADD", REPORTERS, *reporters)] if reporters else []
        for number, several in sorted(packets.items()):
            for packet in several:
                data = sealed(packet, number, self._seal)
                commands.append(("XADD", place_of(number), "*", "n", packet.count, "p", data))
            commands.append(("HINCRBY", ACCEPTED, number, sum(packet.count for packet in several)))
        flat = [digest for one in digests for digest in one]
        if flat:
            commands += [("SMISMEMBER", SEEN, *flat), ("SADD", SEEN, *flat)]
        heard = {batch.source: batch.received_at for batch in batches}
        commands += [
            ("HSET", HEARD, *(word for pair in heard.items() for word in pair)),
            ("EXPIRE", SEEN, SEEN_SECONDS),
            ("HINCRBY", ACCEPTED, "all", count),
            ("HGET", DECIDED, "all"),
            ("SCARD", SEEN),
        ]
        return commands

    async def _transaction(self, commands: list[tuple[object, ...]]) -> list[bytes]:
        """The answers of MULTI … EXEC on one verified connection, fsynced; raises EngineAway."""
        with translated():
            pool: Any = self._client.connection_pool
            connection = await pool.get_connection()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):  # one for all: a timer for each answer costs more than it
                    whole: list[Any] = [("MULTI",), *commands, ("EXEC",), ("ROLE",)]
                    await connection.send_packed_command([hiredis.pack_command(command) for command in whole])
                    refused = await _queued(connection, len(commands) + 1)
                    answers, role = await _answer(connection), await _answer(connection)
                    confirmed = await _replicated(connection, role)
            except BaseException:  # cancelled or broken in between: what is left to read belongs to nobody
                await connection.disconnect()
                raise
            finally:
                await pool.release(connection)
        for answer in (refused, answers, *(answers if isinstance(answers, list) else ())):
            if isinstance(answer, Exception):
                raise away(answer)
        if confirmed is not None:
            raise EngineAway(confirmed)
        return list(answers)


async def _replicated(connection: redis.asyncio.Connection, role: Any) -> str | None:
    """Wait until a replica, where there is one, has the last write on disk; returns what is wrong, or None."""
    if isinstance(role, Exception):
        return f"the engine does not tell its role (allow ROLE for our user): {role}"
    if role[0] != b"master" or not role[2]:
        return None  # a replica refuses the write by itself
    await connection.send_command("WAITAOF", 1, 1, WAITAOF_MS)
    answer = await _answer(connection)
    if isinstance(answer, Exception):
        return f"a replicated engine needs WAITAOF (Redis 7.2 or Valkey): {answer}"
    return None if min(answer) >= 1 else "no replica confirmed the write in time"


async def _queued(connection: redis.asyncio.Connection, count: int) -> Exception | None:
    """The first error among the answers to MULTI and its commands, if any."""
    errors = [answer for answer in [await _answer(connection) for _ in range(count)] if isinstance(answer, Exception)]
    return errors[0] if errors else None


async def _answer(connection: redis.asyncio.Connection) -> Any:
    """One answer, however late; an error answer of the engine is returned, a broken connection raised."""
    try:
        return await connection.read_response(timeout=math.inf, disconnect_on_error=False)
    except redis.exceptions.ResponseError as error:
        return error


def _repeats(digests: list[list[bytes]], flags: Iterable[int]) -> list[int]:
    """How many of each batch were seen before the transaction (`flags`, one a digest) or earlier in it."""
    seen: set[bytes] = set()
    known = iter(flags)
    repeats = []
    for batch in digests:
        count = 0
        for digest in batch:
            count += bool(next(known)) or digest in seen
            seen.add(digest)
        repeats.append(count)
    return repeats


def _by_partition(batches: list[Batch]) -> dict[int, list[Packet]]:
    """The packets for each partition touched, the order of arrival kept."""
    packets: dict[int, list[Packet]] = {}
    for batch in batches:
        for report in batch.reports:
            _open_packet(packets, partition_of(report.source, report.id)).reports.append(report)
        for refusal in batch.refusals:
            _open_packet(packets, partition_of(refusal.source, refusal.raw_sha256)).refusals.append(refusal)
    return packets


def _open_packet(packets: dict[int, list[Packet]], number: int) -> Packet:
    """The partition's packet that has room."""
    several = packets.setdefault(number, [])
    if not several or several[-1].count >= MOST_IN_PACKET:
        several.append(Packet([], []))
    return several[-1]
