"""Attempts are counted for all processes, never for good, and never without a bound."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import redis

from streams import engine
from streams.attempts import AWAY_SECONDS, LOCAL_MOST, PREFIX, Attempts

KEY = b"k" * 32
NOWHERE = "unix:///nonexistent/valkey.sock"


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


Make = Callable[..., Attempts]


@pytest.fixture
async def attempts() -> AsyncIterator[Make]:
    """Makes what a web process has; their connections are closed."""
    clients = []

    def make(url: str, watch: Watch | None = None, processes: int = 1) -> Attempts:
        clients.append(engine.connect(url))
        return Attempts(clients[-1], KEY, processes, watch or Watch())

    yield make
    for client in clients:
        await client.aclose()


async def test_every_process_counts_the_same_attempts(valkey: str, attempts: Make) -> None:
    one, other = attempts(valkey), attempts(valkey)
    waits = [await process.take("signin", "10.0.0.7", 3, 60) for process in (one, other, one, other, one)]
    assert waits[:3] == [0, 0, 0]
    assert all(50 < wait <= 60 for wait in waits[3:])
    assert await one.take("signin", "10.0.0.8", 3, 60) == 0
    assert await one.take("pair", "10.0.0.7", 3, 60) == 0


async def test_what_is_refused_does_not_make_the_wait_longer(valkey: str, attempts: Make) -> None:
    one = attempts(valkey)
    for _ in range(5):
        await one.take("signin", "10.0.0.7", 1, 60)
    with redis.Redis.from_url(valkey) as client:
        [place] = client.keys(PREFIX + "*")
        client.pexpire(place, 1_500)
        assert await one.take("signin", "10.0.0.7", 1, 60) == 2
        client.delete(place)  # its time is over
    assert await one.take("signin", "10.0.0.7", 1, 60) == 0


async def test_no_address_lies_in_the_engine(valkey: str, attempts: Make) -> None:
    await attempts(valkey).take("signin", "10.0.0.7", 1, 60)
    with redis.Redis.from_url(valkey) as client:
        [place] = client.keys(PREFIX + "*")
        assert b"10.0.0.7" not in place and 0 < client.ttl(place) <= 60


async def test_while_the_engine_is_away_each_process_counts_its_share(attempts: Make) -> None:
    watch = Watch()
    one = attempts(NOWHERE, watch, processes=2)
    assert [await one.take("signin", "a", 4, 60) > 0 for _ in range(4)] == [False, False, True, True]
    watch.seconds += 61
    assert await one.take("signin", "a", 4, 60) == 0


async def test_a_crowd_of_addresses_does_not_fill_the_memory(attempts: Make) -> None:
    watch = Watch()
    one = attempts(NOWHERE, watch)
    for number in range(LOCAL_MOST + 10):
        await one.take("signin", str(number), 1, 60)
        watch.seconds += 1e-6
    assert len(one._local) <= LOCAL_MOST
    assert await one.take("signin", str(LOCAL_MOST + 9), 1, 60) > 0  # the newest is still counted


async def test_a_slow_engine_holds_nobody_up_for_long_and_is_asked_again_later(valkey: str, attempts: Make) -> None:
    watch = Watch()
    one = attempts(valkey, watch)
    assert await one.take("signin", "a", 1, 60) == 0
    with redis.Redis.from_url(valkey) as client:
        client.client_pause(1_000, all=True)
        begun = asyncio.get_running_loop().time()
        assert await one.take("signin", "a", 1, 60) == 0  # counted here, from the start
        assert await one.take("signin", "a", 1, 60) > 0
        assert asyncio.get_running_loop().time() - begun < 0.9
        client.client_unpause()
    watch.seconds += AWAY_SECONDS
    assert await one.take("signin", "a", 1, 60) > 0
    assert one._away_until == -1.0
