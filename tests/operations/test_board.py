"""The laws of the board: old board + entries = new board, for every action and every scope; and what it shows."""

import builtins
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config import clock
from operations import board as boards
from operations import journal, snapshot, sources, views
from operations.board import Board, SourceState, apply, apply_scoped, project
from operations.buckets import Buckets
from operations.entry import Entry
from operations.incident import visible
from operations.orders import order as orders
from operations.orders import rows as order_rows
from operations.policy import SYSTEM
from operations.scope import CONFIGURATION, NOWHERE, WHOLE, Scope
from operations.tables import dispatch_order
from operations.ticking import OVERDUE, loudest
from tests.operations.desk import (
    COMMANDER,
    DAY,
    HOUR,
    LEAVES,
    MINUTE,
    OPERATOR,
    SECOND,
    START,
    ZONE,
    Desk,
    chain,
    refusal,
    report,
)
from tests.operations.story import STEPS, STORIES, Step, play

SCOPES = (
    Scope(grid="990101"),
    Scope(grid=chain(LEAVES[0])[1]),
    Scope(grid=LEAVES[0]),
    Scope(department="police"),
    Scope(department="street"),
    Scope(LEAVES[3], "street"),
    Scope(LEAVES[0], "street"),
    Scope(chain(LEAVES[3])[2], "fire"),
    Scope(LEAVES[0], "fire"),
    Scope(grid="nowhere"),
    NOWHERE,
    CONFIGURATION,
    Scope(hidden=("03", "0501")),
    Scope(dimmed=("0101",)),
    Scope(chain(LEAVES[0])[1], "", ("09", "05"), ("03",)),
    Scope(department="police", hidden=("0501",), dimmed=("",)),
)
EVERY_STEP: list[Step] = [
    *(("open", which, which, which) for which in range(6)),
    ("wait", 0, 0, 2),
    ("escalate", 0, 0, 0),
    *((what, which, 2, 1) for what in sorted(STEPS.keys() - {"open", "wait", "id"}) for which in (0, 1)),
    ("wait", 0, 0, 4),
    *((what, which, 3, 2) for what in ("note", "reopen", "acknowledge", "place", "close") for which in (0, 1)),
    *(("order", which, which, which) for which in range(6)),
    *((what, which, which + 1, which) for which in range(12) for what in ("receipt", "order_change", "order_reply")),
    ("wait", 0, 0, 5),
    ("reopen", 0, 0, 0),
]
LAW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few entries that a story's lines lie in several blocks."""
    monkeypatch.setattr(boards, "BLOCK", 2)


def fold(entries: list[Entry]) -> Board:
    """Fold all entries from nothing."""
    board = Board()
    for entry in entries:
        apply(board, entry)
    return board


@LAW
@given(story=STORIES)
@example(story=EVERY_STEP)
@example(story=[("source", 0, 2, 0), ("source", 0, 0, 0)])  # silent, then added
def test_for_every_scope_the_view_kept_entry_by_entry_is_the_projection(
    new_desk: Callable[[], Desk], story: list[Step]
) -> None:
    desk = new_desk()
    play(desk, story)
    board = Board()
    kept = [project(board, scope) for scope in SCOPES]
    for entry in desk.entries():
        before = {scope: set(view.incidents) for scope, view in zip(SCOPES, kept, strict=True)}
        change = apply(board, entry)
        for view in kept:
            scoped = apply_scoped(view, entry, change)
            assert view == project(board, view.scope)
            assert all(visible(view.scope, incident) for incident in view.incidents.values())
            assert all(orders.visible(view.scope, order) for order in view.orders.values())
            assert scoped.incidents >= before[view.scope] ^ set(view.incidents)
            assert scoped.incidents <= before[view.scope] | set(view.incidents)
        assert project(board, WHOLE) == board
        withheld = [one for one in kept[-1].incidents.values() if one.title or one.address or one.report_id]
        assert not withheld


