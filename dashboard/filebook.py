"""Files of reports as the administrator's pages use them (文件): read, looked at, rehearsed, and only then sent.

What is under way is written beside the file, so that every web process of the machine can tell how far it has come.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from config import clock
from dashboard import access
from dashboard.area import Area
from dashboard.uploads import Upload, Uploads
from operations import files, outcomes, sources
from operations.database import AfterCommit, Database
from operations.errors import DatabaseTrouble, NotFound, Refused
from operations.policy import Identity, require
from operations.report import Refusal, Report
from operations.sources import Source
from streams.errors import MappingError
from streams.intake import Intake
from streams.mapping import Mapped
from streams.rehearsal import Rehearsal, Rehearser
from streams.sample_orders import orders
from streams.sending import CANCELLED, DONE, FAILED, Progress, send
from streams.tables import child
from streams.tables.reading import Summary

READ, JOB, STOP = ".read", ".job.json", ".stop"
"""Beside the file: what was read of it, how far its job is, that it shall end. No upload can have such a name."""
NOWHERE = (119.1635, 34.5722)
"""Degrees of the sample's middle before there are grids."""
LOST_SECONDS = 60
"""A job that has said nothing for so long ended with its process."""

Begin = Callable[[Coroutine[Any, Any, Any]], Future[Any]]
Previewed = list[tuple[int, Report | Refusal]]


