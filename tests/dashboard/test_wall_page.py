"""The page of walls: who is stuck or away stands first, every look has its words, codes are not tried for ever."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from msgspec import structs

from config.words import LANGUAGES, Words
from dashboard import access, frame, wallbook
from dashboard.channel import Channel, Topic
from dashboard.panels import wall_list
from dashboard.panels.wall_list import browser, listed, plan_of, rows
from dashboard.screen import Device, Screen
from dashboard.wallbook import Standing, Wallbook
from operations import journal, pairings, walls
from operations.database import Database
from operations.errors import Refused
from operations.policy import Identity
from operations.scope import WHOLE, Scope
from operations.walls import Plan, Seen, Wall
from tests.dashboard.panel_board import NOW, WORDS
from tests.walls import paired

ADMIN = Identity("account", "a1", "admin", "system_admin")
WALL = Wall(
    "w", "hall", "wall", "990101001", "", NOW, "account:admin", None, NOW, "", "10.0.0.9", "", "", None, None, 0, None
)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"
SEEN = Seen("w", 1_234, NOW - 5_000_000, "v1", AGENT, "10.0.0.9", "3840×2160")
NEVER = Seen("w", 0, None, "", "", "", "")


def standing(name: str, latest: Seen = SEEN, seen_at: int | None = NOW, **values: object) -> Standing:
    wall = structs.replace(WALL, name=name, **values)
    return Standing(wall, latest, seen_at, connected=seen_at == NOW, old=latest.version == "v1")


ALL = [
    standing("d"),
    standing("revoked", revoked_at=NOW),
    standing("b", NEVER, None),
    standing("c", seen_at=NOW - 1),
    standing("a", stuck_at=NOW),
]


def test_what_is_amiss_stands_first() -> None:
    assert [(row.standing.wall.name, row.state) for row in rows(ALL)] == [
        ("a", "stuck"), ("c", "away"), ("b", "never"), ("d", "connected"), ("revoked", "revoked"),
    ]  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_list_has_its_words_and_no_inline_style(lang: str) -> None:
    words = Words(lang, WORDS.city)
    drawn = frame.encode(listed(ALL, {"990101001": "北街道"}, words)).decode()
    for said in ("北街道", "1,234", "3840×2160", "Chrome 139 · Linux", "10.0.0.9", words.text("walls.old")):
        assert said in drawn
    assert drawn.count(f'"data-at":"{SEEN.painted_at}"') == 4
    assert '"style":' not in drawn + frame.encode(wall_list.layout(words)).decode()
    assert drawn.count('"wall-act":"revoke"') == 4, "what is revoked cannot be revoked again"
    assert words.text("walls.none") in frame.encode(listed([], {}, words)).decode()


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (AGENT, "Chrome 139 · Linux"),
        (AGENT + " Edg/139.1", "Edge 139 · Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 · Windows"),
        ("curl/8.0" + "x" * 100, "curl/8.0" + "x" * 32),
        ("", ""),
    ],
)
def test_a_browser_is_called_by_its_name(agent: str, said: str) -> None:
    assert browser(agent) == said


def test_a_form_says_what_is_decided() -> None:
    assert plan_of({"name": " hall \n 2 ", "grid": " 990101001 "}) == Plan("hall 2", Scope("990101001"), "wall")
    assert plan_of({}) == Plan("")


# ---- the book ----


@pytest.fixture
def screens() -> list[Screen]:
    return []


@pytest.fixture
def book(database: Database, screens: list[Screen], monkeypatch: pytest.MonkeyPatch) -> Wallbook:
    """The book, asked by an administrator."""
    monkeypatch.setattr(access, "current", lambda: ADMIN)
    area = SimpleNamespace(grids={"990101001": None})
    return Wallbook(database, lambda seq: None, screens=lambda: screens, area=lambda: area, version="v2")  # type: ignore[arg-type,return-value]


def screen(identity: Identity, painted: int = 0) -> Screen:
    made = Screen("x", identity, Channel(Topic(WHOLE, "wall", "zh")), Device("v1", AGENT, "10.0.0.9", "3840×2160"))
    made.painted, made.painted_when = painted, None if not painted else wallbook.clock.monotonic()
    return made


def wall_of(database: Database, claim: str) -> Identity:
    found = walls.identify(database, claim, NOW)
    assert found is not None
    return found


def test_a_connected_wall_is_shown_as_it_is_now(book: Wallbook, database: Database, screens: list[Screen]) -> None:
    identity = wall_of(database, paired(database))
    (away,) = book.listed()
    assert not away.connected and away.latest.painted_at is None
    screens += [screen(ADMIN, 9), screen(identity), screen(identity, 7)]
    (here,) = book.listed()
    assert here.connected and here.old and (here.latest.painted, here.latest.size) == (7, "3840×2160")
    walls.note(database, book.seen(), now=wallbook.clock.now())
    screens.clear()
    (noted,) = book.listed()
    assert noted.connected, "another process may hold it"
    assert noted.latest.painted == 7


def test_codes_cannot_be_tried_for_ever(
    book: Wallbook, database: Database, monkeypatch: pytest.MonkeyPatch, free: Callable[[], str]
) -> None:
    for _ in range(wallbook.TRIES):
        with pytest.raises(Refused, match="pairing_unknown"):
            book.find("ACDEFHJK")
    with pytest.raises(Refused, match="pairing_tries"):
        book.find(free())
    assert [entry.action for entry in journal.read(database, 0)] == ["wall.code_wrong"] * wallbook.TRIES
    later = wallbook.clock.monotonic() + wallbook.TRIES_WITHIN
    monkeypatch.setattr(wallbook.clock, "monotonic", lambda: later)
    assert book.find(free())


@pytest.fixture
def free(database: Database) -> Callable[[], str]:
    """A code that a screen shows."""

    def shown() -> str:
        return pairings.begin(database, "", now=wallbook.clock.now(), agent="", address="")[0].code

    return shown


def test_a_jurisdiction_nobody_knows_is_refused(book: Wallbook, free: Callable[[], str]) -> None:
    code = free()
    with pytest.raises(Refused, match="unknown_grid"):
        book.confirm(code, Plan("hall", Scope("1")))
    wall_id = book.confirm(code, Plan("hall", Scope("990101001")))
    with pytest.raises(Refused, match="unknown_grid"):
        book.change(wall_id, Plan("hall", Scope("1")))
    book.revoke(wall_id)
    assert book.listed()[0].wall.revoked_at is not None
