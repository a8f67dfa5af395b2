"""The demonstration's cameras: always the same, inside the city, and nobody's; some send pictures."""

from datetime import UTC

import pytest

from operations.cameras import reading
from operations.cameras.item import Item, check
from operations.database import Database
from operations.scope import WHOLE
from streams.demo import cameras, city

PORT = 8554


@pytest.fixture(scope="module")
def listed() -> list[Item]:
    return cameras.drawn(city.build(), "127.0.0.1", PORT)


def test_every_camera_can_be_kept_and_has_a_code_of_its_own(listed: list[Item]) -> None:
    for one in listed:
        check(one)
    assert len({one.code for one in listed}) == len(listed) == cameras.CAMERAS
    assert {len(one.code) for one in listed} == {20}
    assert {one.code[10:13] for one in listed} == {"132"}
    assert listed == cameras.drawn(city.build(), "127.0.0.1", PORT)


def test_states_and_places_are_believable(listed: list[Item]) -> None:
    off = sum(one.status == "off" for one in listed) / len(listed)
    assert 0.01 < off < 0.06
    lost = [one for one in listed if one.lon is None]
    assert 0 < len(lost) < 60
    leaves = {area.code for area in city.build().level("grid")}
    assert {one.chain[-1] for one in listed} <= leaves
    assert all(chain[0] == "990101" and len(chain) == 4 for chain in (one.chain for one in listed))


def test_some_of_those_that_are_on_have_pictures_under_their_addresses(
    listed: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "DRAWN_MOST", 2)
    films = cameras.Films(listed, UTC)
    filmed = [one for one in listed if cameras.paths(one)]
    assert 16 <= len(filmed) <= cameras.FILMED
    assert {one.status for one in filmed} == {"on"}
    assert len(films) == 2 * len(filmed)
    number, shown = next((number, one) for number, one in enumerate(listed, 1) if one.status == "on")
    assert films[f"{number}/main"] is films[f"{number}/main"]
    assert films[f"{number}/sub"].name == shown.name
    assert "0/main" not in films
    before = films[f"{number}/main"]
    another = next(path for path in films if not path.startswith(f"{number}/"))
    assert films[another].film.frame(0).key
    assert films[f"{number}/main"] is not before, "what nobody looks at makes room"


@pytest.mark.database
def test_telling_the_catalogue_again_changes_nothing(database: Database, listed: list[Item]) -> None:
    cameras.furnish(database, listed[:30], 1)
    cameras.furnish(database, listed[:30], 2)
    with database.read() as connection:
        found = reading.every(connection, WHOLE)
    assert [(len(found), {one.revision for one in found})] == [(30, {1})]
