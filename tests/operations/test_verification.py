"""Whatever is changed, removed, inserted, reordered or cut is found and located; what was destroyed by rule is not."""

import hmac
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations import heads, journal, retention, verification
from operations.chain import body_digest, entry_hash
from operations.database import Database
from operations.entry import Draft
from operations.epoch import new_epoch
from operations.heads import SignedHead
from operations.policy import SYSTEM
from operations.seal import KeyStore
from operations.tables import journal as table
from operations.tables import journal_body, journal_head
from operations.verification import PAGE, verify
from tests.operations.desk import COMMANDER, START, Desk, report

pytestmark = pytest.mark.database

COUNT = 12


def fill(database: Database, count: int = COUNT) -> None:
    """Write plain entries."""
    drafts = [
        Draft(at=START + i, actor="a", action="x.y", subject_type="x", subject_id=f"{i}", body={"n": i})
        for i in range(count)
    ]
    with database.write() as transaction:
        journal.append(transaction, drafts)


def kinds(database: Database, signed: list[SignedHead] | None = None) -> list[tuple[int, str]]:
    """What a check finds."""
    return [(fault.seq, fault.kind) for fault in verify(database, signed or []).faults]


def execute(database: Database, statement: sa.Executable) -> None:
    """Tamper."""
    with database.write() as transaction:
        transaction.connection.execute(statement)


@given(st.binary(max_size=64), st.binary(max_size=300), st.none() | st.binary(max_size=300))
def test_a_bodys_digest_is_the_hmac_that_the_docs_promise(salt: bytes, body: bytes, sealed: bytes | None) -> None:
    message = len(body).to_bytes(8, "big") + body + (sealed or b"")
    assert body_digest(salt, body, sealed) == hmac.digest(salt, message, "sha256")


def test_an_untouched_journal_is_in_order(desk: Desk) -> None:
    desk.send(report())
    desk.commands.close(COMMANDER, desk.incident().id, 1, "resolved", "修好了")
    found = verify(desk.database, [desk.keys.sign(journal.head(desk.database), START)])
    assert (found.ok, found.count, found.faults) == (True, 2, [])


