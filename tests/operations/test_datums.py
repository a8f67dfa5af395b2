"""Another datum than declared: proposed once, confirmed or refused, and stored places read anew, each as an entry."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from operations import datums, rederiving, sources
from operations.decision import PLACED_BY_HAND
from operations.errors import Forbidden, Refused
from operations.policy import SYSTEM
from operations.report import Located, Place
from operations.sources import Source
from tests.operations.desk import LEAVES, OPERATOR, Desk, chain, report
from tests.operations.story import ADMINISTRATOR, EVIDENCE

pytestmark = pytest.mark.database


@pytest.fixture
def declared(desk: Desk) -> Desk:
    """A source that says WGS-84."""
    sources.add(desk.database, SYSTEM, Source("hotline", "12345 热线"), now=desk.tick())
    return desk


def confirm(desk: Desk, datum: str) -> None:
    sources.change(desk.database, ADMINISTRATOR, Source("hotline", "12345 热线", datum=datum), now=desk.tick())


def convert(lon: float, lat: float, datum: str) -> tuple[float, float]:
    return (lon - 0.006, lat) if datum == "GCJ02" else (lon, lat)


def located(lon: float, _lat: float, code: str) -> Located:
    """East of 120.002 lies the second grid, west of it the first."""
    leaf = LEAVES[lon > 120.002]
    return Located(leaf, chain(leaf))


def at(id: str, lon: float, **values: object) -> object:
    return report(id, place=Place(lon, 30.0, lon, 30.0, "WGS84"), grid_code=LEAVES[lon > 120.002], **values)


def again(desk: Desk, datum: str) -> int:
    ids = [one.id for one in desk.board().incidents.values()]
    due = rederiving.outdated(desk.database, ids, datum)
    return rederiving.rederive(desk.database, due, datum, convert=convert, locate=located, now=desk.tick())


def test_a_proposal_is_made_once_and_waits(declared: Desk) -> None:
    assert datums.propose(declared.database, "hotline", EVIDENCE, now=declared.tick())
    assert not datums.propose(declared.database, "hotline", EVIDENCE, now=declared.tick())
    assert declared.board().sources["hotline"].proposed == "GCJ02"
    found = datums.standing(declared.database, "hotline").proposal
    assert found is not None and found.evidence == EVIDENCE
    assert [entry.action for entry in declared.entries()].count("source.datum_proposed") == 1


def test_refused_it_is_remembered_and_only_who_manages_sources_refuses(declared: Desk) -> None:
    with pytest.raises(Refused):
        datums.keep(declared.database, ADMINISTRATOR, "hotline", now=declared.tick())
    datums.propose(declared.database, "hotline", EVIDENCE, now=declared.tick())
    with pytest.raises(Forbidden):
        datums.keep(declared.database, OPERATOR, "hotline", now=declared.tick())
    datums.keep(declared.database, ADMINISTRATOR, "hotline", now=declared.tick())
    said = datums.standing(declared.database, "hotline")
    assert said.proposal is None and said.refused_at == declared.now
    assert declared.board().sources["hotline"].proposed == ""


def test_changing_the_datum_settles_it_and_changing_something_else_does_not(declared: Desk) -> None:
    datums.propose(declared.database, "hotline", EVIDENCE, now=declared.tick())
    sources.change(declared.database, ADMINISTRATOR, Source("hotline", "热线"), now=declared.tick())
    assert datums.standing(declared.database, "hotline").proposal is not None
    assert declared.board().sources["hotline"].proposed == "GCJ02"
    confirm(declared, "GCJ02")
    assert datums.standing(declared.database, "hotline") == datums.Standing(previous="WGS84")
    assert declared.board().sources["hotline"].proposed == ""


def test_places_are_read_anew_each_as_an_entry_and_back_again(declared: Desk) -> None:
    declared.send(at("A", 120.005), at("B", 120.001), at("C", 120.007))
    before = declared.board().incidents
    confirm(declared, "GCJ02")
    assert again(declared, "GCJ02") == 3
    after = declared.board().incidents
    assert [one.grid for one in after.values()] == [LEAVES[0]] * 2 + [LEAVES[0]]
    first = next(iter(before))
    entry = next(one for one in declared.entries()[-3:] if one.subject_id == first)
    assert (entry.action, entry.reason, entry.actor) == ("incident.rederived", "datum", "system:system")
    assert entry.body is not None
    assert entry.body["datum"] == {"from": "WGS84", "to": "GCJ02", "grid_before": LEAVES[1], "grid": LEAVES[0]}
    assert entry.scope_grid_before.endswith(LEAVES[1]) and entry.scope_grid.endswith(LEAVES[0])
    assert [one.revision for one in after.values()] == [2, 2, 2]
    assert again(declared, "GCJ02") == 0, "what is done is done"
    confirm(declared, "WGS84")
    assert again(declared, "WGS84") == 3
    for id, one in declared.board().incidents.items():
        assert (one.lon, one.grid, one.revision) == (before[id].lon, before[id].grid, 3)


def test_what_was_placed_by_hand_or_named_its_own_datum_stays(declared: Desk) -> None:
    declared.send(at("A", 120.005), at("B", 120.005, datum_said=True), report("C", place=None))
    by_hand = declared.incident()
    declared.commands.place(OPERATOR, by_hand.id, by_hand.revision, grid=LEAVES[3])
    assert PLACED_BY_HAND in declared.stored(by_hand.id).marks
    confirm(declared, "GCJ02")
    assert again(declared, "GCJ02") == 0


def test_the_closed_ones_on_the_board_move_too_and_counts_stay_where_things_happened(declared: Desk) -> None:
    declared.send(at("A", 120.005))
    one = declared.incident()
    declared.commands.close(OPERATOR, one.id, one.revision, "resolved")
    assert again(declared, "GCJ02") == 1
    board = declared.board()
    assert board.incidents[one.id].grid == LEAVES[0] and list(board.closed) == [one.id]


def test_a_report_that_comes_again_with_the_right_place_is_no_move(declared: Desk) -> None:
    declared.send(at("A", 120.005))
    again(declared, "GCJ02")
    place = Place(120.005 - 0.006, 30.0, 120.005, 30.0, "GCJ02")
    declared.send(report("A", "2", place=place, grid_code=LEAVES[1]))
    assert "lon" not in declared.entries()[-1].body["set"]  # type: ignore[index]


def test_what_means_the_same_place_in_both_is_no_entry(declared: Desk) -> None:
    declared.send(at("A", 120.005))
    ids = [declared.incident().id]
    same = lambda lon, lat, _: (lon, lat)  # noqa: E731
    moved = rederiving.rederive(declared.database, ids, "GCJ02", convert=same, locate=located, now=declared.tick())
    assert moved == 0 and rederiving.outdated(declared.database, ids, "GCJ02") == []


def test_of_several_keepers_at_once_one_proposes(declared: Desk) -> None:
    now = declared.tick()
    with ThreadPoolExecutor(4) as keepers:
        told = list(keepers.map(lambda _: datums.propose(declared.database, "hotline", EVIDENCE, now=now), range(4)))
    assert sorted(told) == [False, False, False, True]
