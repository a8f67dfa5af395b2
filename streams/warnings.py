"""What a source sends of warnings 预警: read, placed, recorded; and the answer of `POST /api/v1/warnings`.

A warning is decided in the database before it is answered: there are few, and 202 then says that walls show it.

    POST   202  {"id", "outcome", "ended"}; outcome: in_force, expired, older, cancelled, replaced, recorded, duplicate
           413  over 1 MiB      415  no XML, or compressed      422  cannot be read; its bytes are in quarantine
           429  too many of this source are in force            503  the database is away, or too many wait; again later
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec

from operations import warnings
from operations.database import AfterCommit, Database
from operations.errors import DatabaseTrouble, Refused
from operations.sources import Source
from operations.warning import Said, WarningState
from operations.warnings import Message, Taken
from streams import door
from streams.cap import SEVERITIES, Alert, Info, alert
from streams.door import Answer, refused
from streams.errors import EngineMisconfigured, IntakeRefused, Unreadable
from streams.ground import Ground
from streams.intake import Intake
from streams.markup import LARGEST, parse
from streams.warning_area import Placed, placed
from streams.warning_level import gravest

MEDIA = ("application/cap+xml", "application/xml", "text/xml")
LIFE = 24 * 3_600 * 1_000_000
"""How long a warning that names no end is taken to hold, in microseconds."""
MOST_WAITING = 32
LONGEST = {"event": 60, "headline": 200, "issuer": 60, "area": 200}
SCREEN_LANGUAGES = ("zh", "en")


class Warnings:
    """The door of warnings; one per process. `ring` is called with the journal's seq after each change."""

    def __init__(self, database: Database, intake: Intake, now: Callable[[], int], ring: AfterCommit | None) -> None:
        self._database, self._intake, self._now, self._ring = database, intake, now, ring
        self._ground = Ground(database)
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def post(self, source: Source, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return the answer to a POST. Never raises for what a client sends."""
        given = headers.get("content-type", "").partition(";")[0].strip().lower()
        if given not in MEDIA:
            return refused(door.UNSUPPORTED, "not_xml_type", given=given[:80])
        if headers.get("content-encoding", "identity").lower() != "identity":
            return refused(door.UNSUPPORTED, "compressed")
        if len(body) > LARGEST:
            return refused(door.TOO_LARGE, "report_too_large", most=LARGEST)
        if self._waiting >= MOST_WAITING:
            return refused(door.NOT_NOW, "queue_full", retry_after=2)
        return await self._answer(source, body)

    async def _answer(self, source: Source, body: bytes) -> Answer:
        self._waiting += 1
        try:
            taken = await self.take(source, body)
            with suppress(IntakeRefused, EngineMisconfigured):  # recorded it is; that it was heard can wait
                await self._intake.hear(source)
        except Unreadable as error:
            return await door.set_aside(self._intake, source, body, error)
        except Refused as error:
            return refused(door.TOO_FAST, "warnings_too_many", retry_after=60, **error.params)
        except DatabaseTrouble:
            return refused(door.NOT_NOW, "database_away", retry_after=5)
        finally:
            self._waiting -= 1
        return door.ACCEPTED, door.JSON, msgspec.json.encode(taken)

    async def take(self, source: Source, body: bytes) -> Taken:
        """Record one document. Raises Unreadable, Refused (too many in force) or DatabaseTrouble: nothing changed."""
        async with self._turn:
            return await asyncio.to_thread(self.record, source, body)

    async def keep_unread(self, source: Source, body: bytes, error: Unreadable) -> None:
        """Keep what could not be read, sealed in quarantine. Raises IntakeRefused, EngineMisconfigured."""
        await self._intake.quarantine(source, body, error)

    def record(self, source: Source, body: bytes) -> Taken:
        """The same in a thread of the caller's, one at a time."""
        read = alert(parse(body), source.zone)
        now = self._now()
        coverage = self._ground.coverage(now)
        place = placed(read, coverage)
        told = message(read, place, source.id, now, raw_sha256=hashlib.sha256(body).hexdigest())
        told = msgspec.structs.replace(told, grids=coverage.version if coverage else 0)
        try:
            return warnings.record(self._database, told, now=now, after_commit=self._ring)
        except Refused as error:
            if error.code == "operations.warning_conflict":
                raise Unreadable("warning_conflict", "sent") from error
            raise


def message(read: Alert, place: Placed, source: str, now: int, *, raw_sha256: str = "") -> Message:
    """Return an alert as it is recorded."""
    speaks = bool(read.infos) and read.kind in ("Alert", "Update")
    return Message(
        source=source,
        sender=read.sender,
        identifier=read.identifier,
        status=read.status,
        kind=read.kind,
        sent=read.sent,
        names=tuple((one.sender, one.identifier) for one in read.references),
        content_sha256=hashlib.sha256(msgspec.json.encode(read)).hexdigest(),
        raw_sha256=raw_sha256,
        warning=state(read, place, source, now) if speaks else None,
        told=msgspec.json.encode([told(info) for info in read.infos]),
        shape=place.wkb,
    )


def state(read: Alert, place: Placed, source: str, now: int) -> WarningState:
    """Return the warning that an alert is; of several languages and areas the gravest, the earliest and the last."""
    grave = min(read.infos, key=lambda info: SEVERITIES.index(info.severity))
    starts = min(info.effective or read.sent for info in read.infos)
    onsets = [info.onset for info in read.infos if info.onset is not None]
    ends = [info.expires for info in read.infos if info.expires is not None]
    return WarningState(
        id=warnings.id_of(source, read.sender, read.identifier, read.status),
        source=source,
        sender=read.sender,
        identifier=read.identifier,
        sent=read.sent,
        effective=starts,
        expires=max(ends) if ends else max([read.sent, starts, *onsets]) + LIFE,
        assumed_end=not ends,
        onset=min(onsets, default=None),
        received_at=now,
        said=said(read),
        status=read.status,
        audience=read.scope,
        level=gravest(read.infos),
        severity=grave.severity,
        urgency=grave.urgency,
        certainty=grave.certainty,
        where=place.where,
        codes=place.covered.codes,
        above=place.covered.above,
        geometry_sha256=place.sha256,
    )


def said(read: Alert) -> tuple[Said, ...]:
    """Return the words for each language of our screens that it has, else its first ones under their own."""
    found = []
    for lang in SCREEN_LANGUAGES:
        infos = [info for info in read.infos if info.language.lower().startswith(lang)]
        if infos:
            found.append(_said(lang, infos, read))
    return tuple(found) or (_said(read.infos[0].language, read.infos[:1], read),)


def _said(lang: str, infos: Sequence[Info], read: Alert) -> Said:
    first = infos[0]
    areas = dict.fromkeys(area.description for info in infos for area in info.areas if area.description)
    words = {
        "event": first.event,
        "headline": first.headline,
        "issuer": first.issuer or read.sender,
        "area": "、".join(areas) if lang == "zh" else "; ".join(areas),
    }
    return Said(lang, **{name: cut(text, LONGEST[name]) for name, text in words.items()})


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters; a cut one says so."""
    return text if len(text) <= most else text[: most - 1] + "…"


def told(info: Info) -> dict[str, object]:
    """Return all that is said in one language, but for shapes."""
    areas = [{"description": area.description, "codes": area.codes} for area in info.areas]
    kept = {name: getattr(info, name) for name in Info.__struct_fields__ if name != "areas"}
    return {name: value for name, value in kept.items() if value} | {"areas": areas}
