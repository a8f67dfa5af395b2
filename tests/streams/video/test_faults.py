"""Cameras and networks that go wrong, on real connections: the tile is told, and the picture comes back by itself."""

import asyncio
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from streams.video import pull
from streams.video.address import StreamSource
from streams.video.pull import Pull
from streams.video.stream import Stream
from streams.video.viewer import AGE_MOST, Viewer
from streams.video.wire import HEAD, KEY_PICTURE, PICTURE, WORD, Message
from tests.streams.video.camera import GROUP, Camera, camera
from tests.streams.video.watching import Seen, relaying, said, seen, trusted

BOXES = 112
"""Octets of a fragment before its sample."""


def _state(name: str) -> Any:
    return lambda word: word.get("state") == name


def _times(look: Seen) -> set[int]:
    return {after - before for before, after in pairwise(look.ticks)}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once: what is tested is that it is asked, not how long it waits."""
    monkeypatch.setattr(pull, "WAIT_LEAST", 0.02)
    monkeypatch.setattr(pull, "WAIT_MOST", 0.05)


async def test_a_camera_over_tls_sends_to_another_and_no_password_goes_from_tls_to_none(folder: Path) -> None:
    server, client = trusted(folder)
    async with camera(server) as secret, camera() as plain:
        plain.knows.discard(b"SET_PARAMETER")
        secret.to = plain.url.encode()
        known = StreamSource(secret.url, "", "u", "secret")
        async with relaying(folder / "s", lambda _: known, trust=client) as (_, port):
            got = await seen(await port.watch("c", "main", "a"), 5)
        assert len(got.kinds) == 5 and secret.connections == 1 and plain.connections == 1
        secret.to = secret.url.encode()  # from one place to the next, and never there
        async with relaying(folder / "s", lambda _: known, trust=client) as (_, port):
            await said(await port.watch("c", "main", "a"), _state("lost"))
        assert secret.connections == 1 + pull.REDIRECTS_MOST


async def test_a_session_that_ends_without_signs_of_life_gets_them_in_the_way_the_camera_knows(folder: Path) -> None:
    async with camera() as one:
        one.timeout = 2
        one.knows.discard(b"GET_PARAMETER")
        async with relaying(folder / "s", lambda _: StreamSource(one.url)) as (relay, port):
            began = relay.now()
            await port.watch("c", "main", "a")
            async with asyncio.timeout(30):
                asked = [await one.asked.get() for _ in range(5)]
            assert asked == [b"DESCRIBE", b"SETUP", b"PLAY", b"GET_PARAMETER", b"OPTIONS"]
            assert relay.now() - began >= 2.0  # each a second, for a session of two


@pytest.mark.parametrize("garbage", [b"\x00\x01no RTSP at all" * 9, b"RTSP/1.0 200 OK\r\nContent-Length: x\r\n\r\n"])
async def test_garbage_ends_the_connection_and_the_picture_comes_back(folder: Path, garbage: bytes) -> None:
    async with camera() as one, relaying(folder / "s", lambda _: StreamSource(one.url)) as (_, port):
        looker = await port.watch("c", "main", "a")
        await seen(looker, 3)
        one.garbage = garbage
        assert (await said(looker, _state("lost")))["code"] == "garbage"
        await said(looker, _state("live"))
        assert one.connections == 2


async def test_over_a_network_that_loses_packets_no_damaged_frame_ever_reaches_a_tile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.streams.video.camera.EVERY", 0.002)
    async with camera() as one:
        chance = random.Random(7)
        one.lose = lambda _number: chance.random() < 0.05
        one.size = 6_000
        samples: list[tuple[int, bytes]] = []
        async with relaying(folder / "s", lambda _: StreamSource(one.url)) as (relay, port):
            looker = await port.watch("c", "main", "a")
            async with asyncio.timeout(60):
                async for message in looker.messages():
                    if message[0] in (PICTURE, KEY_PICTURE):
                        samples.append((message[0], bytes(message[HEAD.size + BOXES + 4 :])))
                    if len(samples) == 60:
                        break
            swallowed = relay.streams["c", "main"].swallowed
        numbers = [_whole(one, kind, sample) for kind, sample in samples]
        for before, after in pairwise(numbers):
            assert after == before + 1 or after % GROUP == 0  # after what is missing, a key frame
        assert swallowed > 0 and numbers[-1] - numbers[0] > 60


def _whole(one: Camera, kind: int, sample: bytes) -> int:
    """Return a frame's number; it must be the frame the camera made, octet by octet."""
    number = int.from_bytes(sample[6:10], "big")
    assert sample == one.unit(number % GROUP == 0, number) and (kind == KEY_PICTURE) == (number % GROUP == 0)
    return number


class Hours:
    """Time in which waiting takes none: `sleep` moves it on, and says how long was waited."""

    def __init__(self) -> None:
        self.now, self.waits = 1_000.0, list[float]()

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)


async def test_through_half_an_hour_without_a_network_it_asks_each_ten_seconds_and_comes_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pull, "WAIT_LEAST", 0.5)
    monkeypatch.setattr(pull, "WAIT_MOST", 10.0)
    time, stream = Hours(), Stream("c", "main", lambda: 0)
    monkeypatch.setattr(pull.asyncio, "sleep", time.sleep)
    async with camera() as one:

        async def find(_camera: str) -> StreamSource:
            gone = time.now < 1_000 + 1_800
            return StreamSource("rtsp://127.0.0.1:1/live" if gone else one.url)

        task = asyncio.create_task(Pull(stream, find, lambda: time.now, None).run())
        async with asyncio.timeout(60):
            while not stream.frames:
                await asyncio.wait((task,), timeout=0.01)
        assert stream.state == "live"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    waits = [wait for wait in time.waits if wait != 0.02]  # the camera's own are in it
    assert waits[:6] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0] and set(waits[5:]) == {10.0}
    assert 180 <= len(waits) <= 190
    assert len([one for one in caplog.records if "cannot be reached" in one.message]) == 1


def test_who_falls_behind_goes_on_at_a_key_frame_and_then_takes_the_small_stream() -> None:
    viewer, now = Viewer("a", "c", "main"), 0.0
    taken: list[Message] = []
    for number in range(200):  # nothing is written for four seconds, then all of it, and again
        now = number / 25
        viewer.offer(Message(KEY_PICTURE if number % 25 == 0 else PICTURE, bytes(1_000), now), now)
        assert viewer.held <= 1_000 * (AGE_MOST * 25 + 2) + 500
        if number in (99, 199):
            while (message := viewer.take()) is not None:
                taken.append(message)
    words = [message.framed for message in taken if message.kind == WORD]
    assert b'"smaller":true' in words[-1] and all(b"behind" in word for word in words)
    pictures = [message for message in taken if message.kind != WORD]
    for before, after in pairwise(pictures):
        assert after.kind == KEY_PICTURE or after.at - before.at < 0.05
    assert viewer.dropped > 100


async def test_sixty_four_look_at_one_camera_and_it_is_asked_once(folder: Path) -> None:
    async with camera() as one, relaying(folder / "s", lambda _: StreamSource(one.url)) as (relay, port):
        lookers = [await port.watch("c", "main", f"look{n}") for n in range(64)]
        got = await asyncio.gather(*(seen(looker, 12) for looker in lookers))
        assert all(look.kinds[0] == KEY_PICTURE and len(look.kinds) == 12 for look in got)
        assert all(_times(look) == {1_800} for look in got)
        assert one.connections == 1 and len(relay.lookers) == 64
        await port.close([f"look{n}" for n in range(63)])
        await seen(lookers[63], 5)
        assert len(relay.lookers) == 1
