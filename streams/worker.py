"""The worker: takes packets from its partitions, finds their grids, decides and records them, then lets go of them.

A packet is deleted from the engine only after the transaction that records its outcomes has committed; that transaction
also checks the lease and notes the last packet. So a worker may be killed at any point: the next holder reads what is
left, and what had been committed already is recognised by its keys and changes nothing.
"""

import logging
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import redis

from config import clock, collector
from config.settings import Settings
from config.taxonomy import UNKNOWN, Taxonomy
from operations import deadlines, lease, reception
from operations.database import Database
from operations.decision import Rules
from operations.errors import DatabaseAway, DatabaseFull, DatabaseLocked, LeaseLost, OperationsError
from operations.reception import Delivery
from operations.report import Refusal, Report
from operations.restated import restated
from operations.seal import KeyStore
from streams import doorbell, engine, gauges, presence
from streams.backlog import START, Backlog, Entry
from streams.errors import EngineAway, EngineMisconfigured
from streams.finder import Finder
from streams.tenure import Tenure
from streams.transit import TransitSeal

SECOND = 1_000_000
BLOCK_MS = 250
"""Longest wait for a packet; also how late a stop or a lease is noticed."""
BUFFERED = 50
"""Entries below which a partition is read again."""
BATCH_FIRST, BATCH_LEAST, BATCH_MOST = 200, 200, 1_000
BATCH_STEP = 50
TRANSACTION_SECONDS = 0.035
"""What a transaction is meant to take, so that with all that varies it stays under 50 ms: commands wait behind it."""
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
GAUGE_SECONDS = 2

Taken = dict[int, list[Entry]]
"""partition → entries of one batch"""

DATABASE_TROUBLE = (DatabaseLocked, DatabaseFull, DatabaseAway)

log = logging.getLogger(__name__)


def rules_of(settings: Settings, taxonomy: Taxonomy) -> Rules:
    """What the domain needs to know of the configuration to decide."""
    return Rules(
        department_of={code: one.department for code, one in taxonomy.types.items()},
        default_department=taxonomy.get(UNKNOWN).department,
        county=settings.county_code,
        zone=settings.zone,
        deadlines=deadlines.of(settings.zone),
    )


def fitting(batch: int, count: int, seconds: float) -> int:
    """The next batch, after a transaction of `count` reports held the database for so long.

    Too long: as many as would have fitted. Else a step more, if the batch was full, as fewer reports tell little.
    """
    if seconds > TRANSACTION_SECONDS:
        return max(BATCH_LEAST, min(batch, int(count * TRANSACTION_SECONDS / seconds)))
    return min(BATCH_MOST, batch + BATCH_STEP) if count > batch // 2 else batch


