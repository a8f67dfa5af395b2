"""One line of time: no gap a browser would let frames go for, whatever the camera leaves out."""

from itertools import pairwise

from streams.video.timeline import CLOCK, Timeline


def test_frames_lie_where_the_camera_says_through_its_32_bits_and_a_restart() -> None:
    line, start = Timeline(), 2**32 - 3_600
    placed = [line.place((start + n * 3_600) % 2**32, n / 25).decode for n in range(4)]
    assert placed == [0, 3_600, 7_200, 10_800]
    line.restart()
    assert line.place(5, 2.12).decode == 10_800 + 2 * CLOCK


def test_no_frame_but_a_key_frame_comes_later_than_twice_what_the_one_before_was_said_to_last() -> None:
    line, at, before = Timeline(), 0, None
    for number, step in enumerate((0, 7_500, 7_500, 60_000, 3_600, 3_600, 22_000)):
        at += step
        moment = line.place(at, number / 12, key=number == 0)
        assert before is None or moment.decode - before.decode <= 2 * before.duration
        before = moment


def test_frames_that_show_out_of_order_are_decoded_in_the_order_they_came() -> None:
    line = Timeline()
    moments = [line.place(at, n / 25, key=n == 0) for n, at in enumerate((0, 10_800, 3_600, 7_200))]
    assert [b.decode > a.decode for a, b in pairwise(moments)] == [True] * 3
    assert moments[2].decode + moments[2].shift == 3_600
