"""Sources that put files into a folder of ours: taken when they are whole, moved when everything in them is durable.

A crash in between leaves the file where it was; it is then taken again, and its rows meet their own keys.
"""

import asyncio
import logging
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from config import clock
from config.words import LANGUAGES, Words
from operations import files
from operations.policy import SYSTEM
from operations.sources import Source
from streams.errors import EngineMisconfigured, IntakeRefused, MappingError, SourceAway, Unreadable
from streams.inbox import DONE, FAILED, Inbox, Look
from streams.item import KEPT_OF_TOO_LARGE
from streams.pull_settings import FolderWatch
from streams.pulling import MISCONFIGURED_SECONDS, Pulling
from streams.sending import DONE as SENT
from streams.sending import Progress, send
from streams.tables import child
from streams.tables.finding import NO_ROOM, TableUnreadable
from streams.tables.reading import Summary

if TYPE_CHECKING:
    from streams.fetching import Reach

KIND = "folder"
UNREADABLE = "file_unreadable"

log = logging.getLogger(__name__)


async def watch(reach: "Reach", source: Source) -> None:
    """Watch one folder until cancelled."""
    pulling = Pulling(reach, source)
    settings = await pulling.settings()
    assert isinstance(settings, FolderWatch)
    await pulling.again(Watch(reach, pulling, settings).look)


class Watch:
    """One look after another; what was seen before is remembered."""

    def __init__(self, reach: "Reach", pulling: Pulling, settings: FolderWatch) -> None:
        self._reach = reach
        self._pulling = pulling
        self._settings = settings
        self._source = pulling.source
        self._inbox: Inbox | None = None
        self._denied = 0
        """Files of this look that could not be read or moved."""
        self._aside: tuple[Path, Look | None] | None = None
        """The last file that went to quarantine, which it does once even when it cannot be moved."""
        self._work = reach.settings.data / "inbox-work" / self._source.id

    async def look(self) -> float:
        """Take every file that is whole; returns the seconds until the next look. Raises SourceAway."""
        inbox = await asyncio.to_thread(self._opened)
        self._denied = 0
        try:
            whole = await asyncio.to_thread(inbox.whole)
            for path in whole:
                try:
                    await self._take(inbox, path)
                except OSError as error:
                    self._pass_over(path, error)
            await asyncio.to_thread(inbox.sweep, clock.now(), self._settings.keep_days)
        except OSError as error:
            raise SourceAway("folder_denied", certain=True, detail=error.strerror) from error
        if self._denied:
            raise SourceAway("file_denied", certain=True, count=self._denied)
        await self._pulling.reached(files=len(whole))
        return float(self._settings.period_s)

    def _opened(self) -> Inbox:
        if self._inbox is None:
            root = Path(self._reach.settings.inbox or self._reach.settings.data / "inbox")
            self._inbox = Inbox(root, self._settings.path or self._source.id, self._settings.pattern)
            self._inbox.open()
            shutil.rmtree(self._work, ignore_errors=True)  # what a crash left behind
            self._work.mkdir(mode=0o700, parents=True)
        return self._inbox

    async def _take(self, inbox: Inbox, path: Path) -> None:
        """Take one file, or leave it for the next look: when it is changing after all, or its mapping is wrong."""
        work = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._work))
        try:
            await asyncio.to_thread(_head, path)  # whether we may read it at all is said here, not by the child
            found = await asyncio.to_thread(child.examine, path, work / "read")
            if not await asyncio.to_thread(inbox.unchanged, path):
                return
            await self._send(inbox, path, work / "read", found)
        except TableUnreadable as error:
            if error.code == NO_ROOM:
                raise OSError(error.code) from error
            if await asyncio.to_thread(inbox.unchanged, path):
                await self._set_aside(inbox, path, error)
        except MappingError as error:
            log.error("files of %s wait: %s", self._source.id, error)
            await self._pulling.say("held", "mapping_missing")
            await asyncio.sleep(MISCONFIGURED_SECONDS)
        finally:
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)

    async def _send(self, inbox: Inbox, path: Path, read: Path, found: Summary) -> None:
        progress = Progress(found.rows)
        await send(self._reach.intake, self._source, child.rows(read), progress, self._going)
        if progress.state != SENT:
            return
        counts = {name: getattr(progress, name) for name in ("total", "accepted", "duplicates", "quarantined")}
        if not await asyncio.to_thread(inbox.unchanged, path):  # what stands there now was not what was sent
            return
        digest = await asyncio.to_thread(_digest, path)
        await self._pulling.patiently(
            lambda: files.record(
                self._reach.database,
                SYSTEM,
                self._source.id,
                digest,
                counts,
                now=clock.now(),
                after_commit=self._reach.ring,
            )
        )
        await asyncio.to_thread(inbox.put, path, DONE, clock.now())
        log.info("source %s: a file of %d rows was taken", self._source.id, found.rows)

    def _pass_over(self, path: Path, error: OSError) -> None:
        """One file that cannot be read or moved holds up no other; it is tried again at the next look."""
        self._denied += 1
        log.debug("source %s: a file cannot be read or moved: %s: %s", self._source.id, path.name, error)

    async def _going(self, progress: Progress) -> bool:
        if progress.why:
            await self._pulling.say("held", progress.why)
        return True

    async def _set_aside(self, inbox: Inbox, path: Path, error: TableUnreadable) -> None:
        """The beginning of the file goes to quarantine, the file to `failed` with its reason beside it."""
        seen = path, inbox.seen(path)
        if self._aside != seen:
            await self._quarantine(await asyncio.to_thread(_head, path), path.name, error)
            self._aside = seen
        why = "\r\n".join(Words(lang).text(f"files.unreadable.{error.code}", **error.params) for lang in LANGUAGES)
        await asyncio.to_thread(inbox.put, path, FAILED, clock.now(), why)
        log.warning("source %s: a file could not be read: %s", self._source.id, error.code)

    async def _quarantine(self, head: bytes, name: str, error: TableUnreadable) -> None:
        fault = Unreadable(UNREADABLE, "", detail=error.code, name=name)
        while True:
            try:
                await self._reach.intake.quarantine(self._source, head, fault)
                return
            except (IntakeRefused, EngineMisconfigured) as refused:
                pause = refused.retry_after if isinstance(refused, IntakeRefused) else MISCONFIGURED_SECONDS
                await asyncio.sleep(pause)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(KEPT_OF_TOO_LARGE)


def _digest(path: Path) -> str:
    total = sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            total.update(piece)
    return total.hexdigest()
