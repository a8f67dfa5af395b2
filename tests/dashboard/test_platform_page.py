"""The page of platforms below us, without a browser."""

import pytest

from config import clock
from config.city import City
from config.words import Words
from dashboard import access
from dashboard.panels import platform_list as page
from dashboard.platformbook import Platformbook
from operations import platforms
from operations.database import Database
from operations.errors import Forbidden, Refused
from operations.platforms import Platform
from operations.policy import Identity
from streams.gb28181.effects import Position
from streams.gb28181.known import Quirks
from streams.gb28181.whereabouts import Last

CODE = "32050700002000000017"
ADMIN = Identity("account", "a", "admin", "system_admin")
DUTY = Identity("account", "d", "duty", "duty_commander")


def words(lang: str = "en") -> Words:
    return Words(lang, City())


def test_what_needs_somebody_stands_first() -> None:
    whole = Platform("1", "accepted", online=True, online_at=1, tried_at=1, synced_at=1)
    short = Platform("2", "accepted", online=True, online_at=1, tried_at=1, why="short")
    gone = Platform("3", "accepted", online_at=1)
    found = page.rows([whole, short, gone, Platform("4")])
    assert [(row.one.code, row.state, row.catalogue) for row in found] == [
        ("3", "offline", "none"),
        ("2", "online", "short"),
        ("1", "online", "whole"),
    ]


@pytest.mark.parametrize(
    "why", ["short", "over", "silent", "unanswered", "restarted", "expired", "unregistered", "emptied"]
)
def test_a_catalogue_that_is_short_says_what_is_missing(why: str) -> None:
    one = Platform("2", "accepted", "East", announced=9, held=7, tried_at=1, why=why, missing='["77","78"]')
    said = str(page.line(page.Row(one, "offline", "short"), words(), manages=True))
    assert "7 / 9" in said and "77" in said and words().text(f"platforms.why.{why}") in said


def test_a_form_gives_the_quirks_it_shows() -> None:
    shown = Quirks(guard=True, subscribe=("alarm",), charset="utf-8")
    filled = {name: getattr(shown, name) for name in page.NUMBERS}
    filled |= {"charset": shown.charset, "subscribe": ["alarm"], "switches": ["guard"]}
    made = page.quirks_in(filled)
    assert Quirks(**{**made, "subscribe": tuple(made["subscribe"])}) == shown
    assert "password" in str(page.form(Platform(CODE), "GCJ02", shown, words("zh")))


def test_only_who_manages_accepts_and_never_without_a_password(
    database: Database, folder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    keys = Path(str(folder)) / "keys"
    book = Platformbook(database, lambda _seq: None, keys)
    about = {"why": "unknown", "agent": "x", "host": "10.8.0.7", "transport": "udp"}
    assert platforms.knocked(database, CODE, **about, now=clock.now())
    given = {"name": "East", "datum": "WGS84", "quirks": {}}
    monkeypatch.setattr(access, "current", lambda: DUTY)
    with pytest.raises(Forbidden):
        book.keep(CODE, 1, password="secret1", **given)
    monkeypatch.setattr(access, "current", lambda: ADMIN)
    with pytest.raises(Refused, match="password_missing"):
        book.keep(CODE, 1, password="", **given)
    book.keep_network("10.8.0.0/16", "of the net")
    kept = book.keep(CODE, 1, password="", **given)
    assert kept.state == "accepted" and book.networks() == ["10.8.0.0/16"]
    with pytest.raises(Refused, match="changed_meanwhile"):
        book.keep(CODE, 1, password="secret1", **given)
    with pytest.raises(Refused, match="wrong_quirks"):
        book.keep(CODE, kept.revision, password="secret1", **(given | {"quirks": {"keepalive_misses": 1}}))
    secret = next((keys / "platforms").glob("net-*"))
    assert secret.read_text() == "of the net" and secret.stat().st_mode & 0o77 == 0


def test_strangers_are_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "MOST_WAITING", 3)
    about = {"why": "unknown", "agent": "x", "host": "10.8.0.7", "transport": "udp"}
    came = [platforms.knocked(database, f"{number:020}", **about, now=clock.now()) for number in range(5)]
    assert came == [True, True, True, False, False]
    assert not platforms.knocked(database, "not a code", **about, now=clock.now())


@pytest.mark.parametrize(("off", "said"), [("90", "90 s fast"), ("-45", "45 s slow"), ("3", ""), ("never", "")])
def test_a_clock_that_is_wrong_is_said(off: str, said: str) -> None:
    one = Platform("2", "accepted", info=f'{{"clock_off":"{off}"}}')
    found = str(page.clock_off(one, words()))
    assert said in found and bool(said) is (found != "[]")


def test_a_last_position_stands_with_its_age_platform_and_datum() -> None:
    one = Last(CODE, Position("77", 119.2, 34.6, "2026-01-02T03:04:05"), "GCJ02", 60_000_000)
    said = str(page.whereabouts([one], {CODE: "East"}, 3_660_000_000, words()))
    assert all(word in said for word in ("77", "East", "119.200000, 34.600000 (GCJ02)", "60 min ago", "03:04:05"))
    assert "No device" in str(page.whereabouts([], {}, 1, words()))


def test_last_positions_are_for_who_may_read_platforms(
    database: Database, folder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    nobody = Identity("account", "l", "liaison", "liaison")
    monkeypatch.setattr(access, "current", lambda: nobody)
    with pytest.raises(Forbidden):
        Platformbook(database, lambda _seq: None, Path(str(folder)) / "keys").positions()
