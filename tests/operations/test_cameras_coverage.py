"""Where cameras are missing: none, none live, too few by rules that are data; told once, with an end."""

from pathlib import Path

import pytest

from config.coverage import Coverage, CoverageError, Rule
from operations import journal
from operations.cameras import coverage, keeping, voids
from operations.cameras.coverage import DARK, ENOUGH, FEW, NONE, Covered, Tally, Void
from operations.cameras.item import Item
from operations.database import Database
from operations.entry import Entry
from operations.scope import Scope

NOW, MINUTE = 1_790_000_000_000_000, 60_000_000
COUNTY, TOWN = "990101", "990101001"
ESTATE, VILLAGE = f"{TOWN}001", f"{TOWN}201"
E1, E2, V1, V2 = (f"{ESTATE}001", f"{ESTATE}002", f"{VILLAGE}001", f"{VILLAGE}002")
CHAINS = {
    COUNTY: (COUNTY,), TOWN: (COUNTY, TOWN), ESTATE: (COUNTY, TOWN, ESTATE), VILLAGE: (COUNTY, TOWN, VILLAGE),
    **{leaf: (COUNTY, TOWN, leaf[:12], leaf) for leaf in (E1, E2, V1, V2)},
}  # fmt: skip
RULES = Coverage.load().rules


def standings(*cameras: tuple[str, str, int]) -> dict[str, str]:
    tallies = coverage.tallied((CHAINS[leaf], condition, number) for leaf, condition, number in cameras)
    return {one.code: one.standing for one in coverage.judged(CHAINS, tallies, RULES)}


def test_the_rules_that_are_shipped_ask_six_of_an_estate_and_four_of_a_village() -> None:
    assert [(one.name, one.above, one.least) for one in RULES] == [("estate", 0, 6), ("village", 1, 4)]
    assert RULES[0].fits(0, ESTATE) and not RULES[0].fits(0, VILLAGE) and not RULES[0].fits(1, ESTATE)
    assert RULES[1].fits(1, VILLAGE) and not RULES[1].fits(1, "grid-of-no-code")


def test_none_none_live_and_too_few_are_told_apart_and_others_are_left_out() -> None:
    found = standings((E1, "live", 5), (E1, "off", 1), (E2, "live", 5), (V1, "off", 3), (V2, "live", 1))
    assert found == {E1: ENOUGH, E2: FEW, V1: DARK, V2: ENOUGH, VILLAGE: ENOUGH}
    assert standings() == dict.fromkeys((E1, E2, V1, V2, VILLAGE), NONE)
    assert standings((V1, "live", 3))[VILLAGE] == FEW


def test_the_gravest_come_first() -> None:
    tallies = {E1: Tally(6, 6, 0), E2: Tally(1, 0, 0)}
    found = coverage.judged(CHAINS, tallies, RULES)
    assert [one.standing for one in found] == sorted((one.standing for one in found), key=coverage.GRAVITY.index)


def void(grid: str, why: str = NONE, since: int = NOW, told: int = 0) -> Void:
    return Void(grid, "/".join(CHAINS[grid]), why, since, told)


def test_a_void_is_told_once_after_its_time_and_ends_once() -> None:
    first = coverage.moved({}, [void(E1)], NOW, 10 * MINUTE)
    assert first.kept == (void(E1),) and not first.told
    known = {E1: void(E1)}
    assert coverage.moved(known, [void(E1, since=NOW + 9 * MINUTE)], NOW + 9 * MINUTE, 10 * MINUTE) == ((), (), ())
    late = coverage.moved(known, [void(E1, since=NOW + 10 * MINUTE)], NOW + 10 * MINUTE, 10 * MINUTE)
    assert late.told == late.kept == (void(E1, told=NOW + 10 * MINUTE),)
    told = {E1: late.told[0]}
    assert coverage.moved(told, [void(E1)], NOW + 99 * MINUTE, 10 * MINUTE) == ((), (), ())
    assert coverage.moved(told, [], NOW + 99 * MINUTE, 10 * MINUTE).ended == late.told
    changed = coverage.moved(told, [void(E1, DARK)], NOW + 99 * MINUTE, 10 * MINUTE)
    assert changed.kept[0].why == DARK and not changed.told and not changed.ended