@pytest.mark.parametrize("column", [column.name for column in table.columns if column.name not in ("seq", "hash")])
def test_a_changed_header_is_located(database: Database, column: str) -> None:
    fill(database)
    kind = table.c[column].type
    value: object = b"\x01" * 32 if isinstance(kind, sa.LargeBinary) else 7 if isinstance(kind, sa.Integer) else "z"
    execute(database, sa.update(table).where(table.c.seq == 5).values({column: value}))
    assert (5, "changed") in kinds(database)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_of_a_body_is_located(database: Database, data: st.DataObject) -> None:
    with database.read() as connection:
        empty = journal.head_on(connection).seq == 0
    if empty:
        fill(database)
    seq = data.draw(st.integers(1, COUNT))
    column = data.draw(st.sampled_from(["body", "salt"]))
    with database.read() as connection:
        before: bytes = connection.execute(
            sa.select(journal_body.c[column]).where(journal_body.c.seq == seq)
        ).scalar_one()
    place = data.draw(st.integers(0, len(before) * 8 - 1))
    flipped = bytearray(before)
    flipped[place // 8] ^= 1 << place % 8
    execute(database, sa.update(journal_body).where(journal_body.c.seq == seq).values({column: bytes(flipped)}))
    assert kinds(database) == [(seq, "body_changed")]
    execute(database, sa.update(journal_body).where(journal_body.c.seq == seq).values({column: before}))


def test_changed_sealed_bytes_are_located(desk: Desk) -> None:
    desk.send(report("A1"), report("A2"))
    execute(desk.database, sa.update(journal_body).where(journal_body.c.seq == 2).values(sealed=b"other"))
    assert kinds(desk.database) == [(2, "body_changed")]


@pytest.mark.parametrize("gap", [1, 5, 11])
def test_a_removed_entry_is_located(database: Database, gap: int) -> None:
    fill(database)
    execute(database, sa.delete(table).where(table.c.seq == gap))
    assert kinds(database) == [(gap, "missing")]


def test_several_faults_are_each_told_once_however_far_apart(database: Database) -> None:
    fill(database, 3 * PAGE)
    for seq in (PAGE, PAGE + 1, 2 * PAGE):
        execute(database, sa.update(table).where(table.c.seq == seq).values(actor="z"))
    execute(database, sa.delete(table).where(table.c.seq == 2 * PAGE + 5))
    execute(database, sa.update(journal_body).where(journal_body.c.seq == 3 * PAGE).values(body=b"{}"))
    found = [(PAGE, "changed"), (PAGE + 1, "changed"), (2 * PAGE, "changed"), (2 * PAGE + 5, "missing")]
    assert kinds(database) == [*found, (3 * PAGE, "body_changed")]


def test_an_entry_put_before_the_first_is_located(database: Database) -> None:
    fill(database)
    with database.write() as transaction:
        row = transaction.connection.execute(sa.select(table).where(table.c.seq == 1)).one()._asdict()
        transaction.connection.execute(sa.insert(table).values(row | {"seq": -1}))
    assert (-1, "reordered") in kinds(database)


def test_a_removed_body_is_located(database: Database) -> None:
    fill(database)
    execute(database, sa.delete(journal_body).where(journal_body.c.seq == 4))
    assert kinds(database) == [(4, "body_missing")]


def test_reordered_entries_are_located_with_their_old_place(database: Database) -> None:
    fill(database)
    for seq, other in ((4, 99), (7, 4), (99, 7)):
        execute(database, sa.update(table).where(table.c.seq == seq).values(seq=other))
        execute(database, sa.update(journal_body).where(journal_body.c.seq == seq).values(seq=other))
    found = verify(database)
    assert [(fault.seq, fault.kind) for fault in found.faults] == [(4, "reordered"), (7, "reordered")]
    assert "was written as entry 7" in found.faults[0].text


def test_an_entry_rewritten_with_its_own_hash_breaks_the_link(database: Database) -> None:
    fill(database)
    rewrite(database, 6, 6)
    assert kinds(database) == [(7, "link")]


def test_an_inserted_entry_breaks_the_link(database: Database) -> None:
    fill(database)
    execute(database, sa.update(table).where(table.c.seq == COUNT).values(seq=COUNT + 1))
    execute(database, sa.update(journal_body).where(journal_body.c.seq == COUNT).values(seq=COUNT + 1))
    with database.write() as transaction:
        connection = transaction.connection
        row = connection.execute(sa.select(table).where(table.c.seq == COUNT - 1)).one()._asdict() | {"seq": COUNT}
        body = connection.execute(sa.select(journal_body).where(journal_body.c.seq == COUNT - 1)).one()._asdict()
        connection.execute(sa.insert(table).values(row))
        connection.execute(sa.insert(journal_body).values(body | {"seq": COUNT}))
    assert {seq for seq, _ in kinds(database)} >= {COUNT, COUNT + 1}


def test_a_rewritten_history_differs_from_the_signed_head(database: Database, keys: KeyStore) -> None:
    fill(database)
    signed = [keys.sign(journal.head(database), START)]
    rewrite(database, 6, COUNT)
    assert kinds(database) == []  # the chain alone cannot know
    assert kinds(database, signed) == [(COUNT, "rewritten")]


def test_a_cut_tail_is_found_by_the_signed_head(database: Database, keys: KeyStore) -> None:
    fill(database)
    signed = [keys.sign(journal.head(database), START)]
    for name in (table, journal_body):
        execute(database, sa.delete(name).where(name.c.seq > 8))
    with database.read() as connection:
        last = connection.execute(sa.select(table.c.hash).where(table.c.seq == 8)).scalar_one()
    assert kinds(database) == [(8, "head")]
    execute(database, sa.update(journal_head).values(seq=8, hash=last))
    assert kinds(database) == []
    assert kinds(database, signed) == [(9, "cut")]


def test_a_restore_begins_an_epoch_and_leaves_signed_heads_behind(database: Database, keys: KeyStore) -> None:
    fill(database)
    left = keys.sign(journal.head(database), START)
    for name in (table, journal_body):
        execute(database, sa.delete(name).where(name.c.seq > 8))
    with database.read() as connection:
        last = connection.execute(sa.select(table.c.hash).where(table.c.seq == 8)).scalar_one()
    execute(database, sa.update(journal_head).values(seq=8, hash=last))
    assert new_epoch(database, "restored", now=START) == 2
    found = verify(database, [left])
    assert (found.ok, [note.kind for note in found.notes]) == (True, ["epoch"])
    assert journal.head(database).epoch == 2


def test_what_was_destroyed_by_rule_is_a_note(desk: Desk) -> None:
    desk.send(report("A1"), report("A2"), report("A3"))
    administrator = SYSTEM
    retention.destroy_bodies(desk.database, administrator, 1, 2, "rule-90", now=desk.tick())
    retention.destroy_keys(desk.database, desk.keys, administrator, [desk.entries()[2].subject_id], "rule-7", now=START)
    found = verify(desk.database)
    assert (found.ok, [(note.seq, note.text) for note in found.notes]) == (
        True,
        [(1, "destroyed under rule rule-90"), (2, "destroyed under rule rule-90")],
    )
    assert desk.entries()[0].body is None


def test_heads_are_read_back_and_foreign_or_torn_lines_are_told(
    folder: Path, database: Database, keys: KeyStore
) -> None:
    file = folder / "heads.jsonl"
    fill(database)
    heads.append(file, keys.sign(journal.head(database), START))
    with file.open("ab") as out:
        out.write(b'{"at": 1, "torn')
    heads.append(file, keys.sign(journal.head(database), START + 1))
    other = KeyStore(folder / "other")
    heads.append(file, other.sign(journal.head(database), START))
    other.close()
    loaded = heads.load(file, keys.public_key())
    assert ([signed.at for signed in loaded.signed], loaded.bad_lines) == ([START, START + 1], [2, 4])


def rewrite(database: Database, first: int, last: int) -> None:
    """Change an entry and recompute every hash after it, as somebody with the whole database could."""
    with database.write() as transaction:
        connection = transaction.connection
        rows = connection.execute(sa.select(table).where(table.c.seq.between(first, last)).order_by(table.c.seq)).all()
        previous = rows[0].prev_hash
        for row in rows:
            header = (row.at, "forged", *row[3:13])
            digest = entry_hash(row.seq, header, row.body_digest, previous)
            values = {"actor": "forged", "prev_hash": previous, "hash": digest}
            connection.execute(sa.update(table).where(table.c.seq == row.seq).values(values))
            previous = digest
        if last == COUNT:
            connection.execute(sa.update(journal_head).values(hash=previous))


class Inline:
    """Runs at once what a pool of processes is asked."""

    def __init__(self, *_given: object) -> None:
        pass

    def __enter__(self) -> "Inline":
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def submit(self, task: Callable[..., object], *given: object) -> "Future[object]":
        done: Future[object] = Future()
        done.set_result(task(*given))
        return done


KINDS = ("actor", "hash", "prev_hash", "body", "salt", "delete", "no_body", "swap", "rewrite", "cut", "insert")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tampering=st.lists(
        st.tuples(st.sampled_from(KINDS), st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=3
    )
)
def test_random_tampering_is_found_and_stretches_find_the_same(
    new_desk: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch, tampering: list[tuple[str, int, int]]
) -> None:
    desk = new_desk()
    fill(desk.database, 40)
    signed = [desk.keys.sign(journal.head(desk.database), START)]
    for kind, one, other in tampering:
        tamper(desk.database, kind, one, other)
    whole = verify(desk.database, signed, now=START, processes=1)
    assert whole.faults
    monkeypatch.setattr(verification, "STRETCH", 7)
    monkeypatch.setattr(verification, "ProcessPoolExecutor", Inline)
    assert verify(desk.database, signed, now=START, processes=2) == whole


def tamper(database: Database, kind: str, one: int, other: int) -> None:
    """Spoil something for good; what an earlier one took away cannot be spoilt again."""
    body = journal_body.c.seq == one
    match kind:
        case "actor":
            execute(database, sa.update(table).where(table.c.seq == one).values(actor=f"z{other}"))
        case "hash" | "prev_hash":
            execute(database, sa.update(table).where(table.c.seq == one).values({kind: b"\x01" * 32}))
        case "body" | "salt":
            execute(database, sa.update(journal_body).where(body).values({kind: b"\x01" * 16}))
        case "delete":
            execute(database, sa.delete(table).where(table.c.seq == one))
        case "no_body":
            execute(database, sa.delete(journal_body).where(body))
        case "cut":
            execute(database, sa.delete(table).where(table.c.seq >= one))
        case "rewrite":
            with suppress(IndexError):
                rewrite(database, one, one)
        case "insert":
            copied = sa.select(sa.literal(40 + other), *[column for column in table.columns if column.name != "seq"])
            names = [column.name for column in table.columns]
            gone = sa.delete(table).where(table.c.seq == 40 + other)
            execute(database, gone)
            execute(database, sa.insert(table).from_select(names, copied.where(table.c.seq == other)))
            execute(database, sa.delete(table).where(table.c.seq == one))
        case _:
            execute(database, sa.update(table).where(table.c.seq == one).values(seq=99))
            execute(database, sa.update(table).where(table.c.seq == other).values(seq=one))
            execute(database, sa.update(table).where(table.c.seq == 99).values(seq=other, actor=f"swapped{one}"))


def test_a_long_journal_is_checked_by_several_processes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database, 30)
    execute(database, sa.update(table).where(table.c.seq == 11).values(actor="z"))
    retention.destroy_bodies(database, SYSTEM, 14, 16, "old", now=START)
    monkeypatch.setattr(verification, "STRETCH", 10)
    told: list[tuple[int, int]] = []
    found = verify(database, processes=2, progress=lambda done, of: told.append((done, of)))
    assert [(fault.seq, fault.kind) for fault in found.faults] == [(11, "changed")]
    assert [note.seq for note in found.notes] == [14, 15, 16]
    assert found.count == 31 and told[-1] == (31, 31) and found == verify(database, processes=1)
