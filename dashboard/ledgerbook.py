"""Ledgers of cameras as the page uses them (台账导入): looked at and compared in the background, and only then kept.

What is under way is written beside the file, so that every web process can tell how far it has come. The file may hold
passwords: it goes as soon as the ledger was kept or is not wanted any more.
"""

import shutil
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from threading import Lock, Thread

import msgspec
from msgspec import Struct

from config import clock, departments
from config.settings import Settings
from dashboard import access
from dashboard.uploads import Uploads
from operations.cameras.item import UNKNOWN
from operations.database import AfterCommit, Database
from operations.errors import NotFound, OperationsError, Refused
from operations.policy import Identity, require
from streams.cameras import columns, importing
from streams.cameras.columns import Columns
from streams.cameras.importing import Asked, Cancelled, Found, Line
from streams.cameras.ledger import Fault
from streams.finder import Finder
from streams.source_secrets import SourceSecrets
from streams.tables import child

KIND, READ, JOB, STOP = "cameras", ".read", ".job.json", ".stop"
RUNNING, LOOKED, KEPT, FAILED, STOPPED = "running", "looked", "kept", "failed", "stopped"
LOST_SECONDS = 120
"""A job that has said nothing for so long ended with its process."""
PREVIEWED, FAULTS_SHOWN, STRANGERS_SHOWN = 8, 100, 10
SHOWN = ("code", "name", "owner", "point_class", "direction", "lon", "lat", "status", "url_main")
"""Fields of a previewed camera."""
UNTOLD = (None, UNKNOWN)


class Told(Struct, frozen=True):
    """What a look found, as the page shows it; no secret is among it."""

    asked: Asked
    counts: dict[str, int]
    faults: list[Fault] = []
    faulty: int = 0
    lines: list[Line] = []
    first: list[dict[str, str]] = []
    unknown: int = 0
    outside: int = 0
    secrets: int = 0
    coded: bool = False
    doubt: dict[str, str] = {}
    strangers: list[str] = []
    """Owners that are no department of ours, the first few."""


class Job(Struct):
    """How far it is. `why`, `params`: the text of what went wrong; `at`: when it last said something (UTC us)."""

    state: str = RUNNING
    phase: str = importing.READ
    done: int = 0
    total: int = 0
    at: int = 0
    why: str = ""
    params: dict[str, str] = {}
    told: Told | None = None


