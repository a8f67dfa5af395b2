"""The reports of the fictional city: a stream that can be asked for any span of time and always answers the same.

Time is cut into slices; what begins in a slice is drawn from (seed, pace, slice) alone, so a player that was stopped
asks again from where it was and gets the same ids, revisions and texts. Rates, delays and changes of status follow two
real emergency feeds: shares by hour of day, a quarter of reports late by a median of 12 minutes, statuses that go
backwards, ids that vanish and return.
"""

import heapq
import math
import random
from collections.abc import Iterator
from datetime import datetime, tzinfo
from itertools import chain, islice
from typing import Any, NamedTuple

from config.taxonomy import Taxonomy
from geo.datum import from_wgs84
from streams.demo import echoes, places, wording
from streams.demo.city import City
from streams.demo.faults import spoiled
from streams.demo.places import Spot
from streams.demo.progress import progress
from streams.demo.sources import BY_ID, DemoSource, shares
from streams.demo.wording import Story

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
SLICE = 5 * MINUTE
LONGEST = 6 * HOUR
"""No incident sends anything later than this after it began."""

INCIDENTS_PER_HOUR = 42.0
"""New incidents in a mean hour at pace 1; with updates and repeats about one report in four seconds."""
HOUR_SHARE = (
    *(0.0298, 0.0253, 0.0232, 0.0208, 0.0192, 0.0188, 0.0240, 0.0336, 0.0465, 0.0529, 0.0467, 0.0454),
    *(0.0530, 0.0567, 0.0538, 0.0555, 0.0545, 0.0557, 0.0570, 0.0549, 0.0512, 0.0474, 0.0396, 0.0346),
)
"""Share of a day's reports by hour (a real emergency feed of 152,643 incidents)."""
WEEKDAY = (0.98, 0.99, 1.01, 0.99, 1.03, 1.03, 0.97)

STORM_BLOCK = 3 * HOUR
STORM_CHANCE = 0.10
STORM_LENGTH = 8 * MINUTE
STORM_FACTOR = 20.0
MORE_URGENT = {"routine": ("urgent", 0.05), "urgent": ("critical", 0.09)}
LATE_SHARE, LATE_MEDIAN_S = 0.25, 750.0
NO_PLACE, OUTSIDE = 0.03, 0.004
REPEATED, SPOILED = 0.07, 0.002
ID_TIME = "%y%m%d%H%M"


class Send(NamedTuple):
    """One report as a source sends it: when (UTC microseconds), which source, and the JSON object."""

    at: int
    source: str
    item: dict[str, Any]
    opening: bool
    """Whether it is the first of its incident."""


