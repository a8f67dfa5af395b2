"""The tab of looks, without a browser; and how soon a picture is dark that somebody ended."""

import asyncio
from typing import Any

import pytest

from config import access as rules
from config import clock
from config.city import City
from config.words import Words
from dashboard import access
from dashboard.lookbook import PATIENCE, Lookbook
from dashboard.lookers import Lookers
from dashboard.panels import camera_looks as panel
from operations import audit, looks
from operations.board import Board, apply, apply_scoped
from operations.database import Database
from operations.errors import Forbidden
from operations.looked import Asked, Look
from operations.looks import HEARTBEAT_SECONDS, LOST_AFTER, Ticket, Whereabouts
from operations.policy import Identity, watched
from operations.scope import Scope
from tests import leave
from tests.operations.desk import COMMANDER, OPERATOR, SECOND, START

HERE = Whereabouts(("990101",), "police")
AUDITOR = Identity("account", "a1", "auditor", "audit_admin")
ONE = Look(
    id="l1", camera="c1", name="东门", stream="main", actor="account:anna", who="王小明", role="operator",
    why="incident", incident="i1", number="2027-17", department="police", began_at=START,
    ended_at=START + 83 * SECOND, ended_how="uncertain",
)  # fmt: skip


class Notes:
    """Keeps the notes of searches and files."""

    def __init__(self) -> None:
        self.taken: list[audit.Note] = []

    def note(self, note: audit.Note) -> None:
        self.taken.append(note)


def _words(lang: str = "en") -> Words:
    return Words(lang, City())


def _as(monkeypatch: pytest.MonkeyPatch, identity: Identity) -> None:
    monkeypatch.setattr(access, "current", lambda: identity)


def test_a_look_says_who_where_why_and_how_it_ended_in_both_languages() -> None:
    row = panel.row(ONE, _words())
    assert (row.who, row.camera, row.why) == ("王小明 · Operator", "东门", "Incident 2027-17")
    assert row.ended.endswith("1 min 23 s · ended uncertain (last known)")
    assert "结束不确定" in panel.row(ONE, _words("zh")).ended
    for how in ("left", "closed", "rights", "lost", "uncertain"):
        for why in looks.WHYS:
            for lang in ("zh", "en"):
                words = _words(lang)
                assert words.text(f"lookers.how.{how}") and words.text(f"lookers.why.{why}")


def test_only_who_may_end_looks_gets_the_buttons_and_each_names_what_it_ends() -> None:
    shown = str(panel.listing([ONE], _words(), closes=True))
    assert "looks-close" in shown and "End the look of 王小明 · Operator at 东门" in shown
    assert "looks-close" not in str(panel.listing([ONE], _words(), closes=False))
    assert "Nobody looks now." in str(panel.listing([], _words(), closes=True))


def test_a_form_asks_for_what_was_typed_within_its_window() -> None:
    asked = panel.asked_of({"camera": " gate ", "who": "x" * 500, "window": "today"}, START)
    assert asked == Asked(START - panel.DAY, "gate", "x" * 100, "")
    assert panel.asked_of({"window": "nonsense"}, START) == Asked()


