"""Plays the fictional city: imports its grids, registers its sources, sends its reports through the HTTP door.

Started by `streams.sources` while `demo` is set. What has been sent is remembered in DATA/demo.json; after a restart
the player goes on from there, a little earlier to be sure, and what comes twice is a duplicate.
"""

import asyncio
import logging
import threading
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct, structs
from msgspec import json as msgspec_json

from config import certificate, clock
from config.settings import Settings
from config.taxonomy import Taxonomy
from geo import importing
from operations import deadlines, grids, snapshot
from operations.commands import Commands
from operations.database import Database
from operations.errors import DatabaseAway, DatabaseFull, DatabaseLocked
from operations.orders.dispatch import Orders
from operations.policy import SYSTEM
from operations.seal import KeyStore
from operations.sources import Source
from streams import doorbell, engine
from streams.courier import Courier, CourierRefused, CourierStopped
from streams.demo import authorised, cameras, city, contacts, weather
from streams.demo.dispatcher import Dispatcher
from streams.demo.duty import Duty
from streams.demo.history import Ground, History
from streams.demo.rtsp_server import RtspServer
from streams.demo.sources import KIND, SOURCES
from streams.demo.stories import HOUR, MINUTE, SECOND, Send, Stories
from streams.finder import Finder
from streams.own_sources import OwnSources
from streams.stored_grid import to_row
from streams.worker import rules_of

FILE = "demo.json"
AHEAD = MINUTE
"""Stories are asked for this much at a time."""
STEP_SECONDS = 0.25
SAVE_SECONDS = 5.0
AGAIN = 20 * SECOND
"""After a restart the last seconds are sent again: they may not have been delivered."""
LONGEST_GAP = 6 * HOUR
"""What was missed longer ago than this stays unsent."""
TROUBLE = (DatabaseAway, DatabaseFull, DatabaseLocked)
TROUBLE_SECONDS = 2.0
STOP_SECONDS = 20.0
ROSTER_EVERY = HOUR

log = logging.getLogger(__name__)


class Progress(Struct):
    """What DATA/demo.json says: the grids the demo imported, whether its week is written, what has been played."""

    grids: str = ""
    history_until: int = 0
    history_done: bool = False
    played_until: int = 0


async def play(settings: Settings) -> None:
    """Play until cancelled; returns only when there is nothing to play (other grids, sources switched off)."""
    stop = threading.Event()
    thread = asyncio.create_task(asyncio.to_thread(Player(settings, stop).run))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([thread], timeout=STOP_SECONDS)
        raise


async def show(settings: Settings) -> None:
    """Serve the pictures of the drawn cameras until cancelled; where their port is taken, there are none."""
    listed = await asyncio.to_thread(lambda: cameras.drawn(city.build(), "127.0.0.1", settings.demo_video_port))
    films = cameras.Films(listed, settings.zone)
    try:
        async with RtspServer(films, port=settings.demo_video_port):
            await asyncio.Event().wait()
    except OSError as error:
        log.warning("the demonstration's cameras show nothing, port %s: %s", settings.demo_video_port, error)


