"""Screens at protocol level: they follow the live channel, acknowledge every frame and come back when cut off.

Some of them (the probes) read each frame and note when a marker was first seen; all keep the latest `n`, so that a
screen which was away resumes as a browser does. Prints one JSON document when told to stop by SIGTERM or time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import resource
import signal
import sys
from dataclasses import dataclass, field

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

from config import clock

LONGEST_PAUSE = 5.0


@dataclass(slots=True)
class Screen:
    """One screen: what it holds and what happened to it."""

    url: str
    cookie: str
    probe: bool
    n: int = -1
    epoch: str = ""
    frames: int = 0
    connects: int = 0
    missed: int = 0
    markers: dict[str, dict[str, object]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def take(self, raw: bytes | str) -> bytes | None:
        """Applies one message; returns the acknowledgement to send, or None for a heartbeat."""
        message = orjson.loads(raw)
        if "hello" in message:
            epoch = str(message["hello"].get("epoch", ""))
            if epoch != self.epoch:
                self.epoch, self.n = epoch, -1
            return None
        if "n" not in message:
            return None
        self.n = message["n"]
        self.frames += 1
        self.missed += int(message.get("missed") or 0)
        if self.probe:
            self.note(message)
        return orjson.dumps({"painted": self.n, "at": clock.now() // 1000})

    def note(self, message: dict[str, object]) -> None:
        """Keeps the markers of a frame and the moment each was first seen."""
        keyed = message.get("keyed")
        markers = keyed.get("markers") if isinstance(keyed, dict) else None
        if message.get("snapshot"):
            self.markers.clear()
        if not isinstance(markers, dict):
            return
        moment = clock.now()
        for key, value in (markers.get("set") or {}).items():
            self.markers[key] = value
            self.seen.setdefault(key, moment)
        for key in markers.get("del") or ():
            self.markers.pop(key, None)


async def live(screen: Screen) -> None:
    """Follows the channel for ever, coming back with jitter after every loss."""
    draw = random.Random(id(screen))
    while True:
        try:
            since = f"&n={screen.n}&epoch={screen.epoch}" if screen.n >= 0 else ""
            headers = {"Cookie": screen.cookie}
            origin = Origin(screen.url.replace("ws://", "http://").split("/live")[0])
            async with connect(
                screen.url + since, additional_headers=headers, compression=None, max_size=None, origin=origin
            ) as socket:
                screen.connects += 1
                async for raw in socket:
                    if (answer := screen.take(raw)) is not None:
                        await socket.send(answer.decode())
        except (OSError, WebSocketException, TimeoutError):
            pass
        await asyncio.sleep(draw.uniform(0.2, LONGEST_PAUSE))


async def watch(screens: list[Screen], seconds: float) -> None:
    """Runs all screens until the time is over or SIGTERM comes."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tasks = []
    for screen in screens:
        tasks.append(asyncio.create_task(live(screen)))
        await asyncio.sleep(0.005)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main(argv: list[str]) -> int:
    """Runs the screens and prints what they saw."""
    parser = argparse.ArgumentParser(prog="benchmarks.screens")
    parser.add_argument("--url", required=True)
    parser.add_argument("--cookie", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--probes", type=int, default=4)
    parser.add_argument("--seconds", type=float, required=True)
    told = parser.parse_args(argv)
    screens = [
        Screen(f"{told.url}&screen=stand-in-{index}", told.cookie, probe=index < told.probes)
        for index in range(told.count)
    ]
    asyncio.run(watch(screens, told.seconds))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    result = {
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "frames": [s.frames for s in screens],
        "connects": [s.connects for s in screens],
        "last_n": [s.n for s in screens],
        "missed": [s.missed for s in screens],
        "seen": [s.seen for s in screens if s.probe],
        "markers": [s.markers for s in screens if s.probe],
    }
    sys.stdout.buffer.write(orjson.dumps(result) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
