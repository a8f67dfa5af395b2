"""The role `sources`: fetches from sources that do not push, plays the demonstration and keeps house; one at a time.

A lease decides which; a second process stands by and takes over when the first one's lease ends.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from config import clock
from config.city import City
from config.settings import Settings
from config.tickets import Tickets
from config.words import Words
from operations import lease, retention
from operations import sources as directory
from operations.database import Database
from operations.errors import DatabaseAway, DatabaseFull, DatabaseLocked, LeaseLost
from operations.seal import KeyStore
from operations.sources import Source
from streams import doorbell, engine
from streams.errors import IntakeRefused
from streams.fetching import FETCHERS, Reach
from streams.gb28181.known import QuirksError
from streams.gb28181.service import Service
from streams.keeper import TROUBLE, Keeper
from streams.outlets.carrier import Carrier
from streams.port import Port
from streams.retainer import EVERY_SECONDS as RETAIN_SECONDS
from streams.retainer import Retainer
from streams.ticket_keeping import EVERY_SECONDS, TicketKeeping, Wording

NAME = "sources"
SECOND = 1_000_000
STEP_SECONDS = 0.5
DIRECTORY_SECONDS = 5
SIP_SECONDS = 10.0
"""How long a new or changed source may go unnoticed."""
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)

log = logging.getLogger(__name__)


class Role:
    """The tasks of this role while its lease is held."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.database_url)
        self._ttl = settings.lease_seconds * SECOND
        self._owner = f"{os.uname().nodename}:{os.getpid()}:{clock.now()}"
        self._token: int | None = None
        self._tickets = Tickets.load()

    async def run(self) -> None:
        """Wait for the lease, do the work while it is held, and so on until cancelled."""
        try:
            while True:
                await self._patiently("lease", self._acquire)
                with suppress(LeaseLost):
                    await self._work()
                log.warning("the lease of the role %s was lost; standing by", NAME)
        finally:
            await self._give_back()

    async def _acquire(self) -> None:
        while self._token is None:
            now = clock.now()
            self._token = await asyncio.to_thread(lease.acquire, self._database, NAME, self._owner, self._ttl, now)
            if self._token is None:
                await asyncio.sleep(self._settings.lease_seconds / 3)

    async def _work(self) -> None:
        """Everything at once; ends with LeaseLost."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew(), name="lease")
                group.create_task(self._keep(), name="keeper")
                group.create_task(self._retain(), name="retention")
                group.create_task(self._pull(), name="pull")
                group.create_task(self._carry(), name="outbox")
                group.create_task(self._ticket(), name="camera tickets")
                if self._settings.sip_enabled or self._settings.demo:
                    group.create_task(self._signal(), name="signalling")
                if self._settings.demo:
                    group.create_task(self._play(), name="demo")
                    group.create_task(self._show(), name="demo pictures")
        except* LeaseLost:
            self._token = None
            raise LeaseLost(name=NAME) from None

    async def _renew(self) -> None:
        """Hold the lease; when the database is away longer than the lease lasts, it is lost."""
        deadline = clock.monotonic() + self._settings.lease_seconds
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            try:
                await asyncio.to_thread(lease.renew, self._database, NAME, self._token or 0, self._ttl, clock.now())
                deadline = clock.monotonic() + self._settings.lease_seconds
            except (DatabaseAway, DatabaseFull, DatabaseLocked) as error:
                if clock.monotonic() > deadline:
                    raise LeaseLost(name=NAME) from error

    async def _keep(self) -> None:
        client = engine.connect_sync(self._settings.redis_url)
        keeper = Keeper(self._settings, self._database, client, clock.now())
        await asyncio.to_thread(retention.finish, self._database, KeyStore(self._settings.data / "keys"))

        async def step() -> None:
            await asyncio.to_thread(keeper.step, clock.now())
            await asyncio.sleep(STEP_SECONDS)

        while True:
            await self._patiently("keeper", step)

    async def _retain(self) -> None:
        client = engine.connect_sync(self._settings.redis_url)
        retainer = Retainer(self._settings, self._database, lambda seq: doorbell.ring(client, seq))

        async def step() -> None:
            await asyncio.to_thread(retainer.step, clock.now())
            await asyncio.sleep(RETAIN_SECONDS)

        while True:
            await self._patiently("retention", step)

    async def _carry(self) -> None:
        """Send what waits in the outbox."""
        client = engine.connect_sync(self._settings.redis_url)
        await Carrier(self._settings, self._database, lambda seq: doorbell.ring(client, seq)).run()

    async def _ticket(self) -> None:
        """Make tickets of cameras' faults; mass drops are looked for before the first round."""
        settings = self._settings
        port = Port(settings)
        wording = Wording(Words(city=City.of(settings)))
        keeping = TicketKeeping(settings, self._database, port.intake, self._tickets, wording, port.ring)

        async def step() -> None:
            await asyncio.sleep(EVERY_SECONDS)
            with suppress(IntakeRefused):  # what waits is told in the next round
                await keeping.step(clock.now())

        try:
            while True:
                await self._patiently("camera tickets", step)
        finally:
            await port.close()

    async def _pull(self) -> None:
        """One task for each source of a kind we fetch from; started, stopped and changed as the directory says."""
        port = Port(self._settings)
        client = engine.connect(self._settings.redis_url)
        reach = Reach(self._settings, self._database, client, port.intake, port.ring)
        tasks: dict[Source, asyncio.Task[None]] = {}
        following = asyncio.create_task(port.shelf.follow(self._database), name="mappings")
        try:
            while True:
                await self._patiently("sources", lambda: self._follow_directory(tasks, reach))
                await asyncio.sleep(DIRECTORY_SECONDS)
        finally:
            for task in (following, *tasks.values()):
                task.cancel()
            await asyncio.gather(following, *tasks.values(), return_exceptions=True)
            await client.aclose()
            await port.close()

    async def _follow_directory(self, tasks: dict[Source, asyncio.Task[None]], reach: Reach) -> None:
        listed = await asyncio.to_thread(directory.listed, self._database)
        wanted = {source for source in listed if source.kind in FETCHERS and source.enabled}
        for source in [*tasks]:
            if source not in wanted or tasks[source].done():
                task = tasks.pop(source)
                task.cancel()
                for error in await asyncio.gather(task, return_exceptions=True):
                    if isinstance(error, Exception):
                        log.error("fetching from %s failed, it is started again: %r", source.id, error)
        for source in wanted - tasks.keys():
            tasks[source] = asyncio.create_task(FETCHERS[source.kind](reach, source), name=f"fetch {source.id}")

    async def _signal(self) -> None:
        """Have platforms below us register; an address that is taken is tried again, and said once."""
        settings = self._settings
        port = Port(settings)
        client = engine.connect(settings.redis_url)
        said = False
        try:
            while True:
                service = Service(
                    settings, self._database, port.intake, client, port.ring, demo=not settings.sip_enabled
                )
                try:
                    await self._served(service)
                except (OSError, QuirksError) as error:
                    if not said:
                        log.error("platforms cannot register: %s:%s: %s", settings.sip_host, settings.sip_port, error)
                    said = True
                    await asyncio.sleep(SIP_SECONDS)
        finally:
            await client.aclose()
            await port.close()

    async def _served(self, service: Service) -> None:
        """Run the service; the demonstration has a platform of its own below it."""
        if not self._settings.demo:
            await service.run()
            return
        from streams.demo import below

        playing = asyncio.create_task(below.play(service, self._settings, self._database), name="platform below")
        try:
            await service.run()
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)

    async def _play(self) -> None:
        from streams.demo import player

        try:
            await player.play(self._settings)
        except Exception:  # process edge: a demonstration must not take the housekeeping down with it
            log.exception("the demonstration stopped; everything else goes on")

    async def _show(self) -> None:
        from streams.demo import player

        try:
            await player.show(self._settings)
        except Exception:  # process edge, as above
            log.exception("the demonstration's cameras show nothing more; everything else goes on")

    async def _patiently(self, what: str, attempt: Callable[[], Awaitable[None]]) -> None:
        """Try until it works; trouble is said once, its end too."""
        tries = 0
        while True:
            try:
                await attempt()
            except TROUBLE as error:
                if not tries:
                    log.warning("%s waits: %s", what, error)
                await asyncio.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries += 1
                continue
            if tries:
                log.info("%s goes on", what)
            return

    async def _give_back(self) -> None:
        with suppress(*TROUBLE):
            if self._token is not None:
                lease.release(self._database, NAME, self._token)
        self._database.close()


async def _until_told(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(Role(settings).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def main(settings: Settings) -> None:
    """Run the role until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(_until_told(settings))
