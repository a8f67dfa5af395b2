"""A process is killed with SIGKILL while somebody looks by a grant that ends just then: it fails closed."""

import asyncio
import os
import signal
from contextlib import suppress

import httpx
import pytest
import sqlalchemy as sa

from config import clock
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.database import Database
from operations.tables import camera, look
from streams.demo import scenes
from streams.demo.rtsp_server import Camera, RtspServer
from tests.conftest import Running
from tests.dashboard.test_leave_races import LATEST, SHORT, Frames, Person, give, somebody, ticket, watched
from tests.e2e.test_start import processes

pytestmark = pytest.mark.whole
CHAIN = ("990101",)
LASTS, PATIENCE = 5.0, 90.0
KILLED = ("worker", "relay", "valkey", "web")


async def test_what_is_killed_shows_nothing_after_the_end_and_leaves_no_look_open(running: Running) -> None:
    database = Database(running.settings.database_url)
    client = httpx.AsyncClient(base_url=running.url, timeout=30, limits=SHORT)
    async with RtspServer({"1": Camera(scenes.Scene(1, "C1"))}) as server, client:
        here, who = listed(database, server), somebody(running, database, "zhou")
        for role in KILLED:
            frames = Frames()
            give(database, who.identity, here, LASTS)
            over = clock.monotonic() + LASTS
            looking = asyncio.create_task(looks(running, client, who, here, frames))
            await asyncio.wait_for(frames.came.wait(), LASTS)
            os.kill(processes(running.settings.data)[role], signal.SIGKILL)
            await asyncio.wait_for(looking, LASTS + PATIENCE)
            assert clock.monotonic() > over and frames.latest < over + LATEST, role
        await asyncio.wait_for(closed(database), PATIENCE)
    database.close()


def listed(database: Database, server: RtspServer) -> str:
    """The id of a camera of another department."""
    url = server.url("1")
    item = Item(code="1", name="C1", owner="transport", url_main=url, url_sub=url, chain=CHAIN, status="on")
    with database.write() as transaction:
        take(transaction, "s", [item], complete=True, now=clock.now())
        return transaction.connection.execute(sa.select(camera.c.id)).scalar_one()


async def looks(running: Running, client: httpx.AsyncClient, who: Person, camera: str, frames: Frames) -> None:
    """Look as a tile does, which asks again whatever happens, until no ticket is given any more."""
    while True:
        with suppress(httpx.TransportError):
            if not (given := await ticket(client, who, camera)):
                return
            await watched(running, who, camera, given, frames)
        await asyncio.sleep(0.1)


async def closed(database: Database) -> None:
    """Return once no look is open any more: those of a killed process end as uncertain."""
    while True:
        with database.read() as connection:
            if not connection.execute(sa.select(look.c.id).where(look.c.ended_at.is_(None))).all():
                return
        await asyncio.sleep(0.5)
