"""Forgetting: entries first, keys after, a crash in between is mended; nonsense is refused."""

import pytest

from operations import quarantine, retention
from operations.errors import Forbidden, Refused
from operations.policy import SYSTEM
from operations.verification import verify
from tests.operations.desk import COMMANDER, DAY, OPERATOR, Desk, refusal, report

pytestmark = pytest.mark.database


def test_a_crash_between_entry_and_key_is_mended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.send(report("A1"), report("A2"))
    first, second = desk.board().incidents
    with monkeypatch.context() as patch:
        patch.setattr(desk.keys, "destroy", lambda _subjects: None)  # killed here
        retention.destroy_keys(desk.database, desk.keys, SYSTEM, [first], "90 days", now=desk.tick())
    assert desk.keys.find([first, second]).keys() == {first, second}
    retention.finish(desk.database, desk.keys)
    assert desk.keys.find([first, second]).keys() == {second}


def test_what_ended_long_ago_is_forgotten_and_what_is_open_is_not(desk: Desk) -> None:
    names = ("old", "open", "again", "late")
    desk.send(*(report(name) for name in names), refusal(b"1"), refusal(b"2"))
    ids = {desk.stored(key).report_id: key for key in desk.board().incidents}
    for name in ("old", "again"):
        desk.commands.close(COMMANDER, ids[name], 1, "resolved")
    desk.commands.reopen(COMMANDER, ids["again"], 2, "又坏了")
    kept, ended = quarantine.listed(desk.database, COMMANDER)
    quarantine.discard(desk.database, COMMANDER, ended.id, "重复", now=desk.tick())
    desk.tick(10 * DAY)
    desk.commands.close(COMMANDER, ids["late"], 1, "resolved")

    def forget() -> int:
        now = desk.tick()
        return retention.forget(desk.database, desk.keys, SYSTEM, now - 5 * DAY, "5 days", now=now)

    assert (forget(), forget()) == (2, 0)
    everything = [*ids.values(), kept.id, ended.id]
    assert desk.keys.find(everything).keys() == {*everything} - {ids["old"], ended.id}
    assert [entry.subject_id for entry in desk.entries() if entry.action == "key.destroyed"] == [ids["old"], ended.id]
    assert verify(desk.database).ok


def test_what_is_sealed_after_the_key_was_destroyed_is_read_and_stays(desk: Desk) -> None:
    desk.send(report("A1"))
    key = desk.incident().id
    desk.commands.close(COMMANDER, key, 1, "resolved")
    retention.forget(desk.database, desk.keys, SYSTEM, desk.now + DAY, "now", now=desk.tick())
    desk.send(report("A1", "2", text="又来电"))
    retention.finish(desk.database, desk.keys)
    told = [(entry.body or {}).get("words") for entry in desk.commands.history(COMMANDER, key) if entry.body]
    assert told[0] is None and told[-1] == {"text": "又来电"}
    assert desk.commands.unseal(COMMANDER, key, "核实")["text"] == "又来电"


def test_bodies_go_with_their_salts_and_the_chain_stays(desk: Desk) -> None:
    desk.send(report("A1"), report("A2"))
    retention.destroy_bodies(desk.database, SYSTEM, 1, 1, "2 years", now=desk.tick())
    found = verify(desk.database)
    assert (found.ok, [(note.seq, note.kind) for note in found.notes]) == (True, [(1, "destroyed")])
    assert [entry.body is None for entry in desk.entries()] == [True, False, False]


def test_what_is_refused(desk: Desk) -> None:
    desk.send(report("A1"))
    for first, last, rule in ((1, 1, ""), (0, 1, "x"), (2, 1, "x"), (1, 9, "x")):
        with pytest.raises(Refused):
            retention.destroy_bodies(desk.database, SYSTEM, first, last, rule, now=desk.tick())
    with pytest.raises(Refused):
        retention.destroy_keys(desk.database, desk.keys, SYSTEM, ["x"] * 501, "x", now=desk.tick())
    with pytest.raises(Forbidden):
        retention.destroy_keys(desk.database, desk.keys, OPERATOR, ["x"], "x", now=desk.tick())
    with pytest.raises(Forbidden):
        retention.forget(desk.database, desk.keys, OPERATOR, desk.now, "x", now=desk.tick())
    assert len(desk.entries()) == 1