class Stories:
    """All that is ever reported in a city; `pace` multiplies how much happens, not how fast time runs."""

    def __init__(self, city: City, zone: tzinfo, pace: float = 1.0) -> None:
        self._places = places.of(city)
        self._taxonomy = Taxonomy.load()
        self._seed, self._zone, self._pace = city.seed, zone, pace
        self._stories = wording.stories()
        self._weights = [story.share for story in self._stories]
        self._weather = [story for story in self._stories if story.weather]

    def between(self, start: int, end: int, *, openings: bool = False) -> Iterator[Send]:
        """Everything sent in [start, end), in order of sending; always the same for the same city, pace and span.

        With `openings` only the first report of each incident, which is much faster.
        """
        waiting: list[tuple[int, str, str, Send]] = []
        for number in range((start - LONGEST) // SLICE, -(-end // SLICE)):
            for send in self._slice(number, openings=openings):
                if start <= send.at < end:
                    item = send.item
                    heapq.heappush(waiting, (send.at, str(item.get("id")), str(item.get("revision")), send))
            while waiting and waiting[0][0] < (number + 1) * SLICE:
                yield heapq.heappop(waiting)[3]
        while waiting:
            yield heapq.heappop(waiting)[3]

    def expected(self, at: int) -> float:
        """New incidents an hour expected at a time."""
        local = datetime.fromtimestamp(at / SECOND, self._zone)
        following = HOUR_SHARE[(local.hour + 1) % 24]
        share = HOUR_SHARE[local.hour] + (following - HOUR_SHARE[local.hour]) * local.minute / 60
        return INCIDENTS_PER_HOUR * 24 * share * WEEKDAY[local.weekday()] * self._pace

    def storm(self, at: int) -> tuple[float, float] | None:
        """Centre (degrees) of the storm that rages at a time, or None."""
        block = at // STORM_BLOCK
        chance = random.Random(f"{self._seed} storm {block}")
        if chance.random() >= STORM_CHANCE:
            return None
        begin = block * STORM_BLOCK + chance.randrange(STORM_BLOCK - STORM_LENGTH)
        if not begin - SLICE < at < begin + STORM_LENGTH:
            return None
        return chance.choice(self._places.spots).point(chance)

    def _slice(self, number: int, *, openings: bool) -> Iterator[Send]:
        begin = number * SLICE
        chance = random.Random(f"{self._seed} {self._pace} {number}")
        mean = self.expected(begin) * SLICE / HOUR
        counts: list[tuple[int, tuple[float, float] | None]] = [(_poisson(mean, chance), None)]
        centre = self.storm(begin)
        if centre is not None:
            counts.append((_poisson(mean * (STORM_FACTOR - 1), chance), centre))
        for count, storm in counts:
            for serial in range(count):
                key = f"{'S' if storm else ''}{serial:03d}" + ("" if self._pace == 1 else f"x{self._pace:g}")
                yield from self._matter(begin, f"{self._stamp(begin)}{key}", storm, openings=openings)

    def _matter(self, begin: int, key: str, storm: tuple[float, float] | None, *, openings: bool) -> Iterator[Send]:
        sends = self._incident(begin, key, storm)
        opened = next(sends)
        again = self._echo(opened, key)
        yield opened
        yield from islice(again, 1) if openings else chain(sends, again)

    def _incident(self, begin: int, key: str, storm: tuple[float, float] | None) -> Iterator[Send]:
        chance = random.Random(f"{self._seed} {key}")
        occurred = begin + chance.randrange(SLICE)
        if storm is None:
            story = chance.choices(self._stories, self._weights)[0]
            spot = self._places.draw(chance, story.type[:2])
        else:
            story = chance.choices(self._weather, [one.share for one in self._weather])[0]
            spot = self._places.draw_near(chance, storm, 0.03)
        named = shares(story.type)
        source = BY_ID[chance.choices(list(named), list(named.values()))[0]]
        first = self._first(story, spot, source, occurred, f"{source.prefix}{key}", chance)
        sent = occurred + _delay(chance)
        yield from self._told(first, source, occurred, sent, chance)

    def _echo(self, opened: Send, key: str) -> Iterator[Send]:
        """The same matter through another channel, now and then."""
        chance = random.Random(f"{self._seed} {key} echo")
        source = BY_ID[opened.source]
        again = echoes.teller(opened.item, source, chance)
        if again is None:
            return
        first = echoes.echo(opened.item, source, again, f"{again.prefix}{key}E", chance)
        occurred = int(datetime.fromisoformat(first["occurred_at"]).timestamp()) * SECOND
        yield from self._told(first, again, occurred, max(opened.at, occurred) + _delay(chance), chance)

    def _told(
        self, first: dict[str, Any], source: DemoSource, occurred: int, sent: int, chance: random.Random
    ) -> Iterator[Send]:
        """What one source sends of a matter: its first report, how it goes on, and mishaps on the way."""
        opening = True
        for wait, changes in progress(first["type"], source, chance):
            sent += round(wait * SECOND)
            if sent > occurred + LONGEST:
                return
            item = first | changes
            yield Send(sent, source.id, item, opening)
            opening = False
            yield from self._mishaps(sent, source, item, chance)

    def _mishaps(self, sent: int, source: DemoSource, item: dict[str, Any], chance: random.Random) -> Iterator[Send]:
        """The same again (a retry after a lost answer); rarely something unreadable."""
        if chance.random() < REPEATED:
            yield Send(sent + chance.randint(2, 40) * SECOND, source.id, item, False)
        if chance.random() < SPOILED:
            yield Send(sent + chance.randint(1, 5) * SECOND, source.id, spoiled(item, chance), False)

    def _first(
        self, story: Story, spot: Spot, source: DemoSource, occurred: int, report_id: str, chance: random.Random
    ) -> dict[str, Any]:
        title, text, address = wording.write(story, spot, source, chance)
        urgency = self._taxonomy.get(story.type).urgency_default
        worse, likelihood = MORE_URGENT.get(urgency, ("", 0.0))
        item = {
            "id": report_id,
            "type": story.type,
            "urgency": worse if chance.random() < likelihood else urgency,
            "title": title,
            "text": text,
            "occurred_at": datetime.fromtimestamp(occurred // SECOND, self._zone).isoformat(),
            "channel": source.channel,
            "place": self._place(spot, source, address, chance),
        }
        if source.voice == "worker" and "lon" not in item["place"]:
            item["grid_code"] = spot.leaf.code
        return item

    def _place(self, spot: Spot, source: DemoSource, address: str, chance: random.Random) -> dict[str, Any]:
        """Mostly a point in the source's datum; sometimes only words, rarely a point outside the city."""
        draw = chance.random()
        if draw < NO_PLACE:
            return {"address": address}
        point = self._places.outside(chance) if draw < NO_PLACE + OUTSIDE else spot.point(chance)
        lon, lat = from_wgs84(*point, source.datum)
        place: dict[str, Any] = {"lon": round(lon, 6), "lat": round(lat, 6), "address": address}
        if source.accuracy_m is not None:
            place["accuracy_m"] = round(source.accuracy_m * chance.uniform(0.4, 2.5), 1)
        return place

    def _stamp(self, at: int) -> str:
        return datetime.fromtimestamp(at / SECOND, self._zone).strftime(ID_TIME)


def _delay(chance: random.Random) -> int:
    """Microseconds from the matter to the first report: seconds, for a quarter a median of twelve minutes."""
    if chance.random() < LATE_SHARE:
        return round(min(7200.0, LATE_MEDIAN_S * chance.lognormvariate(0.0, 0.5)) * SECOND)
    return chance.randint(3, 90) * SECOND


def _poisson(mean: float, chance: random.Random) -> int:
    """A Poisson number; for large means by the normal approximation."""
    if mean > 200:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count += 1
        product *= chance.random()
    return count
