"""What becomes of reports: one outcome a key, older ones change nothing, gone is not closed, conflicts are kept."""

from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from operations import journal, lease, quarantine, reception, reconciliation, tables
from operations.database import Transaction
from operations.entry import Draft
from operations.errors import LeaseLost
from operations.report import Place
from tests.operations.desk import COMMANDER, DAY, LEAVES, OPERATOR, RULES, START, Desk, chain, locate, refusal, report

pytestmark = pytest.mark.database


def outcomes(desk: Desk) -> dict[str, str]:
    """{key: outcome} of every key."""
    with desk.database.read() as connection:
        return {row.key: row.outcome for row in connection.execute(sa.select(tables.outcome))}


def test_a_first_report_opens_an_incident(desk: Desk) -> None:
    recorded = desk.send(report())
    assert (recorded.journaled, recorded.last_seq, desk.rung) == (1, 1, [1])
    incident = desk.incident()
    assert incident.number == "0115-0001"
    assert (incident.county, incident.department, incident.chain) == ("990101", "police", chain(LEAVES[0]))
    assert incident == desk.stored(incident.id)


def test_numbers_count_per_county_and_day(desk: Desk) -> None:
    desk.send(report("A1"), report("A2"))
    desk.tick(DAY)
    desk.send(report("A3"))
    numbers = [incident.number for incident in desk.board().incidents.values()]
    assert numbers == ["0115-0001", "0115-0002", "0116-0001"]


def test_the_same_again_is_a_duplicate_in_one_batch_and_later(desk: Desk) -> None:
    assert desk.send(report(), report()).duplicates == 1
    assert desk.send(report()).duplicates == 1
    assert len(desk.entries()) == 1


def test_a_packet_delivered_again_counts_nothing_twice(desk: Desk) -> None:
    desk.send(report("A1"), report("A2"), stream_id="5-0")
    again = desk.send(report("A1"), report("A2"), stream_id="5-0")
    assert (again.journaled, again.duplicates) == (0, 0)
    assert reconciliation.counters(desk.database)[0].decided == 2


def test_a_newer_revision_updates_and_an_older_one_changes_nothing(desk: Desk) -> None:
    desk.send(report(revision="1"))
    desk.send(report(revision="10", title="红灯不亮，已拥堵", urgency="urgent", status="处理中"))
    before = desk.incident()
    assert (before.title, before.urgency, before.source_status, before.reports) == (
        "红灯不亮，已拥堵",
        "urgent",
        "处理中",
        2,
    )
    assert desk.send(report(revision="9", title="旧")).stale == 1
    assert desk.incident() == before == desk.stored(before.id)
    assert desk.entries()[-1].action == "report.stale"
    assert set(outcomes(desk).values()) == {"journaled", "stale"}


def test_statuses_that_go_backwards_are_shown_as_they_are(desk: Desk) -> None:
    for revision, status in enumerate(("待派", "已到场", "待派")):
        desk.send(report(revision=str(revision), status=status))
        assert desk.incident().source_status == status


def test_gone_is_not_closed_and_a_return_clears_it(desk: Desk) -> None:
    desk.send(report(revision="1"))
    desk.send(report(revision="2", presence="gone", place=None, grid_code=""))
    gone = desk.incident()
    assert gone.gone and gone.is_open and gone.chain == chain(LEAVES[0])
    desk.send(report(revision="3"))
    assert not desk.incident().gone


def test_other_content_under_the_same_key_is_a_conflict_once(desk: Desk) -> None:
    desk.send(report())
    before = desk.incident()
    recorded = desk.send(report(title="别的内容"), report(title="别的内容"))
    assert (recorded.conflicts, recorded.duplicates) == (1, 1)
    assert desk.send(report(title="别的内容")).duplicates == 1
    assert desk.incident() == before
    [item] = quarantine.listed(desk.database, COMMANDER)
    assert item.reason == "conflict"
    assert "别的内容".encode() in quarantine.get(desk.database, desk.keys, COMMANDER, item.id).raw
    assert item.raw_sha256 == report(title="别的内容").raw_sha256  # of what was received
    assert sorted(outcomes(desk).values()) == ["conflict", "journaled"]


def test_a_conflict_inside_one_batch_is_found(desk: Desk) -> None:
    recorded = desk.send(report(), report(title="别的内容"))
    assert (recorded.journaled, recorded.conflicts) == (1, 1)


