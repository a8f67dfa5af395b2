"""Clips 片段 for the pages (导出调取): a live picture recorded by the gate's leave, marked, signed, then handed out."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from typing import Any

import orjson
from msgspec import Struct

from config import clock
from config.words import Words
from dashboard.access import Proof
from dashboard.evidencebook import Evidencebook
from dashboard.lookbook import Lookbook
from dashboard.masking import Barred, Masking, viewer
from dashboard.snapshotbook import Taken, named, plain
from dashboard.standing import Standing
from operations import snapshots
from operations.cameras.limits import Limit
from operations.database import AfterCommit, Database
from operations.errors import Refused
from operations.grants.admission import Asking
from operations.looks import Ticket, Whereabouts
from operations.policy import Identity
from operations.snapshots import EXPORT, Snapshot
from streams.video.clip import Asked, Clips
from streams.video.errors import NoPicture, NotGranted, RelayAway
from streams.video.port import RelayPort, Watching
from streams.video.still import NotDrawn
from streams.video.wire import BEGINNING, HEAD, KEY_PICTURE, PICTURE, WORD

STREAM = "main"
LENGTHS = (10, 20, 30)
"""Seconds a clip may last."""
AT_ONCE = 2
"""Clips in the making: each holds its film in memory."""
PATIENCE = 15.0
"""Seconds more that a camera has to give them."""
OCTETS_MOST = 96 * 1024 * 1024
SECOND = 1_000_000


class Film(Struct):
    """What was recorded; `first`, `last`: when its frames came (UTC microseconds)."""

    octets: bytearray
    frames: int = 0
    first: int = 0
    last: int = 0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.last - self.first) / SECOND


class Clipbook:
    """One per web process."""

    def __init__(
        self,
        database: Database,
        relay: RelayPort,
        masking: Masking,
        lookbook: Lookbook,
        standing: Standing,
        evidencebook: Evidencebook,
        zone: tzinfo,
        ring: AfterCommit,
    ) -> None:
        self._database, self._relay, self._looks, self._zone, self._ring = database, relay, lookbook, zone, ring
        self._evidence, self._masking, self._clips, self._standing = evidencebook, masking, Clips(), standing
        self._going = 0

    async def take(self, identity: Identity, asking: Asking, seconds: int, words: Words, proof: Proof) -> Taken:
        """Record a camera from now on and return the clip as a signed package. Raises Forbidden, NotFound, Refused."""
        snapshots.may(identity)
        if seconds not in LENGTHS:
            raise Refused("clips.length", lengths=" / ".join(map(str, LENGTHS)))
        if self._going >= AT_ONCE:
            raise Refused("clips.many", most=AT_ONCE)
        self._going += 1
        try:
            limit = await self._limit(asking.camera)
            given = await self._looks.ticket(identity, asking.camera, asking.why, asking.incident, proof.secret, EXPORT)
            held = self._looks.opened(identity, asking.camera, given, proof.secret)
            film = await self._recorded(identity, held, seconds, proof)
            return await self._made(identity, asking, held, film, limit, words)
        finally:
            self._going -= 1

    async def _limit(self, camera: str) -> Limit | None:
        try:
            return await self._masking.limit(camera)
        except Barred:
            raise Refused("snapshots.barred") from None

    async def _recorded(self, identity: Identity, held: Ticket, seconds: int, proof: Proof) -> Film:
        """Record what the relay gives for so long; it is a look of its own. Raises NotFound, Refused."""
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def end(_code: int, why: str = "rights") -> None:
            if not ended.done():
                ended.set_result(why)

        try:
            watching = await self._relay.watch(held.camera, STREAM, held.look, held.grant)
        except (RelayAway, NoPicture):
            raise Refused("clips.none") from None
        except NotGranted:
            raise Refused("grants.none") from None
        try:
            await self._looks.begin(identity, held, STREAM, end, mode=EXPORT)
            film = Film(bytearray())
            recording = asyncio.create_task(_record(watching, film, seconds))
            waited: set[asyncio.Future[Any]] = {recording, ended}
            with self._standing.hold(proof, identity, end):
                await asyncio.wait(waited, timeout=seconds + PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            recording.cancel()
            with suppress(asyncio.CancelledError):
                await recording
        finally:
            watching.close()
            await self._looks.end(held.look, "left")
        if ended.done():
            raise Refused("clips.ended")
        if film.frames < 2 or not film.seconds:
            raise Refused("clips.none")
        return film

    async def _made(
        self, identity: Identity, asking: Asking, held: Ticket, film: Film, limit: Limit | None, words: Words
    ) -> Taken:
        code, name = await asyncio.to_thread(named, self._database, asking.camera)
        at = datetime.fromtimestamp(film.first / SECOND, self._zone)
        who = " ".join(part for part in (viewer(identity, words), held.number) if part)
        moments = [f"{at + timedelta(seconds=n):%Y-%m-%d %H:%M:%S} UTC{at:%z}" for n in range(int(film.seconds) + 1)]
        asked = Asked(
            bytes(film.octets), film.frames, film.seconds, [f"{name} {code}".strip(), who], moments,
            f"{who} {at:%Y-%m-%d %H:%M}", limit.masks if limit is not None else (),
        )  # fmt: skip
        try:
            clip = await self._clips.drawn(asked)
        except NotDrawn:
            raise Refused("clips.not_drawn") from None
        if await self._limit(asking.camera) != limit:
            raise Refused("clips.limited")
        sha256 = hashlib.sha256(clip).hexdigest()
        taken = Snapshot(
            asking.camera, asking.why, asking.incident, film.first, sha256, held.grant, EXPORT, round(film.seconds, 1)
        )
        await asyncio.to_thread(self._note, identity, taken, asking)
        facts = {
            "camera": asking.camera, "grant": held.number, "why": asking.why, "incident": asking.incident,
            "from": f"{at:%Y-%m-%dT%H:%M:%S.%f%z}", "seconds": str(taken.seconds), "frames": str(film.frames),
            "viewer": identity.actor, "unit": identity.scope.department,
        }  # fmt: skip
        stem = f"{plain(code)}_{at:%Y%m%dT%H%M%S}"
        data = await asyncio.to_thread(
            self._evidence.packed, EXPORT, {f"{stem}.mp4": clip}, facts, identity, clock.now()
        )
        return Taken(data, f"{stem}.zip", sha256, held.number, film.first)

    def _note(self, identity: Identity, taken: Snapshot, asking: Asking) -> None:
        place: Whereabouts | None = self._looks.place(asking.camera)
        snapshots.note(
            self._database, identity, taken, place, now=clock.now(), after_commit=self._ring,
            admit=self._looks.lets(taken.grant, asking),
        )  # fmt: skip


async def _record(watching: Watching, film: Film, seconds: int) -> None:
    """Keep pictures from the next key frame on, for so long; a stream that begins anew ends it. Raises Refused."""
    since, beginning = clock.now(), b""
    async for message in _pictures(watching):
        kind, _, _, wall = HEAD.unpack_from(message)
        if kind == BEGINNING:
            if film.frames:
                return
            beginning = bytes(message[HEAD.size :])
            continue
        if not film.frames and (kind != KEY_PICTURE or wall < since or not beginning):
            continue
        if len(film.octets) + len(message) > OCTETS_MOST or (film.frames and wall - film.first > seconds * SECOND):
            return
        if not film.frames:
            film.octets += beginning
            film.first = wall
        film.octets += message[HEAD.size :]
        film.frames, film.last = film.frames + 1, wall


async def _pictures(watching: Watching) -> AsyncIterator[memoryview]:
    async for message in watching.messages():
        if message[0] in (BEGINNING, PICTURE, KEY_PICTURE):
            yield message
        elif message[0] == WORD and orjson.loads(message[1:]).get("state") == "ended":
            raise Refused("clips.ended")
