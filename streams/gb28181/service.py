"""The service 信令服务 inside the role `sources`: sockets, the directory, and what follows from every message.

Messages are answered at once; what they bring is carried out one after the other. When that cannot keep up, nothing
more is taken, and the platforms send again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

import redis.asyncio

from config import clock
from config.settings import Settings
from operations import platforms, sources
from operations.database import Database
from operations.errors import NotFound
from operations.platforms import ACCEPTED, Platform
from streams.errors import EngineMisconfigured, IntakeRefused, MappingError, Unreadable
from streams.finder import Finder
from streams.gb28181 import alarm as alarms
from streams.gb28181 import taking, whereabouts
from streams.gb28181.catalogue import Listed
from streams.gb28181.effects import (
    Alarmed,
    Changed,
    Effect,
    Entered,
    Heard,
    Knocked,
    Left,
    Peer,
    Placed,
    Send,
    Synced,
    Told,
)
from streams.gb28181.known import Known, makes, quirks_of
from streams.gb28181.manscdp import moment
from streams.gb28181.passwords import Passwords
from streams.gb28181.sip import LARGEST, Framer
from streams.gb28181.upper import Upper
from streams.intake import Intake
from streams.keeper import TROUBLE

TICK_SECONDS = 0.2
DIRECTORY_SECONDS = 1.0
QUEUE_MOST = 5_000
CONNECTIONS_MOST = 4_096
IDLE_SECONDS = 3_700.0
KNOCKS_SECONDS = 30.0
"""A platform that is not let in is written down at most so often."""
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


class Service:
    """One per process that holds the lease. `address` is where it listens once `ready` is set.

    `demo`: on any free port of this machine alone.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        intake: Intake,
        client: redis.asyncio.Redis,
        ring: Callable[[int], None],
        *,
        demo: bool = False,
    ) -> None:
        self._settings, self._database, self._intake = settings, database, intake
        self._client, self._ring = client, ring
        self._host, self._port = ("127.0.0.1", 0) if demo else (settings.sip_host, settings.sip_port)
        self._passwords = Passwords(settings.data / "keys")
        self._queue: asyncio.Queue[Effect] = asyncio.Queue(QUEUE_MOST)
        self._writers: dict[Peer, asyncio.StreamWriter] = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._upper: Upper | None = None
        self._platforms: dict[str, Platform] = {}
        self._knocks: dict[str, float] = {}
        self._datums: dict[str, str] = {}
        self._finder = Finder(database, settings.data / "cache")
        self.address = ("", 0)
        self.ready = asyncio.Event()
        self.refused = 0
        """Messages left to be sent again because we could not keep up."""

    async def run(self) -> None:
        """Listen until cancelled. Raises OSError when the address is taken, QuirksError when their file is wrong."""
        makes()
        server = await self._open()
        try:
            await self._patiently(self._look)
            self._restore()
            self.ready.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tick(), name="sip clock")
                group.create_task(self._follow(), name="sip directory")
                group.create_task(self._carry(), name="sip effects")
        finally:
            self.ready.clear()
            server.close()
            for writer in [*self._writers.values()]:
                writer.close()
            if self._udp is not None:
                self._udp.close()

    async def _open(self) -> asyncio.Server:
        settings = self._settings
        host = self._host
        server = await asyncio.start_server(self._stream, host, self._port)
        port = server.sockets[0].getsockname()[1]
        try:
            loop = asyncio.get_running_loop()
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._hear), local_addr=(host, port))
        except OSError:
            server.close()
            raise
        zone = settings.zone
        self._upper = Upper(
            settings.sip_server,
            settings.sip_domain,
            host,
            port,
            today=lambda: datetime.fromtimestamp(clock.now() / 1e6, zone).replace(tzinfo=None),
        )
        self.address = (host, port)
        log.info("platforms may register by SIP at %s:%s, over UDP and TCP", host, port)
        return server

    # ---- sockets

    def _hear(self, data: bytes, peer: Peer) -> None:
        if self._upper is None or not self.ready.is_set():
            return
        if self._queue.qsize() > QUEUE_MOST // 2:
            self.refused += 1
            if self.refused == 1:
                log.warning("more signalling comes than can be carried out; platforms will send again")
            return
        self._do(self._upper.hear(data, peer, clock.monotonic()))

    def _do(self, effects: list[Effect]) -> None:
        for one in effects:
            if isinstance(one, Send):
                self._send(one)
            elif isinstance(one, Knocked) and self._knocked_lately(one.code):
                continue
            else:
                with suppress(asyncio.QueueFull):
                    self._queue.put_nowait(one)

    def _knocked_lately(self, code: str) -> bool:
        now = clock.monotonic()
        if now - self._knocks.get(code, -KNOCKS_SECONDS) < KNOCKS_SECONDS:
            return True
        if len(self._knocks) >= platforms.MOST_WAITING * 2:
            self._knocks = {each: at for each, at in self._knocks.items() if now - at < KNOCKS_SECONDS}
        if len(self._knocks) < platforms.MOST_WAITING * 2:
            self._knocks[code] = now
            return False
        return True

    def _send(self, one: Send) -> None:
        if one.peer.transport == "udp":
            if self._udp is not None:
                self._udp.sendto(one.data, (one.peer.host, one.peer.port))
        elif (writer := self._writers.get(one.peer)) is not None and not writer.is_closing():
            if writer.transport.get_write_buffer_size() > 4 * LARGEST:
                writer.transport.abort()  # it reads nothing; it will come again
            else:
                writer.write(one.data)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("peername")[:2]
        peer, framer = Peer("tcp", host, port), Framer()
        if len(self._writers) >= CONNECTIONS_MOST:
            writer.close()
            return
        self._writers[peer] = writer
        try:
            while data := await _read(reader):
                for one in framer.feed(data):
                    self._hear(one, peer)
                await self._eased()
        except (Unreadable, OSError, TimeoutError) as error:
            log.debug("the connection from %s ended: %s", host, error)
        finally:
            self._writers.pop(peer, None)
            writer.close()

    async def _eased(self) -> None:
        """Return when there is room again: a stream waits, nothing of it is lost."""
        while self._queue.qsize() > QUEUE_MOST // 2:  # noqa: ASYNC110 - rare, and room comes bit by bit
            await asyncio.sleep(TICK_SECONDS)

    # ---- time and the directory

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if self._upper is not None:
                self._do(self._upper.tick(clock.monotonic()))

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(DIRECTORY_SECONDS)
            await self._patiently(self._look)

    async def _look(self) -> None:
        found = {one.code: one for one in await asyncio.to_thread(platforms.every, self._database)}
        directory = await asyncio.to_thread(self._known, found)
        networks = await asyncio.to_thread(self._passwords.of_every_network)
        listed = await asyncio.to_thread(sources.listed, self._database)
        self._datums = {one.id: one.datum for one in listed if one.kind == platforms.KIND}
        upper = self._upper
        if upper is None:
            return
        upper.directory, upper.networks = directory, networks
        for code, one in found.items():
            before = self._platforms.get(code)
            if before is not None and one.resync != before.resync:
                self._do(upper.resync(code, clock.monotonic()))
        self._platforms = found

    def _known(self, found: dict[str, Platform]) -> dict[str, Known]:
        return {
            code: Known(code, one.state, self._own(code), quirks_of(f"{one.agent} {one.maker}", one.quirks))
            for code, one in found.items()
        }

    def _own(self, code: str) -> tuple[str, ...]:
        own = self._passwords.own(code)
        return (own,) if own else ()

    def _restore(self) -> None:
        """Take up registrations from before we were started anew."""
        upper, now = self._upper, clock.now()
        for one in self._platforms.values():
            if upper is not None and one.state == ACCEPTED and one.port:
                peer, left = Peer(one.transport, one.host, one.port), (one.until_at - now) / 1e6
                if left > 0:
                    self._do(upper.restore(one.code, peer, left, clock.monotonic(), alive=one.online))
                elif one.online:
                    self._queue.put_nowait(Left(one.code, "expired"))

    # ---- effects

    async def _carry(self) -> None:
        while True:
            effect = await self._queue.get()
            try:
                await self._carry_out(effect)
            except NotFound:
                log.debug("a platform was dropped meanwhile")
            except Exception:  # process edge: what one message brings must not end the service
                log.exception("what %s brought could not be carried out", type(effect).__name__)

    async def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, Alarmed):
            await self._alarm(effect)
        elif isinstance(effect, Placed):
            datum = self._datums.get(platforms.source_of(effect.code), "WGS84")
            with suppress(IntakeRefused, EngineMisconfigured):  # the next position comes in seconds
                await whereabouts.put(self._client, effect.code, effect.positions, datum, clock.now())
        else:
            await self._patiently(lambda: asyncio.to_thread(self._write, effect))
        if isinstance(effect, Heard | Entered) and (source := await self._source(effect.code)) is not None:
            with suppress(IntakeRefused, EngineMisconfigured):
                await self._intake.hear(source)

    def _write(self, effect: Effect) -> None:
        database, ring, now = self._database, self._ring, clock.now()
        if isinstance(effect, Knocked):
            peer = effect.peer
            about = {"why": effect.why, "agent": effect.agent, "host": peer.host, "transport": peer.transport}
            platforms.knocked(database, effect.code, **about, now=now, after_commit=ring)
        elif isinstance(effect, Entered):
            self._entered(effect, effect.seconds, effect.agent, effect.version, now)
        elif isinstance(effect, Heard):
            if effect.back:
                self._entered(effect, 0, "", "", now)
            elif effect.moved:
                platforms.moved(database, effect.code, effect.peer.host, effect.peer.port)
        elif isinstance(effect, Left):
            platforms.left(database, effect.code, effect.why, now=now, after_commit=ring)
            taking.registered(database, effect.code, "off", now=now, after_commit=ring)
        elif isinstance(effect, Told):
            platforms.told(database, effect.code, effect.facts | self._clock_off(effect.facts, now))
        elif isinstance(effect, Synced):
            self._synced(effect, now)
        elif isinstance(effect, Changed):
            self._change(effect.code, effect.changes, now)

    def _clock_off(self, facts: dict[str, str], now: int) -> dict[str, str]:
        """By how many seconds a platform's clock is fast, as a fact of it; nothing when it did not say."""
        at = moment(facts.get("devicetime", ""), self._settings.zone)
        return {} if at is None else {"clock_off": str(round(at.timestamp() - now / 1e6))}

    def _change(self, code: str, changes: tuple[tuple[str, Listed], ...], now: int) -> None:
        datum = self._datums.get(platforms.source_of(code), "WGS84")
        records, told = taking.split(changes)
        items = taking.items_of(records, datum, self._finder)
        taking.change(self._database, code, items, told, now=now, after_commit=self._ring)

    def _entered(self, effect: Entered | Heard, seconds: int, agent: str, version: str, now: int) -> None:
        peer, known = effect.peer, self._platforms.get(effect.code)
        until = now + seconds * 1_000_000 if seconds or known is None else known.until_at
        back = platforms.entered(
            self._database,
            effect.code,
            transport=peer.transport,
            host=peer.host,
            port=peer.port,
            until_at=until,
            agent=agent,
            version=version,
            now=now,
            after_commit=self._ring,
        )
        if back:
            taking.registered(self._database, effect.code, "on", now=now, after_commit=self._ring)

    def _synced(self, effect: Synced, now: int) -> None:
        if effect.why == "unasked":
            self._change(effect.code, tuple(("update", one) for one in effect.items), now)
            return
        datum = self._datums.get(platforms.source_of(effect.code), "WGS84")
        items = taking.items_of(effect.items, datum, self._finder)
        tally = taking.synced(self._database, effect, items, now=now, after_commit=self._ring)
        say = log.info if effect.whole else log.warning
        told = effect.code, tally.held, effect.announced, effect.why or "whole"
        say("catalogue of %s: %s of %s items (%s)", *told)

    async def _source(self, code: str) -> sources.Source | None:
        try:
            return await asyncio.to_thread(sources.get, self._database, platforms.source_of(code))
        except TROUBLE:
            return None

    async def _alarm(self, effect: Alarmed) -> None:
        """Make an alarm durable, then acknowledge it: not before."""
        if effect.alarm.method == alarms.POSITION:
            return
        source = await self._source(effect.code)
        if source is None or not source.enabled:
            return
        if alarms.fenced(effect.alarm):
            self._answer(effect)
            return
        place = await asyncio.to_thread(taking.place_of, self._database, effect.code, effect.alarm.device)
        now = datetime.fromtimestamp(clock.now() / 1e6, self._settings.zone).isoformat()
        item = alarms.report_of(effect.alarm, place, source.zone, now)
        while True:
            try:
                await self._intake.accept(source, [item])
                break
            except IntakeRefused as error:
                await asyncio.sleep(min(error.retry_after, 30))
            except (EngineMisconfigured, MappingError) as error:
                log.error("alarms of %s wait: %s", effect.code, error)
                await asyncio.sleep(30)
        self._answer(effect)

    def _answer(self, effect: Alarmed) -> None:
        if self._upper is not None:
            self._do(self._upper.acknowledge(effect.code, effect.alarm, clock.monotonic()))

    async def _patiently(self, attempt: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await attempt()
                return
            except TROUBLE as error:
                log.debug("signalling waits for us: %s", error)
                await asyncio.sleep(RETRY_SECONDS)


async def _read(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(IDLE_SECONDS):
        return await reader.read(65_536)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, hear: Callable[[bytes, Peer], None]) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._hear(data, Peer("udp", addr[0], addr[1]))
