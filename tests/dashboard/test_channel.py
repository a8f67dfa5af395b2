"""The channel's law: from wherever a screen comes back, it ends with the same picture as a fresh one."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from dashboard import channel as channels
from dashboard import frame
from dashboard.channel import Channel, Topic
from dashboard.frame import Delta
from operations.scope import WHOLE

TOPIC = Topic(WHOLE, "wall", "zh")
PROPS = st.tuples(st.just("props"), st.sampled_from("abc"), st.sampled_from(("children", "title")))
ROWS = st.tuples(st.just("keyed"), st.sampled_from(("heat", "markers")), st.sampled_from("123"))
VALUES = st.integers(0, 3).map(frame.encode)
DRAWN = st.one_of(
    st.dictionaries(PROPS, VALUES, max_size=4),
    st.dictionaries(ROWS, st.one_of(VALUES, st.none()), max_size=4),
)

Glass = dict[tuple[str, ...], object]


def show(glass: Glass, text: str) -> None:
    """Apply a frame to a picture the way assets/live.js does."""
    told = orjson.loads(text)
    if told["snapshot"]:
        for key in [key for key in glass if key[0] == "keyed"]:
            del glass[key]
    for component, props in told["props"].items():
        for name, value in props.items():
            glass["props", component, name] = value
    for name, change in told["keyed"].items():
        for key in change["del"]:
            glass.pop(("keyed", name, key), None)
        for key, value in change["set"].items():
            glass["keyed", name, key] = value


def shown(channel: Channel) -> Glass:
    glass: Glass = {}
    show(glass, channel.since(None))
    return glass


@given(st.lists(DRAWN, min_size=1, max_size=30), st.data())
def test_any_resume_point_ends_as_a_fresh_snapshot(drawn: list[Delta], data: st.DataObject) -> None:
    channel = Channel(TOPIC)
    glasses: list[tuple[int, Glass]] = []
    kept = channels.RING_FRAMES
    channels.RING_FRAMES = data.draw(st.integers(1, 10))
    try:
        for delta in drawn:
            channel.publish(dict(delta), 1)
            if channel.newest:
                glasses.append((channel.n, shown(channel)))
    finally:
        channels.RING_FRAMES = kept
    for n, glass in glasses:
        told = orjson.loads(channel.since(n))
        assert told["missed"] == channel.n - n
        show(glass, channel.since(n))
        assert glass == shown(channel)


@given(st.lists(DRAWN, min_size=1, max_size=30))
def test_frames_one_by_one_end_as_a_fresh_snapshot_and_count_densely(drawn: list[Delta]) -> None:
    channel, glass, seen = Channel(TOPIC), {}, 0
    for delta in drawn:
        if channel.publish(dict(delta), 1):
            seen += 1
            assert channel.n == seen
            show(glass, channel.newest)
    if seen:
        assert glass == shown(channel)


def test_what_changes_nothing_is_no_frame() -> None:
    channel = Channel(TOPIC)
    assert channel.publish({("props", "a", "children"): b"1"}, 1)
    assert not channel.publish({("props", "a", "children"): b"1", ("keyed", "heat", "1"): None}, 2)
    assert channel.n == 1


def test_a_counter_from_another_life_gets_a_snapshot() -> None:
    channel = Channel(TOPIC, after=7)
    channel.publish({("props", "a", "children"): b"1"}, 1)
    for n in (None, 1, 7, 99):
        assert orjson.loads(channel.since(n))["snapshot"]


def test_one_text_serves_every_screen_that_asks_from_the_same_place() -> None:
    channel = Channel(TOPIC)
    for value in (b"1", b"2", b"3"):
        channel.publish({("props", "a", "children"): value}, 1)
    assert channel.since(1) is channel.since(1)


def test_components_are_compared_by_what_they_say() -> None:
    from dash import html

    channel = Channel(TOPIC)
    assert channel.publish(frame.flatten_props({"a": {"children": html.B("1", id="x")}}), 1)
    assert not channel.publish(frame.flatten_props({"a": {"children": html.B("1", id="x")}}), 2)


def test_the_ring_is_bounded_by_bytes() -> None:
    channel = Channel(TOPIC)
    big = b'"' + b"x" * 1_000_000 + b'"'
    for turn in range(20):
        channel.publish({("props", "a", str(turn % 2)): big[:-2] + str(turn % 10).encode() + b'"'}, 1)
    assert sum(step.size for step in channel._ring) <= channels.RING_BYTES
    assert orjson.loads(channel.since(1))["snapshot"]
