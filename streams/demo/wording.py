"""Puts the words of a report together: title, text and address from `texts.toml`."""

import random
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from streams.demo import names
from streams.demo.places import Spot
from streams.demo.sources import DemoSource

FILE = Path(__file__).with_name("texts.toml")
SHOPS = (
    "超市",
    "烧烤店",
    "火锅店",
    "早餐店",
    "棋牌室",
    "健身房",
    "美容院",
    "汽修店",
    "水果店",
    "五金店",
    "培训机构",
    "快递站",
)
WITHOUT_BUILDING = ("02", "04", "05")
VISITED = ("01", "06", "09")
"""Groups of matters that a grid worker looks into at home rather than on the street."""


@dataclass(frozen=True)
class Story:
    """One kind of matter: its type code, share of all, its cases (title, text), whether weather brings it."""

    type: str
    share: float
    cases: tuple[tuple[str, str], ...]
    weather: bool = False


@dataclass(frozen=True)
class Phrases:
    """Openings and closings by voice of the source."""

    openings: dict[str, list[str]]
    closings: dict[str, list[str]]


@cache
def stories() -> tuple[Story, ...]:
    """Every kind of matter the demo knows."""
    return tuple(
        Story(
            row["type"], row["share"], tuple((title, text) for title, text in row["cases"]), row.get("weather", False)
        )
        for row in _file()["story"]
    )


@cache
def phrases() -> Phrases:
    """How each voice begins and ends."""
    return Phrases(_file()["openings"], _file()["closings"])


def write(story: Story, spot: Spot, source: DemoSource, chance: random.Random) -> tuple[str, str, str]:
    """(title, text, address) of a report of this kind at this spot."""
    slots = _slots(spot, chance)
    title, body = (words.format(**slots) for words in chance.choice(story.cases))
    opening = chance.choice(phrases().openings[source.voice])
    visit = source.voice == "worker" and story.type[:2] in VISITED
    closing = chance.choice(phrases().closings["visit" if visit else source.voice])
    if body.startswith(slots["road"]) or story.type[:2] in WITHOUT_BUILDING:
        address = f"{spot.town}{slots['road']}{chance.randint(1, 260)}号附近"
    else:
        address = f"{spot.town}{spot.village}"
        address += f"{slots['estate']}{slots['building']}号楼" if spot.urban else ""
    return title, opening + body + closing, address


def _slots(spot: Spot, chance: random.Random) -> dict[str, str]:
    road = spot.road if chance.random() < 0.6 else names.side_street(spot.leaf.parent)
    return {
        "road": road,
        "cross": spot.cross if spot.cross != road else spot.road,
        "estate": spot.estate(chance),
        "village": spot.village,
        "town": spot.town,
        "premise": chance.choice(names.PREMISES[:6]),
        "shop": chance.choice(SHOPS),
        "building": str(chance.randint(1, 28)),
        "unit": str(chance.randint(1, 4)),
        "n": str(chance.randint(2, 9)),
        "h": str(chance.randint(2, 6)),
        "m": str(chance.randrange(12, 60)),
        "device": f"{spot.leaf.code[6:9]}-{chance.randint(1, 480):04d}",
    }


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