def test_a_search_and_a_file_are_entries_without_the_persons_name(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: Any = Notes()
    book = Lookers(database, notes, lambda _: None)
    _as(monkeypatch, AUDITOR)
    book.past(Asked(who="王小明", camera="gate"))
    book.past(Asked(), (START, "x"))
    book.exported(Asked(who="王小明"))
    assert len(notes.taken) == 2 and "王小明" not in str([note.body for note in notes.taken])
    assert not book.may_close()
    with pytest.raises(Forbidden):
        book.close("any")
    _as(monkeypatch, OPERATOR)
    for ask in (book.living, lambda: book.past(Asked()), lambda: book.exported(Asked())):
        with pytest.raises(Forbidden):
            ask()


async def test_a_look_ended_from_the_page_is_dark_within_a_second_and_the_list_looks_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookbook = Lookbook(database, b"k" * 32, lambda _: HERE, lambda *_: None, leave.everywhere(database))
    lookbook.start()
    ended: asyncio.Future[tuple[int, float]] = asyncio.get_running_loop().create_future()
    ticket = lookbook.opened(OPERATOR, "c1", await lookbook.ticket(OPERATOR, "c1", "patrol", ""))
    await lookbook.begin(OPERATOR, ticket, "main", lambda code, _: ended.set_result((code, clock.monotonic())))
    notes: Any = Notes()
    book = Lookers(database, notes, lambda *_: None)
    _as(monkeypatch, COMMANDER)
    (one,) = book.living()
    closed_at = clock.monotonic()
    assert book.close(one.id) == 1 and book.close(one.id) == 0
    async with asyncio.timeout(30):
        code, dark_at = await ended
    assert code == 4403 and dark_at - closed_at <= 1.0
    assert book.living() == [] and book.past(Asked()).looks[0].ended_how == "closed"
    await lookbook.stop()


@pytest.mark.parametrize("moved", [-3_600 * SECOND, 0, 3_600 * SECOND])
async def test_a_grants_end_is_held_by_a_clock_nobody_can_put_back_and_silence_ends_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    lookbook = Lookbook(database, b"k" * 32, lambda _: HERE, lambda *_: None, leave.everywhere(database))
    told: dict[str, str] = {}
    for camera in ("c1", "c2"):
        ticket = lookbook.opened(OPERATOR, camera, await lookbook.ticket(OPERATOR, camera, "patrol", ""))
        assert ticket.grant, "the operator looks by a grant"
        await lookbook.begin(OPERATOR, ticket, "main", lambda _, why, camera=camera: told.setdefault(camera, why))
    began, wall = clock.monotonic(), clock.now()
    monkeypatch.setattr(clock, "now", lambda: wall + moved)
    lasts = leave_minutes() * 60
    lookbook.heard(began + lasts - 10)
    lookbook.hold(began + lasts - 10)
    assert told == {}, "not before its time, whatever the clock on the wall says"
    lookbook.heard(began + lasts + 1)
    lookbook.hold(began + lasts + 1)
    assert told == {"c1": "time", "c2": "time"}
    ticket = Ticket("own", "c3", "account:o1", "patrol", "", wall + moved)
    await lookbook.begin(COMMANDER, ticket, "main", lambda _, why: told.setdefault("c3", why))
    lookbook.hold(began + lasts + 60)
    assert "c3" not in told, "what needs no grant goes on through silence"


async def test_five_seconds_without_the_journal_end_what_needs_a_grant(database: Database) -> None:
    lookbook = Lookbook(database, b"k" * 32, lambda _: HERE, lambda *_: None, leave.everywhere(database))
    told: list[str] = []
    ticket = lookbook.opened(OPERATOR, "c1", await lookbook.ticket(OPERATOR, "c1", "patrol", ""))
    await lookbook.begin(OPERATOR, ticket, "main", lambda _, why: told.append(why))
    now = clock.monotonic()
    lookbook.heard(now)
    lookbook.hold(now + PATIENCE - 0.01)
    assert told == []
    lookbook.hold(now + PATIENCE)
    assert told == ["unheard"]


def leave_minutes() -> int:
    return rules.current().limits.standing_minutes


def test_the_list_is_drawn_anew_by_entries_about_looks_and_by_no_others(database: Database) -> None:
    from operations import journal

    ticket = Ticket("l1", "c1", "account:o1", "patrol", "", START)
    looks.begin(database, OPERATOR, ticket, HERE, stream="main", now=START)
    looks.sweep(database, now=START + LOST_AFTER + HEARTBEAT_SECONDS * SECOND)
    board, views = Board(), [Board(scope=scope) for scope in (Scope("990101"), watched(AUDITOR), Scope("990102"))]
    entries = journal.read(database, 0)
    for entry in entries:
        change = apply(board, entry)
        for view in views:
            apply_scoped(view, entry, change)
    beats = [panel.render(one, 0, _words())[panel.BEAT]["data"] for one in (board, *views)]
    assert len(entries) == 2 and beats == [board.seq, board.seq, board.seq, 0]
