"""Walls: who they are, how their secret replaces itself without ever locking one out, and what ends them."""

import pytest
import sqlalchemy as sa

from operations import journal, pairings, walls
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import ANONYMOUS, SYSTEM, Identity
from operations.scope import WHOLE, Scope
from operations.tables import metadata
from operations.walls import GRACE, STALE_EVERY, Plan, Seen
from tests.operations.desk import DAY, HOUR, LEADER, OPERATOR, SECOND, START

pytestmark = pytest.mark.database
ADMIN = Identity("account", "a1", "admin", "system_admin")
NORTH = Scope("990101001")


@pytest.fixture
def claim(database: Database) -> str:
    """The first secret of a wall that was just paired."""
    return paired(database, "hall")


def paired(database: Database, name: str, scope: Scope = WHOLE, now: int = START) -> str:
    waiting, claim = pairings.begin(database, "", now=now, agent="Chromium", address="10.0.0.9")
    pairings.confirm(database, ADMIN, waiting.code, Plan(name, scope), now=now)
    return claim


def actions(database: Database) -> list[str]:
    return [entry.action for entry in journal.read(database, 0)]


def the(database: Database) -> walls.Wall:
    return walls.listed(database, ADMIN)[0]


def test_a_wall_is_known_by_its_secret_and_only_by_that(database: Database, claim: str) -> None:
    found = walls.identify(database, claim, START)
    assert found is not None
    assert (found.kind, found.name, found.role, found.scope) == ("wall", "hall", "wall", WHOLE)
    for wrong in ("", "x", claim[:-1], claim + "x", "\ud800"):
        assert walls.identify(database, wrong, START) is None
    with database.read() as connection:
        stored = " ".join(repr(row) for one in metadata.sorted_tables for row in connection.execute(sa.select(one)))
    assert claim not in stored


def test_a_wall_that_was_off_for_a_year_comes_back(database: Database, claim: str) -> None:
    assert walls.identify(database, claim, START + 366 * DAY) is not None
    assert walls.identify(database, walls.rotate(database, claim, now=START + 366 * DAY), START + 367 * DAY)


def test_the_next_secret_replaces_the_first_once_it_was_used(database: Database, claim: str) -> None:
    following = walls.rotate(database, claim, now=START)
    assert following != claim
    assert walls.identify(database, claim, START + 40 * DAY), "the new one has not been used: its answer may be lost"
    used = START + 40 * DAY
    assert walls.identify(database, following, used)
    assert walls.identify(database, claim, used + GRACE), "requests may be on their way"
    assert walls.identify(database, claim, used + GRACE + 1) is None
    assert walls.identify(database, following, used + GRACE + 1)
    assert actions(database) == ["wall.paired", "wall.rotated", "wall.stale_secret"]


def test_a_stale_secret_is_one_entry_an_hour(database: Database, claim: str) -> None:
    walls.identify(database, walls.rotate(database, claim, now=START), START)
    for later in (GRACE + 1, GRACE + SECOND, GRACE + STALE_EVERY, GRACE + STALE_EVERY + 2):
        assert walls.identify(database, claim, START + later) is None
    assert actions(database).count("wall.stale_secret") == 2


def test_a_lost_answer_or_two_windows_lock_nobody_out(database: Database, claim: str) -> None:
    first, second = (walls.rotate(database, claim, now=START + number) for number in range(2))
    assert first == second
    assert walls.identify(database, first, START)
    assert walls.rotate(database, claim, now=START + SECOND) == first, "a window that asked before is told late"
    assert actions(database).count("wall.rotated") == 1


def test_a_young_secret_is_kept_and_a_day_old_one_replaced(database: Database, claim: str) -> None:
    one = walls.rotate(database, claim, now=START)
    assert walls.rotate(database, one, now=START + HOUR - 1) == one
    other = walls.rotate(database, one, now=START + DAY)
    assert other not in (one, claim)
    assert walls.identify(database, other, START + DAY) and walls.identify(database, claim, START + DAY) is None


