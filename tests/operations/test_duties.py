"""Duties in a grid: kept by code, changed by who saw them, and never a name in the journal or in a message."""

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from operations import duties
from operations.database import Database
from operations.duties import MOST_DUTIES, Card, Duty
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import ANONYMOUS, SYSTEM, Identity
from operations.scope import Scope
from tests.operations.desk import LEADER, LEAVES, OPERATOR, Desk

pytestmark = pytest.mark.database
ADMIN = Identity("account", "a1", "admin", "system_admin")
WANG = Duty("leader", "王建国", "0371-60001234")
LI = Duty("part_time", "李梅")


def test_a_card_is_kept_by_code_and_changed_by_who_saw_it(desk: Desk) -> None:
    database, code = desk.database, LEAVES[0]
    assert duties.card(database, OPERATOR, (code,)) == Card(code)
    kept = duties.change(database, ADMIN, Card(code, (WANG,), 412), now=desk.tick())
    assert (kept.revision, kept.changed_by, duties.card(database, LEADER, (code,))) == (1, "admin", kept)
    with pytest.raises(Refused):
        duties.change(database, ADMIN, Card(code, (LI,), revision=0), now=desk.tick())
    assert duties.change(database, ADMIN, Card(code, (LI, WANG), revision=1), now=desk.tick()).revision == 2
    assert [(entry.action, entry.subject_id, entry.body) for entry in desk.entries()] == [
        ("grids.card_changed", code, {"posts": {"leader": 1}}),
        ("grids.card_changed", code, {"posts": {"leader": 1, "part_time": 1}}),
    ]


def test_names_and_phones_stand_in_the_table_alone(desk: Desk) -> None:
    duties.change_all(desk.database, ADMIN, [Card(LEAVES[0], (WANG, LI))], now=desk.tick())
    told = orjson.dumps([entry.body for entry in desk.entries()]).decode()
    assert not any(part in told for part in (WANG.name, WANG.phone, LI.name))
    for wrong in (Duty("leader", "王建国\x00"), Duty("boss", "王建国"), Duty("leader", "王建国", "打电话")):
        with pytest.raises(Refused) as refused:
            duties.change_all(desk.database, ADMIN, [Card(LEAVES[1], (wrong,))], now=desk.tick())
        assert "王建国" not in str(refused.value)


def test_many_replace_the_duties_and_leave_households(desk: Desk) -> None:
    database = desk.database
    duties.change(database, ADMIN, Card(LEAVES[0], (WANG,), 412), now=desk.tick())
    cards = [Card(LEAVES[0], (LI,)), Card(LEAVES[1], (WANG,))]
    assert duties.change_all(database, ADMIN, cards, now=desk.tick()) == 2
    assert duties.change_all(database, ADMIN, cards, now=desk.tick()) == 0
    found = duties.card(database, ADMIN, (LEAVES[0],))
    assert (found.duties, found.households) == ((LI,), 412)


@pytest.mark.parametrize(
    "wrong",
    [
        Card("x", (WANG,) * (MOST_DUTIES + 1)),
        Card("", (WANG,)),
        Card("x", (), -1),
        Card("x", (Duty("leader", ""),)),
        Card("x", (Duty("leader", "王", "1" * 30),)),
    ],
)
def test_what_is_wrong_is_refused_as_a_whole(desk: Desk, wrong: Card) -> None:
    with pytest.raises(Refused):
        duties.change_all(desk.database, ADMIN, [Card(LEAVES[0], (WANG,)), wrong], now=desk.tick())
    assert desk.entries() == [] and duties.card(desk.database, ADMIN, (LEAVES[0],)) == Card(LEAVES[0])


def test_walls_and_strangers_read_none_and_only_administrators_change(desk: Desk) -> None:
    for nobody in (ANONYMOUS, Identity("wall", "w", "w", "wall"), Identity("token", "t", "t", "token_read")):
        with pytest.raises(Forbidden):
            duties.card(desk.database, nobody, (LEAVES[0],))
    for identity in (OPERATOR, LEADER):
        with pytest.raises(Forbidden):
            duties.change(desk.database, identity, Card(LEAVES[0], (WANG,)), now=desk.tick())
    assert duties.change(desk.database, SYSTEM, Card(LEAVES[0], (WANG,)), now=desk.tick()).revision == 1


def test_of_two_who_change_a_card_at_once_one_looks_again(desk: Desk) -> None:
    def change(duty: Duty) -> int:
        return duties.change(desk.database, ADMIN, Card(LEAVES[0], (duty,)), now=desk.now).revision

    with ThreadPoolExecutor(4) as pool:
        failed = [one.exception() for one in [pool.submit(change, duty) for duty in (WANG, LI, WANG, LI)]]
    assert [type(one) for one in failed if one is not None] == [Refused] * 3
    assert len(desk.entries()) == 1


def test_a_card_outside_the_jurisdiction_is_not_there(database: Database) -> None:
    scoped = Identity("account", "o", "o", "operator", Scope("990101001"))
    assert duties.card(database, scoped, ("990101", "990101001", "x")) == Card("x")
    for chain in (("990101", "990101002", "x"), ("990101",)):
        with pytest.raises(NotFound):
            duties.card(database, scoped, chain)
