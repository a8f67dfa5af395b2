"""Now and then one matter is told twice, through another channel as well: what the desk proposes as doubles."""

import math
import random
from datetime import datetime, timedelta
from typing import Any

from geo.datum import from_wgs84, to_wgs84
from streams.demo.sources import BY_ID, DemoSource, shares
from streams.demo.wording import phrases

ECHO = 0.07
"""Share of matters told through two channels."""
APART_METRES, APART_MINUTES = 60.0, 8.0
"""At most so far apart lie the two reports of one matter, and so much later it was noticed the second time."""
METRES_A_DEGREE = 111_195.0


def teller(first: dict[str, Any], source: DemoSource, chance: random.Random) -> DemoSource | None:
    """Return who tells a matter again; None for most matters, and for those without a point or another teller."""
    others = {name: share for name, share in shares(first["type"]).items() if name != source.id}
    if chance.random() >= ECHO or not others or "lon" not in first["place"]:
        return None
    return BY_ID[chance.choices(list(others), list(others.values()))[0]]


def echo(
    first: dict[str, Any], told_by: DemoSource, again: DemoSource, report_id: str, chance: random.Random
) -> dict[str, Any]:
    """Return the first report of the same matter from another source: its id, words, point and time."""
    voice = phrases()
    opening, closing = chance.choice(voice.openings[again.voice]), chance.choice(voice.closings[again.voice])
    noticed = datetime.fromisoformat(first["occurred_at"]) + timedelta(minutes=chance.uniform(0.0, APART_MINUTES))
    return {
        "id": report_id,
        "type": first["type"],
        "urgency": first["urgency"],
        "title": first["title"],
        "text": f"{opening}{first['title']}，{first['place']['address']}。{closing}",
        "occurred_at": noticed.isoformat(timespec="seconds"),
        "channel": again.channel,
        "place": _place(first["place"], told_by, again, chance),
    }


def _place(place: dict[str, Any], told_by: DemoSource, again: DemoSource, chance: random.Random) -> dict[str, Any]:
    """A point nearby in the other source's datum."""
    lon, lat = to_wgs84(place["lon"], place["lat"], told_by.datum)
    far, turn = chance.uniform(0.0, APART_METRES), chance.uniform(0.0, math.tau)
    lat += far * math.sin(turn) / METRES_A_DEGREE
    lon += far * math.cos(turn) / METRES_A_DEGREE / math.cos(math.radians(lat))
    lon, lat = from_wgs84(lon, lat, again.datum)
    found = {"lon": round(lon, 6), "lat": round(lat, 6), "address": place["address"]}
    return found if again.accuracy_m is None else found | {"accuracy_m": again.accuracy_m}
