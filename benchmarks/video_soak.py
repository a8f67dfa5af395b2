"""Live pictures for minutes or hours: whether the relay grows. Memory, open files and tasks, while people come and go.

Half of the cameras are watched all the time, the others by people who stay for two seconds; two seconds later those
are pulled no more, and soon anew. What is fitted is what lies after the first third: caches are full by then.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from benchmarks import video
from config import clock

CAMERAS = 8
STAYS = 2.0
EVERY = 2.0
HOUR = 3_600.0


def run(minutes: float) -> list[dict[str, Any]]:
    """Return the figures of so many minutes."""
    with tempfile.TemporaryDirectory() as folder, video.child("cameras") as cameras:
        port = int(video.line(cameras))
        path = Path(folder) / "relay.sock"
        with video.child("relay", str(path), str(port), str(STAYS)) as relay:
            video.line(relay)
            samples, looks = asyncio.run(_soaked(relay.pid, path, minutes * 60))
    way = f"{minutes:g} minutes, {CAMERAS} cameras of 4 Mb/s, {looks} looks begun and ended; after the first third"
    settled = samples[len(samples) // 3 :]
    first, last = settled[0], settled[-1]
    return [
        video.figure("resident memory at the end, MB", last[1] / 1e6, way, ""),
        video.figure("growth of memory, MB an hour", slope([(at, one / 1e6) for at, one, *_ in settled]), way, "≤ 5"),
        video.figure("open files, from and to", f"{first[2]} → {last[2]}", way, "the same"),
        video.figure("tasks, from and to", f"{first[3]} → {last[3]}", way, "the same"),
        video.figure("core", statistics.mean(one[4] for one in settled), way, ""),
    ]


def slope(points: list[tuple[float, float]]) -> float:
    """Return how much a value grows in an hour, fitted through all points; `at` in seconds."""
    middle = statistics.mean(at for at, _ in points)
    mean = statistics.mean(value for _, value in points)
    spread = sum((at - middle) ** 2 for at, _ in points)
    return HOUR * sum((at - middle) * (value - mean) for at, value in points) / spread if spread else 0.0


async def _soaked(pid: int, path: Path, seconds: float) -> tuple[list[tuple[float, int, int, int, float]], int]:
    """Return (when, memory, files, tasks, cores) each two seconds, and how many looks there were."""
    from streams.video.port import RelayPort

    port = RelayPort(path)
    lasting = [asyncio.create_task(_watch(port, f"c{n}", f"l{n}")) for n in range(CAMERAS // 2)]
    samples: list[tuple[float, int, int, int, float]] = []
    began, used, looks = clock.monotonic(), video.used(pid), len(lasting)
    while (at := clock.monotonic() - began) < seconds:
        visitor = asyncio.create_task(_watch(port, f"c{CAMERAS // 2 + looks % (CAMERAS // 2)}", f"v{looks}"))
        await asyncio.sleep(EVERY)
        visitor.cancel()
        await asyncio.gather(visitor, return_exceptions=True)
        before, used, looks = used, video.used(pid), looks + 1
        took = clock.monotonic() - began - at
        files = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 only their number
        samples.append((at, video.memory(pid), files, await _tasks(path), (used - before) / took))
    for task in lasting:
        task.cancel()
    await asyncio.gather(*lasting, return_exceptions=True)
    return samples, looks


async def _watch(port: Any, camera: str, look: str) -> None:
    watching = await port.watch(camera, "main", look)
    try:
        async for _message in watching.messages():
            pass
    finally:
        watching.close()


async def _tasks(path: Path) -> int:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET /state HTTP/1.1\r\n\r\n")
    told = await reader.read()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return int(orjson.loads(told.partition(b"\r\n\r\n")[2])["tasks"])
