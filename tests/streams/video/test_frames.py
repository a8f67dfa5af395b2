"""Packets into frames: whole ones pass, damaged ones never do, and nothing grows without bound."""

import pytest

from streams.video.frames import FRAME_MOST, Assembler
from tests.streams.video.track import PPS, SPS, media, packet, packets, sps, unit


def _fed(track: Assembler, given: list[bytes]) -> list[tuple[bool, int]]:
    return [(frame.key, frame.timestamp) for one in given for frame in track.feed(one)]


def test_a_whole_frame_in_fragments_comes_out_as_it_went_in() -> None:
    track = Assembler(media(SPS, PPS))
    key = unit(True, 5_000)
    (frame,) = [frame for one in packets([SPS, PPS, key], 1, 100) for frame in track.feed(one)]
    assert frame.key and frame.sample == len(key).to_bytes(4, "big") + key
    assert track.parameters is not None
    assert (track.parameters.width, track.parameters.height, track.parameters.codec) == (64, 64, "avc1.42c01e")


def test_units_in_one_packet_are_taken_apart() -> None:
    track = Assembler(media())
    inside = b"".join(len(one).to_bytes(2, "big") + one for one in (SPS, PPS, unit(True)))
    assert _fed(track, [packet(9, 1, b"\x78" + inside, last=True)]) == [(True, 1)]


def test_a_missing_packet_swallows_everything_up_to_the_next_clean_key_frame() -> None:
    track = Assembler(media(SPS, PPS))
    assert _fed(track, packets([unit(True, 5_000)], 0, 0)) == [(True, 0)]
    damaged = packets([unit(False, 5_000)], 4, 3_600)
    assert _fed(track, [*damaged[:1], *damaged[2:]]) == []
    assert _fed(track, packets([unit(False)], 8, 7_200)) == []
    assert _fed(track, packets([unit(True)], 9, 10_800)) == [(True, 10_800)]
    assert _fed(track, packets([unit(False)], 10, 14_400)) == [(False, 14_400)]
    assert track.missed == 1 and track.swallowed == 2


def test_a_lost_frame_swallows_those_that_refer_to_it_but_not_a_whole_key_frame() -> None:
    track = Assembler(media(SPS, PPS))
    assert _fed(track, packets([unit(True)], 0, 0)) == [(True, 0)]
    assert _fed(track, packets([unit(False)], 2, 7_200)) == []
    track = Assembler(media(SPS, PPS))
    assert _fed(track, packets([unit(True)], 0, 0)) == [(True, 0)]
    assert _fed(track, packets([unit(True)], 2, 7_200)) == [(True, 7_200)]


def test_a_key_frame_whose_end_is_lost_never_comes_out() -> None:
    track = Assembler(media(SPS, PPS))
    assert _fed(track, packets([unit(True, 5_000)], 0, 0)[:-1]) == []
    assert _fed(track, packets([unit(False)], 4, 3_600)) == []


def test_nothing_comes_before_a_key_frame_or_before_the_parameter_sets() -> None:
    track = Assembler(media())
    assert _fed(track, packets([unit(False)], 0, 0)) == []
    assert _fed(track, packets([unit(True)], 1, 1)) == []
    assert _fed(track, packets([SPS, PPS, unit(True)], 2, 2)) == [(True, 2)]


def test_other_parameter_sets_are_noticed() -> None:
    track = Assembler(media(SPS, PPS))
    assert track.parameters is not None and track.parameters.width == 64
    _fed(track, packets([sps(10, 6), PPS, unit(True)], 0, 0))
    assert track.parameters is not None and (track.parameters.width, track.parameters.height) == (160, 96)


def test_what_comes_twice_or_too_late_is_left_out() -> None:
    track = Assembler(media(SPS, PPS))
    first = packets([unit(True)], 65_535, 0)
    assert _fed(track, [*first, *first, *packets([unit(False)], 65_536, 3_600)]) == [(True, 0), (False, 3_600)]


def test_a_camera_that_marks_every_packet_as_the_last_is_understood_by_its_times() -> None:
    track = Assembler(media(SPS, PPS))

    def sliced(at: int, key: bool) -> list[bytes]:
        second = bytes((unit(key)[0], 0x40)) + bytes(40)
        return [packet(at * 2 + n, at * 3_600, one, last=True) for n, one in enumerate((unit(key), second))]

    given = [one for at in range(6) for one in sliced(at, at in (0, 2))]
    whole = [frame for one in given for frame in track.feed(one)][-3:]
    assert [frame.timestamp for frame in whole] == [2 * 3_600, 3 * 3_600, 4 * 3_600]
    assert all(len(frame.sample) == 4 + 50 + 4 + 42 for frame in whole)


def test_a_frame_without_end_is_let_go() -> None:
    track = Assembler(media(SPS, PPS))
    begin = packet(0, 0, bytes((0x7C, 0x85)) + bytes(60_000))
    most = 0
    for number in range(400):
        given = begin if number == 0 else packet(number, 0, bytes((0x7C, 0x05)) + bytes(60_000))
        assert track.feed(given) == []
        most = max(most, track.held)
    assert most <= FRAME_MOST + 60_002
    assert _fed(track, packets([unit(True)], 400, 9_000)) == [(True, 9_000)]


@pytest.mark.parametrize("payload", [b"", b"\x7c", b"\x7c\x80", b"\x78\xff\xff\x00", b"\x99abc", b"\x67"])
def test_packets_that_hold_nothing_do_no_harm(payload: bytes) -> None:
    track = Assembler(media(SPS, PPS))
    assert track.feed(packet(1, 1, payload, last=True)) == []
    assert _fed(track, packets([unit(True)], 2, 2)) == [(True, 2)]


def test_h265_is_taken_apart_too() -> None:
    track = Assembler(media(codec="H265"))
    vps, pps = bytes.fromhex("40010c01ffff01600000030090000003000003005dac59"), bytes.fromhex("4401c172b46240")
    sps265 = bytes.fromhex("42010101600000030090000003000003005da00280802d165959a4932b9a0200000300020000030032")
    key = bytes((19 << 1, 1, 0x80)) + bytes(3_000)
    payloads = [vps, sps265, pps]
    parts = [key[2:][at : at + 1_000] for at in range(0, len(key) - 2, 1_000)]
    fragments = [
        bytes((49 << 1, 1, 0x80 * (n == 0) | 0x40 * (n == len(parts) - 1) | 19)) + part for n, part in enumerate(parts)
    ]
    given = [*payloads, *fragments]
    out = [frame for n, one in enumerate(given) for frame in track.feed(packet(n, 5, one, last=n == len(given) - 1))]
    assert [(frame.key, frame.sample[4:]) for frame in out] == [(True, key)]
    assert track.parameters is not None
    assert (track.parameters.width, track.parameters.height) == (1280, 720)
    assert track.parameters.codec == "hvc1.1.6.L93.90"