def test_what_cannot_be_read_is_quarantined_with_its_bytes_sealed(desk: Desk) -> None:
    recorded = desk.send(refusal(b"\xff\x00nonsense", params={"detail": "secret"}), refusal(b"\xff\x00nonsense"))
    assert (recorded.quarantined, recorded.duplicates) == (1, 1)
    assert desk.board().open_quarantine == 1
    [item] = quarantine.listed(desk.database, COMMANDER)
    opened = quarantine.get(desk.database, desk.keys, COMMANDER, item.id)
    assert (opened.raw, opened.params) == (b"\xff\x00nonsense", {"detail": "secret"})
    with desk.database.read() as connection:
        sealed = connection.execute(sa.select(tables.quarantine.c.sealed)).scalar_one()
    assert b"nonsense" not in sealed and b"secret" not in sealed


def test_an_update_after_closing_is_recorded_and_marked_but_does_not_reopen(desk: Desk) -> None:
    desk.send(report(revision="1"))
    incident = desk.incident()
    desk.commands.close(COMMANDER, incident.id, 1, "resolved")
    desk.send(report(revision="2", title="又坏了", urgency="critical", status="再报"))
    after = desk.incident()
    assert not after.is_open
    assert (after.title, after.urgency, after.source_status) == (incident.title, "routine", "再报")
    assert "after_close" in after.marks


def test_what_an_operator_set_is_not_undone_by_a_repetition(desk: Desk) -> None:
    desk.send(report(revision="1"))
    incident = desk.incident()
    desk.commands.urgency(OPERATOR, incident.id, 1, "critical")
    desk.commands.place(OPERATOR, incident.id, 2, grid=LEAVES[3])
    desk.send(report(revision="2", grid_code=LEAVES[1], place=Place(113.6, 34.8)))
    after = desk.incident()
    assert (after.urgency, after.grid, after.reports) == ("critical", LEAVES[3], 2)
    desk.send(report(revision="3", urgency="urgent"))
    assert desk.incident().urgency == "urgent"


def test_personal_data_is_in_no_table_in_the_clear(desk: Desk) -> None:
    secret = "某某路口红灯不亮"
    desk.send(report(text=secret, reporter={"name": "欧阳某某", "phone": "13800001234"}))
    with desk.database.read() as connection:
        for table in tables.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                shown = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
                assert not any(word.encode() in shown for word in (secret, "欧阳某某", "13800001234"))


def test_a_lost_lease_writes_nothing(desk: Desk) -> None:
    desk.send(report("A1"))
    assert lease.acquire(desk.database, lease.partition(0), "other", 10**9, desk.now + 10**16) == 2
    with pytest.raises(LeaseLost):
        desk.send(report("A2"))
    assert len(desk.entries()) == 1
    assert reconciliation.counters(desk.database)[0].decided == 1


def test_strange_ids_stay_apart(desk: Desk) -> None:
    ids = ["a/b", "a", "b" * 2000, "\0", "?x", "%s", "' OR 1=1", "😀"]
    recorded = desk.send(*(report(id, "c") for id in ids), *(report(id, "d/e") for id in ids[:2]))
    assert recorded.journaled == len(ids) + 2
    assert len(desk.board().incidents) == len(ids)


def test_several_partitions_are_recorded_in_one_transaction(desk: Desk) -> None:
    tokens = [lease.acquire(desk.database, lease.partition(number), "w", 10**15, START) or 0 for number in (3, 4)]
    deliveries = [
        reception.Delivery(3, tokens[0], [("1-0", [report("A1"), report("A1")])]),
        reception.Delivery(4, tokens[1], [("1-0", [report("B1"), refusal()])]),
    ]
    reception.record_all(desk.database, deliveries, located=locate, rules=RULES, keys=desk.keys, now=START)
    counted = reconciliation.counters(desk.database)
    assert (counted[3].decided, counted[3].duplicates, counted[4].decided, counted[4].quarantined) == (2, 1, 2, 1)


def test_once_the_journals_head_is_locked_only_outcomes_follow(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    many, append = Transaction.many, journal.append

    def noted(transaction: Transaction, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        written.append(" ".join(statement.split()[:3]))
        many(transaction, statement, rows)

    def appended(transaction: Transaction, drafts: Sequence[Draft]) -> range:
        written.append("append")
        return append(transaction, drafts)

    monkeypatch.setattr(Transaction, "many", noted)
    monkeypatch.setattr(journal, "append", appended)
    desk.send(report("A1"), report("A1", "2", title="更糟了"), refusal())
    tail = written[written.index("append") + 1 :]
    assert tail == ["INSERT INTO journal", "INSERT INTO journal_body", "INSERT INTO outcome"]
    assert [one for one in written if one.startswith("UPDATE partition")] != []