class Filebook:
    """One per web process; `folder` is DATA/uploads."""

    def __init__(
        self,
        database: Database,
        ring: AfterCommit,
        intake: Intake,
        folder: Path,
        area: Callable[[], Area | None],
    ) -> None:
        self._database = database
        self._ring = ring
        self._intake = intake
        self._uploads = Uploads(folder)
        self._area = area
        self._room = Lock()  # one file at a time; callbacks about the same one come together

    def summary(self, upload_id: str) -> Summary:
        """Return what an uploaded file holds. Raises Forbidden, NotFound, TableUnreadable."""
        _, path = self._found(upload_id)
        folder = path.parent / READ
        with self._room:
            return child.known(folder) or child.examine(path, folder)

    def preview(self, upload_id: str, source_id: str, mapping: Mapped | None, count: int = 8) -> Previewed:
        """Return what the first rows would become. Raises MappingError."""
        source = self._source(source_id)
        self.summary(upload_id)
        _, path = self._found(upload_id)
        rows = islice(child.rows(path.parent / READ), count)
        return [(row.number, self._intake.examine(source, row.item, mapping)) for row in rows]

    def rehearse(self, upload_id: str, source_id: str, mapping: Mapped, begin: Begin) -> None:
        """Begin a rehearsal of the whole file."""
        total, source = self.summary(upload_id).rows, self._source(source_id)
        _, path = self._found(upload_id)
        rehearser = Rehearser(
            self._intake,
            source,
            mapping,
            child.rows(path.parent / READ),
            Rehearsal(total, at=clock.now()),
            places=self._places,
            standing=lambda reports: outcomes.standing(self._database, reports),
        )
        self._claim(path.parent, rehearser.rehearsal)
        begin(self._rehearsing(rehearser, path.parent))

    def send(self, upload_id: str, source_id: str, begin: Begin) -> None:
        """Begin sending the whole file by the source's own mapping."""
        total, source = self.summary(upload_id).rows, self._source(source_id)
        if not source.enabled:
            raise Refused("operations.source_off", id=source_id)
        upload, path = self._found(upload_id)
        progress = Progress(total, at=clock.now())
        self._claim(path.parent, progress)
        begin(self._sending(upload, source, path.parent, progress, access.current()))

    def job(self, upload_id: str) -> Progress | Rehearsal | None:
        """Return how far what was begun last has come; None when nothing was."""
        _, path = self._found(upload_id)
        job = _job(path.parent)
        if job is not None and not job.over and clock.now() - job.at > LOST_SECONDS * 1_000_000:
            job.state, job.why = FAILED, "lost"
        return job

    def cancel(self, upload_id: str) -> None:
        """Have what is under way end after the batch it is at."""
        _, path = self._found(upload_id)
        (path.parent / STOP).touch()

    def sample(self, zone: tzinfo) -> bytes:
        """Return a file of fictitious work orders of today, around the first grid there is."""
        area = self._area()
        grid = next(iter(area.grids.values()), None) if area is not None else None
        middle = grid.polygon.representative_point() if grid is not None else None
        lon, lat = (middle.x, middle.y) if middle is not None else NOWHERE
        return orders(lon, lat, datetime.fromtimestamp(clock.now() / 1e6, zone))

    def _claim(self, folder: Path, job: Progress | Rehearsal) -> None:
        """Write the new job down unless one is under way. Raises Refused."""
        known = _job(folder)
        if known is not None and not known.over and clock.now() - known.at < LOST_SECONDS * 1_000_000:
            raise Refused("operations.file_busy")
        (folder / STOP).unlink(missing_ok=True)
        _write(folder, job)

    async def _sending(
        self, upload: Upload, source: Source, folder: Path, progress: Progress, identity: Identity
    ) -> None:
        async def tell(now: Progress) -> bool:
            return await asyncio.to_thread(_told, folder, now)

        try:
            await send(self._intake, source, child.rows(folder / READ), progress, tell)
        except MappingError as error:
            progress.state, progress.why = FAILED, str(error)[:500]
            await tell(progress)
        except Exception as error:  # process edge: the page says so; what was taken is safe, the rest can be sent again
            progress.state, progress.why = FAILED, type(error).__name__
            await tell(progress)
            raise
        finally:
            counts = {name: getattr(progress, name) for name in ("total", "accepted", "duplicates", "quarantined")}
            await asyncio.to_thread(self._record, identity, source.id, upload.sha256, counts)

    def _record(self, identity: Identity, source_id: str, digest: str, counts: dict[str, int]) -> None:
        files.record(self._database, identity, source_id, digest, counts, now=clock.now(), after_commit=self._ring)

    async def _rehearsing(self, rehearser: Rehearser, folder: Path) -> None:
        now = rehearser.rehearsal
        try:
            while await asyncio.to_thread(rehearser.step):
                if not await asyncio.to_thread(_told, folder, now):
                    now.state = CANCELLED
                    break
            else:
                now.state = DONE
        except DatabaseTrouble as error:
            now.state, now.why = FAILED, error.code
        except Exception as error:  # process edge: nothing was kept, the page says that it ended
            now.state, now.why = FAILED, type(error).__name__
            raise
        finally:
            await asyncio.to_thread(_told, folder, now)

    def _places(self, reports: Sequence[Report]) -> list[bool | None]:
        area = self._area()
        return [_placed(report, area) for report in reports]

    def _found(self, upload_id: str) -> tuple[Upload, Path]:
        identity = access.current()
        require(identity, "source.manage")
        upload, path = self._uploads.find(upload_id, identity)
        if upload.kind != "table":
            raise NotFound()
        return upload, path

    def _source(self, source_id: str) -> Source:
        found = sources.get(self._database, source_id)
        if found is None:
            raise NotFound()
        return found


def _placed(report: Report, area: Area | None) -> bool | None:
    if area is None:
        return None
    if report.place is not None and report.place.lon is not None and report.place.lat is not None:
        return bool(area.locator.locate(report.place.lon, report.place.lat).code) or report.grid_code in area.grids
    return report.grid_code in area.grids if report.grid_code else None


def _job(folder: Path) -> Progress | Rehearsal | None:
    try:
        told = (folder / JOB).read_bytes()
    except OSError:
        return None
    if b'"good"' in told:
        return msgspec.json.decode(told, type=Rehearsal)
    return msgspec.json.decode(told, type=Progress)


def _told(folder: Path, job: Progress | Rehearsal) -> bool:
    """Write down how far it is; whether it shall go on."""
    job.at = clock.now()
    _write(folder, job)
    return not (folder / STOP).exists()


def _write(folder: Path, job: Progress | Rehearsal) -> None:
    fresh = folder / f"{JOB}.new"
    fresh.write_bytes(msgspec.json.encode(job))
    fresh.replace(folder / JOB)
