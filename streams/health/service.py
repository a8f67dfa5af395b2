"""The role `health`: judges pictures round after round, at low priority, and writes down whose verdict changed.

A process of its own, because it decodes what cameras send: what a picture can break, it breaks here.
"""

import asyncio
import logging
import os
import signal
from collections import defaultdict
from functools import partial
from pathlib import Path

from config import clock
from config.pictures import Judging
from config.settings import Settings
from operations.cameras import keeping
from operations.cameras.watched import Watched, watched
from operations.database import AfterCommit, Database
from operations.errors import DatabaseAway, DatabaseFull, DatabaseLocked
from streams import doorbell, engine, gauges
from streams.errors import EngineAway
from streams.health.judge import Ask, Change, Judge
from streams.health.keyframe import RelayAway, asked
from streams.health.rounds import UNKNOWN, Verdict

NICE = 10
RETRY_SECONDS = 5.0

log = logging.getLogger(__name__)


class Service:
    """One round after another; verdicts of before a restart are read back."""

    def __init__(self, database: Database, judging: Judging, ask: Ask, after_commit: AfterCommit | None = None) -> None:
        self._database, self._after_commit = database, after_commit
        self._judge = Judge(judging, ask)
        self._untold: dict[str, Change] = {}

    @property
    def looked(self) -> int:
        """Cameras with a verdict, as of the last round."""
        return sum(1 for verdict in self._judge.verdicts.values() if verdict.word != UNKNOWN)

    async def step(self) -> int:
        """Look at every camera once; return how many verdicts changed. Raises RelayAway and DatabaseError."""
        cameras = {one.id: one for one in await asyncio.to_thread(self._cameras)}
        for one in cameras.values():
            word = one.picture or UNKNOWN
            self._judge.verdicts.setdefault(one.id, Verdict(word, since=one.picture_at))
        self._untold |= {change.camera: change for change in await self._judge.round(cameras)}
        told = await asyncio.to_thread(self._tell, cameras)
        self._untold.clear()
        return told

    def _cameras(self) -> list[Watched]:
        with self._database.read() as connection:
            return watched(connection, clock.now())

    def _tell(self, cameras: dict[str, Watched]) -> int:
        by_source: dict[str, dict[str, str]] = defaultdict(dict)
        for camera, change in self._untold.items():
            if camera in cameras:
                by_source[cameras[camera].source][cameras[camera].code] = change.now.word
        told = 0
        for source, words in sorted(by_source.items()):
            with self._database.write(self._after_commit) as transaction:
                told += keeping.signal(transaction, source, "picture", words, now=clock.now())
        return told


async def _run(settings: Settings, relay: Path) -> None:
    judging = Judging.load()
    client = engine.connect_sync(settings.redis_url)
    database = Database(settings.database_url)
    service = Service(database, judging, partial(asked, relay), lambda seq: doorbell.ring(client, seq))
    away = False
    try:
        while True:
            begun = clock.monotonic()
            try:
                await service.step()
                away = False
                took = round(clock.monotonic() - begun, 1)
                told = {"pictures.looked": service.looked, "pictures.round_seconds": took}
                await asyncio.to_thread(gauges.put, client, told, clock.now())
            except (RelayAway, EngineAway, DatabaseAway, DatabaseFull, DatabaseLocked) as error:
                if not away:
                    log.warning("judging pictures waits: %s", error)
                away = True
            pause = RETRY_SECONDS if away else judging.round_seconds - (clock.monotonic() - begun)
            await asyncio.sleep(max(1.0, pause))
    finally:
        database.close()


async def _until_told(settings: Settings, relay: Path) -> None:
    task = asyncio.create_task(_run(settings, relay))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def main(settings: Settings, relay: Path) -> None:
    """Judge until SIGTERM; `relay` is the socket of the relay."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    os.nice(NICE)
    asyncio.run(_until_told(settings, relay))
