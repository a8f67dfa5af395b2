"""The page of cameras without a browser: who sees, places and works on which, and what the cards say."""

from typing import Any

import pytest
from msgspec import structs

from config.city import City
from config.words import LANGUAGES, Words
from dashboard import access
from dashboard.catalogue import Catalogue
from dashboard.names import Names
from dashboard.panels import camera_card, camera_complete, camera_list
from operations import journal
from operations.cameras import condition, keeping
from operations.cameras.item import Item
from operations.cameras.limits import Wish
from operations.cameras.searching import Asked
from operations.cameras.tickets import Ticket
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from operations.report import Located
from operations.scope import WHOLE, Scope

pytestmark = pytest.mark.database

HERE, AWAY = ("990101", "990101001"), ("990102", "990102001")
DOOR = Item(code="c1", name="东门", owner="police", lon=120.1, lat=30.1, chain=HERE, status="on", function_type="01/99")
POND = Item(code="c2", name="=水塘", owner="water", lon=121.0, lat=31.0, chain=AWAY)
COMMANDER = Identity("account", "d", "duty", "duty_commander", Scope("990101"))
OPERATOR = Identity("account", "o", "operator", "operator", Scope("990101"))
LEADER = Identity("account", "l", "leader", "leader", WHOLE)
HOUR = 3_600_000_000


def located(lon: float | None, lat: float | None, grid: str) -> Located:
    """West of 120.5 lies HERE, east of it AWAY, beyond 130 no grid at all."""
    if lon is None or lon > 130:
        return Located()
    return Located(HERE[-1], HERE) if lon < 120.5 else Located(AWAY[-1], AWAY)


async def nowhere(platform: str, code: str) -> None:
    return None


