"""Forgetting: entries first, keys after, a crash in between is mended; nonsense is refused."""

import pytest

from operations import retention
from operations.errors import Forbidden, Refused
from operations.policy import SYSTEM
from operations.verification import verify
from tests.operations.desk import OPERATOR, Desk, report

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
    assert len(desk.entries()) == 1
