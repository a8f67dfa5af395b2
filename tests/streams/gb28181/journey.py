"""A service on real sockets, with a simulated platform that speaks to it."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from config import clock
from config.settings import Settings
from operations import platforms
from operations.cameras import reading
from operations.database import Database
from operations.platforms import Platform
from operations.policy import SYSTEM
from streams import engine
from streams.demo.lower import Lower
from streams.gb28181.passwords import Passwords
from streams.gb28181.service import Service
from tests.streams.samples import make_intake, make_log

CODE = "32050700002000000017"
PASSWORD = "12345678"


def cameras(count: int, start: int = 1) -> list[tuple[str, str, bool, float, float]]:
    return [
        (f"3205070000132{number:07}", f"人民路{number}号㐀", number % 7 != 0, 119.16 + number / 1e5, 34.57)
        for number in range(start, start + count)
    ]


@asynccontextmanager
async def listening(settings: Settings, database: Database) -> AsyncIterator[Service]:
    """A service that listens on a free port of this machine and is quick to notice what people decide."""
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr("streams.gb28181.service.DIRECTORY_SECONDS", 0.05)
        quick.setattr("streams.gb28181.service.TICK_SECONDS", 0.05)
        async with _served(settings, database) as service:
            yield service


@asynccontextmanager
async def _served(settings: Settings, database: Database) -> AsyncIterator[Service]:
    log = make_log(settings)
    client = engine.connect(settings.redis_url)
    settings = dataclasses.replace(settings, sip_enabled=True)
    service = Service(settings, database, make_intake(log), client, lambda _seq: None, demo=True)
    running = asyncio.create_task(service.run())
    ready = asyncio.create_task(service.ready.wait())
    await asyncio.wait({running, ready}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    try:
        assert service.ready.is_set(), running
        yield service
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await client.aclose()
        await log.close()


@asynccontextmanager
async def below(settings: Settings, service: Service, **given: object) -> AsyncIterator[Lower]:
    """A simulated platform with an open socket."""
    about = {"code": CODE, "password": PASSWORD, "items": cameras(5)} | given
    lower = Lower(server=settings.sip_server, domain=settings.sip_domain, address=service.address, **about)  # type: ignore[arg-type]
    await lower.open()
    try:
        yield lower
    finally:
        lower.close()


def accept(settings: Settings, database: Database, code: str = CODE, datum: str = "WGS84") -> None:
    """What the administrator does on the page."""
    Passwords(settings.data / "keys").put(code, PASSWORD)
    revision = platforms.get(database, SYSTEM_READER, code).revision
    platforms.accept(database, SYSTEM, code, name="城东平台", datum=datum, revision=revision, now=clock.now())


async def until(database: Database, holds: Callable[[Platform], object], code: str = CODE) -> Platform:
    """Return the platform as soon as something holds of it, for at most 10 seconds."""
    deadline = clock.monotonic() + 10
    while clock.monotonic() < deadline:
        for one in await asyncio.to_thread(platforms.every, database):
            if one.code == code and holds(one):
                return one
        await asyncio.sleep(0.02)
    raise AssertionError(await asyncio.to_thread(platforms.every, database))


async def registered(lower: Lower) -> None:
    """Register as soon as the service knows that it was accepted."""
    deadline = clock.monotonic() + 10
    while (status := await lower.register()) != 200:
        assert clock.monotonic() < deadline, status
        await asyncio.sleep(0.05)


async def received(settings: Settings, database: Database, lower: Lower) -> Platform:
    """Knock, be accepted and register; return the platform when its first catalogue is whole."""
    await lower.register()
    await until(database, lambda one: one.state == "waiting")
    await asyncio.to_thread(accept, settings, database)
    await registered(lower)
    return await until(database, lambda one: one.whole)


async def heard(lower: Lower, what: str) -> None:
    """Return as soon as something was asked of a platform, for at most 10 seconds."""
    deadline = clock.monotonic() + 10
    while what not in lower.heard:
        assert clock.monotonic() < deadline, lower.heard
        await asyncio.sleep(0.02)


async def soon(holds: Callable[[], object]) -> None:
    """Return as soon as something holds, for at most 10 seconds."""
    deadline = clock.monotonic() + 10
    while not holds():
        assert clock.monotonic() < deadline
        await asyncio.sleep(0.02)


SYSTEM_READER = SYSTEM.__class__("account", "admin", "admin", "system_admin")


async def signalled(database: Database, code: str, status: str) -> None:
    """Return as soon as a camera's state is what was told last, so that all that was told before is carried out."""
    deadline = clock.monotonic() + 10
    while (await asyncio.to_thread(_status, database, code)) != status:
        assert clock.monotonic() < deadline, code
        await asyncio.sleep(0.02)


def _status(database: Database, code: str) -> str:
    with database.read() as connection:
        found = reading.of_code(connection, platforms.source_of(CODE), code)
    return "" if found is None else found.status