@LAW
@given(story=STORIES)
@example(story=EVERY_STEP)
@example(story=[("open", 0, 0, 3), ("update", 0, 0, 1)])  # from one grid and department to another at once
def test_the_journal_shows_a_scope_what_its_view_shows(new_desk: Callable[[], Desk], story: list[Step]) -> None:
    desk = new_desk()
    play(desk, story)
    board = Board()
    scopes = [scope for scope in SCOPES if not scope.hidden and not scope.dimmed]  # those are of screens only
    shown: dict[Scope, list[int]] = {scope: [] for scope in scopes}
    for entry in desk.entries():
        change = apply(board, entry)
        for scope in scopes:
            if any(incident is not None and visible(scope, incident) for incident in (change.before, change.after)):
                shown[scope].append(entry.seq)
    concerned = {
        scope: [e.seq for e in desk.entries() if (one := board.orders.get(e.subject_id)) and orders.visible(scope, one)]
        for scope in scopes
    }
    off = {entry.seq for entry in desk.entries() if entry.subject_id not in board.incidents}
    for scope in scopes:
        told = [entry.seq for entry in journal.read(desk.database, 0, scope=scope)]
        assert [seq for seq in told if seq not in off] == [seq for seq in shown[scope] if seq not in off]
        assert [seq for seq in told if desk.entries()[seq - 1].subject_id in board.orders] == concerned[scope]
        with desk.database.read() as connection:
            found = connection.execute(sa.select(dispatch_order.c.id).where(*order_rows.inside(scope))).scalars()
            assert set(found) == {one.id for one in board.orders.values() if orders.visible(scope, one)}


