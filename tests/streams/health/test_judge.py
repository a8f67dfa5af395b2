import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from config import clock
from config.pictures import Judging
from streams.demo import scenes
from streams.demo.rtsp_server import Camera, Fault, RtspServer
from streams.health.judge import FRESH, Judge
from streams.health.keyframe import KeyFrame, RelayAway, asked, decoded
from streams.video.address import StreamSource
from streams.video.relay import Relay

JUDGING = replace(Judging.load(), percent_of_core=100, at_once=16)


def begun(speed: float) -> float:
    return clock.now() / 1e6 * (1 - speed)


async def test_pictures_over_rtsp_and_relay_are_judged_and_counted_after_two_rounds(tmp_path: Path) -> None:
    scene = scenes.Scene(5, "河滨公园", size=scenes.SUB)
    films = {
        "good": scene,
        "black": scenes.Still((scene.image(0) * 0.08).astype(np.uint8)),
        "frozen": scenes.Still(scene.image(0)),
    }
    cameras = {name: Camera(film) for name, film in films.items()}  # type: ignore[arg-type]
    cameras["lost"] = Camera(scene, fault=Fault("absent"))
    offset = begun(12)
    async with RtspServer(cameras, speed=12, now=lambda: offset + clock.now() / 1e6 * 12) as server:
        relay = Relay(lambda name: StreamSource(server.url(name)))
        await relay.start(tmp_path / "relay.sock")
        try:
            ask = partial(asked, tmp_path / "relay.sock")
            judge = Judge(JUDGING, lambda camera: _quick(ask, camera))
            told: list[tuple[str, str]] = []
            async with asyncio.timeout(20):
                while len(told) < 5 or judge.verdicts["good"].looked - judge.verdicts["good"].since < 400_000:
                    told += [(one.camera, one.now.word) for one in await judge.round(cameras)]
                    await asyncio.sleep(0.02)
        finally:
            await relay.stop()
    assert sorted(told) == [
        ("black", "black"),
        ("frozen", "frozen"),
        ("frozen", "good"),
        ("good", "good"),
        ("lost", "lost"),
    ]
    assert told.index(("frozen", "good")) < told.index(("frozen", "frozen"))
    assert judge.verdicts["good"].word == "good"
    assert judge.verdicts["black"].value < judge.verdicts["black"].bound


async def _quick(ask: object, camera: str) -> KeyFrame | None:
    """The camera that is away would be waited for 8 seconds each round."""
    return None if camera == "lost" else await ask(camera)  # type: ignore[operator, no-any-return]


async def test_a_relay_that_is_away_says_nothing_about_a_camera(tmp_path: Path) -> None:
    judge = Judge(JUDGING, partial(asked, tmp_path / "nobody.sock"))
    with pytest.raises(RelayAway, match=r"nobody\.sock"):
        await judge.round(["a", "b"])
    assert judge.verdicts == {}


async def test_an_old_key_frame_counts_as_none_and_spoilt_ones_as_lost() -> None:
    async def old(_: str) -> KeyFrame | None:
        return KeyFrame(b"ftyp", clock.now() - FRESH - 1)

    async def spoilt(_: str) -> KeyFrame | None:
        return KeyFrame(bytes(range(256)) * 40, clock.now())

    for ask in (old, spoilt):
        judge = Judge(JUDGING, ask)
        assert await judge.round(["a"]) == []
        assert [one.now.word for one in await judge.round(["a"])] == ["lost"]
        assert await judge.round([]) == []
        assert judge.verdicts == {}
    assert decoded(b"") is None
