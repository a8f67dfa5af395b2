"""Screens at protocol level: they follow the live channel, acknowledge every frame and come back when cut off.

Some of them (the probes) read each frame and note when a marker was first seen, or every time a keyed row came; all
keep the latest `n`, so that a screen which was away resumes as a browser does. Prints one JSON document when told to
stop by SIGTERM or time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import resource
import signal
import sys
from dataclasses import dataclass, field
from typing import Any

import orjson
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from config import clock

LONGEST_PAUSE = 5.0
LARGEST = 256 * 1024 * 1024
FRAME = re.compile(rb'\{"n":(\d+),"as_of":\d+,"snapshot":(?:true|false),"missed":(-?\d+),')
"""How the text of a frame begins; a screen that is no probe reads no further, as its machine would not be ours."""


@dataclass(slots=True)
class Screen:
    """One screen: what it holds and what happened to it."""

    url: str
    cookie: str
    probe: bool
    key: str = "markers"
    n: int = -1
    epoch: str = ""
    frames: int = 0
    connects: int = 0
    missed: int = 0
    markers: dict[str, dict[str, object]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    came: dict[str, list[int]] = field(default_factory=dict)

    def take(self, raw: bytes) -> bytes | None:
        """Applies one message; returns the acknowledgement to send, or None for a heartbeat."""
        begun = FRAME.match(raw)
        if begun is None:
            self.greet(orjson.loads(raw))
            return None
        self.n = int(begun[1])
        self.frames += 1
        self.missed += int(begun[2])
        if self.probe:
            self.note(orjson.loads(raw))
        return b'{"painted":%d,"at":%d}' % (self.n, clock.now() // 1000)

    def greet(self, message: dict[str, Any]) -> None:
        """Takes a greeting; in another epoch the numbers begin anew."""
        if "hello" not in message:
            return
        epoch = str(message["hello"].get("epoch", ""))
        if epoch != self.epoch:
            self.epoch, self.n = epoch, -1

    def note(self, message: dict[str, object]) -> None:
        """Keeps the markers of a frame and the moment each was first seen."""
        keyed = message.get("keyed")
        markers = keyed.get(self.key) if isinstance(keyed, dict) else None
        if message.get("snapshot"):
            self.markers.clear()
        if not isinstance(markers, dict):
            return
        moment = clock.now()
        for key, value in (markers.get("set") or {}).items():
            self.markers[key] = value
            self.seen.setdefault(key, moment)
            if self.key != "markers":
                self.came.setdefault(key, []).append(moment)
        for key in markers.get("del") or ():
            self.markers.pop(key, None)


class Line(WSListener):
    """The connection of one screen."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one message and acknowledge it."""
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT and (answer := self._screen.take(frame.get_payload_as_bytes())):
            transport.send(WSMsgType.TEXT, answer)


async def live(screen: Screen) -> None:
    """Follows the channel for ever, coming back with jitter after every loss."""
    draw = random.Random(id(screen))
    origin = screen.url.replace("ws://", "http://").split("/live")[0]
    headers = {"Cookie": screen.cookie, "Origin": origin}
    while True:
        since = f"&n={screen.n}&epoch={screen.epoch}" if screen.n >= 0 else ""
        with contextlib.suppress(OSError, WSError, TimeoutError):
            transport, _ = await ws_connect(
                lambda: Line(screen), screen.url + since, extra_headers=headers, max_frame_size=LARGEST
            )
            screen.connects += 1
            try:
                await transport.wait_disconnected()
            finally:
                transport.disconnect()
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
    parser.add_argument("--key", default="markers", help="keyed rows that the probes note")
    parser.add_argument("--seconds", type=float, required=True)
    told = parser.parse_args(argv)
    screens = [
        Screen(f"{told.url}&screen=stand-in-{index}", told.cookie, probe=index < told.probes, key=told.key)
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
        "came": [s.came for s in screens if s.probe],
        "markers": [s.markers for s in screens if s.probe],
    }
    sys.stdout.buffer.write(orjson.dumps(result) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
