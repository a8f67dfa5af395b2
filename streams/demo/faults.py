"""What goes wrong at a source now and then: reports that intake cannot take and keeps in quarantine."""

import random
from typing import Any


def spoiled(item: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The report with one fault seen in real feeds, under a revision of its own."""
    wrong = dict(item) | {"revision": f"{item['revision']}-fault"}
    place = dict(item["place"])
    faults = ["time"] if item.get("presence") == "gone" else ["time", "no_title"]
    faults += ["swapped", "point_lost"] if "lon" in place else []
    fault = chance.choice(faults)
    if fault == "no_title":
        wrong |= {"title": "", "text": ""}
    elif fault == "time":
        wrong["occurred_at"] = "昨天下午"
    elif fault == "swapped":
        wrong["place"] = place | {"lon": place["lat"], "lat": place["lon"]}
    else:
        wrong["place"] = place | {"lat": round(place["lat"] * 1_000_000)}
    return wrong
