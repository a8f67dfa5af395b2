"""Masked pictures: solid where a mask is, none where one cannot be made, never another's; the child in its bounds."""

import asyncio
from collections.abc import AsyncIterator

import cv2
import numpy as np
import pytest

from streams.demo import pattern, scenes
from streams.video import masked
from streams.video.covering import COVER, NotCovered, covered
from streams.video.masked import HEAD, Masker, NotMasked

LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
"""The left half, in which the mark of a drawn camera stands."""
MIDDLE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))


@pytest.fixture
async def masker() -> AsyncIterator[Masker]:
    made = Masker()
    yield made
    await made.close()


@pytest.fixture(scope="module")
def film() -> bytes:
    """A key frame of a drawn camera, as the relay gives it."""
    from streams.video import fmp4
    from streams.video.frames import Assembler
    from streams.video.sdp import Media
    from streams.video.timeline import Timeline

    scene = scenes.Scene(4711, "测试")
    track = Assembler(Media("video", 0, "H264", 90_000, "", {}))
    (frame,) = track.whole(list(scene.frame(0).units), 0)
    assert track.parameters is not None and frame.key
    moment = Timeline().place(frame.timestamp, 0.0, key=True)
    return fmp4.beginning(track.parameters) + fmp4.fragment(frame.sample, moment, True, 1)


def read(jpeg: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_a_mask_is_solid_to_its_border_and_the_rest_as_it_was() -> None:
    image = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
    done = covered(image, [MIDDLE, ((0.1, 0.1), (0.9, 0.1), (0.5, 0.95))])
    assert (done[23:67, 40:119] == COVER).all()
    assert (done[80:, :40] == image[80:, :40]).all() and (done[:5] == image[:5]).all()


def test_two_masks_that_overlap_leave_nothing_open_between_them() -> None:
    image = np.full((90, 160, 3), 200, np.uint8)
    assert (covered(image, [LEFT, MIDDLE])[30:60, 10:110] == COVER).all()


@pytest.mark.parametrize(
    "masks", [[], [LEFT[:2]], [((-0.1, 0.0), (0.5, 0.0), (0.5, 1.0))], [((0.0, 0.0), (float("nan"), 0.0), (0.5, 1.0))]]
)
def test_what_is_no_mask_gives_no_picture(masks: list[tuple[tuple[float, float], ...]]) -> None:
    with pytest.raises(NotCovered):
        covered(np.zeros((9, 16, 3), np.uint8), masks)


async def test_a_key_frame_comes_back_masked_with_the_mark_beside_the_mask(masker: Masker, film: bytes) -> None:
    await masker.ready()
    image = read(await masker.picture(film, (LEFT,), "公安 值班长 anna"))
    height, width = image.shape[:2]
    assert (width, height) == scenes.MAIN and pattern.read(image) is None
    inside = image[:, : width // 2 - 16].astype(int)
    assert np.abs(inside - COVER).max() <= 3, "solid"
    plain = read(await masker.picture(film, (LEFT,), ""))
    assert np.abs(image[:, width // 2 + 16 :].astype(int) - plain[:, width // 2 + 16 :]).max() > 10, "the mark"
    assert plain[:, width // 2 + 16 :].std() > 10, "the rest is the camera's picture"


async def test_what_cannot_be_decoded_or_masked_gives_nothing_and_the_next_picture_comes(
    masker: Masker, film: bytes
) -> None:
    for asked, masks in ((b"no film", (LEFT,)), (film[: len(film) // 4], (LEFT,)), (film, ()), (film, (LEFT[:2],))):
        with pytest.raises(NotMasked):
            await masker.picture(asked, masks, "")
    assert await masker.picture(film, (LEFT,), "")


async def test_a_child_that_has_died_is_started_again(masker: Masker, film: bytes) -> None:
    first = await masker.picture(film, (LEFT,), "")
    child = masker._child
    assert child is not None
    child.kill()
    await child.wait()
    assert await masker.picture(film, (LEFT,), "") == first
    assert masker._child is not child


async def test_who_leaves_before_the_answer_leaves_none_for_the_next(masker: Masker, film: bytes) -> None:
    await masker.ready()
    gone = [asyncio.create_task(masker.picture(film, (MIDDLE,), "gone")) for _ in range(3)]
    await asyncio.sleep(0)
    for one in gone:
        one.cancel()
    image = read(await masker.picture(film, (LEFT,), ""))
    assert np.abs(image[:, :300].astype(int) - COVER).max() <= 3


async def test_a_child_that_does_not_answer_in_time_is_ended_and_so_is_one_that_answers_something_else(
    masker: Masker, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await masker.ready()
    monkeypatch.setattr(masked, "SECONDS", 0.0)
    with pytest.raises(NotMasked):
        await masker.picture(film, (LEFT,), "")
    assert masker._child is None
    monkeypatch.setattr(masked, "SECONDS", 30.0)
    await masker.ready()
    child = masker._child
    assert child is not None and child.stdin is not None
    child.stdin.write(HEAD.pack(999, 0))  # its answer comes before the next one's
    with pytest.raises(NotMasked):
        await masker.picture(film, (LEFT,), "")
    assert masker._child is None and await masker.picture(film, (LEFT,), "")


async def test_another_takes_over_after_so_many_pictures(
    masker: Masker, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masked, "PICTURES_MOST", 2)
    assert await masker.picture(film, (LEFT,), "")
    assert masker._child is None and await masker.picture(film, (LEFT,), "")


async def test_a_child_that_cannot_be_had_gives_nothing(masker: Masker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masked.sys, "executable", "/nonexistent/python")
    with pytest.raises(NotMasked):
        await masker.ready()
