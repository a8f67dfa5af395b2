import re
from collections import Counter
from datetime import datetime
from itertools import islice
from statistics import median
from zoneinfo import ZoneInfo

import pytest
import shapely

from config import departments
from config.taxonomy import Taxonomy
from geo.datum import to_wgs84
from operations.decision import opened
from operations.doubles import Doubles
from operations.report import Located, Refusal, Report, revision_key
from operations.sources import Source
from streams.demo import city, wording
from streams.demo.sources import BY_ID, SOURCES
from streams.demo.stories import HOUR, MINUTE, SECOND, Send, Stories
from streams.normalise import normalise
from tests.operations.desk import RULES

ZONE = ZoneInfo("Asia/Shanghai")
NOON = int(datetime(2026, 3, 4, 12, tzinfo=ZONE).timestamp()) * SECOND
ASLEEP = int(datetime(2026, 3, 4, 4, tzinfo=ZONE).timestamp()) * SECOND
PERSONS = re.compile(r"先生|女士|某某|身份证|手机号|车牌|人脸")


@pytest.fixture(scope="module")
def stories() -> Stories:
    return Stories(city.build(), ZONE)


@pytest.fixture(scope="module")
def day(stories: Stories) -> list[Send]:
    """Twenty-four hours without a storm in them."""
    return [send for send in stories.between(NOON - 24 * HOUR, NOON) if "S" not in send.item["id"][2:]]


@pytest.fixture(scope="module")
def read(day: list[Send]) -> list[Report | Refusal]:
    """The same day as intake reads it, at the time it was sent."""
    taxonomy = Taxonomy.load()
    sources = {one.id: Source(one.id, one.name, kind="demo", datum=one.datum) for one in SOURCES}
    return [normalise(send.item, sources[send.source], taxonomy, send.at) for send in day]


def test_any_span_gives_the_same_whoever_asks(stories: Stories) -> None:
    whole = list(stories.between(NOON - HOUR, NOON))
    parts = [
        send
        for start in range(NOON - HOUR, NOON, 7 * MINUTE)
        for send in stories.between(start, min(NOON, start + 7 * MINUTE))
    ]
    again = list(Stories(city.build(), ZONE).between(NOON - HOUR, NOON))
    assert whole == parts == again
    assert [send.at for send in whole] == sorted(send.at for send in whole)


def test_openings_are_the_first_reports_of_the_whole(stories: Stories) -> None:
    whole = [send for send in stories.between(NOON - HOUR, NOON) if send.opening]
    assert whole == list(stories.between(NOON - HOUR, NOON, openings=True))


def test_the_wall_is_alive_by_day_and_calmer_by_night(day: list[Send]) -> None:
    noon = [send for send in day if send.at > NOON - 2 * HOUR]
    night = [send for send in day if ASLEEP - HOUR < send.at < ASLEEP + HOUR]
    assert 2.0 < 7200 / len(noon) < 4.0  # seconds between reports
    assert len(night) < 0.6 * len(noon)


def test_urgency_is_mixed_as_an_operator_can_bear(day: list[Send]) -> None:
    openings = [send.item["urgency"] for send in day if send.opening]
    share = {urgency: count / len(openings) for urgency, count in Counter(openings).items()}
    assert 0.7 < share["routine"] < 0.88 and 0.1 < share["urgent"] < 0.25 and share["critical"] < 0.03


def test_pace_multiplies_how_much_happens_under_other_ids(day: list[Send]) -> None:
    fast = list(Stories(city.build(), ZONE, 8.0).between(NOON - 30 * MINUTE, NOON))
    slow = [send for send in day if send.at >= NOON - 30 * MINUTE]
    assert 4 < len(fast) / len(slow) < 14
    assert not {send.item.get("id") for send in fast} & {send.item.get("id") for send in slow}


def test_a_storm_brings_twenty_times_as_much() -> None:
    stories = Stories(city.build(), ZONE)
    storm = next(at for at in range(NOON, NOON + 30 * 24 * HOUR, 5 * MINUTE) if stories.storm(at))
    openings = [
        send
        for send in stories.between(storm, storm + 5 * MINUTE, openings=True)
        if send.item["id"][12:].startswith("S")
    ]
    assert len(openings) > 6 * stories.expected(storm) / 12


def test_intake_takes_all_but_the_spoiled(day: list[Send], read: list[Report | Refusal]) -> None:
    refused = {send.item["revision"] for send, found in zip(day, read, strict=True) if isinstance(found, Refusal)}
    assert refused and all(revision.endswith("-fault") for revision in refused)
    assert len([one for one in read if isinstance(one, Refusal)]) < 0.005 * len(read)
    spoiled = [found for send, found in zip(day, read, strict=True) if send.item["revision"].endswith("-fault")]
    assert all(isinstance(found, Refusal) for found in spoiled)


