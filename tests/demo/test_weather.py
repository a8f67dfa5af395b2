"""The demonstration's weather: a blue or yellow warning that any of our readers takes, over towns that there are."""

from zoneinfo import ZoneInfo

from geo.coverage import Coverage
from streams import cap
from streams.demo import city, weather
from streams.demo.weather import EVERY, LIFE, bulletin
from streams.warning_area import placed
from streams.warning_level import gravest

CITY = city.build(grids=600)
START = EVERY * 123_456


def test_each_is_a_warning_over_our_towns() -> None:
    coverage = Coverage([*grids()])
    for number in range(8):
        told = bulletin(CITY, START + number * EVERY)
        assert told is not None
        read = cap.read(told.document, ZoneInfo("Asia/Shanghai"))
        assert gravest(read.infos) in ("blue", "yellow")
        assert read.infos[0].expires == told.expires
        assert placed(read, coverage).where == "covered"


def test_one_holds_for_a_while_and_the_same_comes_after_a_restart() -> None:
    first, again = bulletin(CITY, START), bulletin(CITY, START + LIFE - 1)
    assert first == again
    assert bulletin(CITY, START + LIFE) is None
    assert weather.SILENT_SECONDS * 1_000_000 > EVERY


def grids() -> list:  # type: ignore[type-arg]
    from geo.grid import GENERAL, Grid

    levels = {"county": 1, "town": 2, "village": 3, "grid": 4}
    return [Grid(one.code, one.name, GENERAL, levels[one.level], one.parent, one.polygon) for one in CITY.areas]
