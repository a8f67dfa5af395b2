"""The auditor's page: what is exported can be checked and not forged, every look is an entry, nothing sealed shown."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from config.settings import Settings
from config.words import LANGUAGES, Words
from dashboard import check, frame, journal_export
from dashboard.access import _current
from dashboard.auditbook import Auditbook, Run
from dashboard.journal_export import STATEMENT, Export, Statement
from dashboard.panels import audit_export, audit_log, audit_shell, audit_verify, key_notice
from dashboard.server import Server
from dashboard.trail import Trail
from operations import audit, heads, inspection, journal
from operations.database import Database
from operations.entry import Draft
from operations.errors import Forbidden
from operations.inquiry import Asked
from operations.policy import ROLES, Identity
from operations.seal import KeyStore
from tests.dashboard.conftest import Proof
from tests.dashboard.panel_board import WORDS
from tests.operations.desk import COMMANDER, Desk, report

AUDITOR = Identity("account", "9", "auditor", "audit_admin")
NOW = 1_800_000_000_000_000
REASONS = ("", "=1+1", "回访\n核实", '"quoted", and', "'=already", "'", " -1", "1234567890123")
Packed = Callable[[str, Asked], Path]


@pytest.fixture
def keys(folder: Path) -> Iterator[KeyStore]:
    with closing(KeyStore(folder / "keys")) as made:
        yield made


@pytest.fixture
def packed(database: Database, keys: KeyStore, folder: Path) -> Packed:
    """Packs an export of 300 entries as the route does."""
    drafts = [
        Draft(
            at=NOW + number,
            actor=f"account:a{number % 3}",
            action="account.changed",
            subject_type="account",
            subject_id=f"990101{number:09d}",
            reason=REASONS[number % len(REASONS)],
            body={"set": {"name": "张三"}},
        )
        for number in range(300)
    ]
    with database.write() as transaction:
        journal.append(transaction, drafts)

    def pack(form: str, asked: Asked) -> Path:
        made, file = Export(database, AUDITOR, asked, form, now=NOW), folder / f"{form}.zip"
        with zipfile.ZipFile(file, "w") as out:
            out.writestr(made.file, b"".join(made.content()))
            out.writestr(STATEMENT, made.statement(keys))
        return file

    return pack


def rewritten(file: Path, change: Callable[[bytes], bytes], name: str) -> Path:
    """The same ZIP with one of its files changed."""
    with zipfile.ZipFile(file) as packed:
        content = {one: packed.read(one) for one in packed.namelist()}
    with zipfile.ZipFile(file, "w") as out:
        for one, said in content.items():
            out.writestr(one, change(said) if one == name else said)
    return file


@pytest.mark.parametrize("form", journal_export.FORMS)
@pytest.mark.parametrize("asked", [Asked(), Asked(actor="a1"), Asked(reason="核实"), Asked(actor="nobody")])
def test_an_export_checks(packed: Packed, folder: Path, form: str, asked: Asked, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(journal_export, "PAGE_MOST", 70)
    assert check.export_main(packed(form, asked), folder / "keys/head.pub", WORDS) == check.OK


@pytest.mark.parametrize("form", journal_export.FORMS)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda said: said.replace(b"account:a1", b"account:a2", 1), "changed"),
        (lambda said: b"".join(said.splitlines(keepends=True)[:5] + said.splitlines(keepends=True)[6:]), "digest"),
        (lambda said: said + b"\n", "digest"),
        (lambda said: said[: len(said) // 2], "line"),
    ],
)
def test_a_changed_export_is_told(packed: Packed, keys: KeyStore, form: str, change, told: str):
    file = rewritten(packed(form, Asked()), change, f"journal.{form}")
    with zipfile.ZipFile(file) as found, found.open(f"journal.{form}") as lines:
        statement = msgspec.json.decode(found.read(STATEMENT), type=Statement)
        wrong = journal_export.check(statement, lines, keys.public_key())
    assert wrong is not None and wrong.kind in (told, "digest", "line")


def test_a_changed_statement_another_key_and_no_zip_are_refused(
    packed: Packed, folder: Path, capsys: pytest.CaptureFixture[str]
):
    file, key = packed("csv", Asked()), folder / "keys/head.pub"
    with closing(KeyStore(folder / "other")) as other:
        other.public_key()
    assert check.export_main(file, folder / "other/head.pub", Words("en")) == check.WRONG
    rewritten(file, lambda said: said.replace(b"account:auditor", b"account:nobody"), STATEMENT)
    assert check.export_main(file, key, Words("en")) == check.WRONG
    assert capsys.readouterr().out.count("the signature does not fit") == 2
    file.write_bytes(b"no zip")
    assert check.export_main(file, key, Words("en")) == check.WRONG
    assert check.export_main(folder / "absent.zip", key, Words("en")) == check.WRONG


async def test_the_route_streams_a_zip_and_writes_the_entry_first(
    server: Server, client: httpx.AsyncClient, furnished: Database, proof: Proof, settings: Settings, folder: Path
):
    answer = await client.get("/api/v1/audit/export?form=json&groups=account", headers=proof("audit_admin"))
    assert answer.status_code == 200
    entry = next(one for one in reversed(journal.read(furnished, 0)) if one.action == "export.taken")
    assert (entry.actor, entry.subject_id) == ("account:audit_admin", "journal")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as found:
        entries = json.loads(found.read("journal.json"))
    assert entries and {one["action"] for one in entries} == {"account.added"}
    (folder / "export.zip").write_bytes(answer.content)
    assert check.export_main(folder / "export.zip", settings.data / "keys/head.pub", WORDS) == check.OK


@pytest.mark.parametrize("role", [role for role in ROLES if role != "audit_admin"])
async def test_nobody_else_exports_or_opens_the_page(client: httpx.AsyncClient, proof: Proof, role: str):
    for path in ("/api/v1/audit/export", "/audit"):
        assert (await client.get(path, headers=proof(role))).status_code == 403


@pytest.fixture
def book(database: Database, keys: KeyStore, folder: Path) -> Iterator[Auditbook]:
    """The auditor's book, asked by an auditor."""
    database.snapshot_key = keys.snapshot_key()
    trail = Trail(lambda lines: audit.append(database, lines))
    mark = _current.set(AUDITOR)
    yield Auditbook(database, keys, folder / "heads.jsonl", trail, lambda _seq: None)
    _current.reset(mark)
    trail.stop()


