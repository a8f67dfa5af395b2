"""Live pictures: what the relay costs, beside `ffmpeg -c copy` and the OpenCV-JPEG way, in the same run.

Cameras, relay and readers are processes of their own on one machine; processor time is the relay's alone, from /proc.
A frame carries the moment it was sent, by which its way is known. The relay decodes nothing, so made-up slices of the
right size stand for 4 Mb/s cameras; for OpenCV, which decodes, the demonstration's drawn scenes do.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config import clock, parent
from config.settings import ROOT, Settings, child_environment

CAMERAS, VIEWERS, SECONDS = 64, 64, 8
FRAME_BYTES = 4_000_000 // 8 // 12
"""Of a camera of 4 Mb/s at the demonstration's 12 frames a second."""
STAMP_AT = 24 + 112 + 4 + 2
"""Where a frame's moment stands in a message: after its head, the boxes, a length and the slice's header."""
TICKS = os.sysconf("SC_CLK_TCK")
WAIT = 15.0


def run(settings: Settings, minutes: int = 0) -> list[dict[str, Any]]:
    """Return the figures; with `minutes` those of growth alone."""
    if minutes:
        from benchmarks import video_soak

        return video_soak.run(minutes)
    with tempfile.TemporaryDirectory() as folder, child("cameras") as cameras:
        port = int(line(cameras))
        path = Path(folder) / "relay.sock"
        with child("relay", str(path), str(port)) as relay:
            line(relay)
            empty = memory(relay.pid)
            many = asyncio.run(_watched(relay.pid, path, [f"c{n}" for n in range(CAMERAS)]))
            full = memory(relay.pid)
        with child("relay", str(path), str(port)) as relay:
            line(relay)
            one = asyncio.run(_watched(relay.pid, path, ["c0"] * VIEWERS))
        with child("relay", str(path), str(port)) as relay:
            line(relay)
            drawn = asyncio.run(_watched(relay.pid, path, ["drawn"]))
        beside = [_opencv(port), _ffmpeg(port)]
    way = f"{CAMERAS} cameras of 4 Mb/s, one reader each, {SECONDS} s; "
    return [
        figure("core a camera", many["cores"] / CAMERAS, way + "relay's processor time", "≤ 0.007"),
        figure("MB a camera", (full - empty) / CAMERAS / 1e6, way + "growth of its resident memory", "≤ 1.5"),
        figure("transport p50, ms", many["p50"], way + "frame made to frame read", ""),
        figure("transport p99, ms", many["p99"], way + "frame made to frame read", "< 50"),
        figure("frames that came of those due", many["share"], way + "12 a second and camera", ""),
        figure(f"core, {VIEWERS} viewers of one", one["cores"], f"one camera of 4 Mb/s, {SECONDS} s", "< 0.12"),
        figure("hot start, slowest of 10, ms", one["hot"], "another look at a camera that plays", "< 300"),
        figure("core, one drawn camera", drawn["cores"], "640×360, 12 frames a second, one reader", ""),
        *beside,
    ]


def figure(name: str, value: object, method: str, goal: str) -> dict[str, Any]:
    """Return one figure."""
    return {"name": name, "value": value, "unit": "", "method": method, "goal": goal}


