"""Searching the journal as an auditor: every filter, page by page, and nothing that is sealed or personal."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from operations import accounts, inquiry, journal, recovery
from operations.database import Database
from operations.entry import Draft
from operations.errors import Forbidden, NotFound
from operations.inquiry import Asked
from operations.policy import ROLES, SYSTEM, Identity
from operations.seal import KeyStore
from tests.operations.desk import COMMANDER, Desk, report

pytestmark = pytest.mark.database
AUDITOR = Identity("account", "9", "auditor", "audit_admin")
NOW = 1_800_000_000_000_000
SECOND = 1_000_000


@pytest.fixture
def written(database: Database) -> Database:
    """60 entries, one a second: of two actors, three actions, seven subjects; the clock is set back half-way."""
    drafts = [
        Draft(
            at=NOW + (number if number < 30 else number - 10) * SECOND,
            actor=f"account:{'zhang' if number % 3 else 'li'}",
            action=("incident.opened", "incident.unsealed", "account.added")[number % 3],
            subject_type="incident",
            subject_id=f"s{number % 7}",
            reason="回访核实" if number % 3 == 1 else "",
        )
        for number in range(60)
    ]
    with database.write() as transaction:
        journal.append(transaction, drafts)
    return database


def all_of(database: Database, asked: Asked, limit: int = 7) -> list[int]:
    """Every seq that was found, page by page."""
    found, after = [], None
    while True:
        page = inquiry.page(database, AUDITOR, asked, after, limit)
        found += [one.seq for one in page.entries]
        if page.next is None:
            return found
        after = page.next


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (Asked(), lambda one: True),
        (Asked(actor="zhang"), lambda one: one.actor == "account:zhang"),
        (Asked(actor="account:li"), lambda one: one.actor == "account:li"),
        (Asked(actor="nobody"), lambda one: False),
        (Asked(groups=("seen",)), lambda one: one.action == "incident.unsealed"),
        (Asked(groups=("incident", "account")), lambda one: True),
        (Asked(groups=("account",)), lambda one: one.action == "account.added"),
        (Asked(groups=("warning",)), lambda one: False),
        (Asked(groups=("nonsense",)), lambda one: False),
        (Asked(subjects=("s3", "s4")), lambda one: one.subject_id in ("s3", "s4")),
        (Asked(reason="核实"), lambda one: "核实" in one.reason),
        (Asked(reason="%"), lambda one: False),
        (Asked(since=NOW + 25 * SECOND), lambda one: one.at >= NOW + 25 * SECOND),
        (Asked(until=NOW + 25 * SECOND), lambda one: one.at < NOW + 25 * SECOND),
        (
            Asked(since=NOW + 10 * SECOND, until=NOW + 40 * SECOND, actor="zhang", groups=("seen",), reason="回访"),
            lambda one: NOW + 10 * SECOND <= one.at < NOW + 40 * SECOND and one.action == "incident.unsealed",
        ),
    ],
)
def test_each_filter_finds_what_fits_newest_first_whatever_the_page(written, asked, wanted):
    entries = [one for one in journal.read(written, 0) if wanted(one)]
    expected = [one.seq for one in sorted(entries, key=lambda one: (one.at, one.seq), reverse=True)]
    assert all_of(written, asked) == expected
    assert all_of(written, asked, limit=1) == expected


@pytest.mark.parametrize("role", [role for role in ROLES if role != "audit_admin"])
def test_nobody_else_may_search(written: Database, role: str):
    who = Identity("account", "1", "who", role)
    for ask in (
        lambda: inquiry.page(written, who, Asked()),
        lambda: inquiry.subjects(written, who, "s1"),
        lambda: inquiry.seen(written, who, inquiry.Subject("incident", "s1", "s1")),
        lambda: inquiry.called(written, who, []),
    ):
        with pytest.raises(Forbidden):
            ask()


@pytest.fixture
def desk(database: Database, folder: Path) -> Iterator[Desk]:
    with closing(KeyStore(folder / "keys")) as keys:
        yield Desk(database, keys)


def test_who_saw_a_phone_number_is_found_by_the_incidents_number_without_the_phone_number(desk: Desk):
    desk.send(report("A1", reporter={"name": "张三", "phone": "13800001234"}))
    (incident,) = desk.board().incidents.values()
    seen = desk.commands.unseal(COMMANDER, incident.id, "回访核实")
    (subject,) = inquiry.subjects(desk.database, AUDITOR, incident.number)
    assert (subject.type, subject.id, subject.name) == ("incident", incident.id, incident.number)
    (entry,) = inquiry.seen(desk.database, AUDITOR, subject)
    assert (entry.actor, entry.reason) == (COMMANDER.actor, "回访核实")
    assert entry.body == {"fields": sorted(seen), "session": COMMANDER.session}
    assert "13800001234" in seen.values()
    everything = repr(inquiry.page(desk.database, AUDITOR, Asked(subjects=(incident.id,))))
    assert all(value not in everything for value in (*seen.values(), incident.title, incident.address) if value)


def test_what_an_account_saw_is_found_by_its_name(desk: Desk):
    desk.send(report("A1"))
    accounts.add(desk.database, SYSTEM, COMMANDER.name, "duty_commander", now=NOW)
    (incident,) = desk.board().incidents.values()
    desk.commands.unseal(COMMANDER, incident.id, "回访核实")
    (subject,) = inquiry.subjects(desk.database, AUDITOR, COMMANDER.name)
    assert [one.subject_id for one in inquiry.seen(desk.database, AUDITOR, subject)] == [incident.id]
    called = inquiry.called(desk.database, AUDITOR, inquiry.seen(desk.database, AUDITOR, subject))
    assert called == {incident.id: incident.number}


@pytest.mark.parametrize("text", ["", " ", "no such thing", "\0", "\ud800", "' OR 1=1 --"])
def test_what_nobody_knows_is_not_found(written: Database, text: str):
    with pytest.raises(NotFound):
        inquiry.subjects(written, AUDITOR, text)


def test_a_subject_that_no_table_names_is_known_by_its_entries(written: Database):
    assert inquiry.subjects(written, AUDITOR, "s3") == [inquiry.Subject("incident", "s3", "s3")]


def test_what_the_servers_terminal_did_about_accounts_is_told_to_security_and_audit(written: Database):
    recovery.note(written, recovery.USED, "user add", "new", login="root", now=NOW + 90 * SECOND)
    for role in ("audit_admin", "security_admin"):
        who = Identity("account", "1", "who", role)
        assert [one.action for one in inquiry.command_line(written, who, since=NOW)] == [recovery.USED]
        assert inquiry.command_line(written, who, since=NOW + 100 * SECOND) == []
    with pytest.raises(Forbidden):
        inquiry.command_line(written, Identity("account", "1", "who", "system_admin"), since=NOW)
