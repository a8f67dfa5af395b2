from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from config.pictures import FILE, Judging, PicturesError
from streams.demo import scenes
from streams.health.measure import faults, look

JUDGING = Judging.load()
Image = np.ndarray[Any, Any]


def natural(seed: int = 1, size: tuple[int, int] = (960, 540)) -> Image:
    """Noise of falling strength with scale, as natural scenes have it, with edges and a sensor's own noise."""
    random = np.random.default_rng(seed)
    whole = np.zeros((size[1], size[0], 3), np.float32)
    for octave in range(1, 9):
        layer = random.normal(0, 1, (2**octave * 9 // 16 + 1, 2**octave, 3)).astype(np.float32)
        layer = 0.85 * layer.mean(2, keepdims=True) + 0.15 * layer
        whole += cv2.resize(layer, size, interpolation=cv2.INTER_CUBIC) / octave
    edges = random.normal(0, 0.3, (size[1] // 3, size[0] // 3)).astype(np.float32)
    whole += cv2.resize(edges, size, interpolation=cv2.INTER_NEAREST)[..., None]
    return clipped(110 + whole / whole.std() * 45 + random.normal(0, 1, whole.shape))


def clipped(image: Image) -> Image:
    return np.clip(image, 0, 255).astype(np.uint8)


def noisy(image: Image, sigma: float) -> Image:
    return clipped(image + np.random.default_rng(9).normal(0, sigma, image.shape))


def infrared(image: Image) -> Image:
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (0, 0), 0.8) * 0.35 + 5
    return cv2.merge([clipped(grey + np.random.default_rng(2).normal(0, 6, grey.shape))] * 3)


def covered(image: Image) -> Image:
    hand = image.copy()
    hand[:, : image.shape[1] * 8 // 10] = (60, 55, 50)
    return hand


def drawn() -> Image:
    return scenes.Scene(7, "人民路口").image(48)


def seen(image: Image, before: Image | None = None) -> list[str]:
    thumb = look(before, JUDGING).thumb if before is not None else None
    return [finding.fault for finding in faults(look(image, JUDGING, thumb).measures, JUDGING)]


GOOD = {"drawn": drawn, "natural": natural, "sub": lambda: scenes.Scene(8, "x", size=scenes.SUB).image(48)}


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_good_pictures_pass_by_day_and_in_infrared(make: Any) -> None:
    assert seen(make()) == []
    assert seen(infrared(make())) == []


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_each_fault_is_called_by_its_name(make: Any) -> None:
    image = make()
    assert seen(clipped(image * 0.08)) == ["black"]
    assert seen(clipped(image * 0.1 + 228)) == ["bright"]
    assert seen(covered(image)) == ["covered"]
    assert "noise" in seen(noisy(image, 25))
    assert "contrast" in seen(clipped(110 + (image.astype(float) - 110) * 0.15))
    assert seen(cv2.GaussianBlur(image, (0, 0), 4 * image.shape[1] / 640)) == ["blurred"]
    assert seen(clipped(infrared(image) * 0.1)) == ["black"]


def test_a_picture_stands_only_when_nothing_behind_its_clock_moves() -> None:
    scene = scenes.Scene(7, "人民路口")
    minute = scenes.RATE * 60
    assert seen(scene.image(48 + minute), scene.image(48)) == []
    standing = scene.image(48).copy()
    standing[:64] = scene.image(48 + minute)[:64]  # only name and clock go on
    assert seen(standing, scene.image(48)) == ["frozen"]
    assert seen(noisy(natural(), 1.5), natural()) == []  # a sensor's own noise is enough


def test_the_drawn_key_pictures_of_any_two_rounds_differ() -> None:
    scene = scenes.Scene(3, "x", size=scenes.SUB)
    keys = [scene.image(scenes.GROUP * 30 * n) for n in range(12)]
    assert all(seen(after, before) == [] for before, after in pairwise(keys))


def test_a_bound_may_be_a_citys_own_and_nonsense_is_refused_by_name(tmp_path: Path) -> None:
    strict = replace(JUDGING, day=replace(JUDGING.day, blur=10_000.0))
    assert [one.fault for one in faults(look(drawn(), strict).measures, strict)] == ["blurred"]
    for line, word in (("bad_rounds = 0\n", "bad_rounds"), ("spin = 1\n", "spin"), ("mask_top = 'x'\n", "mask_top")):
        text = FILE.read_text(encoding="utf-8")
        kept = "\n".join(one for one in text.splitlines() if not one.startswith(word))
        (tmp_path / "pictures.toml").write_text(line + kept, encoding="utf-8")
        with pytest.raises(PicturesError, match=word):
            Judging.load(tmp_path / "pictures.toml")
