"""Quarantine: listed, opened with a reason, resubmitted or discarded once."""

import pytest
import sqlalchemy as sa

from operations import quarantine, tables
from operations.errors import Forbidden, NotFound, Refused, Sealed
from operations.policy import Identity
from operations.scope import Scope
from tests.operations.desk import COMMANDER, LEADER, OPERATOR, Desk, refusal

pytestmark = pytest.mark.database
SCOPED = Identity("account", "c2", "c2", "duty_commander", Scope(grid="990101"))


@pytest.fixture
def item(desk: Desk) -> quarantine.Item:
    """One item."""
    desk.send(refusal(b"raw", field="lon", id="A1", revision="2"))
    return quarantine.listed(desk.database, OPERATOR)[0]


def test_an_item_says_what_is_wrong(item: quarantine.Item) -> None:
    assert (item.reason, item.field, item.report_id, item.revision, item.size) == ("not_json", "lon", "A1", "2", 3)
    assert item.state == "open"


def test_pages_go_on(desk: Desk) -> None:
    for number in range(5):
        desk.send(refusal(b"%d" % number))
    first = quarantine.listed(desk.database, OPERATOR, limit=3)
    rest = quarantine.listed(desk.database, OPERATOR, before=first[-1].id)
    ids = [item.id for item in first + rest]
    assert (len(ids), ids) == (5, sorted(ids, reverse=True))


def test_a_page_tells_the_total_and_what_comes_next(desk: Desk) -> None:
    for number in range(5):
        desk.send(refusal(b"%d" % number))
    first = quarantine.page(desk.database, OPERATOR, limit=3)
    rest = quarantine.page(desk.database, OPERATOR, before=first.next or "", limit=3)
    assert [(len(page.items), page.total) for page in (first, rest)] == [(3, 5), (2, 5)]
    assert (first.next, rest.next) == (first.items[-1].id, None)
    assert quarantine.page(desk.database, OPERATOR, state="discarded") == quarantine.Quarantined([], 0, None)


def test_all_pages_are_read_anew_down_to_where_one_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        desk.send(refusal(b"%d" % number))
    ids = [item.id for item in quarantine.listed(desk.database, OPERATOR)]
    anew = quarantine.page(desk.database, OPERATOR, through=ids[3], limit=2)
    assert ([item.id for item in anew.items], anew.next) == (ids[:4], ids[3])
    assert len(quarantine.page(desk.database, OPERATOR, through=ids[5], limit=2).items) == 6
    monkeypatch.setattr(quarantine, "MOST", 3)
    bounded = quarantine.page(desk.database, OPERATOR, through=ids[5], limit=2)
    assert ([item.id for item in bounded.items], bounded.next) == (ids[:3], ids[2])


def test_discarding_wants_a_reason_and_happens_once(desk: Desk, item: quarantine.Item) -> None:
    with pytest.raises(Refused, match="text_missing"):
        quarantine.discard(desk.database, COMMANDER, item.id, " ", now=desk.tick())
    quarantine.discard(desk.database, COMMANDER, item.id, "测试数据", now=desk.tick())
    with pytest.raises(Refused, match="quarantine_ended"):
        quarantine.discard(desk.database, COMMANDER, item.id, "测试数据", now=desk.tick())
    [ended] = quarantine.listed(desk.database, COMMANDER, state="discarded")
    assert (ended.decided_by, ended.decision, desk.board().open_quarantine) == ("commander", "测试数据", 0)
    with desk.database.read() as connection:
        assert connection.execute(sa.select(tables.outcome.c.outcome)).scalars().all() == ["discarded"]


def test_resubmitting_takes_it_off_the_list(desk: Desk, item: quarantine.Item) -> None:
    quarantine.resubmit(desk.database, COMMANDER, item.id, "", now=desk.tick())
    assert (quarantine.listed(desk.database, COMMANDER), desk.board().open_quarantine) == ([], 0)
    assert desk.entries()[-1].action == "quarantine.resubmitted"


def test_who_may_do_what(desk: Desk, item: quarantine.Item) -> None:
    for call in (
        lambda: quarantine.listed(desk.database, LEADER),
        lambda: quarantine.get(desk.database, desk.keys, LEADER, item.id),
        lambda: quarantine.discard(desk.database, OPERATOR, item.id, "x", now=desk.now),
    ):
        with pytest.raises(Forbidden):
            call()


def test_it_belongs_to_the_whole_city(desk: Desk, item: quarantine.Item) -> None:
    with pytest.raises(Forbidden):
        quarantine.page(desk.database, SCOPED)
    for item_id in (item.id, "absent"):
        for call in (
            lambda: quarantine.get(desk.database, desk.keys, SCOPED, item_id),  # noqa: B023 called at once
            lambda: quarantine.discard(desk.database, SCOPED, item_id, "理由", now=desk.now),  # noqa: B023
        ):
            with pytest.raises(Forbidden) as refused:
                call()
            assert str(refused.value) == f"operations.forbidden: permission={refused.value.params['permission']}"
    with pytest.raises(NotFound):
        quarantine.get(desk.database, desk.keys, COMMANDER, "absent")
    with pytest.raises(NotFound):
        quarantine.discard(desk.database, COMMANDER, "absent", "理由", now=desk.now)


def test_a_person_reads_it_with_a_reason(desk: Desk, item: quarantine.Item) -> None:
    opened = quarantine.read(desk.database, desk.keys, OPERATOR, item.id, "修正", now=desk.tick())
    assert opened.raw == b"raw"
    assert (desk.entries()[-1].reason, desk.board().open_quarantine) == ("修正", 1)


@pytest.mark.parametrize("hidden", ["\0", "\ud800", "\u202e"])
def test_reasons_are_cleaned_and_ids_nobody_gave_are_not_found(desk: Desk, item: quarantine.Item, hidden: str) -> None:
    quarantine.read(desk.database, desk.keys, COMMANDER, item.id, f"核{hidden}实", now=desk.tick())
    quarantine.discard(desk.database, COMMANDER, item.id, f"重{hidden}复\n", now=desk.tick())
    assert [entry.reason for entry in desk.entries()[-2:]] == ["核实", "重复"]
    with pytest.raises(Refused, match="text_missing"):
        quarantine.discard(desk.database, COMMANDER, item.id, hidden, now=desk.tick())
    with pytest.raises(NotFound):
        quarantine.get(desk.database, desk.keys, COMMANDER, item.id + hidden)


def test_without_its_key_it_stays_shut(desk: Desk, item: quarantine.Item) -> None:
    desk.keys.destroy([item.id])
    with pytest.raises(Sealed):
        quarantine.get(desk.database, desk.keys, COMMANDER, item.id)
