"""The relay on its socket, before a real camera on a real connection: one pull, states, ends, and what is forgotten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvloop

from streams.video import pull
from streams.video.address import StreamSource
from streams.video.errors import NoPicture, RelayAway
from streams.video.port import RelayPort, Watching
from streams.video.relay import Relay
from streams.video.wire import BEGINNING, HEAD, KEY_PICTURE, PICTURE, WORD
from tests.streams.video.camera import Camera, camera


class Port(RelayPort):
    """Keeps what it began, for the end of the test."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.begun: list[Watching] = []

    async def watch(self, camera: str, stream: str, look: str) -> Watching:
        self.begun.append(await super().watch(camera, stream, look))
        return self.begun[-1]


@asynccontextmanager
async def relayed(path: Path, one: Camera, **given: Any) -> AsyncIterator[tuple[Relay, RelayPort]]:
    relay = Relay(lambda name: StreamSource(one.url) if name.startswith("c") else None, **given)
    await relay.start(path)
    port = Port(path)
    try:
        yield relay, port
    finally:
        for watching in port.begun:
            watching.close()
        await relay.stop()


async def _until(watching: Watching, **said: object) -> dict[str, Any]:
    async with asyncio.timeout(5):
        async for message in watching.messages():
            if message[0] == WORD:
                word: dict[str, Any] = orjson.loads(message[1:])
                if all(word.get(name) == value for name, value in said.items()):
                    return word
    raise AssertionError(f"{said} was never said")


async def _frames(watching: Watching, count: int) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    async with asyncio.timeout(5):
        async for message in watching.messages():
            if message[0] in (PICTURE, KEY_PICTURE):
                kind, sequence, ticks, _wall = HEAD.unpack_from(message)
                found.append((kind, sequence, ticks))
                if len(found) == count:
                    return found
    raise AssertionError("it ended")


async def test_many_look_and_the_camera_is_asked_once_and_let_go_when_nobody_does(tmp_path: Path) -> None:
    async with camera() as one, relayed(tmp_path / "s", one, stays=0.0) as (relay, port):
        lookers = [await port.watch("c1", "main", f"look{n}") for n in range(5)]
        for looker in lookers:
            frames = await _frames(looker, 12)
            assert frames[0][0] == KEY_PICTURE
            assert [number for _, number, _ in frames] == list(range(frames[0][1], frames[0][1] + 12))
            assert all(b[2] > a[2] for a, b in pairwise(frames))
        assert one.connections == 1
        late = await port.watch("c1", "sub", "late")  # it has no small stream: the same pull
        assert (await _frames(late, 1))[0][0] == KEY_PICTURE and one.connections == 1
        for looker in (*lookers, late):
            looker.close()
        async with asyncio.timeout(3):
            await one.idle.wait()
        assert relay.streams == {} and relay.lookers == {}


def test_it_relays_on_the_loop_it_is_run_on_too(tmp_path: Path) -> None:
    async def looked() -> None:
        async with camera() as one, relayed(tmp_path / "s", one) as (_, port):
            await _frames(await port.watch("c1", "main", "a"), 12)

    uvloop.run(looked())


async def test_a_look_is_ended_from_outside_and_the_others_stay(tmp_path: Path) -> None:
    async with camera() as one, relayed(tmp_path / "s", one) as (_, port):
        first, second = await port.watch("c1", "main", "a"), await port.watch("c1", "main", "b")
        await _frames(first, 2)
        await port.close(["a", "none"])
        async with asyncio.timeout(1):
            assert [one async for one in first.messages()][-1:] != [b""]
        await _frames(second, 20)


async def test_a_camera_that_dies_is_lost_and_comes_back_by_itself_in_the_same_line_of_time(tmp_path: Path) -> None:
    async with camera() as one, relayed(tmp_path / "s", one) as (_, port):
        looker = await port.watch("c1", "main", "a")
        before = (await _frames(looker, 3))[-1]
        one.drop()
        assert (await _until(looker, state="lost"))["code"] == "lost"
        await _until(looker, state="live")
        after = (await _frames(looker, 1))[0]
        assert after[2] > before[2]


async def test_a_camera_that_falls_silent_is_stalled_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(pull, "WAIT_LEAST", 0.05)
    async with camera() as one, relayed(tmp_path / "s", one) as (_, port):
        looker = await port.watch("c1", "main", "a")
        await _frames(looker, 3)
        one.quiet = True
        word = await _until(looker, state="stalled")
        assert word["age"] >= 0.3
        one.quiet = False
        await _until(looker, state="live")


async def test_a_slow_one_is_told_and_the_fast_one_beside_it_misses_nothing(tmp_path: Path) -> None:
    async with camera() as one, relayed(tmp_path / "s", one) as (relay, port):
        one.size = 60_000
        slow, fast = await port.watch("c1", "main", "slow"), await port.watch("c1", "main", "fast")
        numbers = [number for _, number, _ in await _frames(fast, 110)]
        assert numbers == list(range(numbers[0], numbers[0] + 110))
        (held,) = relay.lookers["slow"]
        assert held.viewer.dropped > 0 and held.viewer.held < 5_000_000
        assert (await _until(slow, state="behind"))["smaller"] in (False, True)


async def test_a_key_frame_is_a_film_of_its_own_and_an_unknown_camera_has_none(tmp_path: Path) -> None:
    async with camera() as one, relayed(tmp_path / "s", one) as (_, port):
        film, at = await port.key_picture("c1", "main")
        assert film[4:8] == b"ftyp" and b"moof" in film and at > 1_700_000_000_000_000
        for ask in (port.key_picture("x", "main"), port.watch("x", "main", "a"), port.watch("c1", "main", "")):
            with pytest.raises(NoPicture):
                await ask
        looker = await port.watch("c1", "main", "a")
        async for message in looker.messages():
            if message[0] == BEGINNING:
                assert bytes(message[HEAD.size + 4 : HEAD.size + 8]) == b"ftyp"
                break
    with pytest.raises(RelayAway):
        await port.watch("c1", "main", "a")