def test_planned_maintenance_is_no_void() -> None:
    one = Covered(E1, CHAINS[E1], True, DARK, Tally(2, 0, 1), "estate", 6)
    assert not coverage.voids([one], NOW)
    assert coverage.voids([Covered(E1, CHAINS[E1], True, DARK, Tally(2, 0, 0), "", 0)], NOW)
    assert not coverage.voids([Covered(VILLAGE, CHAINS[VILLAGE], False, NONE, Tally(0, 0, 0), "village", 4)], NOW)


@pytest.mark.database
def test_voids_of_a_town_are_one_entry_and_reach_who_is_bound_to_it(database: Database) -> None:
    def look(now: int) -> tuple[int, int]:
        with database.read() as connection:
            tallies = voids.tallies(connection, now)
        covered = coverage.judged(CHAINS, tallies, RULES)
        return voids.step(database, covered, patience=10 * MINUTE, now=now)

    def told(scope: Scope = Scope(TOWN)) -> list[Entry]:  # noqa: B008 frozen
        return [one for one in journal.read(database, 0, scope=scope) if one.action.startswith("coverage.")]

    with database.write() as transaction:
        items = [Item(code=leaf, lon=119.0, lat=36.0, chain=CHAINS[leaf], status="on") for leaf in (E1, V1)]
        keeping.take(transaction, "s", items, complete=True, now=NOW)
    assert look(NOW) == (0, 0) == look(NOW + MINUTE) and not told()
    assert look(NOW + 10 * MINUTE) == (2, 0) and look(NOW + 11 * MINUTE) == (0, 0)
    (entry,) = told()
    assert entry.body == {"grids": {E2: NONE, V2: NONE}} and entry.subject_id == TOWN
    assert not told(Scope("990101002"))

    with database.write() as transaction:
        keeping.signal(transaction, "s", "status", {E1: "off"}, now=NOW)
        item = Item(code=V2, lon=119.0, lat=36.0, chain=CHAINS[V2], status="on")
        keeping.take(transaction, "other", [item], complete=True, now=NOW)
    assert look(NOW + 12 * MINUTE) == (0, 1)
    assert told()[-1].body == {"grids": {V2: NONE}} and told()[-1].action == "coverage.restored"
    with database.read() as connection:
        assert set(voids.known(connection, Scope(ESTATE))) == {E1, E2}
        assert not voids.known(connection, Scope("990101002"))


WRONG = {
    "void_minutes": ("void_minutes = 0", "void_minutes"),
    "unknown": ("void_minutes = 5\nleast = 3", "least"),
    "field": ('void_minutes = 5\n[[area]]\nname = "estate"', "wants exactly"),
    "name": ('void_minutes = 5\n[[area]]\nname = "x"\nabove = 0\nleast = 1\nnumbers = ["001-002"]', "one of"),
    "span": ('void_minutes = 5\n[[area]]\nname = "estate"\nabove = 0\nleast = 1\nnumbers = ["9-1"]', "spans"),
    "backwards": ('void_minutes = 5\n[[area]]\nname = "estate"\nabove = 0\nleast = 1\nnumbers = ["009-001"]', "spans"),
    "least": ('void_minutes = 5\n[[area]]\nname = "estate"\nabove = 0\nleast = true\nnumbers = ["001-009"]', "least"),
    "broken": ("= 5", "cannot be read"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_a_file_of_rules_that_makes_no_sense_is_refused_and_says_where(name: str, tmp_path: Path) -> None:
    text, said = WRONG[name]
    file = tmp_path / "coverage.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(CoverageError, match=said) as error:
        Coverage.load(file)
    assert str(file) in str(error.value)
    assert Rule("estate", 0, ((1, 9),), 6).fits(0, "x005")
