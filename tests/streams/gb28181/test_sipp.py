"""SIPp, a device that is not ours: REGISTER with digest, Catalog in pieces, keepalives lost, Alarm, MobilePosition."""

import asyncio
from pathlib import Path

import pytest

from config import clock
from config.settings import Settings
from operations import platforms
from operations.database import Database
from streams.gb28181 import whereabouts
from streams.gb28181.known import Quirks
from streams.gb28181.service import Service
from tests import tools
from tests.streams.gb28181.journey import CODE, PASSWORD, SYSTEM_READER, accept, listening, until

SCENARIOS = Path(__file__).with_name("sipp")
SECONDS = 40


@pytest.fixture
def sipp() -> str:
    """The program; the test is "not run" without it."""
    found = tools.sipp()
    if not found:
        pytest.skip(f"not run: no SIPp. Install: apt-get install {tools.PACKAGES['sipp']}")
    return found


async def play(sipp: str, service: Service, port: int, scenario: str, *more: str) -> tuple[int, str]:
    """Play a scenario once from a port; return its exit status (0: as written) and what it said."""
    words = [*("-sf", str(SCENARIOS / f"{scenario}.xml"), "-oocsf", str(SCENARIOS / "answers.xml"), "-s", CODE)]
    words += ["-au", CODE, "-ap", PASSWORD, "-i", "127.0.0.1", "-p", str(port), "-m", "1", "-nostdin"]
    words += ["-timeout", str(SECONDS), "-timeout_error", *more, f"{service.address[0]}:{service.address[1]}"]
    made = await asyncio.create_subprocess_exec(
        sipp, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd="/tmp"
    )
    told, _ = await made.communicate()
    return made.returncode or 0, told.decode(errors="replace")[-3_000:]


def let_in(settings: Settings, database: Database) -> None:
    """Accept the device, without subscriptions, which its scenarios do not answer."""
    accept(settings, database)
    one = platforms.get(database, SYSTEM_READER, CODE)
    quirks = {"subscribe": [], "charset": "auto"}
    platforms.set_quirks(database, SYSTEM_READER, CODE, quirks, revision=one.revision, now=clock.now())


async def known(service: Service) -> None:
    """Return as soon as the service knows how the device is to be treated."""
    deadline = clock.monotonic() + 10
    while (one := service._platforms.get(CODE)) is None or not one.quirks:
        assert clock.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_a_foreign_device_registers_tells_its_catalogue_and_goes_silent(
    settings: Settings, database: Database, valkey: str, sipp: str, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def journey() -> None:
        async with listening(settings, database) as service:

            async def does(scenario: str, *more: str) -> None:
                status, told = await play(sipp, service, free_port, scenario, *more)
                assert status == 0, told

            about = {"why": "unknown", "agent": "SIPp", "host": "127.0.0.1", "transport": "udp"}
            await asyncio.to_thread(platforms.knocked, database, CODE, **about, now=clock.now())
            await asyncio.to_thread(let_in, settings, database)
            await known(service)
            await does("refused", "-ap", "wrong")
            await until(database, lambda one: one.why_knocked == "password")
            await does("register")
            whole = await until(database, lambda one: one.whole)
            assert (whole.announced, whole.held, whole.agent) == (5, 5, "SIPp")
            await does("keepalive", "-lost", "30", "-max_non_invite_retrans", "20")
            await does("position")
            await does("alarm")
            assert service._intake.totals.accepted == 1
            found = await whereabouts.last(service._client, CODE, "32050700001320000001")
            assert found is not None and (found.position.lon, found.platform) == (119.21, CODE)
            monkeypatch.setattr(Quirks, "silent_seconds", 0.5)
            assert not (await until(database, lambda one: not one.online)).online
            monkeypatch.setattr(Quirks, "silent_seconds", 60.0)
            await does("keepalive")
            await until(database, lambda one: one.online)

    asyncio.run(journey())
