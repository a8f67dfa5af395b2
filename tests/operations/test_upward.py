"""Reports upwards: due by the grade, written, signed, sent with proof, the next one due; each clock speaks once."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from config.upward import Upward, UpwardError, current
from operations import journal, upward
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.incident import Incident
from operations.policy import Identity
from operations.scope import Scope
from operations.seal import KeyStore
from operations.upward import Report, Reports
from tests.operations.desk import COMMANDER, LEAVES, MINUTE, OPERATOR, ZONE, Desk, report

pytestmark = pytest.mark.database
WORDS = {"facts": "化工园区气体泄漏", "loss": "无", "measures": "消防到场", "next": "监测"}


@pytest.fixture
def reports(database: Database, keys: KeyStore, desk: Desk) -> Reports:
    """The commands, with the clock of the desk."""
    return Reports(database, keys, desk.rung.append, zone=ZONE, now=desk.tick)


def changed(desk: Desk, **values: object) -> Incident:
    """An incident after a change of it, with what that makes due."""
    if not desk.board().incidents:
        desk.send(report("A1"))
    before = next(iter(desk.board().incidents.values()))
    before = structs.replace(before, grade="" if "grade" in values else "major")
    after = structs.replace(before, **values)
    with desk.database.write() as transaction:
        journal.append(transaction, upward.required(transaction, before, after, ZONE, desk.now))
    return after


def only(reports: Reports) -> Report:
    """The report that waits."""
    return next(one for one in reports.listed(OPERATOR) if one.waits)


def test_the_whole_way_of_a_report(reports: Reports, desk: Desk) -> None:
    incident = changed(desk, grade="major")
    first = only(reports)
    assert (first.kind, first.state, first.due_at) == ("first", "due", desk.now + 60 * MINUTE)
    drafted = reports.write(OPERATOR, first.id, first.revision, WORDS)
    with pytest.raises(Forbidden):
        reports.sign(OPERATOR, first.id, drafted.revision)
    with pytest.raises(Refused):
        reports.sent(OPERATOR, first.id, drafted.revision, "phone", to="李")
    back = reports.send_back(COMMANDER, first.id, drafted.revision, "伤亡要核实")
    again = reports.write(OPERATOR, first.id, back.revision, WORDS)
    signed = reports.sign(COMMANDER, first.id, again.revision)
    with pytest.raises(Refused):
        reports.sent(OPERATOR, first.id, signed.revision, "phone")
    sent = reports.sent(OPERATOR, first.id, signed.revision, "phone", to="李值班", number="2026-88")
    assert sent.proof is not None and sent.proof.number == "2026-88"
    assert reports.written(OPERATOR, first.id).words["to"] == "李值班"
    assert b"\xe6\x9d\x8e" not in b"".join(str(entry.body).encode() for entry in journal.read(desk.database, 0))
    following = only(reports)
    assert (following.kind, following.incident) == ("continued", incident.id)


def test_closing_makes_the_final_one_due_and_the_continued_needless(reports: Reports, desk: Desk) -> None:
    changed(desk, grade="major")
    first = only(reports)
    at = reports.write(OPERATOR, first.id, first.revision, WORDS).revision
    reports.sent(OPERATOR, first.id, reports.sign(COMMANDER, first.id, at).revision, "fax", number="7")
    changed(desk, step="closed")
    assert [(one.kind, one.state) for one in reports.listed(OPERATOR)] == [
        ("final", "due"), ("continued", "void"), ("first", "sent"),
    ]  # fmt: skip


def test_a_clock_speaks_once_for_near_and_once_for_overdue(reports: Reports, desk: Desk) -> None:
    changed(desk, grade="major")
    due = only(reports).due_at
    assert upward.fire(desk.database, due - 30 * MINUTE) == []
    assert [one.told for one in upward.fire(desk.database, due - MINUTE)] == [1]
    assert upward.fire(desk.database, due - MINUTE) == []
    assert [one.told for one in upward.fire(desk.database, due + 90 * MINUTE)] == [2]
    assert upward.fire(desk.database, due + 91 * MINUTE) == []
    last = journal.read(desk.database, 0)[-1]
    assert last.action == "upward.overdue" and last.body is not None and last.body["late_s"] == 90 * 60


def test_two_writers_and_another_jurisdiction(reports: Reports, desk: Desk) -> None:
    changed(desk, grade="large")
    one = only(reports)
    reports.write(OPERATOR, one.id, one.revision, WORDS)
    with pytest.raises(Refused, match=r"upward\.changed"):
        reports.write(COMMANDER, one.id, one.revision, WORDS)
    town = Identity("account", "o2", "town", "operator", Scope(LEAVES[2][:9]))
    assert reports.listed(town) == []
    with pytest.raises(NotFound):
        reports.written(town, one.id)


def test_rules_that_contradict_themselves_are_named(tmp_path: Path) -> None:
    good = (Path(__file__).parents[2] / "config/upward.toml").read_text(encoding="utf-8")
    for wrong, said in ((good.replace('"large"', '"huge"'), "huge"), (good.replace('"large"', '"major"'), "two rules")):
        file = tmp_path / "upward.toml"
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(UpwardError, match=said):
            Upward.load(file)
    assert replace(current(), near_percent=80) == current()
