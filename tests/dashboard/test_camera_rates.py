"""Rates of cameras on the wall and on their tab: of how many, against which target, as of when; a refusal is said."""

from types import SimpleNamespace

import pytest

from config.city import City
from config.words import LANGUAGES, Words
from dashboard.panels import camera_health as tab
from dashboard.panels import camera_kpi as wall
from dashboard.ratebook import Found, Line
from operations.board import Board
from operations.cameras.rates import WHOLE, Over, Period, Rate, Tally
from operations.cameras.sampled import Sampled
from operations.errors import Forbidden
from tests.dashboard.panel_board import NOW

WORDS = Words("zh", City())
GOOD, POOR = Tally(100, 99, 98, 1, 0, 40), Tally(100, 97, 95, 1, 0, 7)
OVER = Over(Rate(970.0, 1_000.0), Rate(950.0, 1_000.0))
AXES = {WHOLE: {"": POOR}, "owner": {"a": GOOD, "b": POOR}, "town": {}, "class": {"2": POOR}, "vendor": {"": POOR}}
FOUND = Found(AXES, Period({"owner": {"b": OVER}}, 10.0, 24.0), NOW)


def looks(found: object) -> str:
    return str(found)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_wall_says_both_rates_against_the_target_and_nothing_without_cameras(lang: str) -> None:
    words = Words(lang, City())
    assert wall.render(Board(), NOW, words)[wall.PLACE] == {"children": [], "data-state": "empty"}
    board = Board(sampled=Sampled(NOW, {"c/t": Tally(52, 49, 40, 1, 2, 7), "c/u": Tally(50, 49, 40)}))
    assert [(one.name, one.rate, one.met) for one in wall.rows(board, NOW)] == [
        ("online", Rate(98, 100), "met"), ("intact", Rate(80, 100), "missed"),
    ]  # fmt: skip
    shown = looks(wall.render(board, NOW, words)[wall.PLACE]["children"])
    assert all(one in shown for one in ("98.0 %", "80.0 %", "98 / 100", words.text("rates.wall.missed", n="98")))
    idle = Board(sampled=Sampled(NOW, {"": Tally(2, planned=2)}))
    assert [one.met for one in wall.rows(idle, NOW)] == ["none", "none"]


def test_the_worst_group_is_first_and_what_just_misses_is_not_rounded_up() -> None:
    assert [(one.axis, one.name) for one in FOUND.lines("owner")] == [(WHOLE, ""), ("owner", "b"), ("owner", "a")]
    assert (tab.percent(Rate(97_999, 100_000)), tab.percent(Rate(0, 0))) == ("97.9 %", "—")
    assert (tab.met(Rate(95, 100), 98), tab.met(Rate(95, 100), 95)) == ("missed", "met")


def test_lines_carry_numerator_denominator_target_and_time() -> None:
    told = tab.values(Line("class", "2", POOR, OVER), FOUND, str, WORDS)
    assert told[2:10] == [97, 100, "97.0 %", 95, 100, "95.0 %", "95 %", WORDS.text("rates.met")]
    assert told[-5:-1] == ["97.0 %", "95.0 %", 1000, "10.0 / 24"] and len(told) == len(tab.SHEET)
    assert WORDS.text("rates.not_sampled") in looks(tab.cells(Line("owner", "a", GOOD, None), str, WORDS))


def test_a_refusal_is_said_in_the_place_of_the_table() -> None:
    def refuse(hours: int) -> Found:
        raise Forbidden(permission="camera.browse")

    summary, refused = tab.answer(SimpleNamespace(rates=SimpleNamespace(look=refuse)), WORDS, "owner", 24)
    assert summary == [] and "wrong" in looks(refused)