@pytest.fixture
def book(database: Database, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    with database.write() as transaction:
        keeping.take(transaction, "s1", [DOOR, POND], complete=True, now=1)
    asks(monkeypatch, COMMANDER)
    return Catalogue(database, lambda _seq: None, located, nowhere)


def asks(monkeypatch: pytest.MonkeyPatch, identity: Identity) -> None:
    monkeypatch.setattr(access, "current", lambda: identity)


def ids(book: Catalogue, text: str = "") -> list[str]:
    return [one.id for one in book.find(Asked(text)).cameras]


def named(words: Words) -> Names:
    return Names(words, {}, {"police": "公安"}, {}, (), {})


def test_what_is_anothers_is_not_there(book: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    asks(monkeypatch, LEADER)
    door, pond = ids(book, "dm") + ids(book, "st")
    assert [one.total for one in book.branches("grid")] == [1, 1]
    asks(monkeypatch, COMMANDER)
    assert ids(book) == [door] and [one.total for one in book.branches("grid")] == [1]
    assert [one.held.held for one in book.wholeness()] == [1]
    for absent in (pond, "none", "no\0ne"):
        with pytest.raises(NotFound):
            book.card(absent)
        with pytest.raises(NotFound):
            book.place(absent, 120.2, 30.2, "WGS84", revision=1)
        with pytest.raises(NotFound):
            book.maintain(absent, 0, seen=0, reason="check")


def test_a_place_has_to_lie_in_ones_own_grids_and_nobodys_change_is_lost(book: Catalogue) -> None:
    (door,) = ids(book)
    for lon, datum, why in ((121.0, "WGS84", "outside"), (131.0, "WGS84", "outside"), (120.2, "MARS", "wrong")):
        with pytest.raises(Refused, match=f"place_{why}"):
            book.place(door, lon, 30.2, datum, revision=1)
    book.place(door, 120.2, 30.2, "WGS84", revision=1)
    with pytest.raises(Refused, match="changed_meanwhile"):
        book.place(door, 120.3, 30.2, "WGS84", revision=1)
    step = book.card(door).steps[0]
    assert step.actor == COMMANDER.actor
    assert [(one.field, one.before, one.after) for one in step.changes] == [("lon", (120.1, 30.1), (120.2, 30.2))]


def test_maintenance_has_an_end_a_reason_and_one_hand(
    book: Catalogue, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (door,) = ids(book)
    now = book.card(door).now
    for until, reason, why in ((now - 1, "why", "wrong"), (now + 91 * 24 * HOUR, "why", "wrong"), (0, " ", "missing")):
        with pytest.raises(Refused, match=why):
            book.maintain(door, until, seen=0, reason=reason)
    book.maintain(door, now + HOUR, seen=0, reason="换镜头")
    with pytest.raises(Refused, match="changed_meanwhile"):
        book.maintain(door, 0, seen=0, reason="again")
    assert [one.id for one in book.find(Asked(condition="maintenance")).cameras] == [door]
    asks(monkeypatch, OPERATOR)
    with pytest.raises(Forbidden):
        book.maintain(door, 0, seen=now + HOUR, reason="not mine")
    with database.read() as connection:
        (entry,) = (one for one, _ in journal.of_subject(connection, door) if one.action == "camera.maintained")
    assert (entry.reason, entry.scope_grid, entry.scope_department) == ("换镜头", "990101/990101001", "police")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_card_says_who_changed_what_and_where_signals_contradict(book: Catalogue, lang: str) -> None:
    words = Words(lang, City())
    (door,) = ids(book)
    book.place(door, 120.2, 30.2, "WGS84", revision=1)
    book.maintain(door, book.card(door).now + HOUR, seen=0, reason="换镜头")
    may = {"look": True, "manage": True}
    said = str(camera_card.card(book.card(door), may, named(words), words))
    assert "工单" not in said
    of_ticket = Ticket("offline", 0, False, "i1", "1123-0001", "handle")
    ticketed = structs.replace(book.card(door), ticket=of_ticket)
    linked = str(camera_card.card(ticketed, may, named(words), words))
    assert "1123-0001" in linked and "/desk?incident=i1" in linked
    unseen = structs.replace(ticketed, ticket=of_ticket._replace(incident="", number="", step=""))
    assert "href" not in str(camera_card.ticket(unseen.ticket, words)) and camera_card.ticket(unseen.ticket, words)
    for part in ("duty", "120.100000", "120.200000", "换镜头", words.text("camerapage.special.long", type="01/99")):
        assert part in said
    book.limits.put(door, Wish(kind="forbidden", why="旅馆客房"), revision=0)
    book.limits.clear(door, reason="已改作他用", revision=1)
    limited = str(camera_card.card(book.card(door), may, named(words), words))
    for kind, why in (("forbidden", "旅馆客房"), ("cleared", "已改作他用")):
        assert words.text(f"viewlimit.history.{kind}", why=why) in limited
    assert words.text("camerapage.maintain") not in str(
        camera_card.card(book.card(door), {"look": False, "manage": False}, named(words), words)
    )
    page = book.find(Asked())
    assert words.text("camerapage.special.short") in str(
        [camera_list.line(one, page.as_of, words) for one in camera_list.rows(page, named(words), words)]
    )


@pytest.mark.parametrize(
    ("status", "registered", "picture", "against"),
    [
        ("on", "on", "good", 0),
        ("off", "off", "", 0),
        ("off", "", "good", 2),
        ("on", "on", "lost", 3),
        ("on", "on", "blurred", 0),
        ("unknown", "", "", 0),
    ],
)
def test_signals_that_contradict_each_other_are_named(
    book: Catalogue, status: str, registered: str, picture: str, against: int
) -> None:
    one = structs.replace(book.find(Asked()).cameras[0], status=status, registered=registered, picture=picture)
    assert len(condition.disagreeing(one)) == against


def test_the_file_of_sources_says_what_is_missing_and_holds_no_formulas(book: Catalogue) -> None:
    import base64

    words = Words("en", City())
    known: Any = {"announced": 9, "held": 7, "tried_at": 1, "online": True, "why": "short", "missing": '["77"]'}
    from dashboard.catalogue import Whole
    from operations.platforms import Platform

    held = book.wholeness()[0].held
    below = Platform("99010100002000000001", "accepted", "=East", **known)
    found = camera_complete.rows([Whole(held, None), Whole(held, below)], named(words), words)
    assert [(one.state, one.announced, one.lacking) for one in found] == [("short", 9, 2), ("ledger", None, 0)]
    text = base64.b64decode(camera_complete.file(found, words)["content"]).decode("utf-8-sig")
    assert "'=East" in text and "77" in text