def test_without_the_key_outside_the_database_nobody_can_tell_the_next_secret(database: Database, claim: str) -> None:
    database.snapshot_key = b"one"
    ours = walls.rotate(database, claim, now=START)
    database.snapshot_key = b"other"
    assert walls.rotate(database, claim, now=START) != ours
    assert walls.identify(database, ours, START) is None


def test_a_revoked_wall_is_nobody_at_once_with_either_secret(database: Database, claim: str) -> None:
    following = walls.rotate(database, claim, now=START)
    wall_id = the(database).id
    assert walls.identify_many(database, [wall_id, "other"]).keys() == {wall_id}
    walls.revoke(database, ADMIN, wall_id, now=START)
    assert walls.identify(database, claim, START) is walls.identify(database, following, START) is None
    assert walls.identify_many(database, [wall_id]) == {}
    assert walls.was_revoked(database, following) and not walls.was_revoked(database, "other")
    for attempt in (claim, following):
        with pytest.raises(NotFound):
            walls.rotate(database, attempt, now=START)
    with pytest.raises(NotFound):
        walls.revoke(database, ADMIN, wall_id, now=START)
    assert the(database).revoked_at == START
    assert paired(database, "hall"), "its name may be given to the screen that replaces it"


def test_changing_a_wall_changes_who_it_is(database: Database, claim: str) -> None:
    paired(database, "lobby")
    wall_id = next(one.id for one in walls.listed(database, ADMIN) if one.name == "hall")
    walls.change(database, ADMIN, wall_id, Plan("hall 2", NORTH), now=START)
    assert walls.identify_many(database, [wall_id])[wall_id].scope == NORTH
    walls.change(database, ADMIN, wall_id, Plan("hall 2"), now=START)
    for wrong in (Plan("lobby"), Plan(""), Plan("x" * 41), Plan("x", layout="cinema"), Plan("a\0")):
        with pytest.raises(Refused):
            walls.change(database, ADMIN, wall_id, wrong, now=START)
    with pytest.raises(NotFound):
        walls.change(database, ADMIN, "nobody", Plan("x"), now=START)


@pytest.mark.parametrize("who", [OPERATOR, LEADER, ANONYMOUS, Identity("wall", "w", "w", "wall")])
def test_only_administrators_manage_walls(database: Database, claim: str, who: Identity) -> None:
    wall_id = the(database).id
    before = actions(database)
    attempts = (
        lambda: walls.listed(database, who),
        lambda: walls.revoke(database, who, wall_id, now=START),
        lambda: walls.change(database, who, wall_id, Plan("x"), now=START),
        lambda: pairings.find(database, who, "ACDEFHJK", now=START),
        lambda: pairings.confirm(database, who, "ACDEFHJK", Plan("x"), now=START),
    )
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()
    assert actions(database) == before


def test_what_is_seen_of_a_wall_is_noted_without_an_entry(database: Database, claim: str) -> None:
    wall_id, before = the(database).id, actions(database)
    walls.note(database, [Seen(wall_id, 7, START, "v1", "Chromium", "10.0.0.9", "1920×1080")], now=START + 1)
    walls.note(database, [Seen(wall_id, 0, None, "v2", "Chromium", "10.0.0.9", "1920×1080")], now=START + 2)
    walls.note(database, [], now=START + 3)
    found = the(database)
    assert (found.painted_at, found.version, found.seen_at) == (START, "v2", START + 2)
    assert actions(database) == before


def test_a_wall_that_stands_still_is_marked_until_it_paints(database: Database, claim: str) -> None:
    walls.mark(database, "hall", walls.STUCK, now=START)
    assert the(database).stuck_at == START
    walls.mark(database, "hall", walls.RECOVERED, now=START + 1)
    assert the(database).stuck_at is None
    assert actions(database)[-2:] == ["wall.stuck", "wall.recovered"]
    assert SYSTEM.actor == journal.read(database, 0)[-1].actor