def test_a_search_is_one_entry_and_its_further_pages_none(book: Auditbook, packed: Packed, database: Database):
    page = book.page(Asked(actor="a1"))
    assert page.next is None
    page = book.page(Asked())
    book.page(Asked(), page.next)
    book._trail.flush()
    found = [one for one in journal.read(database, 300) if one.action == "audit.searched"]
    assert [(one.actor, (one.body or {}).get("actor")) for one in found] == [
        ("account:auditor", "a1"),
        ("account:auditor", None),
    ]


def test_an_inspection_locates_the_first_broken_entry(book: Auditbook, packed: Packed, database: Database):
    heads.append(book._heads, book._keys.sign(journal.head(database), NOW))
    with database.write() as transaction:
        transaction.connection.execute(sa.text("UPDATE journal SET reason = 'x' WHERE seq IN (40, 90)"))
    book.inspect()
    assert book._thread is not None
    book._thread.join(60)
    run = book.inspected()
    assert run.found is not None and run.found.first is not None and not run.stage
    assert (run.found.ok, run.found.first.seq, run.found.first.kind) == (False, 40, "changed")
    for lang in LANGUAGES:
        words = Words(lang)
        assert "40" in frame.encode(audit_verify.drawn(run, words, NOW)).decode()


def test_who_may_not_verify_is_refused(book: Auditbook):
    mark = _current.set(Identity("account", "1", "x", "security_admin"))
    for ask in (book.inspect, book.inspected, lambda: book.page(Asked()), lambda: book.export(Asked(), "csv")):
        with pytest.raises(Forbidden):
            ask()
    _current.reset(mark)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_line_says_who_saw_which_fields_and_never_what_they_hold(lang: str, database: Database, keys: KeyStore):
    desk = Desk(database, keys)
    desk.send(report("A1", reporter={"name": "张三", "phone": "13800001234"}))
    (incident,) = desk.board().incidents.values()
    desk.commands.unseal(COMMANDER, incident.id, "回访核实")
    words = Words(lang)
    entry = journal.read(database, 0)[-1]
    (row,) = audit_shell.rows([entry], {incident.id: incident.number}, words)
    assert (row.who, row.reason) == ("commander", "回访核实")
    assert words.text("desk.reveal.phone") in row.what and incident.number in row.subject
    drawn = frame.encode(audit_shell.listing([row], words, "")).decode()
    assert "13800001234" not in drawn and "张三" not in drawn
    assert entry.hash in drawn


