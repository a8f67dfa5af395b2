"""The keeper: what must be done now and then by exactly one process. Blocking; each chore has its own period.

Snapshots of the board, signed heads, reconciliation 对账, what clocks say, calling the duty commander, sources that
fell silent, grid versions that begin, warnings that run out, datums that do not fit and places read anew in another,
grids without a live camera, mass drops and rates of cameras, and dropping what nobody renews.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import redis

from config import certificate
from config.coverage import Coverage
from config.settings import Settings
from operations import deadlines, grids, heads, journal, reconciliation, search, snapshot, sources, upward
from operations.board import Board, apply
from operations.cameras import samples
from operations.commands import Commands
from operations.database import Database
from operations.errors import DatabaseAway, DatabaseFull, DatabaseLocked
from operations.firing import Firing
from operations.reconciliation import Fault
from operations.seal import KeyStore
from operations.sources import Source
from streams import doorbell, gauges, heard
from streams.backlog import START, Backlog
from streams.clock_sync import ClockWatch
from streams.coverage_keeping import CoverageKeeping
from streams.datum_check import DatumCheck
from streams.errors import EngineAway, EngineMisconfigured
from streams.finder import Finder
from streams.grant_keeping import GrantKeeping
from streams.head_copies import HeadCopies
from streams.outage_keeping import OutageKeeping
from streams.packet import PARTITIONS
from streams.rederiver import Rederiver
from streams.transit import TransitSeal
from streams.warning_keeping import WarningKeeping

SECOND = 1_000_000
FOLLOW, BEGIN, FIRE, ESCALATE, WARN, REDERIVE, SILENCE = (1, 1, 1, 2, 2, 2, 5)
INDEX, INDEX_PORTIONS = 1, 5
GRANT = 0.5
DATUM, CLOCK, HEAD, RECONCILE, COVER, DROP, SAMPLE, SWEEP, CERTIFY = (30, 20, 60, 60, 60, 10, 60, 300, 3_600)
"""Seconds between two times of each chore."""
GAUGE_LIFE_SECONDS = 3_600
HEADS_BYTES = 32 * 1024 * 1024
HEADS_KEPT, HEADS_SPREAD = 20_000, 60
"""Of a large file of heads the newest stay (two weeks), of older ones each sixtieth (one an hour)."""
NEVER_SILENT = ("desk", "file", "replay", "cap_pull", "health")
"""Kinds of sources that send when somebody makes them, and those that we pull seldom news from: the pull is watched."""
TROUBLE = (DatabaseAway, DatabaseFull, DatabaseLocked, EngineAway, EngineMisconfigured)
"""What passes by itself or when somebody mends it; whoever meets it tries again."""

log = logging.getLogger(__name__)


class Chore(NamedTuple):
    """Something to do every `seconds`."""

    seconds: float
    do: Callable[[int], None]


def thin_heads(file: Path) -> None:
    """Rewrite the file of signed heads with fewer old ones once it is large; each line stands by itself."""
    if not file.exists() or file.stat().st_size < HEADS_BYTES:
        return
    lines = file.read_bytes().splitlines(keepends=True)
    kept = [*lines[:-HEADS_KEPT:HEADS_SPREAD], *lines[-HEADS_KEPT:]]
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as out:
        out.writelines(kept)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


class Keeper:
    """Holds a whole board of its own to take snapshots of."""

    def __init__(self, settings: Settings, database: Database, client: redis.Redis, now: int) -> None:
        self._settings = settings
        self._database = database
        self._client = client
        self._keys = KeyStore(settings.data / "keys")
        database.snapshot_key = self._keys.snapshot_key()
        self._backlog = Backlog(client, TransitSeal(settings.data / "keys"))
        times = deadlines.of(settings.zone)
        self._commands = Commands(database, self._keys, self._ring, deadlines=times)
        self._firing = Firing(database, times, self._ring)
        self._warnings = WarningKeeping(database, self._ring)
        finder = Finder(database, settings.data / "cache")
        self._rederiver = Rederiver(database, finder, self._ring)
        self._datum_check = DatumCheck(database, finder, self._ring)
        self._clock = ClockWatch(database, self._ring)
        self._coverage = CoverageKeeping(database, Coverage.load(), self._ring)
        self._outages = OutageKeeping(database, self._ring)
        self._granting = GrantKeeping(database, settings, self._ring)
        self._copies = HeadCopies(settings.heads_copy, settings.heads_syslog, database, self._ring)
        self._board: Board | None = None
        self._saved_at = 0
        self._signed = -1
        self._faults: list[Fault] = []
        self._alarmed: dict[int, int] = {}
        self._began_at = now
        self._done: dict[Callable[[int], None], int] = {}
        self._chores = (
            Chore(FOLLOW, self.follow),
            Chore(BEGIN, self.begin),
            Chore(FIRE, self.fire),
            Chore(ESCALATE, self.escalate),
            Chore(ESCALATE, self.report_upwards),
            Chore(REDERIVE, self.rederive),
            Chore(INDEX, self.index),
            Chore(SILENCE, self.listen),
            Chore(WARN, self._warnings.step),
            Chore(DATUM, self.check_datum),
            Chore(CLOCK, self._clock.step),
            Chore(HEAD, self.sign),
            Chore(RECONCILE, self.reconcile),
            Chore(COVER, self._coverage.step),
            Chore(DROP, self._outages.step),
            Chore(GRANT, self._granting.step),
            Chore(SAMPLE, self.sample),
            Chore(SWEEP, self.sweep),
            Chore(CERTIFY, self.certify),
        )

    def step(self, now: int) -> None:
        """Do what is due; a chore that fails stays due and holds up no other.

        Raises the first trouble met: EngineAway, EngineMisconfigured, database trouble.
        """
        met: list[Exception] = []
        for chore in self._chores:
            if not 0 <= now - self._done.get(chore.do, -(10**18)) < chore.seconds * SECOND:
                try:
                    chore.do(now)
                    self._done[chore.do] = now
                except TROUBLE as error:
                    met.append(error)
        if met:
            raise met[0]

    def follow(self, _now: int) -> None:
        """Fold the new entries; keep a snapshot every `snapshot.EVERY` of them."""
        if self._board is None:
            self._board = snapshot.load(self._database)
            self._rederiver.begin(self._board)
        while entries := journal.read(self._database, self._board.seq):
            for entry in entries:
                apply(self._board, entry)
            self._rederiver.note(self._board, entries)
        if self._board.seq - self._saved_at >= snapshot.EVERY:
            if snapshot.due(self._database, self._board.seq):
                snapshot.save(self._database, self._board)
            self._saved_at = self._board.seq

    def begin(self, now: int) -> None:
        """Write down which grid versions have come into force."""
        for version in grids.begin(self._database, now=now, after_commit=self._ring):
            log.info("grid version %d is in force", version)

    def fire(self, now: int) -> None:
        """Say which clocks are near due, overdue, or go up the chain."""
        self._firing.step(now)

    def escalate(self, now: int) -> None:
        """Call the duty commander for each 特急 nobody acknowledged in time."""
        for incident in self._commands.escalate(now, self._settings.escalate_seconds):
            log.warning("nobody acknowledged %s; the duty commander is called", incident.number)

    def report_upwards(self, now: int) -> None:
        """Say which reports to the level above are near-due or overdue."""
        for one in upward.fire(self._database, now, self._ring):
            log.warning("report %s of incident %s is due", one.number, one.incident_number)

    def rederive(self, now: int) -> None:
        """Bring stored places up to the present datum of their source, a portion at a time."""
        self._rederiver.step(now)

    def index(self, now: int) -> None:
        """Bring the search index on, a few portions at a time."""
        del now
        for _ in range(INDEX_PORTIONS):
            if not search.step(self._database):
                return

    def check_datum(self, now: int) -> None:
        """Look whether the places of one source, the next in turn, speak for another datum."""
        if self._board is not None:
            self._datum_check.step(self._board, now)

    def listen(self, now: int) -> None:
        """Note which sources fell silent and which are heard again."""
        states = {} if self._board is None else self._board.sources
        last, warners = heard.last(self._client), heard.only_warning(self._client)
        for source in sources.listed(self._database):
            known = states.get(source.id)
            if known is None:
                continue
            at = last.get(source.id)
            since = max(self._began_at, source.added_at) if at is None else at
            silent = self._is_silent(source, source.id in warners, since, now)
            silent = silent or (at is None and known.silent)  # never heard since the engine's data began
            if known.silent != silent:
                sources.mark(self._database, source.id, silent=silent, now=now, after_commit=self._ring)
        self.follow(now)

    def _is_silent(self, source: Source, warner: bool, last_at: int, now: int) -> bool:
        if source.kind in NEVER_SILENT or not source.enabled:
            return False
        if warner and not source.silent_after_s:  # fine weather is no silence, unless a time was set for it
            return False
        seconds = source.silent_after_s or self._settings.silent_seconds
        return now - last_at > seconds * SECOND

    def sign(self, now: int) -> None:
        """Sign the journal's head into DATA/heads.jsonl, and wherever copies of it go, when it has moved."""
        head = journal.head(self._database)
        if head.seq != self._signed:
            signed = self._keys.sign(head, now)
            heads.append(self._settings.data / "heads.jsonl", signed)
            self._signed = head.seq
            self._copies.take(signed, now)

    def reconcile(self, now: int) -> None:
        """Accepted = decided + pending in each partition; off by the same number twice is an entry, once."""
        cursors = reconciliation.cursors(self._database)
        counted = {number: self._backlog.counts(number, cursors.get(number) or START) for number in range(PARTITIONS)}
        faults = reconciliation.check(self._database, counted)
        new = [fault for fault in faults if self._alarmed.get(fault.partition) != fault.missing]
        for fault in reconciliation.alarm(self._database, self._faults, new, now=now, after_commit=self._ring):
            self._alarmed[fault.partition] = fault.missing
            log.error(
                "partition %02d does not add up: %d reports are not accounted for", fault.partition, fault.missing
            )
        wrong = {fault.partition for fault in faults}
        self._alarmed = {partition: missing for partition, missing in self._alarmed.items() if partition in wrong}
        self._faults = faults

    def sample(self, now: int) -> None:
        """Keep how many cameras are online and intact, each quarter of an hour."""
        samples.step(self._database, now=now, after_commit=self._ring)

    def sweep(self, now: int) -> None:
        """Drop gauges nobody has renewed for an hour, and thin out signed heads when the file has grown large."""
        gauges.forget_before(self._client, now - GAUGE_LIFE_SECONDS * SECOND)
        thin_heads(self._settings.data / "heads.jsonl")

    def certify(self, now: int) -> None:
        """Renew a certificate of our own authority before it ends; the web processes take it up by themselves."""
        try:
            if self._settings.https and certificate.ready(self._settings, now):
                log.info("the certificate was renewed")
        except (certificate.CertificateError, OSError) as error:
            log.error("the certificate could not be renewed: %s", error)

    def _ring(self, seq: int) -> None:
        doorbell.ring(self._client, seq)
