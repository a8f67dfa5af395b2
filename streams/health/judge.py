"""Looks at each camera's key frame once a round and says whose verdict changed. Bounded in cameras, time and cost."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import NamedTuple

import cv2

from config import clock
from config.pictures import Judging
from streams.health.keyframe import KeyFrame, NotShown, RelayAway, decoded
from streams.health.measure import Finding, Image, faults, look
from streams.health.rounds import Verdict, after

SECOND = 1_000_000
FRESH = 15 * SECOND
"""A key frame older than this is none: nothing has come since."""
CAMERAS_MOST = 50_000
LOST = Finding("lost", 0.0, 0.0)

Ask = Callable[[str], Awaitable[KeyFrame | None]]
"""`keyframe.asked` for one relay; raises RelayAway, NotShown."""


class Change(NamedTuple):
    """A camera's verdict before and after a round; only changes of the word are told."""

    camera: str
    before: Verdict
    now: Verdict


class Judge:
    """What is known of each camera's picture. Thumbs of 64 × 36 grey are all that is kept of pictures."""

    def __init__(self, judging: Judging, ask: Ask, verdicts: dict[str, Verdict] | None = None) -> None:
        cv2.setNumThreads(1)
        self._judging, self._ask = judging, ask
        self.verdicts = dict(verdicts or {})
        self._thumbs: dict[str, Image] = {}
        self._seen: dict[str, int] = {}

    async def round(self, cameras: Collection[str], now: Callable[[], int] = clock.now) -> list[Change]:
        """Look at these cameras once and forget all others. Raises RelayAway: then no verdict moves."""
        wanted = sorted(cameras)[:CAMERAS_MOST]
        self._forget(frozenset(wanted))
        before = dict(self.verdicts)
        waiting = iter(wanted)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._judging.at_once, len(wanted))):
                    group.create_task(self._work(waiting, now))
        except* RelayAway as away:
            self.verdicts = before
            raise RelayAway(*away.exceptions[0].args) from None
        return [
            Change(camera, before.get(camera, Verdict()), verdict)
            for camera, verdict in self.verdicts.items()
            if verdict.word != before.get(camera, Verdict()).word
        ]

    async def _work(self, waiting: Iterator[str], now: Callable[[], int]) -> None:
        for camera in waiting:
            await self._one(camera, now)

    async def _one(self, camera: str, now: Callable[[], int]) -> None:
        try:
            frame = await self._ask(camera)
        except NotShown:
            return
        begun = clock.monotonic()
        findings: tuple[Finding, ...] = (LOST,)
        if frame is not None and now() - frame.at <= FRESH:
            if self._seen.get(camera) == frame.at:
                return  # the picture of the round before: it says nothing new, least of all that it stands
            self._seen[camera] = frame.at
            findings = await asyncio.to_thread(self._judged, camera, frame)
        self.verdicts[camera] = after(self.verdicts.get(camera, Verdict()), findings, self._judging, now())
        spent = clock.monotonic() - begun
        await asyncio.sleep(min(5.0, spent * (100 / self._judging.percent_of_core - 1)))

    def _judged(self, camera: str, frame: KeyFrame) -> tuple[Finding, ...]:
        image = decoded(frame.film)
        if image is None:
            return (LOST,)
        seen = look(image, self._judging, self._thumbs.get(camera))
        self._thumbs[camera] = seen.thumb
        return faults(seen.measures, self._judging)

    def _forget(self, wanted: frozenset[str]) -> None:
        self.verdicts = {camera: verdict for camera, verdict in self.verdicts.items() if camera in wanted}
        self._seen = {camera: at for camera, at in self._seen.items() if camera in wanted}
        self._thumbs = {camera: thumb for camera, thumb in self._thumbs.items() if camera in wanted}
