"""Departments made on screen: a code is never given to another, and what is still used cannot end."""

import pytest

from config import departments as shipped
from operations import accounts, departments, journal
from operations.database import Database
from operations.departments import Wanted
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from tests.operations.desk import OPERATOR, START

pytestmark = pytest.mark.database
ADMIN = Identity("account", "a", "admin", "system_admin")


def test_departments_are_added_renamed_ended_and_go_before_the_file(database: Database) -> None:
    departments.add(database, ADMIN, Wanted("forestry", "林业"), now=START)
    departments.rename(database, ADMIN, Wanted("fire", "消防", "Fire", "消防"), now=START)
    found = departments.every(database)
    assert list(found)[: len(shipped.load())] == list(shipped.load())
    assert found["forestry"] == shipped.Department("forestry", "林业", "林业", "林业")
    assert (found["fire"].zh, found["police"]) == ("消防", shipped.load()["police"])
    departments.end(database, ADMIN, "forestry", now=START)
    assert departments.every(database)["forestry"].ended
    departments.rename(database, ADMIN, Wanted("fire", "消防", "Fire", "消防"), now=START)  # nothing changes
    departments.end(database, ADMIN, "forestry", ended=False, now=START)
    entries = [one for one in journal.read(database, 0) if one.subject_type == "department"]
    assert [one.action for one in entries] == [
        *("department.added", "department.renamed", "department.ended", "department.resumed"),
    ]
    assert entries[1].body is not None and entries[1].body["before"]["zh"] == "消防救援"


def test_an_entry_says_what_of_a_place_changed_but_not_how_it_is_reached(database: Database) -> None:
    departments.add(database, ADMIN, Wanted("forestry", "林业", parent="fire", phone="0000-5550100"), now=START)
    departments.rename(database, ADMIN, Wanted("forestry", "林业", phone="0000-5550199"), now=START)
    departments.rename(database, ADMIN, Wanted("forestry", "林业局", email="linye@example.org"), now=START)
    found = departments.every(database)["forestry"]
    assert (found.parent, found.phone, found.email) == ("fire", "0000-5550199", "linye@example.org")
    entries = [one for one in journal.read(database, 0) if one.subject_type == "department"]
    said = [(one.action, one.body["changed"]) for one in entries if one.body]
    assert said == [
        ("department.added", ["zh", "en", "short", "parent", "phone"]),
        ("department.changed", ["phone"]),
        ("department.renamed", ["zh", "en", "short", "email"]),
    ]
    assert not any(secret in str(entries) for secret in ("0000-555", "example.org"))


def test_a_code_is_never_given_to_another(database: Database) -> None:
    departments.add(database, ADMIN, Wanted("forestry", "林业"), now=START)
    departments.end(database, ADMIN, "forestry", now=START)
    accounts.add(
        database, SYSTEM, "old", "liaison", now=START, scope=Scope(department="vanished"), password="x7!kk gruen"
    )
    for code in ("forestry", "fire", "vanished"):
        with pytest.raises(Refused, match="department_used"):
            departments.add(database, ADMIN, Wanted(code, "别的"), now=START)


def test_what_is_still_used_cannot_end(database: Database) -> None:
    departments.add(database, ADMIN, Wanted("forestry", "林业"), now=START)
    accounts.add(
        database, SYSTEM, "zhao", "liaison", now=START, scope=Scope(department="forestry"), password="x7!kk gruen"
    )
    with pytest.raises(Refused, match="department_held"):
        departments.end(database, ADMIN, "forestry", now=START)
    with pytest.raises(Refused, match="department_types"):
        departments.end(database, ADMIN, "police", now=START)
    with pytest.raises(NotFound):
        departments.end(database, ADMIN, "nobody", now=START)


def test_what_a_department_may_not_be(database: Database) -> None:
    for wanted in (
        Wanted("", "林业"),
        Wanted("Forestry", "林业"),
        Wanted("forestry", ""),
        Wanted("forestry", "林\n业"),
        Wanted("forestry", "林" * 41),
        Wanted("forestry", "林业", "", "一二三四五六七八九"),
        Wanted("forestry", "公安"),
    ):
        with pytest.raises(Refused):
            departments.take(database, ADMIN, [Wanted("good", "好部门"), wanted], now=START)
    assert departments.saved(database) == {}  # all or none
    for who in (
        OPERATOR,
        Identity("account", "s", "s", "security_admin"),
        Identity("account", "s", "s", "audit_admin"),
    ):
        with pytest.raises(Forbidden):
            departments.add(database, who, Wanted("forestry", "林业"), now=START)
        with pytest.raises(Forbidden):
            departments.rename(database, who, Wanted("fire", "消防"), now=START)
        with pytest.raises(Forbidden):
            departments.end(database, who, "fire", now=START)
