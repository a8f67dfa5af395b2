"""One simulated platform below us 演示用下级平台: registers with the demonstration over real SIP, with some cameras."""

import asyncio
import logging
import secrets

from config import clock
from config.settings import Settings
from operations import platforms
from operations.database import Database
from operations.errors import OperationsError
from operations.policy import SYSTEM
from streams.demo.lower import Lower
from streams.finder import Finder
from streams.gb28181.passwords import Passwords
from streams.gb28181.service import Service

CAMERAS = 24
KEEPALIVE_SECONDS = 30.0
RETRY_SECONDS = 5.0
REST = "00002000000018"
"""Base unit, industry, type 200 (a platform), network and serial number."""
NAME = "演示下级平台"
PLACES = ("路口东", "路口西", "广场", "市场北门", "桥头", "公交站", "社区入口", "河堤")

log = logging.getLogger(__name__)


async def play(service: Service, settings: Settings, database: Database) -> None:
    """Be a platform below until cancelled; what goes wrong is tried again."""
    await service.ready.wait()
    code = settings.county_code + REST
    passwords = Passwords(settings.data / "keys")
    if not passwords.own(code):
        passwords.put(code, secrets.token_hex(8))
    items = await _cameras(settings, database)
    lower = Lower(
        code,
        passwords.own(code),
        settings.sip_server,
        settings.sip_domain,
        service.address,
        items,
        piece=4,
        agent="Gridwall demonstration platform",
    )
    await lower.open()
    try:
        while True:
            try:
                await _stay(lower, database)
            except (TimeoutError, OperationsError) as error:
                log.debug("the platform of the demonstration tries again: %s", error)
            await asyncio.sleep(RETRY_SECONDS)
    finally:
        lower.close()


async def _stay(lower: Lower, database: Database) -> None:
    """Register and keep alive until it is refused."""
    if await lower.register() != 200:
        await asyncio.to_thread(_accept, database, lower.code)
        return
    while await lower.keepalive() == 200:  # noqa: ASYNC110 - a beat, not a wait
        await asyncio.sleep(KEEPALIVE_SECONDS)


def _accept(database: Database, code: str) -> None:
    """Let it in by itself, once: whoever refuses it on the page is obeyed."""
    for one in platforms.every(database):
        if one.code == code and one.state == platforms.WAITING:
            platforms.accept(database, SYSTEM, code, name=NAME, datum="WGS84", revision=one.revision, now=clock.now())


async def _cameras(settings: Settings, database: Database) -> list[tuple[str, str, bool, float, float]]:
    """Some cameras, each inside a grid of the city; waits for its grids."""
    finder = Finder(database, settings.data / "cache")
    while not (shapes := await asyncio.to_thread(finder.shapes)):  # noqa: ASYNC110 - there once
        await asyncio.sleep(RETRY_SECONDS)
    leaves = [shapes[code] for code in sorted(shapes) if len(code) >= 15] or list(shapes.values())
    step = max(len(leaves) // CAMERAS, 1)
    found = []
    for number, grid in enumerate(leaves[::step][:CAMERAS], 1):
        point = grid.polygon.representative_point()
        name = f"{grid.name}{PLACES[number % len(PLACES)]}"
        on = number % 11 != 0
        found.append((f"{settings.county_code}0000132{number:07}", name, on, round(point.x, 6), round(point.y, 6)))
    return found
