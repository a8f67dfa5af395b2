"""Reconciliation: whatever is sent twice, cut off or delivered again, sent = outcomes; what does not add up alarms."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations import journal, reconciliation, tables
from operations.reconciliation import Fault
from operations.report import Refusal, Report
from tests.operations.desk import Desk, refusal, report


def item(number: int) -> Report | Refusal:
    """One of a dozen items: some the same, some in conflict, some older, some unreadable."""
    name, kind = f"R{number % 3}", number // 3
    if kind == 3:
        return refusal(b"%d" % number)
    return report(name, str(kind % 2 + 1), title="别的" if kind == 2 else "一样")


class Cut(Exception):
    """Stands for kill -9 before the commit."""


PACKETS = st.lists(
    st.tuples(st.lists(st.integers(0, 11), min_size=1, max_size=6), st.booleans(), st.booleans()), max_size=12
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(packets=PACKETS)
def test_sent_is_outcomes(
    new_desk: Callable[[], Desk], packets: list[tuple[list[int], bool, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = new_desk()
    append = journal.append
    sent: set[str] = set()
    for index, (numbers, killed_before, killed_after) in enumerate(packets, 1):
        items = [item(number) for number in numbers]
        sent |= {repr(one) for one in items}
        if killed_before:
            with monkeypatch.context() as patch:
                patch.setattr(journal, "append", lambda *_: (_ for _ in ()).throw(Cut))
                with pytest.raises(Cut):
                    desk.send(*items, stream_id=f"{index}-0")
        desk.send(*items, stream_id=f"{index}-0")
        if killed_after:  # committed but not acknowledged: the engine delivers it again
            desk.send(*items, stream_id=f"{index}-0")
    assert journal.append is append
    check(desk, sent, sum(len(numbers) for numbers, _, _ in packets))


def check(desk: Desk, sent: set[str], accepted: int) -> None:
    """Every distinct item has one outcome, every delivery is counted once, every outcome has its entry."""
    with desk.database.read() as connection:
        outcomes = list(connection.execute(sa.select(tables.outcome)))
    assert len(outcomes) == len(sent)
    counted = reconciliation.counters(desk.database).get(0)
    if counted is not None:
        assert counted.decided == accepted
        by_outcome = [counted.journaled, counted.stale, counted.conflict, counted.quarantined]
        assert sum(by_outcome) == len(outcomes) == counted.decided - counted.duplicates
    entries = {entry.seq: entry for entry in desk.entries()}
    assert sorted(row.seq for row in outcomes) == sorted(entries)
    expected = {
        "journaled": "incident.",
        "stale": "report.stale",
        "conflict": "quarantine.",
        "quarantined": "quarantine.",
    }
    assert all(entries[row.seq].action.startswith(expected[row.outcome]) for row in outcomes)
    assert reconciliation.check(desk.database, {0: (accepted, 0)}) == []


@pytest.mark.database
def test_a_difference_twice_running_is_an_alarm(desk: Desk) -> None:
    desk.send(report("A1"), report("A2"))
    assert reconciliation.check(desk.database, {0: (3, 1), 7: (5, 5)}) == []
    first = reconciliation.check(desk.database, {0: (4, 1), 7: (5, 0)})
    assert first == [Fault(0, 4, 2, 1), Fault(7, 5, 0, 0)]
    assert reconciliation.alarm(desk.database, [], first, now=desk.tick()) == []
    desk.send(report("A3"))
    second = reconciliation.check(desk.database, {0: (4, 1), 7: (5, 0)})
    assert reconciliation.alarm(desk.database, first, second, now=desk.tick()) == [Fault(7, 5, 0, 0)]
    entry = desk.entries()[-1]
    assert (entry.action, entry.subject_id) == ("reconciliation.failed", "7")
    assert entry.body is not None and entry.body["missing"] == 5


@pytest.mark.database
def test_more_decided_than_accepted_is_a_fault_too(desk: Desk) -> None:
    desk.send(report("A1"))
    assert [fault.missing for fault in reconciliation.check(desk.database, {0: (0, 0)})] == [-1]
