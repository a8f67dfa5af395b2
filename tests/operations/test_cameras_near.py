"""The cameras that may show a place: usable ones first, then those that look there, then the nearer."""

import pytest
from msgspec import structs

from operations.cameras import near
from operations.cameras.item import Item
from operations.cameras.reading import Camera

LON, LAT = 120.0, 30.0
STEP = 50 / near.METRES_PER_DEGREE
"""Degrees of latitude of 50 metres."""


def camera(id: str, north: float, **told: object) -> Camera:
    """A camera so many steps to the north; it looks south, to the place."""
    item = structs.replace(
        Item(code=id, direction=180.0, field_angle=60.0, view_distance=120.0, url_main="rtsp://h/1"), **told
    )
    signals = dict.fromkeys(("status", "registered", "picture"), "")
    times = dict.fromkeys(("status_at", "registered_at", "picture_at", "maintenance_until", "since_at"), 0)
    return Camera(
        id=id, source="s", item=item, lon=LON, lat=LAT + north * STEP, chain=(), placed=False, revision=1, gone_at=None,
        **signals, **times,
    )  # fmt: skip


def order(*cameras: Camera, within: float = 1_000, most: int = 9) -> list[str]:
    return [one.camera.id for one in near.ranked(cameras, LON, LAT, within=within, most=most)]


def test_the_nearer_comes_first_and_what_is_too_far_not_at_all() -> None:
    assert order(camera("b", 2), camera("a", 1), camera("far", 30)) == ["a", "b"]
    assert order(camera("a", 1), camera("b", 2), most=1) == ["a"]
    assert near.ranked([camera("a", 1)], LON, LAT, within=60, most=1)[0].metres == pytest.approx(50, abs=0.5)


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ({}, True),
        ({"direction": 0.0}, False),
        ({"direction": 150.0}, True),
        ({"direction": 149.0}, False),
        ({"direction": 211.0}, False),
        ({"view_distance": 49.0}, False),
        ({"direction": None}, None),
        ({"direction": 225.0, "field_angle": None}, True),
    ],
)
def test_whether_a_place_lies_in_the_view(told: dict[str, object], seen: bool | None) -> None:
    assert near.ranked([camera("a", 1, **told)], LON, LAT, within=99, most=1)[0].in_view is seen


def test_what_looks_there_goes_before_what_is_nearer_and_what_shows_nothing_comes_last() -> None:
    away = camera("away", 1, direction=0.0)
    dead = structs.replace(camera("dead", 1), status="off")
    black = structs.replace(camera("black", 1), picture="black")
    without = camera("without", 1, url_main="")
    assert order(dead, black, without, away, camera("looks", 2)) == ["looks", "away", "black", "dead", "without"]


def test_a_camera_without_a_place_is_near_nothing() -> None:
    assert order(structs.replace(camera("a", 1), lon=None, lat=None)) == []


@pytest.mark.parametrize("lat", [0.0, 30.0, 53.0, -45.0])
def test_the_box_holds_the_circle(lat: float) -> None:
    west, south, east, north = near.box(LON, lat, 1_000)
    for ew, ns in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        there = structs.replace(
            camera("a", 0), lon=LON + ew * (east - LON) * 0.999, lat=lat + ns * (north - lat) * 0.999
        )
        assert near.ranked([there], LON, lat, within=2_000, most=1)[0].metres >= 990
    assert west < LON < east and south < lat < north
