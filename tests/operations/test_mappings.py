"""Mappings saved on screen: by revision, with an entry each, refused when something about them is wrong."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from operations import journal, mappings
from operations.database import Database
from operations.errors import Forbidden, Refused
from operations.mappings import LARGEST, Changed
from operations.policy import SYSTEM, Identity

pytestmark = pytest.mark.database
BODY = '{"fields": {"id": "n", "title": "t"}}'


def test_each_saving_is_a_revision_and_an_entry(database: Database) -> None:
    assert mappings.get(database, "dept") is None
    first = mappings.save(database, SYSTEM, "dept", BODY, revision=0, now=1)
    second = mappings.save(database, SYSTEM, "dept", BODY + " ", revision=1, now=2)
    assert (first.revision, second.revision) == (1, 2)
    assert mappings.get(database, "dept") == second
    assert mappings.listed(database) == [second]
    assert mappings.revisions(database) == {"dept": 2}
    entries = journal.read(database, 0)
    assert [(one.action, one.subject_id, one.revision) for one in entries] == [
        ("mapping.saved", "dept", 1),
        ("mapping.saved", "dept", 2),
    ]
    assert entries[0].body == {"mapping": BODY}


def test_the_second_of_two_is_told_who_was_faster(database: Database) -> None:
    mappings.save(database, SYSTEM, "dept", BODY, revision=0, now=1)
    with pytest.raises(Changed) as told:
        mappings.save(database, SYSTEM, "dept", BODY, revision=0, now=2)
    assert told.value.current.saved_by == SYSTEM.actor
    with pytest.raises(Refused, match="mapping_gone"):
        mappings.save(database, SYSTEM, "other", BODY, revision=3, now=2)
    assert len(journal.read(database, 0)) == 1


@pytest.mark.parametrize("name", ["", "A", "../x", "a" * 41, "ä", "a.b"])
def test_a_name_that_is_none_is_refused(database: Database, name: str) -> None:
    with pytest.raises(Refused, match="mapping_name"):
        mappings.save(database, SYSTEM, name, BODY, revision=0, now=1)


def test_others_may_not_and_too_much_may_not(database: Database) -> None:
    with pytest.raises(Forbidden):
        mappings.save(database, Identity("account", name="x", role="operator"), "dept", BODY, revision=0, now=1)
    with pytest.raises(Refused, match="mapping_large"):
        mappings.save(database, SYSTEM, "dept", "x" * (LARGEST + 1), revision=0, now=1)


def test_of_several_that_are_new_at_once_one_is_saved_and_the_others_are_told(database: Database) -> None:
    together = Barrier(4)

    def save(number: int) -> bool:
        together.wait(30)
        try:
            mappings.save(database, SYSTEM, "dept", f"{BODY}{' ' * number}", revision=0, now=1)
        except Changed:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(save, range(4))) == [False, False, False, True]
    assert len(journal.read(database, 0)) == 1