def test_points_lie_in_the_city_whatever_the_datum(day: list[Send]) -> None:
    whole = city.build().level("county")[0].polygon
    shapely.prepare(whole)
    placed = [send for send in day if send.opening and "lon" in send.item["place"]]
    inside = 0
    for send in placed:
        place = send.item["place"]
        inside += bool(shapely.contains_xy(whole, *to_wgs84(place["lon"], place["lat"], BY_ID[send.source].datum)))
    assert {BY_ID[send.source].datum for send in placed} == {"WGS84", "GCJ02", "BD09", "CGCS2000"}
    assert 0.98 < inside / len(placed) < 1.0
    assert 0.95 < len(placed) / sum(send.opening for send in day) < 0.99


def test_reports_repeat_update_go_back_vanish_and_return(day: list[Send]) -> None:
    by_id: dict[str, list[Send]] = {}
    for send in day:
        by_id.setdefault(send.item["id"], []).append(send)
    keys = Counter((send.source, send.item["id"], send.item["revision"]) for send in day)
    assert 0.03 < sum(count - 1 for count in keys.values()) / len(day) < 0.1
    contents: dict[tuple[str, str], str] = {}
    for send in day:
        assert contents.setdefault((send.item["id"], send.item["revision"]), repr(send.item)) == repr(send.item)
    chains = [[send.item["status"] for send in sends] for sends in by_id.values()]
    assert any("处置完成" in chain[:-1] and chain[-1] != "处置完成" for chain in chains)
    presences = [[send.item.get("presence", "present") for send in sends] for sends in by_id.values()]
    assert any("gone" in chain for chain in presences)
    week = Stories(city.build(), ZONE).between(NOON - 48 * HOUR, NOON)
    gone: set[str] = set()
    returned = False
    for send in week:
        if send.item.get("presence") == "gone":
            gone.add(send.item["id"])
        elif send.item["id"] in gone and revision_key(send.item["revision"]) > ((2,), ""):
            returned = True
    assert returned


def test_a_quarter_arrives_late(day: list[Send]) -> None:
    waits = [
        (send.at / SECOND - datetime.fromisoformat(send.item["occurred_at"]).timestamp()) / 60
        for send in day
        if send.opening
    ]
    late = [wait for wait in waits if wait > 3]
    assert 0.2 < len(late) / len(waits) < 0.3
    assert 10 < median(late) < 16


def test_few_places_report_much() -> None:
    openings = Stories(city.build(), ZONE).between(NOON - 96 * HOUR, NOON, openings=True)
    places = Counter(send.item["place"]["address"][:10] for send in openings)
    counts = sorted(places.values(), reverse=True)
    assert sum(counts[: len(counts) // 10]) > 0.25 * sum(counts)


def test_nobody_is_named_and_nothing_is_left_unfilled(day: list[Send]) -> None:
    for send in islice((send for send in day if send.opening), 1500):
        words = send.item["title"] + send.item["text"] + send.item["place"]["address"]
        assert "{" not in words and not PERSONS.search(words)
        assert len(send.item["title"]) <= 14
        assert "reporter" not in send.item


def test_texts_differ() -> None:
    openings = Stories(city.build(), ZONE).between(NOON - 6 * HOUR, NOON, openings=True)
    texts = [send.item["text"] for send in openings]
    assert len(set(texts)) > 0.97 * len(texts)


def test_every_story_is_of_a_known_type_and_department() -> None:
    taxonomy, known = Taxonomy.load(), departments.load()
    for story in wording.stories():
        assert taxonomy.known(story.type) and taxonomy.get(story.type).department in known
    assert {story.type[:2] for story in wording.stories()} == {group.code for group in taxonomy.groups()}


def test_now_and_then_a_matter_is_told_through_two_channels(day: list[Send], read: list[Report | Refusal]) -> None:
    told = {send.item["id"]: found for send, found in zip(day, read, strict=True) if send.opening}
    twice = [
        (found, told.get(next((id for id in told if id[2:] == again[2:-1]), "")))
        for again, found in told.items()
        if again.endswith("E")
    ]
    assert 0.04 * len(told) < len(twice) < 0.1 * len(told)
    for again, first in twice:
        assert isinstance(again, Report) and isinstance(first, Report) and again.place and first.place
        assert again.source != first.source and again.type == first.type
        assert abs(again.place.lat - first.place.lat) < 0.001  # type: ignore[operator]


def test_all_that_is_told_twice_is_proposed_and_little_else(day: list[Send], read: list[Report | Refusal]) -> None:
    """Of a calm day; by the rules of `operations.doubles` alone."""
    crowd = {
        send.item["id"]: opened(send.item["id"], found, Located("x"), RULES, lambda _: "1", send.at)
        for send, found in zip(day, read, strict=True)
        if send.opening and isinstance(found, Report)
    }
    found = Doubles()
    found.update(crowd, crowd)
    true = {id for id in crowd if id.endswith("E")}
    proposed = {min(id, other, key=len) for id, near in found.near.items() for other in near}
    right = {id for id in true if any(other[2:] == id[2:-1] for other in found.near.get(id, ()))}
    assert len(right) >= 0.95 * len(true)
    assert len(proposed) - len(right) <= 0.2 * len(right)
