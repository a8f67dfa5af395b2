"""The address book: found by name, sound and initials inside a scope; changed over what was seen; numbers kept out."""

import pytest

from operations import departments, journal
from operations.contacts import cards
from operations.contacts.cards import Person, Team, masked
from operations.contacts.index import Directory
from operations.contacts.spelling import pattern, sounded, spelled
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from tests.operations.desk import LEADER, OPERATOR, START

ADMIN = Identity("account", "a", "admin", "system_admin")
PEOPLE = (
    Person(name="张三", post="值班员", department="fire", phone="13812345678", email="zs@example.org"),
    Person(name="单田", post="带班领导", department="police", grid="990101001"),
    Person(name="曾国", post="联络员", department="fire", grid="990101002001001"),
    Person(name="欧阳明", post="", department="water"),
    Person(name="Li Ming", post="Liaison", department="water"),
)


def filled(database: Database) -> Directory:
    """The address book with its people and a team."""
    team = Team(name="城关巡逻队", kind="巡逻队", department="police", grid="990101001", members="赵一、钱二")
    cards.take(database, ADMIN, [*PEOPLE, team], now=START)
    return Directory(database)


def names(found: Directory, text: str, who: Identity = OPERATOR, **given: object) -> list[str]:
    return [one.name for one in found.find(who, text, **given)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        *(("zs", "张三"), ("zhangs", "张三"), ("zhsan", "张三"), ("张", "张三"), ("zhang san", "张三")),
        *(("shan", "单田"), ("st", "单田"), ("dantian", "单田"), ("zengguo", "曾国"), ("oym", "欧阳明")),
        *(("lm", "Li Ming"), ("li ming", "Li Ming")),
    ],
)
def test_a_few_letters_find_a_name(typed: str, name: str) -> None:
    parts = [pattern(one) for one in typed.split()]
    sounds = sounded(spelled(name).pinyin)
    assert name.startswith(typed) or all(one is not None and one.search(sounds) for one in parts)


def test_a_long_name_with_many_readings_stays_small() -> None:
    long = spelled("重曾单行长乐都还便" * 4)
    assert len(long.pinyin.split()) <= 12
    assert pattern("张") is None and pattern("'") is None and pattern("") is None


@pytest.mark.database
def test_people_teams_and_departments_are_found_the_nearest_first(database: Database) -> None:
    found = filled(database)
    assert names(found, "zs") == ["张三"]
    assert names(found, "shant") == ["单田"]
    assert names(found, "消防 值班")[0] == "张三"
    assert names(found, "xf")[:1] == ["消防救援"] and "张三" in names(found, "xf")
    assert names(found, "钱二") == ["城关巡逻队"]
    assert names(found, "dbld") == ["单田"]
    assert names(found, "水", kinds=("person",)) == ["Li Ming", "欧阳明"]
    assert names(found, "没有的") == [] and names(found, "(.*") == []
    assert len(names(found, "", limit=3)) == 3
    hit = found.find(OPERATOR, "zs")[0]
    assert (hit.post, hit.department_name, hit.wanted("lead").role) == ("值班员", "消防救援", "lead")


@pytest.mark.database
def test_what_lies_outside_a_scope_is_not_found(database: Database) -> None:
    found = filled(database)
    fire = Identity("account", "f", "f", "liaison", Scope(department="fire"))
    town = Identity("account", "t", "t", "operator", Scope("990101001"))
    assert names(found, "单田", fire) == [] and names(found, "zs", fire) == ["张三"]
    assert names(found, "公安", fire) == ["公安"], "departments are everybody's to call"
    assert names(found, "曾国", town) == [] and names(found, "单田", town) == ["单田"]
    assert names(found, "张三", town) == ["张三"], "who answers for the whole city answers here too"
    with pytest.raises(Forbidden):
        found.find(Identity("account", "s", "s", "security_admin"), "zs")


@pytest.mark.database
def test_the_index_follows_what_changes(database: Database) -> None:
    found = filled(database)
    one = next(one for one in _people(database) if one.name == "张三")
    names(found, "zs")
    after = cards.keep(database, ADMIN, _with(one, name="章四"), now=START + 1)
    assert names(found, "张三") == [] and names(found, "zs") == ["章四"]
    departments.rename(database, ADMIN, departments.Wanted("fire", "火警"), now=START + 2)
    assert names(found, "火警 章") == ["章四"]
    assert isinstance(after, Person)
    cards.end(database, ADMIN, "person", after.id, after.revision, now=START + 3)
    assert names(found, "zs") == []


