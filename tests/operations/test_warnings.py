"""Warnings: each message once, the same end in whatever order, a board that follows from the journal in every scope."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from operations import journal, snapshot, sources, tables, warnings
from operations.board import Board, apply, apply_scoped, project
from operations.database import Database
from operations.errors import NotFound, Refused
from operations.policy import SYSTEM
from operations.scope import Scope
from operations.warning import EVERYWHERE, Said, WarningState, in_force, visible
from operations.warnings import Message, Taken
from tests.operations.desk import HOUR, LEAVES, MINUTE, START, Desk, chain

SENDER = "qxt@example.cn"
AREAS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    ((LEAVES[0],), chain(LEAVES[0])[:-1]),
    ((chain(LEAVES[0])[1],), ("990101",)),
    (("990101",), ()),
    ((EVERYWHERE,), ()),
    ((), ()),
)
SCOPES = (
    Scope(),
    Scope(grid="990101"),
    *(Scope(grid=code) for code in chain(LEAVES[0])[1:]),
    Scope(grid=LEAVES[3]),
    Scope(department="police"),
    Scope(chain(LEAVES[0])[1], "fire"),
    Scope(grid="nowhere"),
)


def message(
    name: str = "A",
    sent: int = 0,
    kind: str = "Alert",
    *,
    names: tuple[str, ...] = (),
    status: str = "Actual",
    source: str = "qxt",
    area: int = 2,
    expires: int = START + HOUR,
    content: str = "",
) -> Message:
    """A message sent `sent` minutes after START."""
    codes, above = AREAS[area]
    at = START + sent * MINUTE
    speaks = kind in ("Alert", "Update")
    warning = WarningState(
        id=warnings.id_of(source, SENDER, name, status), source=source, sender=SENDER, identifier=name, sent=at,
        effective=at, expires=expires, received_at=START, said=(Said("zh", "暴雨", f"{name}{sent}"),), status=status,
        level="red", where="covered" if codes else "unknown", codes=codes, above=above,
    )  # fmt: skip
    return Message(
        source=source, sender=SENDER, identifier=name, status=status, kind=kind, sent=at,
        names=tuple((SENDER, one) for one in names), content_sha256=content or f"{name}{sent}{kind}", raw_sha256="r",
        warning=warning if speaks else None, told=b"[]",
    )  # fmt: skip


@pytest.fixture
def furnished(database: Database) -> Database:
    for name in ("qxt", "other"):
        sources.add(database, SYSTEM, sources.Source(name, name), now=START)
    return database


def send(database: Database, *messages: Message, now: int = START) -> list[Taken]:
    return [warnings.record(database, one, now=now) for one in messages]


def shown(database: Database, now: int = START) -> list[str]:
    """The headlines in force on the board."""
    return sorted(one.said[0].headline for one in in_force(snapshot.load(database).warnings.values(), now))


def actions(database: Database) -> list[str]:
    return [one.action for one in journal.read(database, 0) if one.subject_type == "warning"]


# ---- one after the other ----


@pytest.mark.database
def test_a_warning_is_issued_updated_and_cancelled(furnished: Database) -> None:
    first, update, cancel = message(), message("B", 1, "Update", names=("A",)), message("C", 2, "Cancel", names=("B",))
    assert send(furnished, first)[0].outcome == "in_force"
    assert shown(furnished) == ["A0"]
    assert send(furnished, update)[0] == Taken(update.warning.id, "in_force", (first.warning.id,))  # type: ignore[union-attr]
    assert shown(furnished) == ["B1"]
    assert send(furnished, cancel)[0].ended == (update.warning.id,)  # type: ignore[union-attr]
    assert shown(furnished) == []
    assert actions(furnished) == ["warning.issued", "warning.updated", "warning.replaced", "warning.cancelled"]


@pytest.mark.database
def test_the_same_again_changes_nothing_and_other_content_is_a_contradiction(furnished: Database) -> None:
    assert [one.outcome for one in send(furnished, message(), message())] == ["in_force", "duplicate"]
    with pytest.raises(Refused):
        send(furnished, message(content="other"))
    assert actions(furnished) == ["warning.issued"]


def test_what_is_older_than_what_is_in_force_is_recorded_only(furnished: Database) -> None:
    assert [one.outcome for one in send(furnished, message("A", 5), message("A", 3))] == ["in_force", "older"]
    assert (shown(furnished), actions(furnished)) == (["A5"], ["warning.issued", "warning.recorded"])
    assert send(furnished, message("C", 4, "Cancel", names=("A",)))[0].ended == ()
    assert shown(furnished) == ["A5"]


def test_an_exercise_ends_no_warning_that_is_meant(furnished: Database) -> None:
    send(furnished, message(), message("C", 1, "Cancel", names=("A",), status="Exercise"))
    send(furnished, message("A", 2, status="Exercise"))
    assert shown(furnished) == ["A0", "A2"]


def test_a_source_ends_only_its_own(furnished: Database) -> None:
    send(furnished, message(), message("C", 1, "Cancel", names=("A",), source="other"))
    assert shown(furnished) == ["A0"]


def test_acknowledgements_and_errors_are_recorded_only(furnished: Database) -> None:
    send(furnished, message(), message("K", 1, "Ack", names=("A",)), message("E", 1, "Error", names=("A",)))
    assert (shown(furnished), actions(furnished)) == (
        ["A0"],
        ["warning.issued", "warning.recorded", "warning.recorded"],
    )


def test_one_source_cannot_cover_every_wall(furnished: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warnings, "MOST_IN_FORCE", 2)
    send(furnished, message("A"), message("B"))
    with pytest.raises(Refused, match="warnings_too_many"):
        send(furnished, message("C"))
    assert send(furnished, message("B", 1))[0].outcome == "in_force"
    assert send(furnished, message("C", source="other"))[0].outcome == "in_force"


# ---- time ----


@pytest.mark.database
def test_it_ends_by_the_clock_and_the_end_is_recorded_once(furnished: Database) -> None:
    send(furnished, message(expires=START + MINUTE))
    assert (shown(furnished, START + MINUTE - 1), shown(furnished, START + MINUTE)) == (["A0"], [])
    assert not warnings.due(furnished, START + MINUTE - 1)
    assert warnings.due(furnished, START + MINUTE)
    assert [warnings.expire(furnished, now=START + MINUTE) for _ in range(2)] == [1, 0]
    assert actions(furnished) == ["warning.issued", "warning.expired"]
    assert snapshot.load(furnished).warnings == {}


def test_one_that_comes_too_late_is_recorded_only(furnished: Database) -> None:
    assert send(furnished, message(expires=START - 1))[0].outcome == "expired"
    assert snapshot.load(furnished).warnings == {}


def test_one_for_later_is_not_shown_yet() -> None:
    later = msgspec.structs.replace(message().warning, effective=START + HOUR, expires=START + 2 * HOUR)  # type: ignore[arg-type]
    assert (in_force([later], START), in_force([later], START + HOUR)) == ([], [later])


# ---- order ----

NAMES = st.sampled_from("ABC")
MESSAGES = st.builds(
    lambda name, sent, kind, names, area, status: message(
        name, sent, kind, names=names if kind != "Alert" else (), area=area, status=status
    ),
    NAMES,
    st.integers(0, 4),
    st.sampled_from(["Alert", "Alert", "Update", "Cancel", "Ack"]),
    st.lists(NAMES, min_size=1, max_size=2).map(tuple),
    st.integers(0, 4),
    st.sampled_from(["Actual"] * 4 + ["Exercise"]),
)
STORIES = st.lists(MESSAGES, max_size=6, unique_by=lambda one: (one.identifier, one.sent, one.status))
LAW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
CHAIN = [message("A"), message("B", 1, "Update", names=("A",)), message("C", 2, "Cancel", names=("B", "A"))]


def emptied(database: Database) -> Database:
    with database.write() as transaction:
        for table in (tables.warning, tables.warning_reference, tables.journal, tables.journal_body, tables.snapshot):
            transaction.connection.execute(table.delete())
        transaction.connection.execute(tables.journal_head.update().values(seq=0))
    return database


@LAW
@given(story=STORIES, data=st.data())
@example(story=CHAIN, data=None)
def test_the_order_of_arrival_does_not_matter(furnished: Database, story: list[Message], data: Any) -> None:
    orders = list(permutations(story)) if data is None else [story, data.draw(st.permutations(story))]
    ends = []
    for order in orders:
        send(emptied(furnished), *order)
        ends.append(snapshot.load(furnished).warnings)
    assert all(end == ends[0] for end in ends)


@LAW
@given(story=STORIES)
@example(story=CHAIN)
def test_the_board_of_a_scope_follows_from_the_journal(furnished: Database, story: list[Message]) -> None:
    send(emptied(furnished), *story)
    board = Board()
    kept = {scope: project(board, scope) for scope in SCOPES}
    seen: dict[Scope, list[int]] = {scope: [] for scope in SCOPES}
    for entry in journal.read(furnished, 0):
        before = dict(board.warnings)
        change = apply(board, entry)
        touched = [one for one in (before.get(entry.subject_id), board.warnings.get(entry.subject_id)) if one]
        for scope, view in kept.items():
            if scope != Scope():
                apply_scoped(view, entry, change)
                assert view.warnings == project(board, scope).warnings
            if entry.action != "warning.recorded" and any(visible(scope, one) for one in touched):
                seen[scope].append(entry.seq)
    for scope in SCOPES:
        told = [one.seq for one in journal.read(furnished, 0, scope=scope) if one.action != "warning.recorded"]
        assert told == seen[scope]
    snapshot.save(furnished, board)
    assert snapshot.load(furnished) == board


@pytest.mark.parametrize(
    ("area", "sees"),
    [
        (0, {"", "990101", *chain(LEAVES[0])[1:]}),
        (1, {"", "990101", *chain(LEAVES[0])[1:]}),
        (2, {"", "990101", *chain(LEAVES[0])[1:], LEAVES[3]}),
        (3, {"", "990101", *chain(LEAVES[0])[1:], LEAVES[3], "nowhere"}),
        (4, {""}),
    ],
)
def test_who_sees_a_warning(area: int, sees: set[str]) -> None:
    warning = message(area=area).warning
    assert warning is not None
    assert {scope.grid for scope in SCOPES if not scope.department and visible(scope, warning)} == sees


def test_only_who_sees_it_opens_it(furnished: Database) -> None:
    [taken] = send(furnished, message(area=0))
    assert warnings.dossier(furnished, Scope(grid=chain(LEAVES[0])[1]), taken.id).state == "in_force"
    for scope, id in ((Scope(grid=LEAVES[3]), taken.id), (Scope(), "nobody")):
        with pytest.raises(NotFound):
            warnings.dossier(furnished, scope, id)


# ---- other grids ----


def test_it_is_placed_anew_by_an_entry(furnished: Database) -> None:
    send(furnished, message(area=4))
    [one] = warnings.misplaced(furnished, 7)
    moved = msgspec.structs.replace(one.warning, where="covered", codes=("990101",))
    warnings.place(furnished, one.key, moved, 7, now=START)
    assert snapshot.load(furnished).warnings[moved.id].codes == ("990101",)
    assert (warnings.misplaced(furnished, 7), actions(furnished)) == ([], ["warning.issued", "warning.placed"])


def test_a_story_of_incidents_and_warnings_goes_together(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    sources.add(desk.database, SYSTEM, sources.Source("qxt", "气象预警"), now=START)
    send(desk.database, message())
    assert list(desk.board().warnings.values()) == [message().warning]