class Worker:
    """One worker process; call `step` until it is told to stop."""

    def __init__(self, settings: Settings, database: Database, client: redis.Redis, owner: str) -> None:
        self._database = database
        self._client = client
        self._owner = owner
        self._ttl = settings.lease_seconds * SECOND
        self._keys = KeyStore(settings.data / "keys")
        self._backlog = Backlog(client, TransitSeal(settings.data / "keys"))
        self._finder = Finder(database, settings.data / "cache")
        self._rules = rules_of(settings, Taxonomy.load())
        self._tenure = Tenure(database, owner, self._ttl)
        self._cursors: dict[int, str] = {}
        self._waiting: dict[int, deque[Entry]] = {}
        self.batch = BATCH_FIRST
        self._gauged_at = 0
        self.decided = 0
        """Reports and refusals decided since the start."""
        self.held_seconds = 0.0
        """How long the last transaction kept others from writing."""

    def step(self, block_ms: int = BLOCK_MS) -> int:
        """One round; returns how many reports were decided. Raises the errors `run` waits out."""
        self._tend()
        self._read(block_ms)
        taken = self._take()
        decided = self._decide(taken) if taken else 0
        self.decided += decided
        self._gauge()
        return decided

    def close(self) -> None:
        """Give the partitions back."""
        for number in list(self._tenure.tokens):
            self._tenure.release(number)
        presence.leave(self._client, self._owner)

    def _tend(self) -> None:
        now = clock.now()
        if self._tenure.due(now):
            workers = presence.announce(self._client, self._owner, now, self._ttl)
            for number in self._tenure.tend(workers, now):
                self._begin(number)
        for number in self._waiting.keys() - self._tenure.tokens.keys():
            self._end(number)

    def _begin(self, number: int) -> None:
        """Start with the oldest packet left; one that was committed and could not be deleted does no harm."""
        self._cursors[number] = START
        self._waiting[number] = deque()

    def _end(self, number: int) -> None:
        self._tenure.drop(number)
        self._cursors.pop(number, None)
        self._waiting.pop(number, None)

    def _read(self, block_ms: int) -> None:
        """Fill the buffers; wait only when all are empty."""
        hungry = {number: self._cursors[number] for number, held in self._waiting.items() if len(held) < BUFFERED}
        if not hungry:
            if not self._waiting:
                time.sleep(block_ms / 1000)
            return
        idle = not any(self._waiting.values())
        for number, entries in self._backlog.read(hungry, block_ms if idle else 0).items():
            self._waiting[number].extend(entries)
            self._cursors[number] = entries[-1].id

    def _take(self) -> Taken:
        """Entries of up to a batch of reports, one from each partition in turn; at least one.

        The partitions served go to the end of the line: under load a small batch does not reach all of them.
        """
        taken: Taken = {}
        room = self.batch
        turns = deque(number for number, waiting in self._waiting.items() if waiting)
        while turns:
            number = turns.popleft()
            room -= max(1, self._waiting[number][0].packet.count)
            if taken and room < 0:
                break
            taken.setdefault(number, []).append(self._waiting[number].popleft())
            if self._waiting[number]:
                turns.append(number)
        for number in taken:
            self._waiting[number] = self._waiting.pop(number)
        return taken

    def _decide(self, taken: Taken) -> int:
        """Record a batch and let go of it; what could not be recorded goes back to the front of its buffer."""
        try:
            self._record(taken)
        except LeaseLost as error:
            self._put_back(taken)
            self._lost(str(error.params["name"]))
            return 0
        except OperationsError:
            self._put_back(taken)
            raise
        return self._backlog.forget({number: [entry.id for entry in entries] for number, entries in taken.items()})

    def _put_back(self, taken: Taken) -> None:
        for number, entries in taken.items():
            self._waiting[number].extendleft(reversed(entries))

    def _lost(self, name: str) -> None:
        for number in list(self._waiting):
            if lease.partition(number) == name:
                log.warning("%s was lost while deciding; its new holder repeats the batch", name)
                self._end(number)

    def _record(self, taken: Taken) -> None:
        try:
            self._transact({number: [(one.id, _content(one)) for one in held] for number, held in taken.items()})
        except OperationsError:
            raise
        except Exception:  # process edge: whatever a report may do to the decision, it must not stop the others
            log.exception("a batch could not be decided; its packets are tried one by one")
            for number, entries in taken.items():
                for entry in entries:
                    self._record_alone(number, entry)

    def _record_alone(self, number: int, entry: Entry) -> None:
        """One packet by itself; when that fails again all of it goes to quarantine, from where it can be sent again."""
        try:
            self._transact({number: [(entry.id, _content(entry))]})
        except OperationsError:
            raise
        except Exception:  # process edge: as above
            log.exception("partition %02d: packet %s goes to quarantine", number, entry.id)
            self._transact({number: [(entry.id, [_undecidable(one) for one in _content(entry)])]})

    def _transact(self, packets: Mapping[int, Sequence[reception.Packet]]) -> None:
        recorded = reception.record_all(
            self._database,
            [Delivery(number, self._tenure.tokens[number], packed) for number, packed in packets.items()],
            located=self._finder.locate,
            rules=self._rules,
            keys=self._keys,
            now=clock.now(),
            after_commit=self._ring,
        )
        count = sum(len(items) for packed in packets.values() for _, items in packed)
        self.held_seconds = recorded.held_seconds
        self.batch = fitting(self.batch, count, self.held_seconds)

    def _ring(self, seq: int) -> None:
        doorbell.ring(self._client, seq)

    def _gauge(self) -> None:
        now = clock.now()
        if now - self._gauged_at >= GAUGE_SECONDS * SECOND:
            self._gauged_at = now
            held = {"partitions": len(self._tenure.tokens), "decided": self.decided, "batch": self.batch}
            gauges.put(self._client, {f"worker:{self._owner}": held}, now)


def _content(entry: Entry) -> list[Report | Refusal]:
    """What to decide of a packet; of one that does not open, a refusal for each report it was accepted as."""
    if not entry.fault:
        return [*entry.packet.reports, *entry.packet.refusals]
    return [
        Refusal(
            source="",
            reason="packet_unreadable",
            raw=entry.sealed if index == 0 else b"",
            raw_sha256=sha256(b"%s %d " % (entry.id.encode(), index) + entry.sealed).hexdigest(),
            received_at=int(entry.id.partition("-")[0]) * 1000,
            params={"packet": entry.id, "detail": entry.fault[:200]},
        )
        for index in range(max(1, entry.count))
    ]


def _undecidable(one: Report | Refusal) -> Refusal:
    if isinstance(one, Refusal):
        return one
    return Refusal(
        source=one.source,
        reason="not_decidable",
        raw=restated(one),
        raw_sha256=one.raw_sha256,
        received_at=one.received_at,
        id=one.id,
        revision=one.revision,
    )


class Stop:
    """Set by SIGTERM and SIGINT; the round under way is finished first."""

    def __init__(self) -> None:
        self.wanted = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, _number: int, _frame: object) -> None:
        self.wanted = True


def run(worker: Worker, stopped: Callable[[], bool], sleep: Callable[[float], None] = time.sleep) -> None:
    """Step until stopped; trouble with engine or database is said once, waited out, and its end is said too."""
    tries = 0
    while not stopped():
        try:
            worker.step()
        except (*DATABASE_TROUBLE, EngineAway, EngineMisconfigured) as error:
            if not tries:
                log.warning("nothing is decided or acknowledged until this is over: %s", error)
            sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
            tries += 1
            continue
        if tries:
            log.info("deciding again")
            tries = 0


def main(settings: Settings) -> None:
    """Run one worker until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = Stop()
    database = Database(settings.database_url)
    owner = f"{os.uname().nodename}:{os.getpid()}:{clock.now()}"
    worker = Worker(settings, database, engine.connect_sync(settings.redis_url), owner)
    collector.settle()
    try:
        run(worker, lambda: stop.wanted)
        worker.close()
    except (*DATABASE_TROUBLE, EngineAway) as error:
        log.warning("partitions not given back, their leases will end by themselves: %s", error)
    finally:
        database.close()
