"""Appending: gapless and in commit order whoever writes, readable by scope, nothing kept of a failed transaction."""

import multiprocessing
import threading
from pathlib import Path

import pytest

from operations import journal
from operations.database import Database
from operations.entry import Draft
from operations.scope import Scope
from operations.verification import verify
from tests.operations.desk import LEAVES, START, Desk, chain, report

pytestmark = pytest.mark.database

EACH = 30


def draft(name: str, number: int) -> Draft:
    """A plain draft."""
    return Draft(at=START, actor=name, action="x.y", subject_type="x", subject_id=str(number))


def write(url: str, name: str) -> None:
    """Append one by one; the target of a thread or a process."""
    database = Database(url, busy_timeout_s=60)
    for number in range(EACH):
        with database.write() as transaction:
            journal.append(transaction, [draft(name, number), draft(name, number)])
    database.close()


def check_order(database: Database, writers: int) -> None:
    """Gapless, chained, each writer's entries in its own order."""
    entries = journal.read(database, 0)
    assert [entry.seq for entry in entries] == list(range(1, writers * EACH * 2 + 1))
    assert verify(database).ok
    for name in {entry.actor for entry in entries}:
        own = [int(entry.subject_id) for entry in entries if entry.actor == name]
        assert own == sorted(own)


def test_threads_write_without_a_gap(database: Database) -> None:
    threads = [threading.Thread(target=write, args=(database.url, f"t{i}")) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_order(database, 3)


def test_processes_write_without_a_gap(database: Database) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=write, args=(database.url, f"p{i}")) for i in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    check_order(database, 2)


def test_a_failed_transaction_leaves_nothing_and_rings_nobody(database: Database) -> None:
    rung: list[int] = []
    with pytest.raises(RuntimeError), database.write(rung.append) as transaction:
        journal.append(transaction, [draft("a", 1)])
        raise RuntimeError
    assert (journal.head(database).seq, journal.read(database, 0), rung) == (0, [], [])


def test_the_doorbell_rings_after_the_commit(database: Database) -> None:
    seen: list[tuple[int, int]] = []
    with database.write(lambda seq: seen.append((seq, journal.head(database).seq))) as transaction:
        journal.append(transaction, [draft("a", 1), draft("a", 2)])
    assert seen == [(2, 2)]


def test_several_appends_in_one_transaction_go_on_from_each_other(database: Database) -> None:
    with database.write() as transaction:
        journal.append(transaction, [draft("a", 1)])
        journal.append(transaction, [draft("a", 2)])
    assert [entry.seq for entry in journal.read(database, 0)] == [1, 2]
    assert verify(database).ok


def test_reading_is_bounded_and_goes_on_from_a_seq(database: Database) -> None:
    with database.write() as transaction:
        journal.append(transaction, [draft("a", number) for number in range(10)])
    assert [entry.seq for entry in journal.read(database, 4, 3)] == [5, 6, 7]


def test_a_scope_reads_what_touched_it(desk: Desk) -> None:
    desk.send(report("A1"), report("A2", grid_code=LEAVES[3]), report("A3", grid_code="", place=None))
    town = Scope(grid=chain(LEAVES[0])[1])
    assert [entry.seq for entry in journal.read(desk.database, 0, 10, town)] == [1]
    assert [entry.seq for entry in journal.read(desk.database, 0, 10, Scope(department="police"))] == [1, 2, 3]
    assert journal.read(desk.database, 0, 10, Scope(grid="%")) == []


def test_grid_of_before_and_department_of_after_make_no_scope(desk: Desk) -> None:
    desk.send(report("A1"), report("A1", "2", type="0101", grid_code=LEAVES[3], place=None))
    [opened, moved] = desk.entries()
    sides = [(moved.scope_grid_before, moved.scope_department_before), (moved.scope_grid, moved.scope_department)]
    assert sides == [("/".join(chain(LEAVES[0])), "police"), ("/".join(chain(LEAVES[3])), "fire")]

    def read(grid: str, department: str) -> list[int]:
        return [entry.seq for entry in journal.read(desk.database, 0, 10, Scope(grid, department))]

    assert (read(LEAVES[0], "police"), read(LEAVES[3], "fire")) == ([opened.seq, moved.seq], [moved.seq])
    assert read(LEAVES[0], "fire") == read(LEAVES[3], "police") == []


def test_what_was_written_is_read_back(desk: Desk, folder: Path) -> None:
    desk.send(report())
    [entry] = desk.entries()
    assert (entry.action, entry.actor, entry.scope_grid) == (
        "incident.opened",
        "source:hotline",
        "/".join(chain(LEAVES[0])),
    )
    assert entry.body is not None and entry.body["set"]["title"] == "路口红灯不亮"
    assert (len(entry.hash), entry.prev_hash) == (64, "0" * 64)