@LAW
@given(story=STORIES, cut=st.integers(0, 30))
@example(story=EVERY_STEP, cut=20)
def test_snapshot_and_rest_is_the_full_fold(new_desk: Callable[[], Desk], story: list[Step], cut: int) -> None:
    desk = new_desk()
    play(desk, story)
    entries = desk.entries()
    part = fold(entries[:cut])
    snapshot.save(desk.database, part)
    assert snapshot.decode(snapshot.encode(part)) == part
    assert snapshot.load(desk.database) == fold(entries)
    assert snapshot.load_at(desk.database, cut // 2) == fold(entries[: cut // 2])


@LAW
@given(story=STORIES)
@example(story=EVERY_STEP)
def test_counts_are_what_counting_the_incidents_gives(new_desk: Callable[[], Desk], story: list[Step]) -> None:
    desk = new_desk()
    play(desk, story)
    board = desk.board()
    opened = [incident for incident in board.incidents.values() if incident.is_open]
    for incident in board.incidents.values():
        assert incident == desk.stored(incident.id)
    assert sum(views.open_by_urgency(board).values()) == len(opened)
    assert sum(views.heat(board, desk.now, "open").values()) == len(opened)
    assert board.unplaced == {incident.id for incident in opened if not incident.grid}
    load = views.load_by_department(board)
    assert {name: one.open for name, one in load.items()} == {
        name: sum(incident.department == name for incident in opened) for name in {i.department for i in opened}
    }
    assert sum(one.overdue for one in load.values()) == sum(loudest(one.clocks) >= OVERDUE for one in opened)
    assert board.pressed.keys() == {one.id for one in opened if loudest(one.clocks)}
    told = Counter((one.department, one.step) for one in opened)
    assert {(name, step): n for name, one in load.items() for step, n in one.steps.items()} == told


def test_every_action_of_the_domain_is_in_the_story(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    play(desk, EVERY_STEP)
    incident = {"opened", "updated", "acknowledged", "noted", "urgency", "closed", "reopened", "placed", "escalated"}
    others = {"report.stale", "quarantine.added", "wall.stuck", "source.silent", "key.destroyed", "epoch.started"}
    assert {entry.action for entry in desk.entries()} >= {f"incident.{name}" for name in incident} | others


def test_folding_reads_no_clock_and_no_disk(new_desk: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    desk = new_desk()
    play(desk, EVERY_STEP)
    entries, before = desk.entries(), desk.board()

    def forbidden(*_: object) -> None:
        raise AssertionError("the fold looked outside")

    with monkeypatch.context() as patch:
        for owner, name in ((clock, "now"), (clock, "monotonic"), (builtins, "open"), (os, "open")):
            patch.setattr(owner, name, forbidden)
        after = fold(entries)
    assert after == before


# ---- what it shows ----


def test_figures_of_the_day(desk: Desk) -> None:
    desk.send(report("A1"), report("A2", urgency="critical"), report("A3", received_at=START - DAY))
    first = desk.incident()
    desk.tick(59 * SECOND)
    desk.commands.acknowledge(OPERATOR, first.id, 1)
    desk.commands.close(OPERATOR, first.id, 2, "resolved")
    board = desk.board()
    assert views.open_by_urgency(board) == {"critical": 1, "urgent": 0, "routine": 1}
    assert (views.received_today(board, desk.now, ZONE), views.closed_today(board, desk.now, ZONE)) == (2, 1)
    assert views.median_acknowledge_s(board, desk.now, ZONE) == 61.0
    tomorrow = desk.now + DAY
    assert (views.received_today(board, tomorrow, ZONE), views.closed_today(board, tomorrow, ZONE)) == (0, 0)
    assert views.median_acknowledge_s(board, tomorrow, ZONE) is None


@pytest.mark.parametrize("wrong", [30 * DAY, -30 * DAY])
def test_a_clock_that_was_wrong_for_some_entries_wipes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, wrong: int
) -> None:
    monkeypatch.setattr(boards, "BLOCK", 4)

    def figures() -> list[object]:
        board, today = desk.board(), (desk.now, ZONE)
        shown = [views.received_today(board, *today), views.closed_today(board, *today), len(board.incidents)]
        return [*shown, views.heat(board, desk.now, "7d"), views.median_acknowledge_s(board, *today)]

    desk.send(*(report(f"A{number}", received_at=START - number * HOUR) for number in range(5)))
    first = desk.incident()
    desk.commands.acknowledge(OPERATOR, first.id, 1)
    desk.commands.close(OPERATOR, first.id, 2, "resolved")
    right = figures()
    desk.now += wrong
    for name in "xyz":
        sources.add(desk.database, SYSTEM, sources.Source(name, name), now=desk.now)
    desk.now -= wrong
    assert figures() == right
    desk.send(report("B"))
    assert views.received_today(desk.board(), desk.now, ZONE) == 6


def test_what_is_too_old_is_forgotten_while_entries_come(desk: Desk) -> None:
    for number in range(30):
        desk.send(report(f"A{number}", received_at=desk.now))
        desk.tick(12 * HOUR)
    board = desk.board()
    assert len(board.received_minutes.totals) < 8 and len(board.received_hours.totals) < 22


def test_heat_by_window_type_and_urgency(desk: Desk) -> None:
    desk.send(
        report("A1", received_at=START - 10 * MINUTE),
        report("A2", received_at=START - 30 * MINUTE, type="0101"),
        report("A3", received_at=START - 3 * HOUR, grid_code=LEAVES[1]),
        report("A4", received_at=START - 3 * DAY, urgency="urgent"),
    )
    board = desk.board()

    def heat(window: str, **narrow: object) -> dict[str, int]:
        return views.heat(board, START, window, **narrow)  # type: ignore[arg-type]

    assert heat("15m") == {LEAVES[0]: 1}
    assert heat("1h") == {LEAVES[0]: 2}
    assert heat("24h") == {LEAVES[0]: 2, LEAVES[1]: 1}
    assert heat("7d") == {LEAVES[0]: 3, LEAVES[1]: 1}
    assert heat("7d", types=frozenset({"0101"})) == {LEAVES[0]: 1}
    assert heat("7d", urgency="urgent") == {LEAVES[0]: 1}
    assert heat("7d", grids=frozenset({LEAVES[1], "none"})) == {LEAVES[1]: 1}


def test_placing_by_hand_moves_the_counts(desk: Desk) -> None:
    desk.send(report("A1", grid_code="", place=None))
    incident = desk.incident()
    assert (desk.board().unplaced, incident.nearest) == ({incident.id}, LEAVES[0])
    desk.commands.place(OPERATOR, incident.id, 1, grid=LEAVES[2])
    board = desk.board()
    assert (board.unplaced, views.heat(board, START, "24h")) == (set(), {LEAVES[2]: 1})
    [before, after] = desk.entries()
    assert (after.scope_grid_before, after.scope_grid) == ("", "/".join(chain(LEAVES[2])))
    assert before.scope_grid == ""


def test_received_by_hour_is_in_city_time(desk: Desk) -> None:
    desk.send(report("A1"), report("A2", received_at=START - DAY), report("A3", received_at=START - 8 * DAY))
    rows = views.received_by_hour(desk.board(), START, ZONE)
    assert len(rows) == 8
    assert rows[-1] == [0] * 16 + [1] + [None] * 7  # 08:00 UTC is 16:00 in the city
    assert (rows[-2][16], sum(count or 0 for row in rows for count in row)) == (1, 2)
    assert views.received_by_hour(desk.board(), START, UTC)[-1][8] == 1


def test_sources_age_and_fall_silent(desk: Desk) -> None:
    desk.send(report("A1"), report("A2", received_at=START + 5))
    state = desk.board().sources["hotline"]
    assert (state.last_received_at, state.count, state.silent) == (START + 5, 2, False)
    assert project(desk.board(), SCOPES[0]).sources == {}  # not registered: a scope learns nothing of it
    sources.add(desk.database, SYSTEM, sources.Source("hotline", "12345 热线"), now=START)
    sources.mark(desk.database, "hotline", silent=True, now=START)
    assert desk.board().sources["hotline"] == SourceState("12345 热线", "http", START + 5, 2, True)
    assert project(desk.board(), SCOPES[0]).sources["hotline"] == SourceState("12345 热线", "http", None, 0, True)


def test_quarantine_belongs_to_the_whole_city(desk: Desk) -> None:
    desk.send(refusal())
    assert (desk.board().open_quarantine, project(desk.board(), SCOPES[0]).open_quarantine) == (1, 0)


def test_a_closed_incident_leaves_after_a_day_and_returns_when_reopened(desk: Desk) -> None:
    desk.send(report("A1"))
    incident = desk.incident()
    desk.commands.close(COMMANDER, incident.id, 1, "resolved")
    assert incident.id in desk.board().incidents
    desk.tick(27 * HOUR)
    desk.send(*(report(f"B{number}") for number in range(4)))
    assert incident.id not in desk.board().incidents
    desk.commands.reopen(COMMANDER, incident.id, 2, "又坏了")
    board = desk.board()
    assert board.incidents[incident.id] == desk.stored(incident.id)
    assert sum(views.heat(board, desk.now, "7d").values()) == 5  # reopening counts nothing anew


def test_closed_incidents_on_the_board_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "CLOSED_KEPT", 3)
    desk.send(*(report(f"A{number}") for number in range(6)))
    ids = list(desk.board().incidents)
    for incident_id in ids:
        desk.commands.close(COMMANDER, incident_id, 1, "resolved")
    board = Board()
    views_kept = [project(board, scope) for scope in SCOPES]
    for entry in desk.entries():
        change = apply(board, entry)
        for view in views_kept:
            apply_scoped(view, entry, change)
    assert list(board.closed) == ids[3:]
    assert all(view == project(board, view.scope) for view in views_kept)
    assert views.closed_today(board, desk.now, ZONE) == 6


def test_counts_never_fall_below_zero() -> None:
    from operations.buckets import Kind

    buckets = Buckets()
    buckets.add(("a",), Kind("police", "0304", "routine"), 5, -1)
    assert (list(buckets.cells()), buckets.totals) == ([], {})