class Player:
    """One player; `run` blocks until `stop` is set."""

    def __init__(self, settings: Settings, stop: threading.Event) -> None:
        self._settings, self._stop = settings, stop
        self._database = Database(settings.database_url)
        self._bell = engine.connect_sync(settings.redis_url)
        self._keys = KeyStore(settings.data / "keys")
        self._database.snapshot_key = self._keys.snapshot_key()
        self._progress = _read(settings.data / FILE)
        self._saved_at = 0.0
        self._city: city.City | None = None
        self._warned = -1
        self._planned_at = 0

    def run(self) -> None:
        """Prepare, tell the past once, then play; trouble with the database is waited out."""
        try:
            while not self._stop.is_set():
                try:
                    self._run()
                    return
                except TROUBLE as error:
                    log.warning("the demonstration waits: %s", error)
                    self._stop.wait(TROUBLE_SECONDS)
        except CourierStopped:
            log.debug("stopped while the door was away")
        except CourierRefused as error:
            log.error("the demonstration ends, its reports are refused: %s", error)
        finally:
            self.close()

    def close(self) -> None:
        """Close database, keys and engine."""
        self._database.close()
        self._keys.close()
        self._bell.close()

    def _run(self) -> None:
        drawn = city.build()
        if not self._import(drawn):
            log.warning("other grids than the demonstration's are in force; it does not play")
            return
        sources = {source.id: source for source in map(self._source, SOURCES)}
        own = OwnSources(self._database, self._settings.data / "keys", self._ring)
        tokens = {source.id: own.token(source, clock.now()) for source in [*sources.values(), self._weather()]}
        self._city = drawn
        self._furnish(drawn)
        if self._tell_past(drawn, sources):
            self._play(Stories(drawn, self._settings.zone, self._settings.speed), tokens)

    def _import(self, drawn: city.City) -> bool:
        """Import the city where no grids are; False when there are others."""
        current = grids.current_id(self._database)
        if current:
            found = grids.current(self._database)
            return found is not None and found.digest == self._progress.grids
        with TemporaryDirectory() as folder:
            file = Path(folder) / "city.geojson"
            file.write_bytes(drawn.geojson())
            imported = importing.read(file)
        if not imported.ok:
            raise AssertionError(f"the drawn city cannot be imported: {imported.problems[:3]}")
        rows = [to_row(grid) for grid in imported.grids]
        (self._settings.data / "backdrop.geojson").write_bytes(city.backdrop(drawn))
        grids.import_grids(self._database, SYSTEM, rows, imported.digest, now=clock.now(), after_commit=self._ring)
        self._progress.grids = imported.digest
        self._save()
        return True

    def _furnish(self, drawn: city.City) -> None:
        """Write the address book once, and the roster ahead."""
        towns = [(one.code, one.name) for one in drawn.level("town")]
        contacts.furnish(self._database, towns, self._settings.zone, clock.now(), self._ring)
        listed = cameras.drawn(drawn, "127.0.0.1", self._settings.demo_video_port)
        cameras.furnish(self._database, listed, clock.now(), self._ring)
        authorised.furnish(self._database, self._settings.zone, clock.now(), self._ring)
        self._planned_at = clock.now()

    def _source(self, one: Any) -> Source:
        return Source(one.id, one.name, kind=KIND, datum=one.datum, time_zone=self._settings.city_time_zone)

    def _tell_past(self, drawn: city.City, sources: dict[str, Source]) -> bool:
        """Write the week before, once; False when stopped meanwhile."""
        if self._progress.history_done:
            return True
        now = clock.now()
        self._progress.history_until = self._progress.history_until or now
        self._save()
        ground = Ground(
            self._database,
            self._keys,
            Finder(self._database, self._settings.data / "cache"),
            structs.replace(
                rules_of(self._settings, Taxonomy.load()), deadlines=deadlines.NONE
            ),  # its clocks are long over
            sources,
        )
        stories = Stories(drawn, self._settings.zone)
        began = clock.monotonic()
        done = History(ground, stories, self._progress.history_until, self._ring).write(
            now, self._stop.is_set, lambda share: log.info("demonstration: its past week is %.0f %% told", share * 100)
        )
        if done:
            log.info("demonstration: told its past week in %.1f s", clock.monotonic() - began)
            self._progress.history_done = True
            self._progress.played_until = self._progress.history_until
            self._save()
        return done

    def _play(self, stories: Stories, tokens: dict[str, str]) -> None:
        door = self._settings.host, self._settings.port
        trust = certificate.trust(self._settings)
        courier = Courier(*door, lambda seconds: not self._stop.wait(seconds), trust)
        times = deadlines.of(self._settings.zone)
        commands = Commands(self._database, self._keys, self._ring, deadlines=times)
        duty = Duty(self._database, commands, snapshot.load(self._database), self._settings.speed)
        zone, county = self._settings.zone, self._settings.county_code
        orders = Orders(self._database, self._keys, self._ring, zone=zone, county=county, deadlines=times)
        dispatcher = Dispatcher(orders, duty.board, self._settings.speed)
        waiting = self._from(stories, max(self._progress.played_until - AGAIN, clock.now() - LONGEST_GAP))
        following = next(waiting)
        while not self._stop.is_set():
            now = clock.now()
            due: list[Send] = []
            while following.at <= now:
                due.append(following)
                following = next(waiting)
            self._deliver(courier, tokens, due)
            self._warn(courier, tokens.get(weather.SOURCE.id, ""))
            duty.step(clock.now())
            dispatcher.step(clock.now())
            if now - self._planned_at > ROSTER_EVERY:
                contacts.plan(self._database, self._settings.zone, now, self._ring)
                self._planned_at = now
            self._progress.played_until = now
            self._save_now_and_then()
            self._stop.wait(STEP_SECONDS)
        self._save()
        courier.close()

    def _from(self, stories: Stories, start: int) -> Iterator[Send]:
        """Everything from `start` on, endless."""
        while True:
            yield from stories.between(start, start + AHEAD)
            start += AHEAD

    def _deliver(self, courier: Courier, tokens: dict[str, str], due: list[Send]) -> None:
        for source, sends in groupby(sorted(due, key=lambda send: send.source), key=lambda send: send.source):
            courier.deliver(tokens[source], [send.item for send in sends])

    def _weather(self) -> Source:
        """The source of warnings, which speaks seldom."""
        return structs.replace(self._source(weather.SOURCE), silent_after_s=weather.SILENT_SECONDS)

    def _warn(self, courier: Courier, token: str) -> None:
        """Send the warning of the present hours, once."""
        told = weather.bulletin(self._city, clock.now()) if self._city is not None else None
        if told is not None and told.number != self._warned:
            courier.warn(token, told.document)
            self._warned = told.number

    def _ring(self, seq: int) -> None:
        doorbell.ring(self._bell, seq)

    def _save_now_and_then(self) -> None:
        now = clock.monotonic()
        if now - self._saved_at >= SAVE_SECONDS:
            self._saved_at = now
            self._save()

    def _save(self) -> None:
        file = self._settings.data / FILE
        fresh = file.with_suffix(".new")
        fresh.write_bytes(msgspec_json.encode(self._progress))
        fresh.replace(file)


def _read(file: Path) -> Progress:
    """What was remembered; nothing when the file is missing or spoiled."""
    try:
        return msgspec_json.decode(file.read_bytes(), type=Progress)
    except (FileNotFoundError, ValueError):
        return Progress()
