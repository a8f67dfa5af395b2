"""The auditor's page behind its panels 审计簿: searches, subjects and inspections, always in the name of who asks."""

import logging
import threading
from pathlib import Path

from msgspec import Struct

from config import clock
from dashboard.access import current
from dashboard.journal_export import Export
from dashboard.trail import Trail
from operations import audit, inquiry, inspection
from operations.audit import Line
from operations.database import AfterCommit, Database
from operations.entry import Entry
from operations.inquiry import Asked, Page, Place, Subject
from operations.inspection import Inspection
from operations.policy import Identity
from operations.seal import KeyStore

NOTICED_DAYS, DAY = 30, 86_400_000_000

log = logging.getLogger(__name__)


class Run(Struct, frozen=True):
    """An inspection under way or done; `stage` is empty when it is over."""

    stage: str = ""
    began_at: int = 0
    found: Inspection | None = None
    failed: bool = False
    checked: int = 0
    total: int = 0


class Auditbook:
    """`heads` is the file of signed heads, `copy` the one that may only grow, if there is one."""

    def __init__(
        self, database: Database, keys: KeyStore, heads: Path, trail: Trail, ring: AfterCommit, copy: Path | None = None
    ) -> None:
        self._database, self._keys, self._heads, self._trail, self._ring = database, keys, heads, trail, ring
        self._copy = copy
        self._lock = threading.Lock()
        self._run = Run()
        self._thread: threading.Thread | None = None

    def page(self, asked: Asked, after: Place | None = None) -> Page:
        """Return a page of the log; the search, not each page of it, is an entry. Raises Forbidden."""
        identity = current()
        found = inquiry.page(self._database, identity, asked, after)
        if after is None:
            self._searched(identity, "log", "", asked)
        return found

    def subjects(self, text: str) -> list[Subject]:
        """Return what is called so. Raises Forbidden, NotFound."""
        return inquiry.subjects(self._database, current(), text)

    def called(self, entries: list[Entry]) -> dict[str, str]:
        """Return what people call the subjects of entries. Raises Forbidden."""
        return inquiry.called(self._database, current(), entries)

    def seen(self, subject: Subject) -> list[Entry]:
        """Return who saw what is sealed of a subject, or what an account saw. Raises Forbidden."""
        return inquiry.seen(self._database, current(), subject)

    def told(self, subject: Subject) -> Page:
        """Return the newest entries about a subject; the look is an entry. Raises Forbidden."""
        identity = current()
        found = inquiry.page(self._database, identity, Asked(subjects=(subject.id,)))
        self._searched(identity, "subject", subject.id, None)
        return found

    def done_by(self, subject: Subject) -> Page:
        """Return the newest entries of an account, source or token itself. Raises Forbidden."""
        return inquiry.page(self._database, current(), Asked(actor=f"{subject.type}:{subject.name}"))

    def used_keys(self) -> list[Entry]:
        """Return when the command line or the recovery key was last used on accounts. Raises Forbidden."""
        return inquiry.command_line(self._database, current(), since=clock.now() - NOTICED_DAYS * DAY)

    def export(self, asked: Asked, form: str) -> Export:
        """Return an export; that it is taken is an entry before its first byte. Raises Forbidden, DatabaseTrouble."""
        identity = current()
        made = Export(self._database, identity, asked, form, now=clock.now())
        told = {name: value for name, value in asked_of(asked).items() if value}
        note = audit.exported(identity, "journal", form, seq=made.head.seq, asked=told)
        audit.append(self._database, [Line(note, clock.now(), 1)], self._ring)
        return made

    def signed(self, made: Export) -> bytes:
        """Return the signed statement of an export that was taken."""
        return made.statement(self._keys)

    def inspect(self) -> None:
        """Begin an inspection in a thread of its own, unless one is under way; it is an entry. Raises Forbidden."""
        identity = current()
        inquiry.permit(identity, "audit.verify")
        with self._lock:
            if self._run.stage:
                return
            self._run = Run(inspection.JOURNAL, clock.now(), self._run.found)
        self._trail.note(audit.searched(identity, "journal", "verify"))
        self._thread = threading.Thread(target=self._inspecting, name="inspection", daemon=True)
        self._thread.start()

    def inspected(self) -> Run:
        """Return how the inspection stands. Raises Forbidden."""
        inquiry.permit(current(), "audit.verify")
        return self._run

    def _inspecting(self) -> None:
        began, before = self._run.began_at, self._run.found

        def stage(name: str) -> None:
            self._run = Run(name, began, before)

        def progress(checked: int, total: int) -> None:
            self._run = Run(inspection.JOURNAL, began, before, checked=checked, total=total)

        try:  # in this process alone: the others' cores serve people
            how = inspection.Told(stage, progress)
            found = inspection.inspect(
                self._database, self._keys, self._heads, copy=self._copy, now=clock.now(), told=how, processes=1
            )
            self._run = Run("", self._run.began_at, found)
        except Exception:  # process edge: the page is told that it failed
            log.exception("the inspection of the journal failed")
            self._run = Run("", self._run.began_at, None, failed=True)

    def _searched(self, identity: Identity, what: str, subject: str, asked: Asked | None) -> None:
        told = {} if asked is None else {name: value for name, value in asked_of(asked).items() if value}
        self._trail.note(audit.searched(identity, "audit", subject or what, **told))


def asked_of(asked: Asked) -> dict[str, object]:
    """Return a question as it stands in the entry about it."""
    return {
        "since": asked.since,
        "until": asked.until,
        "actor": asked.actor,
        "groups": list(asked.groups),
        "subjects": list(asked.subjects),
        "reason": asked.reason,
    }
