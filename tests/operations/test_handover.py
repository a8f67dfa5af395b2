"""Hand-overs: both sign and never oneself, the list stays as signed, and nothing people wrote lies in the open."""

import pytest
from msgspec import structs

from operations import journal, openlist
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.handover import Handover, Handovers
from operations.openlist import OpenList
from operations.policy import Identity
from operations.scope import WHOLE, Scope
from operations.seal import KeyStore
from tests.operations.desk import COMMANDER, LEADER, LEAVES, OPERATOR, ZONE, Desk, report

pytestmark = pytest.mark.database

SECOND_OPERATOR = Identity("account", "o2", "second", "operator")
TOWN = Identity("account", "t1", "town", "operator", Scope(LEAVES[0][:9]))
ELSEWHERE = Identity("account", "t2", "elsewhere", "operator", Scope(LEAVES[2][:9]))


def chain(code: str) -> tuple[str, ...]:
    """The codes from the county to a grid of the desk's city."""
    return tuple(code[:end] for end in (6, 9, 12, 15) if end <= len(code))


@pytest.fixture
def handovers(database: Database, keys: KeyStore, desk: Desk) -> Handovers:
    """The commands, with the clock of the desk, over a city with two incidents."""
    desk.send(report("A1", urgency="critical"), report("A2", grid_code=LEAVES[2]))
    return Handovers(database, keys, desk.rung.append, zone=ZONE, chain=chain, now=desk.tick)


def standing(desk: Desk, scope: Scope = WHOLE) -> OpenList:
    """What stands open now."""
    return openlist.made(desk.board(), scope, [], desk.now)


def signed(handovers: Handovers, desk: Desk, who: Identity = OPERATOR) -> Handover:
    """One that waits for somebody to take it over."""
    one = handovers.begin(who, standing(desk, who.scope), "", "")
    return handovers.sign(who, one.id, one.revision, "夜里有雨", "盯住积水点")


def test_both_sign_with_one_digest_and_both_names(handovers: Handovers, desk: Desk) -> None:
    one = signed(handovers, desk)
    taken = handovers.take(SECOND_OPERATOR, one.id, one.revision, "已核对")
    assert (taken.state, taken.from_name, taken.to_name) == ("taken", "operator", "second")
    entries = [entry for entry in desk.entries() if entry.subject_id == one.id]
    assert [entry.action for entry in entries] == ["handover.opened", "handover.signed", "handover.taken"]
    digests = {entry.body["digest"] for entry in entries[1:] if entry.body}
    assert digests == {taken.digest} and len(taken.digest) == 64
    shown = handovers.shown(OPERATOR, one.id)
    assert shown.intact and shown.kept is not None
    assert shown.kept.talk[0].text == "已核对"


def test_nobody_takes_over_from_themselves_nor_what_is_unsigned(handovers: Handovers, desk: Desk) -> None:
    one = handovers.begin(OPERATOR, standing(desk))
    with pytest.raises(Refused, match=r"handover\.not_signed"):
        handovers.take(SECOND_OPERATOR, one.id, one.revision)
    one = handovers.sign(OPERATOR, one.id, one.revision, "", "")
    for deed in (handovers.take, lambda *asked: handovers.ask(*asked, "为什么")):
        with pytest.raises(Refused, match=r"handover\.not_oneself"):
            deed(OPERATOR, one.id, one.revision)  # type: ignore[operator]
    with pytest.raises(Refused, match=r"handover\.only_from"):
        handovers.sign(SECOND_OPERATOR, one.id, one.revision, "", "")
    with pytest.raises(Forbidden):
        handovers.take(LEADER, one.id, one.revision)


def test_of_two_who_take_over_the_second_is_told_who_was_first(handovers: Handovers, desk: Desk) -> None:
    one = signed(handovers, desk)
    handovers.take(SECOND_OPERATOR, one.id, one.revision)
    with pytest.raises(Refused) as refused:
        handovers.take(COMMANDER, one.id, one.revision)
    assert (refused.value.code, refused.value.params["who"]) == ("handover.taken_by", "second")
    with pytest.raises(Refused, match=r"handover\.taken_by"):
        handovers.withdraw(OPERATOR, one.id, one.revision)


def test_the_list_stays_as_signed_and_what_changed_is_beside_it(handovers: Handovers, desk: Desk) -> None:
    one = signed(handovers, desk)
    first = next(each for each in desk.board().incidents.values() if each.urgency == "critical")
    acknowledged = desk.commands.acknowledge(OPERATOR, first.id, first.revision)
    desk.commands.close(OPERATOR, first.id, acknowledged.revision, "resolved")
    desk.send(report("A3", grid_code=LEAVES[1]))
    kept = handovers.shown(OPERATOR, one.id).kept
    assert kept is not None and len(kept.list.items) == 2
    with pytest.raises(Refused, match=r"handover\.not_now"):
        handovers.keep(OPERATOR, one.id, one.revision, "", "", standing(desk))
    since = openlist.since(kept.list, standing(desk))
    assert [item.id for item in since.gone] == [first.id]
    assert len(since.new) == 1 and since.changed == ()


