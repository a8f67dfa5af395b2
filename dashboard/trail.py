"""The trail 留痕: notes for the audit, written beside the requests that gave rise to them, by a thread of its own.

`note` may be called from anywhere; it neither waits nor raises. What finds no room is counted, and the number is an
entry too (`audit.dropped`). Only a killed process loses what it has not written yet: some milliseconds of notes.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from config import clock
from operations import audit
from operations.audit import Line, Note, Tally
from operations.database import AfterCommit, Database
from operations.errors import DatabaseTrouble

QUEUE_MOST = 2_000
"""Lines that wait while the database cannot be written."""
BATCH_MOST = 200
RETRY_SECONDS = 1.0
TICK_SECONDS = 5.0
"""How often the end of a minute is looked for while something was counted."""
STOP_SECONDS = 5.0

log = logging.getLogger(__name__)


class Trail:
    """`write` puts lines into the journal in one transaction; it may raise DatabaseTrouble."""

    def __init__(self, write: Callable[[Sequence[Line]], None], now: Callable[[], int] = clock.now) -> None:
        self._write = write
        self._now = now
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._tally = Tally()
        self._queue: deque[Line] = deque()
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._troubled = False
        self._thread: threading.Thread | None = None

    def note(self, note: Note) -> None:
        """Take a note."""
        with self._lock:
            line = self._tally.take(note, self._now())
            if line is not None:
                self._put(line)
        self._due.set()

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, name="trail", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, the open minute's numbers too; what cannot be written is logged."""
        self._stopping.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        try:
            self.flush(all=True)
        except DatabaseTrouble as error:
            log.error("%d notes for the audit could not be written: %s", len(self._queue), error)

    def flush(self, *, all: bool = False) -> None:
        """Write what waits, here and now; `all`: the open minute's numbers too. Raises DatabaseTrouble."""
        with self._lock:
            for line in self._tally.ended(self._now(), all=all):
                self._put(line)
        with self._writing:
            while batch := self._batch():
                self._write(batch)
                with self._lock:
                    for _ in batch:
                        self._queue.popleft()

    def _put(self, line: Line) -> None:
        if len(self._queue) < QUEUE_MOST:
            self._queue.append(line)
        else:
            self._tally.drop(line.note.action, line.count)

    def _batch(self) -> list[Line]:
        with self._lock:
            return [self._queue[index] for index in range(min(BATCH_MOST, len(self._queue)))]

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._due.wait(TICK_SECONDS if self._tally.waiting else None)
            self._due.clear()
            if self._stopping.is_set():
                return
            try:
                self.flush()
                self._said(None)
            except DatabaseTrouble as error:
                self._said(error)
                self._stopping.wait(RETRY_SECONDS)
                self._due.set()
            except Exception:  # process edge: a note nobody can write must not end the writing of all others
                log.exception("a note for the audit cannot be written; it is left out")
                self._skip()

    def _skip(self) -> None:
        with self._lock:
            left = [self._queue.popleft() for _ in range(min(BATCH_MOST, len(self._queue)))]
            for line in left:
                self._tally.drop(line.note.action, line.count)

    def _said(self, error: DatabaseTrouble | None) -> None:
        if error is not None and not self._troubled:
            log.warning("notes for the audit wait: %s", error)
        if error is None and self._troubled:
            log.info("notes for the audit are written again")
        self._troubled = error is not None


def trail(database: Database, after_commit: AfterCommit) -> Trail:
    """Return the trail of a web process, not started."""
    return Trail(lambda lines: audit.append(database, lines, after_commit))
