"""Which incident and which cameras a wall shows: the gravest, without flapping, and what desks said of it."""

from msgspec import structs

from operations.cameras.following import GRAVER_AFTER, STAY, Candidate, again, cameras, order, way
from operations.cameras.item import Item
from operations.cameras.near import Near
from operations.cameras.reading import Camera
from operations.pictured import VETOES_MOST, Pictured, after

CRITICAL, URGENT, SEEN = Candidate(0, False, 5, "c"), Candidate(1, False, 3, "u"), Candidate(1, True, 1, "s")
NOBODY = Pictured(grid="", department="", by="duty", at=0)


def near(id: str, *, usable: bool = True, lon: float = 119.0, lat: float = 36.0) -> Near:
    about = {"chain": (), "placed": False, "status": "on", "status_at": 0, "registered": "", "registered_at": 0}
    rest = {"picture": "", "picture_at": 0, "maintenance_until": 0, "revision": 1, "since_at": 0, "gone_at": None}
    item = Item(code=id, url_main="rtsp://x/1")
    return Near(Camera(id=id, source="s", item=item, lon=lon, lat=lat, **about, **rest), 10.0, True, usable)  # type: ignore[arg-type]


def test_the_gravest_goes_first_then_what_nobody_acknowledged() -> None:
    assert order([SEEN, URGENT, CRITICAL], "", 0, 0) == ["c", "u", "s"]


def test_what_is_shown_stays_a_while_against_its_like_and_shorter_against_a_graver_one() -> None:
    found = [SEEN, URGENT]
    assert order(found, "s", 0, STAY - 1) == ["s", "u"]
    assert order(found, "s", 0, STAY) == ["u", "s"]
    assert order([*found, CRITICAL], "s", 0, GRAVER_AFTER - 1)[0] == "s"
    assert order([*found, CRITICAL], "s", 0, GRAVER_AFTER) == ["c", "s", "u"]
    assert order(found, "closed", 0, 1) == ["u", "s"], "what has closed does not stay"
    assert [again(0, now) for now in (0, GRAVER_AFTER, STAY)] == [GRAVER_AFTER, STAY - GRAVER_AFTER, 0]


def test_of_two_that_change_places_neither_flaps() -> None:
    shown, since, changes = "u", 0, 0
    for now in range(0, 4 * STAY, STAY // 20):
        one, other = structs.replace(URGENT, acknowledged=bool(now // 1_000_000 % 2)), SEEN
        first = order([one, other], shown, since, now)[0]
        if first != shown:
            shown, since, changes = first, now, changes + 1
    assert changes <= 4


def test_a_pinned_incident_goes_before_a_graver_one_while_it_is_there() -> None:
    assert order([SEEN, CRITICAL], "c", 0, STAY, pinned="s") == ["s", "c"]
    assert order([CRITICAL], "c", 0, STAY, pinned="s") == ["c"]


def test_cameras_on_the_wall_stay_and_dark_ones_wait() -> None:
    found = [near("a", usable=False), near("b"), near("c"), near("d"), near("e")]

    def ids(shown: tuple[str, ...], lost: tuple[str, ...], most: int = 2) -> list[str]:
        return [one.camera.id for one in cameras(found, shown, lost, most)]

    assert ids((), ()) == ["b", "c"]
    assert ids(("d", "e"), ()) == ["d", "e"]
    assert ids(("b", "c"), ("b",)) == ["c", "d"]
    assert ids(("b", "c"), ("b", "c", "d", "e")) == ["b", "c"], "where all are dark none is better"
    assert ids(("a",), ()) == ["b", "c"]


def test_the_way_to_a_camera() -> None:
    assert way(near("a", lat=36.01), 119.0, 36.0) == "n"
    assert way(near("a", lon=118.99, lat=35.99), 119.0, 36.0) == "sw"


def test_a_veto_ends_a_pin_of_the_same_and_a_pin_a_veto() -> None:
    pinned = after(NOBODY, "pin", "i", ())
    assert pinned is not None and pinned.incident == "i"
    vetoed = after(pinned, "veto", "i", ())
    assert vetoed is not None and (vetoed.incident, vetoed.no_incidents) == ("", ("i",))
    again_pinned = after(vetoed, "pin", "i", ())
    assert again_pinned is not None and again_pinned.no_incidents == ()
    kept = after(vetoed, "keep", "", ("x", "y"))
    assert kept is not None and after(kept, "veto_camera", "", ("x",)) == structs.replace(
        kept, cameras=("y",), no_cameras=("x",)
    )
    assert after(kept, "release", "", ()) is None
    one = NOBODY
    for at in range(VETOES_MOST + 5):
        one = after(one, "veto", str(at), ()) or NOBODY
    assert len(one.no_incidents) == VETOES_MOST and one.no_incidents[-1] == str(VETOES_MOST + 4)