def test_a_question_is_answered_and_signed_anew(handovers: Handovers, desk: Desk) -> None:
    one = signed(handovers, desk)
    asked = handovers.ask(SECOND_OPERATOR, one.id, one.revision, "积水点是哪一个？")
    with pytest.raises(Refused, match=r"handover\.not_signed"):
        handovers.take(COMMANDER, one.id, asked.revision)
    with pytest.raises(Refused, match=r"handover\.answer_missing"):
        handovers.sign(OPERATOR, one.id, asked.revision, "", "盯住南桥")
    again = handovers.sign(OPERATOR, one.id, asked.revision, "", "盯住南桥", "南桥下穿")
    assert again.digest != one.digest
    kept = handovers.shown(SECOND_OPERATOR, one.id).kept
    assert kept is not None and [talk.by for talk in kept.talk] == ["second", "operator"]
    with pytest.raises(Refused, match=r"handover\.changed"):
        handovers.take(SECOND_OPERATOR, one.id, one.revision)
    assert handovers.take(SECOND_OPERATOR, one.id, again.revision).state == "taken"


def test_one_waits_at_a_time_and_can_be_withdrawn(handovers: Handovers, desk: Desk) -> None:
    one = handovers.begin(OPERATOR, standing(desk))
    with pytest.raises(Refused, match=r"handover\.one_open"):
        handovers.begin(COMMANDER, standing(desk))
    town = handovers.begin(TOWN, standing(desk, TOWN.scope))
    assert town.path == "990101/990101001", "another jurisdiction has its own"
    with pytest.raises(Refused, match=r"handover\.only_from"):
        handovers.withdraw(SECOND_OPERATOR, one.id, one.revision)
    assert handovers.withdraw(COMMANDER, one.id, one.revision).ended_by == "commander"
    assert handovers.begin(COMMANDER, standing(desk)).state == "open"


def test_another_jurisdiction_finds_nothing(handovers: Handovers, desk: Desk) -> None:
    city, town = signed(handovers, desk), signed(handovers, desk, TOWN)
    assert handovers.listed(ELSEWHERE) == []
    assert [one.id for one in handovers.listed(TOWN)] == [town.id]
    assert {one.id for one in handovers.listed(OPERATOR)} == {city.id, town.id}
    for key in (city.id, town.id, "nothing", "\x00"):
        with pytest.raises(NotFound):
            handovers.shown(ELSEWHERE, key)
        with pytest.raises(NotFound):
            handovers.take(ELSEWHERE, key, 2)
    kept = handovers.shown(TOWN, town.id).kept
    assert kept is not None and len(kept.list.items) == 1


def test_what_people_write_lies_sealed_and_ends_with_its_key(
    handovers: Handovers, desk: Desk, database: Database, keys: KeyStore
) -> None:
    one = signed(handovers, desk)
    handovers.take(SECOND_OPERATOR, one.id, one.revision, "已核对")
    open_text = "".join(str(entry.body) + entry.reason for entry in desk.entries() if entry.subject_id == one.id)
    assert not any(word in open_text for word in ("夜里有雨", "积水", "核对", "红灯"))
    with database.read() as connection:
        row = connection.exec_driver_sql("SELECT body FROM handover").scalar_one()
    assert "夜里有雨".encode() not in bytes(row)
    keys.destroy([one.id])
    shown = handovers.shown(OPERATOR, one.id)
    assert shown.kept is None and not shown.intact
    assert journal.read(database, 0)[-1].action == "handover.taken"


def test_a_list_is_bounded_to_the_gravest_and_says_how_many_more(desk: Desk) -> None:
    desk.send(*(report(f"B{n}", urgency="critical" if n == 7 else "routine") for n in range(9)))
    whole, short = standing(desk), openlist.made(desk.board(), WHOLE, [], desk.now, most=3)
    assert (len(whole.items), whole.left_out, len(short.items), short.left_out) == (9, 0, 3, 6)
    assert short.items[0].urgency == "critical" and short.items[0].why == ("unacknowledged", "critical")
    assert openlist.since(short, whole).new == ()
    moved = structs.replace(whole.items[0], why=("overdue",))
    other = structs.replace(whole, items=(moved, *whole.items[1:]))
    assert openlist.since(whole, other).changed == ((whole.items[0], moved),)
