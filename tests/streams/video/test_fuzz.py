"""Whatever a camera sends: no crash but our own errors, no hang, and no more kept than the bounds say."""

import time
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.video import challenge, fmp4, h264, h265, message, rtsp, sdp
from streams.video.address import parse
from streams.video.errors import VideoError
from streams.video.frames import FRAME_MOST, Assembler
from streams.video.timeline import Timeline
from tests.streams.video.test_rtsp import SDP, _answer
from tests.streams.video.track import PPS, SPS, media, packet, packets, unit

PIECES = st.lists(
    st.one_of(
        st.binary(max_size=300),
        st.sampled_from(
            [
                *(b"RTSP/1.0 200 OK\r\n", b"CSeq: 1\r\n", b"CSeq: 2\r\n", b"CSeq: 3\r\n", b"\r\n", b"$\x00\x00\x05"),
                *(_answer(200, 1, SDP), _answer(200, 2, Session="a", Transport="RTP/AVP/TCP;interleaved=0-1")),
                *(_answer(200, 3), _answer(302, 1, Location="//["), _answer(401, 1, WWW_Authenticate="Digest nonce=")),
                *(b"OPTIONS * RTSP/1.0\r\n\r\n", b"REDIRECT * RTSP/1.0\r\nLocation: x\r\n\r\n"),
            ]
        ),
    ),
    max_size=30,
)


@given(PIECES)
@settings(max_examples=150, deadline=1_000)
def test_the_client_survives_any_bytes(pieces: list[bytes]) -> None:
    client = rtsp.Client(parse("rtsp://a:b@camera/live"))
    client.begin()
    with suppress(VideoError):
        for now, piece in enumerate(pieces):
            client.receive(piece, float(now))
            client.due(float(now))
            client.outgoing()


@given(PIECES)
@settings(max_examples=100, deadline=1_000)
def test_how_tcp_cuts_the_bytes_changes_nothing(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)

    def read(parts: list[bytes]) -> tuple[list[object], bool]:
        reader, found = message.Reader(), list[object]()
        try:
            for part in parts:
                found += reader.feed(part)
                assert reader.held <= message.HEAD_MOST + message.BODY_MOST + 65_540
        except VideoError:
            return found, True
        return found, False

    at_once, wrong = read([whole])
    bit_by_bit, wrong_too = read([whole[at : at + 1] for at in range(len(whole))])
    assert wrong == wrong_too
    assert wrong or at_once == bit_by_bit


@given(st.binary(max_size=2_000), st.text(max_size=200))
@settings(max_examples=100, deadline=1_000)
def test_descriptions_and_challenges_survive_any_bytes(data: bytes, text: str) -> None:
    for given_ in (data, SDP.replace(b"96", data[:5]), SDP.replace(b"trackID=1", data[:20])):
        with suppress(VideoError):
            for one in sdp.parse(given_, "rtsp://camera/live").media:
                sdp.parameter_sets(one)
    with suppress(VideoError):
        challenge.best("Digest nonce=" + text)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.binary(max_size=200), st.booleans()), max_size=60))
@settings(max_examples=150, deadline=1_000)
def test_frames_are_whole_whatever_the_packets(given_: list[tuple[int, int, bytes, bool]]) -> None:
    for codec in ("H264", "H265"):
        track = Assembler(media(codec=codec))
        sequence = 0
        for step, timestamp, payload, last in given_:
            sequence += step
            for frame in track.feed(packet(sequence, timestamp, payload, last=last)):
                assert _lengths(frame.sample)
            assert track.held <= FRAME_MOST
    track = Assembler(media(SPS, PPS))
    track.feed(bytes(given_[0][2]) if given_ else b"")
    frames = [frame for one in packets([SPS, PPS, unit(True)], 500, 77) for frame in track.feed(one)]
    assert len(frames) == 1


@given(st.binary(min_size=1, max_size=120))
@settings(max_examples=200, deadline=1_000)
def test_parameter_sets_survive_any_bytes(data: bytes) -> None:
    with suppress(VideoError):
        fmp4.beginning(h264.parameters((b"\x67" + data, b"\x68")))
    with suppress(VideoError):
        fmp4.beginning(h265.parameters((b"\x40\x01", b"\x42\x01" + data, b"\x44\x01")))


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(0, 100)), max_size=50))
@settings(max_examples=100, deadline=1_000)
def test_time_goes_forward_whatever_a_clock_says(steps: list[tuple[int, float]]) -> None:
    line, now, before = Timeline(), 0.0, -1
    for timestamp, wait in steps:
        now += wait
        moment = line.place(timestamp, now)
        assert moment.decode > before and -(2**31) <= moment.shift < 2**31 and 0 < moment.duration < 2**32
        assert fmp4.fragment(b"x", moment, True, 1)
        before = moment.decode


def _lengths(sample: bytes) -> bool:
    at = 0
    while at < len(sample):
        at += 4 + int.from_bytes(sample[at : at + 4], "big")
    return at == len(sample)


LOST = st.lists(st.tuples(st.booleans(), st.integers(20, 5_000), st.integers(1, 3)), min_size=1, max_size=25)


@given(LOST, st.sets(st.integers(0, 200), max_size=30), st.sets(st.integers(0, 200), max_size=10))
@settings(max_examples=200, deadline=1_000)
def test_whatever_is_lost_or_comes_twice_what_comes_out_is_what_went_in_and_follows_a_key_frame(
    frames: list[tuple[bool, int, int]], lost: set[int], twice: set[int]
) -> None:
    sent: list[bytes] = []
    wire: list[bytes] = []
    for number, (key, size, slices) in enumerate([(True, 30, 1), *frames, (True, 30, 1)]):
        parts = [unit(key, size, number)]
        parts += [parts[0][:1] + b"\x40" + bytes((number,)) * size for _ in range(slices - 1)]  # not the frame's first
        sent.append(b"".join(len(part).to_bytes(4, "big") + part for part in parts))
        wire += packets(parts, len(wire), number * 3_600)
    track, came = Assembler(media(SPS, PPS)), list[int]()
    for at, one in enumerate(wire):
        whole = at not in lost or at == len(wire) - 1
        for given_ in [one] * (whole + (whole and at in twice)):
            for frame in track.feed(given_):
                came.append(sent.index(frame.sample))
                assert frame.timestamp == came[-1] * 3_600 and frame.key == sent_key(frames, came[-1])
    assert came == sorted(set(came)) and came[-1] == len(sent) - 1
    for before, after in zip([-1, *came], came, strict=False):
        assert after == before + 1 or sent_key(frames, after)


def sent_key(frames: list[tuple[bool, int, int]], number: int) -> bool:
    """Say whether a frame went in as a key frame; the first and the last are."""
    return number in (0, len(frames) + 1) or frames[number - 1][0]


def test_no_header_however_long_holds_the_loop_up() -> None:
    for word in ("a" * 4_000, "a =" * 1_300, 'a="' + "\\" * 3_990, "a" + " " * 3_990):
        began = time.process_time()
        with suppress(VideoError):
            challenge.best("\n".join(["Digest " + word] * 4))
        assert time.process_time() - began < 0.2
