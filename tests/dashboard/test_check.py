"""`run.py check`: every way of spoiling what is kept is a clear line and exit code 1, never a traceback."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shapely
import sqlalchemy as sa

from config import clock
from config.settings import Settings
from config.words import Words
from dashboard import check
from operations import grids, heads, journal, snapshot, tables
from operations.database import Database
from operations.policy import SYSTEM
from operations.seal import KeyStore
from tests.dashboard.conftest import CITY
from tests.operations.desk import START, Desk, report

WORDS = Words("en")
Run = Callable[[], tuple[int, str]]


@pytest.fixture
def desk(settings: Settings, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The settings' own database with incidents, a snapshot and a signed head."""
    file = settings.data / "gridwall.db"
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(sqlite_template, file)
    database, keys = Database(f"sqlite:///{file}"), KeyStore(settings.data / "keys")
    database.snapshot_key = keys.snapshot_key()
    made = Desk(database, keys)
    made.send(report("A1"), report("A2"))
    snapshot.save(database, made.board())
    made.send(report("A3"))
    heads.append(settings.data / "heads.jsonl", keys.sign(journal.head(database), made.now))
    monkeypatch.setattr(clock, "now", lambda: made.now + 600_000_000)
    yield made
    keys.close()
    database.close()


@pytest.fixture
def run(settings: Settings, desk: Desk, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the check; the exit code and what was printed."""

    def running() -> tuple[int, str]:
        return check.main(settings, WORDS), capsys.readouterr().out

    return running


def test_what_is_untouched_is_in_order(run: Run) -> None:
    code, said = run()
    assert (code, "✗" in said) == (0, False), said


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://gw:S3@cret@db:5432/gw?sslmode=require", "postgresql+psycopg://db"),
        ("postgresql+psycopg://db/gw?user=gw&password=S3cret@1", "postgresql+psycopg://db"),
        ("unix:///run/valkey.sock?password=S3cret", "unix:///run/valkey.sock"),
        ("sqlite:////data/gridwall.db", "sqlite:////data/gridwall.db"),
    ],
)
def test_no_password_of_an_engine_is_printed(url: str, shown: str) -> None:
    assert check._kind(url) == shown


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE snapshot SET body = X'00'", "snapshot  the one of entry 2 is damaged"),
        ("DELETE FROM journal_head", "head"),
        ("UPDATE journal_head SET hash = 'text'", "head"),
        ("UPDATE journal_body SET body = 'text' WHERE seq = 1", "entry 1: its body was changed"),
        ("UPDATE journal SET hash = 'text' WHERE seq = 3", "entry 3: changed"),
        ("UPDATE incident SET body = 'text'", "3 open ones do not fit"),
        ("UPDATE incident SET body = X'00'", "3 open ones do not fit"),
        ("UPDATE incident SET step = 'closed' WHERE number LIKE '%-0001'", "1 open ones do not fit"),
        ("DELETE FROM outcome WHERE key LIKE '%A1%'", "partition 0"),
        ("UPDATE partition SET journaled = journaled + 1", "partition 0"),
        ("DROP TABLE journal_body", "journal   cannot be read"),
    ],
)
def test_what_was_spoilt_is_told(desk: Desk, run: Run, statement: str, told: str) -> None:
    with desk.database.write() as transaction:
        transaction.connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        transaction.connection.execute(sa.text(statement))
    code, said = run()
    assert code == 1
    assert told in said


@pytest.mark.parametrize("wkb", [b"\x01\x02 no polygon", shapely.to_wkb(shapely.Point(1, 2))])
def test_a_grid_without_its_polygon_is_told(desk: Desk, settings: Settings, run: Run, wkb: bytes) -> None:
    grids.import_grids(desk.database, SYSTEM, CITY, "digest", now=desk.tick())
    heads.append(settings.data / "heads.jsonl", desk.keys.sign(journal.head(desk.database), desk.now))
    code, said = run()
    assert (code, f"{len(CITY)} of them" in said) == (0, True), said
    with desk.database.write() as transaction:
        transaction.connection.execute(
            sa.update(tables.grid).values(wkb=wkb).where(tables.grid.c.code == CITY[-1].code)
        )
    code, said = run()
    assert (code, f"cannot be read: grid {CITY[-1].code}" in said) == (1, True), said


def test_a_forged_snapshot_with_the_right_key_differs_from_the_journal(desk: Desk, run: Run) -> None:
    board = desk.board()
    board.open_quarantine = 99
    snapshot.save(desk.database, board)
    code, said = run()
    assert (code, "entry 3 does not fit the journal" in said) == (1, True)


def test_an_overwritten_file_is_told(desk: Desk, settings: Settings, run: Run) -> None:
    desk.database.close()
    file = settings.data / "gridwall.db"
    for beside in settings.data.glob("gridwall.db-*"):
        beside.unlink()
    with file.open("r+b") as out:
        out.write(b"x" * 4096)
    code, said = run()
    assert (code, "database  cannot be read" in said) == (1, True)


@pytest.mark.parametrize("emptied", [True, False])
def test_signed_heads_that_are_gone_are_missed(settings: Settings, run: Run, emptied: bool) -> None:
    file = settings.data / "heads.jsonl"
    if emptied:
        file.write_bytes(b"")
    else:
        file.unlink()
    code, said = run()
    assert (code, "no signed head covers" in said) == (1, True)


def test_right_after_a_first_start_there_is_no_signed_head_yet(
    settings: Settings, desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.data / "heads.jsonl").unlink()
    monkeypatch.setattr(clock, "now", lambda: desk.now + 30_000_000)
    assert run()[0] == 0


def test_signed_heads_that_stop_long_before_the_end_are_missed(settings: Settings, desk: Desk, run: Run) -> None:
    (settings.data / "heads.jsonl").unlink()
    heads.append(settings.data / "heads.jsonl", desk.keys.sign(journal.head(desk.database), START - 10**9))
    code, said = run()
    assert (code, "no signed head covers" in said) == (1, True)
