import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from config import clock
from streams.demo import h264, pattern, scenes
from streams.demo.rtsp_server import Camera, Fault, RtspServer

os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"


def decoded(path: Path) -> list[Any]:
    reader = cv2.VideoCapture(str(path))
    frames = []
    while True:
        came, frame = reader.read()
        if not came:
            return frames
        frames.append(frame)


@pytest.mark.parametrize("size", [scenes.MAIN, scenes.SUB, (336, 192)])
def test_another_decoder_reads_noise_and_flat_pictures_as_they_were_drawn(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    width, height = size
    noise = np.random.default_rng(3).integers(20, 230, (height, width, 3)).astype(np.uint8)
    flat = np.full((height, width, 3), (90, 140, 60), np.uint8)
    half = flat.copy()
    half[: height // 2, : width // 3] = noise[: height // 2, : width // 3]
    pictures = [h264.picture(one) for one in (half, half, flat, noise)]
    (tmp_path / "film.h264").write_bytes(h264.annex_b(h264.stream(pictures, size, 12)))
    frames = decoded(tmp_path / "film.h264")
    assert [frame.shape for frame in frames] == [(height, width, 3)] * 4
    for frame, sent in zip(frames, pictures, strict=True):
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(int)
        drawn = cv2.cvtColor(_bgr(sent)[:height, :width], cv2.COLOR_BGR2GRAY).astype(int)
        assert np.abs(grey - drawn).max() <= 3


def _bgr(sent: h264.Picture) -> Any:
    width = sent.luma.shape[1]
    planes = np.vstack([sent.luma, sent.blue.reshape(-1, width), sent.red.reshape(-1, width)])
    return cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)


def test_a_picture_that_does_not_change_costs_next_to_nothing() -> None:
    still = h264.picture(np.full((360, 640, 3), 90, np.uint8))
    key, after = h264.stream([still, still], (640, 360), 12)
    assert sum(map(len, key)) < 1500
    assert sum(map(len, after)) < 16


@pytest.mark.parametrize("size", [scenes.MAIN, scenes.SUB])
def test_every_frame_tells_camera_and_number_and_looks_as_drawn(tmp_path: Path, size: tuple[int, int]) -> None:
    scene = scenes.Scene(7, "人民路口", size=size)
    first = 1_800_000_000 * scenes.RATE // 48 * 48
    film = [scene.frame(first + n) for n in range(scenes.CYCLE + 26)]
    assert [n for n, frame in enumerate(film) if frame.key] == [0, 24, 48, 72]
    (tmp_path / "film.h264").write_bytes(h264.annex_b(frame.units for frame in film))
    frames = decoded(tmp_path / "film.h264")
    marks = [pattern.read(frame) for frame in frames]
    assert marks == [(7, (first + n) % pattern.FRAMES) for n in range(len(film))]
    for n in (0, 13, 23, 24, 60):  # the clock too, which changes within a group
        assert np.abs(frames[n].astype(int) - _bgr(h264.picture(scene.image(first + n)))[: size[1]]).max() <= 4
    kilobits = sum(len(unit) for frame in film[:48] for unit in frame.units) * 8 / 4 / 1000
    assert kilobits < 1_600


def test_a_mark_is_read_from_a_picture_of_another_size_and_never_from_a_blank_or_torn_one() -> None:
    image = scenes.Scene(513, "x").image(99)
    shown = cv2.resize(image, (1280, 720), interpolation=cv2.INTER_LINEAR)
    assert pattern.read(shown, 360) == pattern.read(image) == (513, 99)
    assert pattern.read(np.zeros((360, 640), np.uint8)) is None
    assert pattern.read(np.full((360, 640), 255, np.uint8)) is None
    image[336:344, 100:108] = 255 - image[336:344, 100:108]
    assert pattern.read(image) is None


def opened(url: str, wanted: int) -> list[tuple[int, int] | None]:
    """Read frames by OpenCV's own RTSP client, which is FFmpeg's; what it showed until it ended."""
    reader = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    marks = []
    while len(marks) < wanted:
        came, frame = reader.read()
        if not came:
            break
        marks.append(pattern.read(frame))
    reader.release()
    return marks


def fast(times: float) -> Callable[[], float]:
    """A clock that runs faster, so that groups pass quickly."""
    begun = clock.now() / 1e6
    return lambda: begun + (clock.now() / 1e6 - begun) * times


async def test_another_client_plays_it_with_basic_and_digest_and_ends_when_it_is_dropped() -> None:
    scene = scenes.Scene(21, "河滨", size=scenes.SUB)
    cameras = {
        "open": Camera(scene, "河滨"),
        "basic/1": Camera(scene, authentication="basic", username="u", password="p"),
        "digest/sub": Camera(scene, authentication="digest", username="u", password="a b", fault=Fault("drop", 8)),
        "wrong": Camera(scene, authentication="digest", username="u", password="p", fault=Fault("refuse")),
    }
    async with RtspServer(cameras, speed=8, now=fast(8)) as server:
        host = f"{server.host}:{server.port}"
        plain, basic, dropped, refused = await asyncio.gather(
            asyncio.to_thread(opened, server.url("open"), 12),
            asyncio.to_thread(opened, f"rtsp://u:p@{host}/basic/1", 5),
            asyncio.to_thread(opened, f"rtsp://u:a%20b@{host}/digest/sub", 200),
            asyncio.to_thread(opened, f"rtsp://u:p@{host}/wrong", 1),
        )
        assert cameras["open"].views == 1
    numbers = [mark[1] for mark in plain if mark]
    assert len(numbers) == 12
    assert all(mark and mark[0] == 21 for mark in plain)
    assert numbers == sorted(set(numbers))
    assert len(basic) == 5
    assert 1 <= len(dropped) <= 9
    assert refused == []


async def test_a_camera_goes_on_at_its_rate_after_the_clock_was_set_back() -> None:
    scene, told = scenes.Scene(22, "河滨", size=scenes.SUB), fast(8)
    back = 0.0
    async with RtspServer({"1": Camera(scene)}, speed=8, now=lambda: told() - back) as server:
        await asyncio.to_thread(opened, server.url("1"), 5)
        back, at = 3_600.0, clock.monotonic()
        shown = await asyncio.to_thread(opened, server.url("1"), 120)
    assert len(shown) == 120
    assert clock.monotonic() - at < 10, "120 pictures last 10 s at the usual rate, 1 s at this one"