@pytest.mark.database
def test_cards_are_changed_over_what_was_seen_and_by_administrators_alone(database: Database) -> None:
    filled(database)
    one = _people(database)[0]
    kept = cards.keep(database, ADMIN, _with(one, post="新岗位"), now=START)
    assert cards.keep(database, ADMIN, kept, now=START) == kept, "nothing changes, nothing is written"
    with pytest.raises(Refused, match="changed"):
        cards.keep(database, ADMIN, _with(one, post="别的"), now=START)
    with pytest.raises(Refused, match="changed"):
        cards.end(database, ADMIN, "person", one.id, 1, now=START)
    for who in (OPERATOR, LEADER):
        with pytest.raises(Forbidden):
            cards.keep(database, who, kept, now=START)
    cards.end(database, ADMIN, "person", one.id, 2, now=START)
    for step in (
        lambda: cards.end(database, ADMIN, "person", one.id, 3, now=START),
        lambda: cards.keep(database, ADMIN, _with(one, revision=3), now=START),
        lambda: cards.end(database, ADMIN, "team", "nobody", 1, now=START),
    ):
        with pytest.raises(NotFound):
            step()


@pytest.mark.database
def test_entries_carry_no_names_and_what_ends_has_no_number(database: Database) -> None:
    filled(database)
    one = next(one for one in _people(database) if one.phone)
    cards.end(database, ADMIN, "person", one.id, one.revision, now=START)
    said = str(journal.read(database, 0))
    assert not any(word in said for word in ("张三", "13812345678", "zs@example.org", "值班员", "赵一"))
    with database.read() as connection:
        gone = cards.find(connection, "person", one.id)
    assert isinstance(gone, Person) and (gone.phone, gone.email, gone.ended_at) == ("", "", START)


@pytest.mark.database
def test_whole_numbers_are_shown_by_role_or_for_a_reason_that_is_written_down(database: Database) -> None:
    filled(database)
    one = next(one for one in _people(database) if one.phone)
    assert cards.read(database, OPERATOR, "person", one.id) == one
    seen = cards.read(database, LEADER, "person", one.id)
    assert (seen.phone, seen.name) == ("138****5678", "张三")
    with pytest.raises(Refused, match="reason_missing"):
        cards.numbers(database, LEADER, "person", one.id, " ", now=START)
    told = cards.numbers(database, LEADER, "person", one.id, "现场联络", now=START)
    assert told == {"phone": "13812345678", "email": "zs@example.org"}
    last = journal.read(database, 0)[-1]
    assert (last.action, last.reason, last.actor) == ("person.phone_shown", "现场联络", "account:leader")
    assert "138" not in str(last.body)
    elsewhere = Identity("account", "w", "w", "leader", Scope(department="water"))
    for step in (
        lambda: cards.read(database, elsewhere, "person", one.id),
        lambda: cards.numbers(database, elsewhere, "person", one.id, "现场联络", now=START),
        lambda: cards.read(database, LEADER, "team", one.id),
    ):
        with pytest.raises(NotFound):
            step()


@pytest.mark.database
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": ""}, "name"),
        ({"name": "张\n三"}, "name"),
        ({"department": "nobody"}, "department"),
        ({"phone": "call me"}, "phone"),
        ({"email": "a@b"}, "email"),
        ({"post": "x" * 201}, "text"),
        ({"account": "nobody"}, "account"),
    ],
)
def test_what_a_card_may_not_say(database: Database, change: dict[str, str], code: str) -> None:
    good = Person(name="李四", department="fire")
    with pytest.raises(Refused, match=f"contacts.wrong.{code}$|contacts.wrong.{code}:"):
        cards.take(database, SYSTEM, [good, _with(good, **change)], now=START)
    assert _people(database) == [], "all or none"


def test_masked_numbers_are_recognised_but_of_no_use() -> None:
    assert [masked(one) for one in ("13812345678", "8123", "010-12345", "zs@example.org", "")] == [
        *("138****5678", "****", "010****2345", "z***@example.org", ""),
    ]


def _people(database: Database) -> list[Person]:
    with database.read() as connection:
        return [one for one in cards.living(connection, "person") if isinstance(one, Person)]


def _with(one: Person, **changes: object) -> Person:
    from msgspec import structs

    return structs.replace(one, **changes)
