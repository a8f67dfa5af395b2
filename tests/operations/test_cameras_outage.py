"""Mass drops of cameras: what goes together is one thing to tell, once, with an end."""

import pytest
import sqlalchemy as sa

from config.words import Words
from dashboard.panels.shell import dropped
from operations import journal
from operations.board import Board, apply, project
from operations.cameras import keeping, outages
from operations.cameras.fallen import Fallen
from operations.cameras.item import Item
from operations.cameras.outage import FEWEST, LASTING, SETTLE, TOGETHER, Behind, Drop, Point, Told, grouped
from operations.database import Database
from operations.scope import Scope
from operations.snapshot import decode, encode
from operations.tables import camera

NOW, DAY = 1_800_000_000_000_000, 86_400_000_000


def drops(count: int, behind: Behind, at: int = NOW) -> list[Drop]:
    return [Drop(f"{behind.parent}-{n}", at + n, behind) for n in range(count)]


Totals = dict[Point, int]


def told(gone: list[Drop], totals: Totals, later: int = 2 * SETTLE, known: Totals | None = None) -> Told:
    return grouped(gone, totals, NOW + later, known or {})


def test_a_recorder_that_fails_is_one_thing_to_tell() -> None:
    totals = {Point("parent", "nvr"): 5_000, Point("source", "city"): 50_000, Point("area", "town"): 20_000}
    found = told(drops(5_000, Behind("city", "nvr", "town")), totals)
    assert [(one.point, one.gone, one.total, one.since) for one in found.outages] == [
        (Point("parent", "nvr"), 5_000, 5_000, NOW)
    ]
    assert (found.alone, found.waiting) == ((), ())


def test_a_platform_swallows_its_recorders_and_leaves_the_rest_alone() -> None:
    gone = drops(40, Behind("police", "a", "t")) + drops(30, Behind("police", "b", "u"))
    gone += drops(3, Behind("city", "c", "t"))
    totals = {Point("parent", "a"): 40, Point("parent", "b"): 30, Point("source", "police"): 75}
    totals |= {Point("source", "city"): 9_000, Point("area", "t"): 5_000}
    found = told(gone, totals)
    assert [(one.point, one.gone) for one in found.outages] == [(Point("source", "police"), 70)]
    assert {one.behind.parent for one in found.alone} == {"c"}


def test_few_cameras_or_a_small_share_are_told_alone_and_only_when_they_last() -> None:
    totals = {Point("parent", "big"): 1_000, Point("source", "s"): 1_000}
    few = drops(20, Behind("s", "big"))
    early = told(few, totals, SETTLE - 1)
    assert (early.alone, len(early.waiting)) == ((), 20)
    found = told(few, totals)
    assert (found.outages, len(found.alone)) == ((), 20)


def test_who_has_been_away_for_weeks_is_no_part_of_a_drop() -> None:
    one_by_one = [Drop(f"c{n}", NOW - n * TOGETHER, Behind("s")) for n in range(50)]
    assert told(one_by_one, {Point("source", "s"): 60}).outages == ()
    found = told([*one_by_one, *drops(20, Behind("s"))], {Point("source", "s"): 60}).outages
    assert [(one.gone, one.since) for one in found] == [(21, NOW)]


def test_it_lasts_until_few_are_left_so_that_one_that_comes_and_goes_is_not_told_anew() -> None:
    point = Point("source", "s")
    left = drops(FEWEST // LASTING, Behind("s"))
    assert [one.gone for one in told(left, {point: 30}, DAY, {point: NOW}).outages] == [5]
    assert told(left, {point: 30}, DAY).outages == ()
    assert told(left[1:], {point: 30}, DAY, {point: NOW}).outages == ()


CHAIN = ("990101", "990101001", "990101001001", "990101001001001")
SECOND = 1_000_000


def signal(database: Database, state: str, codes: range, now: int) -> None:
    with database.write() as transaction:
        keeping.signal(transaction, "gb-1", "registered", {f"c{n}": state for n in codes}, now=now)


def boards(database: Database) -> tuple[Board, Board, Board]:
    """The whole city, the town, and another town, as the journal makes them."""
    whole = Board()
    for entry in journal.read(database, 0):
        apply(whole, entry)
    return whole, project(whole, Scope(CHAIN[1])), project(whole, Scope("990101002"))


@pytest.mark.database
def test_a_drop_is_told_once_grows_ends_and_is_seen_by_those_whose_cameras_are_away(database: Database) -> None:
    items = [Item(code=f"c{n}", name=f"c{n}", owner="police", chain=CHAIN, status="on") for n in range(40)]
    with database.write() as transaction:
        keeping.take(transaction, "gb-1", items, complete=True, now=NOW)

    def step(seconds: int) -> list[tuple[str, int]]:
        before = len(journal.read(database, 0))
        for _worker in range(2):
            outages.step(database, now=NOW + seconds * SECOND)
        entries = journal.read(database, 0)[before:]
        return [(one.action, ((one.body or {}).get("set") or {}).get("gone", 0)) for one in entries]

    signal(database, "off", range(15), NOW)
    assert step(30) == []
    assert step(61) == [("outage.began", 15)]
    assert step(90) == []
    signal(database, "off", range(15, 38), NOW + 95 * SECOND)
    assert step(100) == [("outage.grew", 38)]
    whole, inside, outside = boards(database)
    seen = Fallen(
        level="source", name="gb-1", title="", gone=38, total=40, since_at=NOW, areas=(CHAIN[1],), owners=("police",)
    )
    assert whole.outages == inside.outages == {"source:gb-1": seen} and outside.outages == {}
    assert decode(encode(whole)).outages == whole.outages
    signal(database, "on", range(30), NOW + 200 * SECOND)
    assert step(210) == [], "eight of forty: still too few for the end"
    signal(database, "on", range(36), NOW + 300 * SECOND)
    assert step(310) == [("outage.ended", 0)]
    assert boards(database)[0].outages == {}


@pytest.mark.database
def test_planned_maintenance_drops_nothing(database: Database) -> None:
    items = [Item(code=f"c{n}", name=f"c{n}", chain=CHAIN, status="on") for n in range(20)]
    with database.write() as transaction:
        keeping.take(transaction, "gb-1", items, complete=True, now=NOW)
        transaction.connection.execute(sa.update(camera).values(maintenance_until=NOW + DAY))
    signal(database, "off", range(20), NOW)
    found = outages.step(database, now=NOW + 2 * SETTLE)
    assert (found.outages, found.alone) == ((), ())
    assert len(outages.step(database, now=NOW + DAY + SETTLE).outages) == 1


def test_the_badge_names_the_largest_and_counts_the_others() -> None:
    small = Fallen(level="parent", name="nvr", title="西门录像机", gone=11, total=12, since_at=NOW)
    board = Board(outages={"parent:nvr": small})
    words = Words("zh")
    assert dropped(Board(), words)["hidden"]
    assert "西门录像机" in str(dropped(board, words)["children"]) and "11/12 台" in str(
        dropped(board, words)["children"]
    )
    town = Fallen(level="area", name=CHAIN[1], title="", gone=90, total=99, since_at=NOW)
    board.outages["area"] = town
    told = dropped(board, words)
    assert "另有 1 处" in str(told["children"]) and "990101001" in str(told["children"])
