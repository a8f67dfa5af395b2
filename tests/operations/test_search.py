"""Search: by pairs of characters, first letters and numbers, inside a scope; sealed words are not found."""

import pytest

from operations import search
from operations.database import Database
from operations.errors import Forbidden
from operations.orders.dispatch import OrderDraft, Orders, Wanted
from operations.policy import Identity
from operations.scope import Scope
from operations.seal import KeyStore
from operations.terms import asked, terms
from tests.operations.desk import LEAVES, OPERATOR, ZONE, Desk, report

pytestmark = pytest.mark.database

POWER = Wanted("department", "power", "供电", "power")


def caught_up(database: Database) -> None:
    while search.step(database):
        pass


def titles(database: Database, typed: str, who: Identity = OPERATOR) -> list[str]:
    return [one.title for one in search.find(database, who, typed)]


def test_texts_are_cut_into_pairs_and_first_letters() -> None:
    assert terms(["路口红灯"]) == ["路口", "口红", "红灯", "灯", "x", "plk", "pkh", "phd", "pd", "x"]
    assert asked("红灯 hd 1122-0031") == [[["红灯"]], [["hd"], ["phd"]], [["1122"]], [["0031"]]]
    assert asked("'\"* ()") == [] and asked("灯") == [[["灯"]]]


def test_incidents_and_orders_are_found_as_they_stand(desk: Desk, database: Database, keys: KeyStore) -> None:
    desk.send(report("A1", title="路口红灯不亮", text="张三说路灯坏了"))
    caught_up(database)
    desk.send(report("A2", title="小区停电", grid_code=LEAVES[3]))
    orders = Orders(database, keys, desk.rung.append, zone=ZONE, county="990101", now=desk.tick)
    orders.send(
        OPERATOR,
        OrderDraft(title="抢修停电", text="保密内容", recipients=(Wanted("department", "power", "供电", "power"),)),
    )
    assert titles(database, "停电") == [], "found when the follower has read it"
    caught_up(database)
    assert titles(database, "红灯") == ["路口红灯不亮"] == titles(database, "lkhd") == titles(database, "红灯 路口")
    assert titles(database, "停电") == ["抢修停电", "小区停电"], "the newest first"
    assert titles(database, "亮") == ["路口红灯不亮"]
    number = search.find(database, OPERATOR, "小区")[0].number
    assert titles(database, number) == ["小区停电"]
    assert titles(database, "红停") == [] and titles(database, "口不") == []
    for word in ("张三", "保密", "路灯坏"):
        assert titles(database, word) == [], "what is sealed is not in the index"
    for odd in ("", "'", '"', "*", "NEAR(", "a AND", "%", "terms:", "\0", ":*", "' | 'x"):
        assert isinstance(search.find(database, OPERATOR, odd), list)


def test_a_changed_title_is_found_anew_and_the_old_one_no_more(desk: Desk, database: Database) -> None:
    desk.send(report("A1", title="路口红灯不亮"))
    caught_up(database)
    desk.send(report("A1", revision="2", title="井盖缺失"))
    caught_up(database)
    assert titles(database, "井盖") == ["井盖缺失"] and titles(database, "红灯") == []


def test_the_scope_is_a_condition_of_the_search(desk: Desk, database: Database) -> None:
    desk.send(report("A1", title="路口红灯不亮", type="0304"), report("A2", title="红灯损坏", grid_code=LEAVES[3]))
    caught_up(database)
    town = Identity("account", "t", "t", "operator", Scope(LEAVES[0][:9]))
    assert titles(database, "红灯", town) == ["路口红灯不亮"]
    police = Identity("account", "p", "p", "liaison", Scope(department="police"))
    other = Identity("account", "w", "w", "liaison", Scope(department="wat_r"))
    assert len(titles(database, "红灯", police)) == 2 and titles(database, "红灯", other) == []
    hidden = Identity("account", "h", "h", "leader", Scope(hidden=("03",)))
    dimmed = Identity("account", "h", "h", "leader", Scope(dimmed=("0304",)))
    assert titles(database, "红灯", hidden) == [] == titles(database, "红灯", dimmed)
    with pytest.raises(Forbidden):
        search.find(database, Identity("account", "a", "a", "system_admin"), "红灯")
