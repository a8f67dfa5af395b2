"""A screen skips instead of queueing, counts what it skipped, and is stuck only when it had something to paint."""

import orjson
import pytest

from dashboard.channel import Channel, Topic
from dashboard.screen import STUCK_SECONDS, UNPAINTED, Screen, parse
from operations.policy import Identity
from operations.scope import WHOLE


@pytest.fixture
def channel() -> Channel:
    return Channel(Topic(WHOLE, "wall", "zh"))


@pytest.fixture
def screen(channel: Channel) -> Screen:
    return Screen("wall/1", Identity("wall", "1", "wall", "wall"), channel)


def paint(channel: Channel, times: int) -> None:
    for _ in range(times):
        channel.publish({("props", "a", "children"): str(channel.n).encode()}, 1)


def told(screen: Screen) -> dict[str, object]:
    text = screen.next()
    assert text is not None
    return dict(orjson.loads(text))


def test_nothing_drawn_yet_is_nothing_to_send(screen: Screen) -> None:
    assert screen.next() is None


def test_a_fresh_screen_gets_a_snapshot_then_the_shared_frames(screen: Screen, channel: Channel) -> None:
    paint(channel, 3)
    assert told(screen)["snapshot"] is True
    assert screen.next() is None
    paint(channel, 1)
    assert screen.next() is channel.newest
    assert screen.skipped == 0


def test_a_slow_screen_is_brought_past_what_it_missed_in_one_frame(screen: Screen, channel: Channel) -> None:
    paint(channel, 1)
    screen.next()
    paint(channel, 50)
    frame = told(screen)
    assert (frame["n"], frame["missed"], frame["snapshot"]) == (51, 50, False)
    assert screen.skipped == 49
    assert screen.next() is None


def test_a_browser_that_stops_painting_is_held_until_the_beat(screen: Screen, channel: Channel) -> None:
    paint(channel, 1)
    screen.next()
    screen.note(1, 0.0)
    sent = 0
    for _ in range(UNPAINTED * 2):
        paint(channel, 1)
        sent += screen.next() is not None
    assert sent == UNPAINTED + 1
    screen.beat = '{"beat":1}'
    assert told(screen)["n"] == channel.n


def test_a_beat_goes_out_when_there_is_nothing_else(screen: Screen, channel: Channel) -> None:
    paint(channel, 1)
    screen.next()
    screen.beat = '{"beat":1}'
    assert screen.next() == '{"beat":1}'


def test_stuck_is_behind_for_long_without_painting(screen: Screen, channel: Channel) -> None:
    paint(channel, 1)
    screen.next()
    assert not screen.stuck(0.0)
    assert not screen.stuck(STUCK_SECONDS - 1)
    assert screen.stuck(STUCK_SECONDS + 1)
    screen.note(1, STUCK_SECONDS + 2)
    assert not screen.stuck(STUCK_SECONDS + 3)


def test_saying_the_same_again_is_not_painting(screen: Screen, channel: Channel) -> None:
    paint(channel, 1)
    screen.next()
    screen.note(1, 0.0)
    for second in range(2, int(STUCK_SECONDS) + 6, 2):  # with each beat
        paint(channel, 2)
        screen.next()
        screen.note(1, float(second))
        assert screen.stuck(float(second)) is (second > STUCK_SECONDS + 2)
    assert screen.fresh  # by its first frame


def test_a_screen_that_paints_slowly_is_not_stuck(screen: Screen, channel: Channel) -> None:
    for second in range(60):
        paint(channel, 2)
        screen.next()
        screen.note(channel.n - 1, float(second))
        assert not screen.stuck(float(second))


def test_a_hidden_tab_is_not_stuck(screen: Screen, channel: Channel) -> None:
    paint(channel, 1)
    screen.next()
    screen.stuck(0.0)
    screen.hidden = True
    assert not screen.stuck(STUCK_SECONDS * 2)


def test_a_browser_cannot_claim_what_it_was_not_sent(screen: Screen, channel: Channel) -> None:
    paint(channel, 2)
    screen.next()
    screen.note(99, 0.0)
    assert screen.painted == 2


@pytest.mark.parametrize("text", ["", "[", "[]", "null", '"x"', "\ud800"])
def test_nonsense_from_a_browser_is_nothing(text: str) -> None:
    assert parse(text) == {}
