"""The trail: notes become entries beside the request; trouble delays them, and what found no room is counted."""

import threading
from collections.abc import Sequence

import httpx
import pytest

from dashboard import trail as module
from dashboard.server import Server
from dashboard.trail import Trail
from operations import audit, journal
from operations.audit import Line
from operations.database import Database
from operations.errors import DatabaseLocked
from operations.policy import Identity
from tests.dashboard.conftest import Proof

NOW = 1_800_000_000_000_000
WHO = Identity("account", "1", "zhang", "operator")


class Book:
    """Takes lines, or does not while it is in trouble."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.tried, self.trouble = threading.Event(), False
        self.written = threading.Event()

    def write(self, lines: Sequence[Line]) -> None:
        self.tried.set()
        if self.trouble:
            raise DatabaseLocked()
        self.lines += lines
        self.written.set()


def test_a_note_is_written_by_the_trails_own_thread():
    book = Book()
    trail = Trail(book.write, lambda: NOW)
    trail.start()
    trail.note(audit.exported(WHO, "heat", "csv"))
    assert book.written.wait(10)
    trail.stop()
    assert [line.note.action for line in book.lines] == ["export.taken"]


def test_what_waits_while_the_database_is_in_trouble_is_written_afterwards(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    book = Book()
    book.trouble = True
    trail = Trail(book.write, lambda: NOW)
    trail.start()
    for _ in range(3):
        trail.note(audit.exported(WHO, "heat", "csv"))
    assert book.tried.wait(10)
    book.trouble = False
    assert book.written.wait(10)
    trail.stop()
    assert len(book.lines) == 3


def test_what_finds_no_room_is_counted_and_the_number_is_an_entry(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "QUEUE_MOST", 5)
    book = Book()
    trail = Trail(book.write, lambda: NOW)
    for _ in range(12):
        trail.note(audit.exported(WHO, "heat", "csv"))
    trail.flush()
    trail.stop()
    assert sum(line.count for line in book.lines) == 12
    assert book.lines[-1].note.body == {"actions": {"export.taken": 7}}


def test_stopping_writes_the_open_minutes_number():
    book = Book()
    trail = Trail(book.write, lambda: NOW)
    for _ in range(40):
        trail.note(audit.signin_failed("zhang", "wrong", "10.1.2.3"))
    trail.stop()
    assert [line.count for line in book.lines] == [1, 39]


def test_stopping_in_trouble_says_what_was_not_written(caplog: pytest.LogCaptureFixture):
    book = Book()
    book.trouble = True
    trail = Trail(book.write, lambda: NOW)
    trail.note(audit.exported(WHO, "heat", "csv"))
    trail.stop()
    assert "1 notes for the audit could not be written" in caplog.text


async def test_a_wrong_password_and_a_refused_page_are_entries_without_what_was_typed(
    server: Server, client: httpx.AsyncClient, furnished: Database, proof: Proof
):
    before = journal.head(furnished).seq
    own = {"origin": "http://testserver"}
    for _ in range(3):
        await client.post("/signin", data={"name": "nobody-here", "password": "a long secret"}, headers=own)
    headers = proof("operator")
    assert (await client.get("/accounts", headers=headers)).status_code == 403
    assert (await client.get("/api/v1/journal", headers={"authorization": "Bearer wrong"})).status_code == 401
    assert (await client.get("/desk")).status_code == 303
    server.parts.trail.flush(all=True)
    entries = [one for one in journal.read(furnished, before) if one.action in audit.ACTIONS]
    told = [(one.action, one.actor.partition(":")[0], one.reason, one.subject_id) for one in entries]
    assert [one for one in told if one[0] == "access.refused"] == [
        ("access.refused", "account", "forbidden", "/accounts(/.*)?"),
        ("access.refused", "anonymous", "secret", "/api/v1/journal"),
    ]
    failed = [one for one in entries if one.action == "signin.failed"]
    assert sum((one.body or {})["count"] for one in failed) == 3
    assert "nobody-here" not in repr(entries) and "secret'" not in repr([one.body for one in entries])
