"""Notes for the audit: a flood is counted, not written; nothing that was typed is written."""

import pytest

from operations import accounts, audit, journal
from operations.audit import ALIKE_MOST, MINUTE, Note, Tally
from operations.database import Database
from operations.policy import SYSTEM, Identity

NOW = 1_800_000_000_000_000 // MINUTE * MINUTE
WHO = Identity("account", "1", "zhang", "operator")


def test_what_is_alike_is_one_entry_at_once_and_one_number_at_the_end_of_the_minute():
    tally, note = Tally(), audit.signin_failed("zhang", "wrong", "10.1.2.3")
    taken = [tally.take(note, NOW + number) for number in range(5_000)]
    assert [line.count for line in taken if line is not None] == [1]
    assert tally.waiting
    assert tally.ended(NOW + MINUTE - 1) == []
    (rest,) = tally.ended(NOW + MINUTE)
    assert (rest.note, rest.count) == (note, 4_999)
    assert not tally.waiting


def test_past_the_bound_only_the_number_is_told_and_the_sum_is_whole():
    tally = Tally()
    lines = [tally.take(audit.signin_failed(f"n{number}", "wrong", "10.1.2.3"), NOW) for number in range(1_000)]
    written = [line for line in lines if line is not None] + tally.ended(NOW + MINUTE)
    assert len(written) == ALIKE_MOST + 1
    assert sum(line.count for line in written) == 1_000
    assert (written[-1].note.action, written[-1].note.body) == ("audit.dropped", {"actions": {"signin.failed": 800}})


def test_a_clock_set_back_loses_no_number():
    tally, note = Tally(), audit.signin_failed("zhang", "wrong", "10.1.2.3")
    for _ in range(3):
        tally.take(note, NOW)
    assert tally.take(note, NOW - 10 * MINUTE) is not None
    assert [line.count for line in tally.ended(NOW - 10 * MINUTE)] == [2]


def test_every_export_is_an_entry_of_its_own():
    tally = Tally()
    note = audit.exported(WHO, "heat", "csv")
    assert all(tally.take(note, NOW) is not None for _ in range(3))


def test_other_times_other_addresses_and_other_people_are_told_apart():
    tally = Tally()
    notes = [
        audit.refused(WHO, "GET", "/accounts", "forbidden", "10.1.2.3"),
        audit.refused(WHO, "GET", "/tokens", "forbidden", "10.1.2.3"),
        audit.refused(Identity("account", "2", "li", "operator"), "GET", "/accounts", "forbidden", "10.1.2.3"),
        audit.signin_failed("zhang", "wrong", "10.1.2.3"),
        audit.signin_failed("zhang", "wrong", "10.9.2.3"),
        audit.signin_failed("zhang", "wait", "10.1.2.3"),
    ]
    assert all(tally.take(note, NOW) is not None for note in notes)


def test_a_refusal_tells_the_pattern_of_the_route_and_never_what_was_asked():
    secret = "zhang-san-13800000000"
    for path in (f"/api/v1/incidents/{secret}", f"/nowhere/{secret}", f"/desk/{secret}"):
        note = audit.refused(WHO, "GET", path, "forbidden", "10.1.2.3")
        assert secret not in repr(note)
    assert audit.refused(WHO, "GET", "/api/v1/incidents/7", "x", "").subject_id == r"/api/v1/incidents(/[^/]+)?"


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("10.1.2.3", "10.1.2.0/24"),
        ("::ffff:10.1.2.3", "10.1.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("not an address", ""),
        ("", ""),
    ],
)
def test_of_an_address_the_network_is_kept(address: str, wanted: str):
    assert audit.network(address) == wanted


@pytest.mark.database
def test_a_known_name_becomes_its_account_and_any_other_a_keyed_digest(database: Database):
    database.snapshot_key = b"k" * 32
    accounts.add(database, SYSTEM, "zhang", "operator", now=NOW)
    found = accounts.find(database, "zhang")
    assert found is not None
    before = journal.head(database).seq
    typed = ["zhang", "my-password-1!", "x\x00y", "\ud800"]
    lines = [tally for name in typed if (tally := Tally().take(audit.signin_failed(name, "wrong", "::1"), NOW))]
    audit.append(database, lines)
    entries = journal.read(database, before)
    assert [one.action for one in entries] == ["signin.failed"] * 4
    assert (entries[0].subject_type, entries[0].subject_id) == ("account", found.id)
    assert {one.subject_type for one in entries[1:]} == {"stranger"}
    assert len({one.subject_id for one in entries[1:]}) == 3
    assert all(one.body == {"count": 1} and "password" not in repr(one) for one in entries)
    database.snapshot_key = b"j" * 32
    assert audit.name_digest(database.snapshot_key, typed[1]) != entries[1].subject_id


def test_a_note_cannot_be_changed():
    with pytest.raises(AttributeError):
        Note("a", "b").action = "c"  # type: ignore[misc]
