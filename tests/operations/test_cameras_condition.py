"""One word for the state of a camera, whoever shows it, and disagreement told as such."""

from typing import NamedTuple

import pytest

from config.words import Words
from operations.cameras.condition import CONDITIONS, condition, disagreeing


class Told(NamedTuple):
    status: str = ""
    registered: str = ""
    picture: str = ""
    maintenance_until: int = 0


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (Told(), "unknown"),
        (Told(picture="unknown"), "unknown"),
        (Told("on"), "live"),
        (Told("unknown", picture="good"), "live"),
        (Told("on", "on", "good"), "live"),
        (Told(registered="on"), "unknown"),
        (Told("on", "off", "good"), "off"),
        (Told("off", "on", "good"), "off"),
        (Told("on", picture="lost"), "dark"),
        (Told("on", picture="covered"), "dark"),
        (Told("on", picture="blurred"), "faulty"),
        (Told("off", picture="lost", maintenance_until=11), "maintenance"),
        (Told("off", picture="lost", maintenance_until=10), "off"),
    ],
)
def test_three_signals_make_one_word(told: Told, word: str) -> None:
    assert condition(told, 10) == word
    assert word in CONDITIONS


def test_disagreement_names_the_signals_that_spoke() -> None:
    assert disagreeing(Told("on", "on", "blurred")) == ()
    assert disagreeing(Told("unknown", "", "lost")) == ()
    assert disagreeing(Told("on", "on", "lost")) == ("status", "registered", "picture")
    assert disagreeing(Told("off", "", "good")) == ("status", "picture")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_map_and_list_say_the_same_word(lang: str) -> None:
    words = Words(lang)
    for one in CONDITIONS:
        assert words.text(f"camera_map.camera.state.{one}") == words.text(f"camerapage.condition.{one}")
