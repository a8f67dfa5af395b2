"""The demonstration's weather 气象预警: at times a blue or yellow warning, sent through the door as by a department.

One every two hours, the same for the same hours; it holds for 100 minutes and covers a few towns.
"""

import random
from datetime import UTC, datetime
from typing import NamedTuple
from xml.sax.saxutils import escape

from streams.demo.city import City
from streams.demo.sources import DemoSource

SOURCE = DemoSource("demo-weather", "气象预警", "WGS84", "气象预警", "platform", "QX", None)
SECOND = 1_000_000
EVERY = 2 * 3_600 * SECOND
LIFE = 100 * 60 * SECOND
SILENT_SECONDS = 6 * 3_600
TOWNS = 4
KINDS = (
    ("大风", "蓝色", "Minor", "预计未来数小时内阵风可达 7 级。", "加固围板、棚架和广告牌，停止高空作业。"),
    ("暴雨", "黄色", "Moderate", "预计未来数小时内雨量可达 50 毫米。", "检查低洼路段和地下车库的排水。"),
    ("大雾", "黄色", "Moderate", "预计能见度将低于 500 米。", "注意行车安全，学校注意学生上下学。"),
    ("高温", "蓝色", "Minor", "预计最高气温将达 35℃。", "户外作业注意防暑降温。"),
)
CAP = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier>
<sender>weather@demo.example</sender><sent>{sent}</sent><status>Actual</status><msgType>Alert</msgType>
<scope>Public</scope><info><language>zh-CN</language><category>Met</category><event>{event}</event>
<urgency>Expected</urgency><severity>{severity}</severity><certainty>Likely</certainty><expires>{expires}</expires>
<senderName>演示市气象台</senderName><headline>演示市气象台发布{event}{colour}预警</headline>
<description>{description}</description><instruction>{instruction}</instruction>
<area><areaDesc>{area}</areaDesc>{codes}</area></info></alert>"""


class Bulletin(NamedTuple):
    """A warning of the demonstration as CAP, and until when it holds (UTC microseconds)."""

    number: int
    expires: int
    document: bytes


def bulletin(city: City, now: int) -> Bulletin | None:
    """Return the warning of the present hours; None when it is over."""
    number = now // EVERY
    sent = number * EVERY
    if now >= sent + LIFE:
        return None
    chance = random.Random(number)
    event, colour, severity, description, instruction = KINDS[number % len(KINDS)]
    towns = city.level("town")
    first = chance.randrange(len(towns))
    chosen = [towns[(first + at) % len(towns)] for at in range(min(TOWNS, len(towns)))]
    codes = "".join(f"<geocode><valueName>CN-ADMIN</valueName><value>{town.code}</value></geocode>" for town in chosen)
    text = CAP.format(
        identifier=f"DEMO-{number}",
        sent=stamp(sent),
        expires=stamp(sent + LIFE),
        event=event,
        colour=colour,
        severity=severity,
        description=description,
        instruction=instruction,
        area=escape("、".join(town.name for town in chosen)),
        codes=codes,
    )
    return Bulletin(number, sent + LIFE, text.encode())


def stamp(at: int) -> str:
    """Return a time as CAP writes it."""
    return datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
