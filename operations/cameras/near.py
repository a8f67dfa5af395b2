"""Which cameras may show a place 就近摄像机, the best first. Pure: what stands in the way is unknown."""

import math
from collections.abc import Iterable

from msgspec import Struct

from operations.cameras.condition import AWAY, DARK, signalled
from operations.cameras.reading import Camera

METRES_PER_DEGREE = 111_320.0
FIELD_ANGLE, VIEW_DISTANCE = 90.0, 100.0
"""Degrees and metres where a camera's record does not say them."""


class Near(Struct, frozen=True):
    """A camera, its distance in metres, whether the place lies in its view (None: its direction is unknown).

    `usable`: it has a stream, and nothing says that there is no picture.
    """

    camera: Camera
    metres: float
    in_view: bool | None
    usable: bool


def ranked(cameras: Iterable[Camera], lon: float, lat: float, *, within: float, most: int) -> list[Near]:
    """Return those within so many metres: usable ones first, of these the ones that look there, then the nearer."""
    found = [_near(one, lon, lat) for one in cameras if one.lon is not None]
    close = [one for one in found if one.metres <= within]
    return sorted(close, key=lambda one: (not one.usable, not one.in_view, one.metres, one.camera.id))[:most]


def box(lon: float, lat: float, metres: float) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a square around a place that holds every point within `metres`."""
    high = metres / METRES_PER_DEGREE
    wide = high / max(0.01, math.cos(math.radians(min(89.0, abs(lat) + high))))
    return lon - wide, lat - high, lon + wide, lat + high


def _near(camera: Camera, lon: float, lat: float) -> Near:
    assert camera.lon is not None and camera.lat is not None
    east = (lon - camera.lon) * METRES_PER_DEGREE * math.cos(math.radians(lat))
    north = (lat - camera.lat) * METRES_PER_DEGREE
    metres = math.hypot(east, north)
    seen = None if camera.item.direction is None else _sees(camera, east, north, metres)
    streams = bool(camera.item.url_main or camera.item.url_sub)
    return Near(camera, metres, seen, streams and signalled(camera) not in (AWAY, DARK))


def _sees(camera: Camera, east: float, north: float, metres: float) -> bool:
    if metres > (camera.item.view_distance or VIEW_DISTANCE):
        return False
    bearing = math.degrees(math.atan2(east, north))
    off = abs((bearing - (camera.item.direction or 0.0) + 180) % 360 - 180)
    return off <= (camera.item.field_angle or FIELD_ANGLE) / 2