async def _watched(pid: int, path: Path, cameras: list[str]) -> dict[str, float]:
    """Look through so many cameras at once, and measure when all play."""
    from streams.video.port import RelayPort

    port = RelayPort(path)
    looks = [await port.watch(camera, "main", f"l{n}") for n, camera in enumerate(cameras)]
    ways: list[int] = []
    playing = [asyncio.Event() for _ in looks]

    async def read(number: int) -> None:
        async for message in looks[number].messages():
            if message[0] in (1, 2):
                playing[number].set()
                ways.append(clock.now() - int.from_bytes(message[STAMP_AT : STAMP_AT + 8], "big"))

    tasks = [asyncio.create_task(read(number)) for number in range(len(looks))]
    async with asyncio.timeout(WAIT):
        await asyncio.gather(*(one.wait() for one in playing))
    await asyncio.sleep(1)
    hot = [await _hot(port, cameras[0]) for _ in range(10)]
    ways.clear()
    before, began = used(pid), clock.monotonic()
    await asyncio.sleep(SECONDS)
    cores, took = used(pid) - before, clock.monotonic() - began
    sorted_ways = sorted(ways)
    for task in tasks:
        task.cancel()
    for look in looks:
        look.close()
    return {
        "cores": cores / took,
        "p50": statistics.median(sorted_ways) / 1_000,
        "p99": sorted_ways[len(sorted_ways) * 99 // 100] / 1_000,
        "share": len(ways) / (12 * took * len(cameras)),
        "hot": max(hot),
    }


async def _hot(port: Any, camera: str) -> float:
    """Return the milliseconds from asking to the first frame of a camera that plays already."""
    began = clock.monotonic()
    look = await port.watch(camera, "main", "hot")
    async for message in look.messages():
        if message[0] in (1, 2):
            break
    look.close()
    return (clock.monotonic() - began) * 1_000


def _opencv(port: int) -> dict[str, Any]:
    """The way of many pages: decode each frame, write it as JPEG."""
    with child("opencv", f"rtsp://127.0.0.1:{port}/drawn") as process:
        return figure("core, OpenCV to JPEG", float(line(process)), "the same drawn camera, one process", "")


def _ffmpeg(port: int) -> dict[str, Any]:
    found = shutil.which("ffmpeg")
    if found is None:
        return figure("core, ffmpeg -c copy", "not measured", "ffmpeg is not on this machine's PATH", "")
    asked = ["-v", "fatal", "-rtsp_transport", "tcp", "-i", f"rtsp://127.0.0.1:{port}/drawn", "-t", str(SECONDS)]
    before, began = os.times(), clock.monotonic()
    subprocess.run([found, *asked, "-c", "copy", "-f", "null", "-"], check=False, timeout=SECONDS + WAIT)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    way = "the same drawn camera, a process a camera"
    return figure("core, ffmpeg -c copy", spent / (clock.monotonic() - began), way, "")


def used(pid: int) -> float:
    """Return the processor seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> int:
    """Return the resident octets of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def child(*asked: str) -> Iterator[subprocess.Popen[str]]:
    """Run one of the parts below in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.video", *asked],
        cwd=ROOT,
        env=child_environment(),
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=parent.die_with_me(),
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def line(process: subprocess.Popen[str]) -> str:
    """Return what a process says next."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


# ---- the children ----


class Made:
    """A film of made-up slices, each with the moment it was made; a key frame each two seconds, six times as large."""

    def __init__(self) -> None:
        from streams.demo import h264

        self.sets = h264.parameter_sets(640, 360, 12)

    def frame(self, index: int) -> Any:
        """Return the frame of this number."""
        from streams.demo.scenes import GROUP, Frame

        key = index % GROUP == 0
        size = FRAME_BYTES * 6 if key else FRAME_BYTES * (GROUP - 6) // (GROUP - 1)
        slice_ = bytes((0x65 if key else 0x41, 0x88)) + clock.now().to_bytes(8, "big") + b"\x55" * (size - 10)
        return Frame((*self.sets, slice_) if key else (slice_,), key, index)


async def _cameras() -> None:
    from streams.demo.rtsp_server import Camera, RtspServer
    from streams.demo.scenes import Scene

    cameras = {f"c{n}": Camera(Made()) for n in range(CAMERAS)} | {"drawn": Camera(Scene(1, "bench"))}
    async with RtspServer(cameras) as server:
        print(server.port, flush=True)
        await asyncio.Event().wait()


async def _relay(path: str, port: str, stays: str = "20") -> None:
    from streams.video.address import StreamSource
    from streams.video.relay import Relay

    relay = Relay(lambda camera: StreamSource(f"rtsp://127.0.0.1:{port}/{camera}"), stays=float(stays))
    await relay.start(Path(path))
    print("ready", flush=True)
    await asyncio.Event().wait()


def _decode(url: str) -> None:
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"
    import cv2

    cv2.setNumThreads(1)
    film = cv2.VideoCapture(url)
    film.read()
    before, began = os.times(), clock.monotonic()
    while clock.monotonic() - began < SECONDS:
        came, frame = film.read()
        if came:
            cv2.imencode(".jpg", frame)
    after = os.times()
    print((after.user + after.system - before.user - before.system) / (clock.monotonic() - began), flush=True)


if __name__ == "__main__":
    import uvloop

    what, *given = sys.argv[1:]
    if what == "opencv":
        _decode(given[0])
    else:
        uvloop.run(_cameras() if what == "cameras" else _relay(*given))