class Ledgerbook:
    """One per web process."""

    def __init__(self, database: Database, ring: AfterCommit, settings: Settings) -> None:
        self._database, self._ring = database, ring
        self._uploads = Uploads(settings.data / "uploads")
        self._cache = settings.data / "cache"
        self._secrets = SourceSecrets(settings.data / "keys", "cameras")
        self._room = Lock()

    def columns(self, upload_id: str, name: str = "") -> tuple[list[str], Columns]:
        """Return a file's columns, and which field each is by a mapping ("": the one that fits best).

        Raises Forbidden, NotFound, TableUnreadable.
        """
        folder = self._read(upload_id)
        present = importing.present(folder)
        fields = columns.narrowed(columns.mapping(name), present) if name in columns.names() else None
        return present, fields or columns.proposed(present)

    def look(self, upload_id: str, asked: Asked) -> None:
        """Begin to work out what a ledger would change. Raises Forbidden, NotFound, Refused."""
        folder, identity = self._read(upload_id).parent, self._identity()
        importing.check_source(asked.source)
        self._begin(folder, lambda job: self._looking(folder, asked, identity, job))

    def take(self, upload_id: str, *, gone: int) -> None:
        """Begin to keep a ledger as it was looked at; `gone`: how many cameras somebody agreed would be gone.

        Raises Forbidden, NotFound, Refused.
        """
        folder, identity = self._read(upload_id).parent, self._identity()
        told = self._job(folder).told
        if told is None or told.faulty:
            raise Refused("cameras.faulty", count=0 if told is None else told.faulty)
        if told.counts["gone"] != gone:
            raise Refused("cameras.gone_unconfirmed", count=told.counts["gone"])
        self._begin(folder, lambda job: self._taking(folder, told, identity, job))

    def job(self, upload_id: str) -> Job:
        """Return how far what was begun last has come. Raises Forbidden, NotFound when nothing was."""
        job = self._job(self._folder(upload_id))
        if job.state == RUNNING and clock.now() - job.at > LOST_SECONDS * 1_000_000:
            job.state, job.why = FAILED, "cameras.lost"
        return job

    def cancel(self, upload_id: str) -> None:
        """Have what is under way end, and forget the file."""
        folder = self._folder(upload_id)
        (folder / STOP).touch()
        if not self._running(folder):
            _forget(folder)

    def _identity(self) -> Identity:
        identity = access.current()
        require(identity, "camera.import")
        return identity

    def _path(self, upload_id: str) -> Path:
        upload, path = self._uploads.find(upload_id, self._identity())
        if upload.kind != KIND:
            raise NotFound()
        return path

    def _folder(self, upload_id: str) -> Path:
        return self._path(upload_id).parent

    def _read(self, upload_id: str) -> Path:
        """The folder of the rows of a file, read at most once."""
        path = self._path(upload_id)
        folder = path.parent / READ
        with self._room:
            if child.known(folder) is None:
                if not path.exists():
                    raise NotFound()
                child.examine(path, folder)
        return folder

    def _job(self, folder: Path) -> Job:
        try:
            return msgspec.json.decode((folder / JOB).read_bytes(), type=Job)
        except (OSError, msgspec.MsgspecError):
            raise NotFound() from None

    def _running(self, folder: Path) -> bool:
        try:
            known = self._job(folder)
        except NotFound:
            return False
        return known.state == RUNNING and clock.now() - known.at < LOST_SECONDS * 1_000_000

    def _begin(self, folder: Path, work: Callable[[Job], None]) -> None:
        with self._room:
            if self._running(folder):
                raise Refused("operations.file_busy")
            (folder / STOP).unlink(missing_ok=True)
            job = Job()
            _write(folder, job)
        Thread(target=copy_context().run, args=(_guarded, folder, work, job), daemon=True).start()

    def _looking(self, folder: Path, asked: Asked, identity: Identity, job: Job) -> None:
        job.told = told(self._found(folder, asked, identity, job), asked)
        job.state = LOOKED

    def _taking(self, folder: Path, before: Told, identity: Identity, job: Job) -> None:
        found = self._found(folder, before.asked, identity, job)
        if told(found, before.asked).counts != before.counts:
            raise Refused("cameras.source_changed_meanwhile")
        say = _say(folder, job)
        importing.keep(
            self._database, self._secrets, identity, found, now=clock.now(), say=say, after_commit=self._ring
        )
        job.told, job.state = before, KEPT
        _forget(folder)

    def _found(self, folder: Path, asked: Asked, identity: Identity, job: Job) -> Found:
        finder = Finder(self._database, self._cache)
        return importing.work_out(
            self._database,
            finder,
            folder / READ,
            asked,
            now=clock.now(),
            actor=identity.actor,
            say=_say(folder, job),
        )


def told(found: Found, asked: Asked) -> Told:
    """Return what the page shows of what was found."""
    first = [
        {name: "" if (value := getattr(one, name)) in UNTOLD else str(value) for name in SHOWN}
        for one in found.read.items[:PREVIEWED]
    ]
    doubt = {} if found.doubt is None else {name: str(value) for name, value in found.doubt._asdict().items()}
    return Told(
        asked,
        {name: len(getattr(found.taken, name)) for name in ("added", "changed", "same", "gone")},
        found.read.faults[:FAULTS_SHOWN],
        len(found.read.faults),
        list(found.lines),
        first,
        found.unknown,
        found.outside,
        len(found.read.secrets),
        found.read.coded,
        doubt,
        sorted({one.owner for one in found.read.items if one.owner} - departments.current().keys())[:STRANGERS_SHOWN],
    )


def _guarded(folder: Path, work: Callable[[Job], None], job: Job) -> None:
    try:
        work(job)
    except Cancelled:
        job.state = STOPPED
        _forget(folder)
    except OperationsError as error:
        job.state, job.why = FAILED, error.code
        job.params = {name: str(value) for name, value in error.params.items()}
    except Exception:  # process edge: the page says so, and nothing was kept
        job.state, job.why = FAILED, "cameras.lost"
        raise
    finally:
        _write(folder, job)


def _say(folder: Path, job: Job) -> importing.Say:
    def say(phase: str, done: int, total: int) -> None:
        if (folder / STOP).exists():
            raise Cancelled
        job.phase, job.done, job.total = phase, done, total
        _write(folder, job)

    return say


def _write(folder: Path, job: Job) -> None:
    job.at = clock.now()
    fresh = folder / f"{JOB}.new"
    fresh.write_bytes(msgspec.json.encode(job))
    fresh.replace(folder / JOB)


def _forget(folder: Path) -> None:
    """Remove the file and its rows; how its job ended stays."""
    shutil.rmtree(folder / READ, ignore_errors=True)
    for one in folder.iterdir():
        if one.is_file() and one.name not in (JOB, "upload.json"):
            one.unlink(missing_ok=True)
