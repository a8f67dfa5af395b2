"""The page of the ways out: what it shows to whom, what its form says, and that secrets never come back."""

from typing import Any

import pytest

from config.city import City
from config.words import LANGUAGES, Words
from dashboard import access, frame
from dashboard.outletbook import Outletbook
from dashboard.panels import outlet_list, outlet_shell
from operations.database import Database
from operations.errors import Forbidden, Refused
from operations.outlets.keeping import Counts
from operations.outlets.outlet import Drop, Mail, Outlet
from operations.policy import Identity

ADMIN = Identity("account", "a1", "admin", "system_admin")
OPERATOR = Identity("account", "o1", "operator", "operator")
UP = Outlet("drop", "file", Drop(), worked_at=1)
DOWN = Outlet(
    "mail", "email", Mail("mx", "a@b.example"), failing_since=1_800_000_000_000_000, error="login_refused 535"
)
WORDS = Words("zh", City())


def shown(**may: bool) -> bytes:
    """The table as a browser gets it."""
    return frame.encode(outlet_list.listing([(UP, Counts()), (DOWN, Counts(waiting=3, dead=2))], WORDS, **may))


def test_what_is_down_comes_first_with_its_reason() -> None:
    assert [one.name for one, _ in outlet_list.rows([(UP, Counts()), (DOWN, Counts())])] == ["mail", "drop"]
    said = shown(manages=False, replays=False).decode()
    assert "不可用" in said and "对方不认我们的登录或签名，535" in said
    assert "desk-button" not in said, "who may not press it has no button"


def test_a_commander_sends_again_and_changes_nothing() -> None:
    said = shown(manages=False, replays=True)
    assert b'"replay"' in said
    assert b'"remove"' not in said


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_form_has_every_field_of_a_kind_and_no_password(lang: str) -> None:
    words = Words(lang, City())
    text = frame.encode(outlet_shell.form(words, DOWN, [("hotline", "12345")])).decode()
    assert "a@b.example" in text and "mx" in text
    given = {"host": " mx ", "port": 25, "sender": "a@b.example", "departments": [], "url": "http://x", "password": "p"}
    assert outlet_shell.wanted(given, "email") == {"host": "mx", "port": 25, "sender": "a@b.example"}


@pytest.fixture
def book(database: Database, folder: Any) -> Outletbook:
    """The book of a web process."""
    return Outletbook(database, lambda _seq: None, folder / "keys")


@pytest.mark.database
def test_only_the_system_administrator_keeps_them(book: Outletbook, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"url": "http://127.0.0.1/x"}
    monkeypatch.setattr(access, "current", lambda: OPERATOR)
    for work in (
        lambda: book.add("sms", "webhook", values, password="", source=""),
        lambda: book.renew("sms"),
        lambda: book.replay(name="sms"),
    ):
        with pytest.raises(Forbidden):
            work()
    assert book.listed() == []
    monkeypatch.setattr(access, "current", lambda: ADMIN)
    made = book.add("sms", "webhook", values, password="", source="")
    assert made.secret.startswith("whsec_")
    again = book.renew("sms")
    assert again.secret != made.secret
    assert book.change("sms", values, revision=again.outlet.revision, password="").secret == "", "never shown again"
    with pytest.raises(Refused):
        book.change("sms", values, revision=1, password="")
    for wrong in ({"url": "x" * 3_000}, {"url": "http://x", "needs": "face"}, {"url": 3}):
        with pytest.raises(Refused):
            book.add("other", "webhook", wrong, password="", source="")
    with pytest.raises(Refused):
        book.add("../x", "webhook", values, password="", source="")
    assert book.remove("sms") == 0
