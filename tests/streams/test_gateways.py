"""The examples of gateways are run as they stand: what Gridwall signs they hand on once."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from config.settings import ROOT, Settings
from operations.database import Database
from operations.seal import KeyStore
from operations.tables import delivery, department
from tests.streams.gateway import Gateway
from tests.streams.test_outlets import ADMIN, FIRE, MINUTE, Bench

FOLDER = ROOT / "examples" / "outlets"


@pytest.fixture
def behind() -> Iterator[Gateway]:
    """The gateway proper, as a department runs it."""
    made = Gateway()
    made.answer = lambda _posted: (200, b"{}")
    yield made
    made.close()


@pytest.fixture
async def bench(settings: Settings, database: Database) -> AsyncIterator[Bench]:
    """The parts; the fire department has a phone."""
    keys = KeyStore(settings.data / "keys")
    made = Bench(settings, database, keys)
    with database.write() as transaction:
        values = {"code": "fire", "name": "消防", "added_at": 1, "phone": "13900000000"}
        transaction.connection.execute(sa.insert(department).values(values))
    yield made
    await made.carrier.stop()
    keys.close()


@contextmanager
def running(name: str, secret: str, **environment: str) -> Iterator[str]:
    """An example as a program of its own; its address."""
    process = subprocess.Popen(
        [sys.executable, str(FOLDER / f"{name}.py"), "0"],
        env={**os.environ, "GRIDWALL_SECRET": secret, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield f"http://{process.stdout.readline().split()[-1]}/"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.mark.parametrize("name", ["sms_gateway", "voice_gateway", "work_chat_gateway"])
async def test_an_example_takes_signed_orders_and_hands_them_on_once(
    bench: Bench, behind: Gateway, folder: Path, name: str
) -> None:
    robots = folder / "robots.json"
    robots.write_text(json.dumps({"fire": {"url": behind.url, "secret": "SECx"}}), "utf-8")
    behind.answer = lambda _posted: (200, b'{"pressed": "1"}')
    secret = bench.webhook("http://127.0.0.1:1/", "out", needs="phone")
    with running(name, secret, GATEWAY_URL=behind.url, ROBOT_URLS=str(robots)) as url:
        outlet = bench.outlet("out")[0]
        values = {"url": url, "needs": "phone"}
        bench.outlets.change(ADMIN, "out", values, revision=outlet.revision, now=bench.now())
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.post(url, content=b"{}")).status_code == 401, "unsigned"
        order = bench.send(FIRE)
        await bench.carry()
        (posted,) = behind.posted
        assert order.number in json.dumps(posted.told, ensure_ascii=False)
        if name != "work_chat_gateway":
            assert "13900000000" in posted.told.values()
        state = "delivered" if name == "voice_gateway" else "sent"
        assert bench.board(order).recipients[0].ways == {"out": state}
        with bench.database.write() as transaction:  # as after a crash between sending and recording
            again = {"state": "waiting", "next_at": bench.now(), "done_at": None}
            transaction.connection.execute(sa.update(delivery).values(again))
        bench.wait(MINUTE)
        await bench.carry()
        assert len(behind.posted) == 1, "the id tells it from a new one"
