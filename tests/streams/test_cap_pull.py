"""Warnings pulled from a real server on 127.0.0.1: documents, Atom feeds, what repeats, what is wrong or elsewhere."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
import redis.asyncio

from config import clock
from config.settings import Settings
from operations import journal, snapshot, sources
from operations.database import Database
from operations.policy import SYSTEM
from operations.sources import Source
from streams import engine
from streams.cap_pull import Documents, Rounds, listed
from streams.errors import SourceAway
from streams.intake import Intake
from streams.pull_settings import CapPull
from streams.pulling import Pulling
from streams.warnings import Warnings
from tests.streams.bulletins import HOUR, document
from tests.streams.feed import Asked, Feed, Told, reach
from tests.streams.samples import make_intake, make_log

pytestmark = [pytest.mark.stream, pytest.mark.database]
ATOM = '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>预警</title>{}</feed>'


@pytest.fixture
def feed() -> Iterator[Feed]:
    made = Feed()
    yield made
    made.close()


class Bench:
    """One source pulled from the feed."""

    def __init__(self, settings: Settings, database: Database, client: redis.asyncio.Redis, intake: Intake) -> None:
        self.parts = (settings, database, client, intake)
        self.database, self.intake = database, intake
        self.documents: list[Documents] = []

    def begin(self, url: str) -> Rounds:
        """Begin as after a start of the process."""
        how = CapPull(url)
        source = Source("qxt", "气象预警", kind="cap_pull", settings=msgspec.json.encode(how).decode())
        if sources.get(self.database, "qxt") is None:
            sources.add(self.database, SYSTEM, source, now=clock.now())
        self.documents.append(Documents(how))
        warnings = Warnings(self.database, self.intake, clock.now, None)
        return Rounds(Pulling(reach(*self.parts), source), self.documents[-1], warnings, how)

    def shown(self) -> list[str]:
        return sorted(one.identifier for one in snapshot.load(self.database).warnings.values())

    def actions(self) -> list[str]:
        return [entry.action for entry in journal.read(self.database, 0)][1:]


@pytest.fixture
async def bench(settings: Settings, database: Database, valkey: str) -> AsyncIterator[Bench]:
    log = make_log(settings)
    async with engine.connect(settings.redis_url) as client:
        made = Bench(settings, database, client, make_intake(log))
        yield made
        for one in made.documents:
            await one.close()
    await log.close()


def xml(text: str | bytes, **headers: str) -> Told:
    body = text.encode() if isinstance(text, str) else text
    return Told(200, body, {"content-type": "application/xml", **headers})


def entry(name: str, inside: str) -> str:
    return f"<entry><id>{name}</id><updated>2026-07-22T10:00:00+08:00</updated>{inside}</entry>"


def inline(name: str, now: int) -> str:
    alert = document(name, sent=now, expires=now + HOUR).decode().partition("?>")[2]
    return entry(name, f'<content type="application/cap+xml">{alert}</content>')


async def test_a_document_is_taken_once_and_asked_for_by_its_marks(feed: Feed, bench: Bench) -> None:
    now = clock.now()
    feed.answer = lambda _: xml(document(sent=now, expires=now + HOUR), etag='"1"')
    rounds = bench.begin(feed.url)
    assert 54 <= await rounds.next() <= 66
    feed.answer = lambda asked: Told(304) if asked.headers.get("if-none-match") == '"1"' else xml("<x/>")
    await rounds.next()
    assert (bench.shown(), bench.actions()) == (["W1"], ["warning.issued"])
    assert bench.intake.totals.quarantined == 0


async def test_a_feed_with_alerts_inside_and_behind_links(feed: Feed, bench: Bench) -> None:
    now = clock.now()
    listed = inline("A", now) + entry(
        "B", '<link rel="alternate" type="text/html" href="/b.html"/><link href="/b.cap" type="application/cap+xml"/>'
    )
    listed += entry("C", '<link href="http://elsewhere.example/c.cap"/>') + entry("D", "<title>nothing</title>")

    def answer(asked: Asked) -> Told:
        return xml(document("B", sent=now, expires=now + HOUR)) if asked.path == "/b.cap" else xml(ATOM.format(listed))

    feed.answer = answer
    await bench.begin(feed.url).next()
    assert bench.shown() == ["A", "B"]
    await bench.begin(feed.url).next()  # another process
    assert [one.path for one in feed.asked].count("/b.cap") == 1
    assert bench.actions() == ["warning.issued", "warning.issued"]


async def test_what_is_wrong_is_kept_once_and_holds_up_nothing(feed: Feed, bench: Bench) -> None:
    now = clock.now()
    broken = inline("X", now).replace("<scope>Public</scope>", "")
    feed.answer = lambda _: xml(ATOM.format(broken + inline("A", now)))
    rounds = bench.begin(feed.url)
    await rounds.next()
    await rounds.next()
    assert (bench.shown(), bench.intake.totals.quarantined) == (["A"], 1)


async def test_pages_that_are_no_cap_count_as_away_and_are_kept_once(feed: Feed, bench: Bench) -> None:
    rounds = bench.begin(feed.url)
    for number in range(3):
        feed.answer = lambda _, number=number: xml(f"<html>sign in {number}</html{'>' * (number % 2)}")  # type: ignore[misc]
        with pytest.raises(SourceAway, match="not_cap"):
            await rounds.next()
    assert bench.intake.totals.quarantined == 1
    feed.answer = lambda _: xml(ATOM.format(inline("A", clock.now())))
    await rounds.next()
    assert bench.shown() == ["A"]


async def test_a_long_feed_is_read_to_its_end(feed: Feed, bench: Bench) -> None:
    now = clock.now()
    old = "".join(entry(f"o{number}", "<title>nothing</title>") for number in range(1_500))
    feed.answer = lambda _: xml(ATOM.format(old + inline("A", now)))
    await bench.begin(feed.url).next()
    assert bench.shown() == ["A"]
    feed.answer = lambda _: xml(ATOM.format(old * 2))
    with pytest.raises(SourceAway, match="too_many_items"):
        await bench.begin(feed.url).next()


async def test_a_link_we_may_not_open_yet_is_tried_again_and_a_dead_one_is_kept(feed: Feed, bench: Bench) -> None:
    now, status = clock.now(), 403
    listed = entry("B", '<link href="/b.cap"/>') + entry("C", '<link href="http://elsewhere.example/c.cap"/>')

    def answer(asked: Asked) -> Told:
        if asked.path != "/b.cap":
            return xml(ATOM.format(listed))
        return Told(status) if status != 200 else xml(document("B", sent=now, expires=now + HOUR))

    feed.answer = answer
    rounds = bench.begin(feed.url)
    for _ in range(2):
        await rounds.next()
    assert (bench.shown(), bench.intake.totals.quarantined) == ([], 1)
    status = 200
    await rounds.next()
    assert bench.shown() == ["B"]


async def test_a_connection_is_tried_without_taking_anything(feed: Feed, bench: Bench) -> None:
    feed.answer = lambda _: xml(ATOM.format(inline("A", clock.now()) * 2))
    assert len(await listed(CapPull(feed.url), "")) == 2
    feed.answer = lambda _: xml("<html/>")
    with pytest.raises(SourceAway, match="not_cap"):
        await listed(CapPull(feed.url), "")


async def test_a_feed_without_end_and_one_that_is_not_there(feed: Feed, bench: Bench) -> None:
    feed.answer = lambda _: xml(b"<feed>" + b" " * 5_000_000)
    with pytest.raises(SourceAway, match="body_too_large"):
        await bench.begin(feed.url).next()
    feed.answer = lambda _: Told(404)
    with pytest.raises(SourceAway, match="not_there"):
        await bench.begin(feed.url).next()


@pytest.mark.real
async def test_real_documents_through_a_served_feed(feed: Feed, bench: Bench, real_data: Path) -> None:
    files = {f"/{one.name}": one.read_bytes() for one in sorted((real_data / "cap").glob("*.cap"))}
    listed = "".join(entry(name, f'<link href="{name}" type="application/cap+xml"/>') for name in files)
    feed.answer = lambda asked: xml(files.get(asked.path) or ATOM.format(listed))
    rounds = bench.begin(feed.url)
    for _ in range(2):
        await rounds.next()
    assert (len(feed.asked), bench.intake.totals.quarantined) == (len(files) + 2, 3)
    assert bench.actions() == ["warning.recorded"] * (len(files) - 3) and bench.shown() == []