def test_what_a_form_asks_for():
    zone, given = WORDS.city.zone, {"window": "hour", "group": "seen", "actor": " zhang "}
    asked = audit_log.asked_of(given, NOW, zone)
    assert asked == Asked(since=NOW - 3_600_000_000, actor="zhang", groups=("seen",))
    assert audit_log.asked_of({"window": "all", "group": "all"}, NOW, zone) == Asked()
    assert audit_log.asked_of({"since": "yesterday"}, NOW, zone) == audit_log.Wrong("since")
    typed = audit_log.asked_of({"window": "hour", "until": "2026-11-22 08:00"}, NOW, zone)
    assert isinstance(typed, Asked) and typed.since is None and typed.until is not None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_export_says_its_range_and_the_notice_says_how_often(lang: str, database: Database, packed: Packed):
    packed("csv", Asked())
    words = Words(lang)
    told = audit_export.said(Asked(since=NOW, groups=("seen",), actor="zhang", subjects=("s1",)), words)
    assert "zhang" in told and words.text("audit.group.seen") in told
    assert audit_export.said(Asked(), words) == words.text("audit.filter.all")
    assert "groups=seen" in audit_export.address(Asked(groups=("seen",)), "csv")
    (row,) = key_notice.rows(journal.read(database, 297), words)
    assert row.count == 3 and row.kinds == words.text("audit.action.account.changed")
    assert key_notice.rows([], words) == []
    under_way = frame.encode(audit_verify.drawn(Run("journal", NOW, checked=3, total=9), words, NOW)).decode()
    assert '"max":"9"' in under_way


def test_the_whole_inspection_is_told_by_the_command_line_as_json(
    settings: Settings, database: Database, packed: Packed, keys: KeyStore, capsys: pytest.CaptureFixture[str]
):
    file = settings.data / "heads.jsonl"
    heads.append(file, keys.sign(journal.head(database), NOW))
    assert check.journal_main(settings, WORDS, as_json=True) == check.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["count"], told["compared"]) == (True, 300, True)
    with database.write() as transaction:
        transaction.connection.execute(sa.text("DELETE FROM journal WHERE seq > 290"))
    assert check.journal_main(settings, Words("en"), as_json=False) == check.WRONG
    assert "✗" in capsys.readouterr().out
    assert inspection.inspect(database, keys, file, now=NOW).first is not None


def test_a_journal_cut_together_with_its_own_heads_is_found_by_their_copy(
    settings: Settings, database: Database, packed: Packed, keys: KeyStore
):
    file, copy = settings.data / "heads.jsonl", settings.data / "worm.jsonl"
    copy.write_bytes(b"of another key\n")
    heads.append(copy, keys.sign(journal.head(database), NOW))
    with database.write() as transaction:
        for table in ("journal_body", "journal"):
            transaction.connection.execute(sa.text(f"DELETE FROM {table} WHERE seq > 290"))
        last = transaction.connection.execute(sa.text("SELECT hash FROM journal WHERE seq = 290")).scalar_one()
        transaction.connection.execute(sa.text("UPDATE journal_head SET seq = 290, hash = :hash"), {"hash": last})
    heads.append(file, keys.sign(journal.head(database), NOW))
    assert inspection.inspect(database, keys, file, now=NOW).first is None
    found = inspection.inspect(database, keys, file, copy=copy, now=NOW)
    assert found.first is not None and found.first.kind == "cut" and not found.bad_lines


def test_a_journal_of_some_age_has_heads(settings: Settings, database: Database, packed: Packed, keys: KeyStore):
    later = max(entry.at for entry in journal.read(database, 0)) + 3_600_000_000
    draft = Draft(at=later, actor="system", action="backup.made", subject_type="backup", subject_id="1")
    with database.write() as transaction:
        journal.append(transaction, [draft])
    found = inspection.inspect(database, keys, settings.data / "heads.jsonl", now=later + 1)
    assert found.first is not None and found.first.kind == "unsigned"
