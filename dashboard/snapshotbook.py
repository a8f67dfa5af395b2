"""Snapshots 截图 for the pages: the relay's last key frame, marked with who takes it, journaled, then handed out."""

import asyncio
import hashlib
from datetime import datetime, tzinfo

import msgspec
from msgspec import Struct

from config import clock
from config.words import Words
from dashboard.evidencebook import Evidencebook
from dashboard.lookbook import Lookbook
from dashboard.masking import Barred, Masking, viewer
from operations import snapshots
from operations.cameras import reading
from operations.database import AfterCommit, Database
from operations.errors import Refused
from operations.grants.admission import Asking
from operations.looks import Whereabouts
from operations.policy import Identity
from operations.scope import WHOLE
from operations.snapshots import Snapshot
from streams.video.errors import NoPicture, RelayAway
from streams.video.port import RelayPort
from streams.video.still import NotDrawn, Stills

STREAM = "main"


class Taken(Struct, frozen=True):
    """A JPEG (or its package), what a browser calls the file, the picture's SHA-256 (hex), and the grant's number."""

    jpeg: bytes
    name: str
    sha256: str
    grant: str = ""
    frame_at: int = 0


class Snapshotbook:
    """One per web process."""

    def __init__(
        self,
        database: Database,
        relay: RelayPort,
        masking: Masking,
        lookbook: Lookbook,
        evidencebook: Evidencebook,
        zone: tzinfo,
        ring: AfterCommit,
    ) -> None:
        self._database, self._relay, self._looks, self._zone, self._ring = database, relay, lookbook, zone, ring
        self._evidence = evidencebook
        self._masking, self._stills = masking, Stills()

    async def take(self, identity: Identity, camera: str, why: str, incident: str, words: Words) -> Taken:
        """Return a snapshot of a camera's newest key frame. Raises Forbidden, NotFound, Refused."""
        snapshots.may(identity)
        asking = Asking(camera, why, incident, "snapshot")
        leave, place = await asyncio.to_thread(self._looks.admit, identity, asking)
        try:
            limit = await self._masking.limit(camera)
            film, frame_at = await self._relay.key_picture(camera, STREAM)
        except Barred:
            raise Refused("snapshots.barred") from None
        except (RelayAway, NoPicture):
            raise Refused("snapshots.none") from None
        snapshots.fresh(frame_at, clock.now())
        code, name = await asyncio.to_thread(named, self._database, camera)
        at = datetime.fromtimestamp(frame_at / 1e6, self._zone)
        who = " ".join(part for part in (viewer(identity, words), leave.number) if part)
        lines = [f"{name} {code}".strip(), f"{at:%Y-%m-%d %H:%M:%S} UTC{at:%z}", who]
        try:
            masks = limit.masks if limit is not None else ()
            jpeg = await self._stills.drawn(film, lines, f"{who} {at:%Y-%m-%d %H:%M}", masks)
        except NotDrawn:
            raise Refused("snapshots.not_drawn") from None
        taken = Snapshot(camera, why, incident, frame_at, hashlib.sha256(jpeg).hexdigest(), leave.grant)
        await asyncio.to_thread(self._note, identity, taken, place)
        return Taken(jpeg, f"{plain(code)}_{at:%Y%m%dT%H%M%S}.jpg", taken.sha256, leave.number, frame_at)

    def signed(self, identity: Identity, asked: Asking, taken: Taken) -> Taken:
        """Return a snapshot as an evidence package: the picture, what is known of it, and a signature over both."""
        facts = {
            "camera": asked.camera, "grant": taken.grant, "why": asked.why, "incident": asked.incident,
            "frame_at": f"{datetime.fromtimestamp(taken.frame_at / 1e6, self._zone):%Y-%m-%dT%H:%M:%S.%f%z}",
            "viewer": identity.actor, "unit": identity.scope.department,
        }  # fmt: skip
        data = self._evidence.packed("snapshot", {taken.name: taken.jpeg}, facts, identity, clock.now())
        return msgspec.structs.replace(taken, jpeg=data, name=taken.name.removesuffix(".jpg") + ".zip")

    def _note(self, identity: Identity, taken: Snapshot, place: Whereabouts | None) -> None:
        asking = Asking(taken.camera, taken.why, taken.incident, "snapshot")
        snapshots.note(
            self._database, identity, taken, place, now=clock.now(), after_commit=self._ring,
            admit=self._looks.lets(taken.grant, asking),
        )  # fmt: skip


def named(database: Database, camera: str) -> tuple[str, str]:
    """Return code and name of a camera; one that is listed by hand has its id alone."""
    with database.read() as connection:
        found = reading.get(connection, WHOLE, camera)
    return (camera, "") if found is None else (found.item.code, found.item.name)


def plain(code: str) -> str:
    """Return a code as it can stand in a file's name."""
    return "".join(one for one in code if one.isascii() and one.isalnum()) or "camera"
