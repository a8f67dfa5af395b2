"""HTTP pull against a real server on 127.0.0.1: what is new comes once, and nothing of it is lost."""

import gzip
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import redis.asyncio

from config import clock
from config.settings import Settings
from operations import cursors, journal, sources
from operations.database import Database
from operations.policy import SYSTEM
from operations.sources import Source
from streams import engine, http_pull, pulling, vitals
from streams.errors import EngineAway, SourceAway
from streams.http_pull import Fetcher, Rounds
from streams.intake import Intake
from streams.log import HEARD
from streams.pull_settings import HttpPull
from streams.pulling import Pulling
from streams.source_secrets import SourceSecrets
from tests.streams.feed import Asked, Feed, Told, durable, reach, told
from tests.streams.samples import make_intake, make_log, report

pytestmark = [pytest.mark.stream, pytest.mark.database]


@pytest.fixture
def feed() -> Iterator[Feed]:
    """A department's server."""
    made = Feed()
    yield made
    made.close()


class Bench:
    """One source pulled from the feed, round by round."""

    def __init__(self, settings: Settings, database: Database, client: redis.asyncio.Redis, intake: Intake) -> None:
        self.settings, self.database, self.client, self.intake = settings, database, client, intake
        self.fetchers: list[Fetcher] = []

    def begin(self, url: str, **more: Any) -> tuple[Pulling, Rounds]:
        """Begin as after a start of the process."""
        settings = HttpPull(url, **more)
        source = Source("dept", "某部门", kind="http_pull", settings=msgspec.json.encode(settings).decode())
        if sources.get(self.database, "dept") is None:
            sources.add(self.database, SYSTEM, source, now=clock.now())
        pull = Pulling(reach(self.settings, self.database, self.client, self.intake), source)
        fetcher = Fetcher(settings)
        self.fetchers.append(fetcher)
        return pull, Rounds(pull, fetcher)

    def cursor(self) -> dict[str, Any]:
        """What is kept."""
        found: dict[str, Any] = msgspec.json.decode(cursors.get(self.database, "dept").cursor or "{}")
        return found

    def actions(self) -> list[str]:
        """Of the journal, without the adding."""
        return [entry.action for entry in journal.read(self.database, 0)][1:]


@pytest.fixture
async def bench(settings: Settings, database: Database, valkey: str) -> AsyncIterator[Bench]:
    """The parts."""
    log = make_log(settings)
    async with engine.connect(settings.redis_url) as client:
        made = Bench(settings, database, client, make_intake(log))
        yield made
        for fetcher in made.fetchers:
            await fetcher.close()
    await log.close()


def asked_since(asked: Asked) -> str:
    return parse_qs(urlsplit(asked.path).query).get("since", [""])[0]


async def test_what_is_new_is_asked_for_by_the_watermark_and_a_restart_goes_on(
    feed: Feed, bench: Bench, settings: Settings
) -> None:
    orders = [report(f"A-{n}", updated=f"2025-11-22T12:0{n}:00+08:00") for n in range(1, 4)]
    feed.answer = lambda asked: told(
        {"data": {"items": [one for one in orders if one["updated"] >= asked_since(asked)]}}
    )
    how = {"items": "data.items", "watermark_param": "since", "watermark_field": "updated"}
    _, rounds = bench.begin(feed.url + "/orders?page=1", **how)
    assert 54 <= await rounds.next() <= 66
    assert durable(settings) == ["A-1", "A-2", "A-3"]
    assert bench.cursor()["watermark"] == "2025-11-22T12:03:00+08:00"
    orders.append(report("A-4", updated="2025-11-22T12:04:00+08:00"))
    _, rounds = bench.begin(feed.url + "/orders?page=1", **how)  # another process
    await rounds.next()
    assert [asked_since(one) for one in feed.asked] == ["", "2025-11-22T12:03:00+08:00"]
    assert "page=1" in feed.asked[1].path
    assert bench.intake.totals.duplicates == 1  # the overlap
    assert bench.cursor()["watermark"] == "2025-11-22T12:04:00+08:00"


async def test_the_cursor_waits_for_what_is_not_durable(
    feed: Feed, bench: Bench, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.answer = lambda _: told([report("A-1", n=7)])
    how = {"watermark_param": "since", "watermark_field": "n"}
    _, rounds = bench.begin(feed.url, **how)

    async def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bench.intake, "accept", killed)
        with pytest.raises(KeyboardInterrupt):
            await rounds.next()
    assert bench.cursor() == {}
    pull, rounds = bench.begin(feed.url, **how)
    with monkeypatch.context() as patch:
        patch.setattr(pull, "keep", killed)  # killed between durable and cursor
        with pytest.raises(KeyboardInterrupt):
            await rounds.next()
    assert durable(settings) == ["A-1"] and bench.cursor() == {}
    _, rounds = bench.begin(feed.url, **how)
    await rounds.next()
    assert asked_since(feed.asked[-1]) == "" and bench.intake.totals.duplicates == 1
    assert bench.cursor()["watermark"] == "7"


async def test_pages_are_followed_within_their_bound_and_the_cursor_waits_for_the_last(
    feed: Feed, bench: Bench, settings: Settings
) -> None:
    def answer(asked: Asked) -> Told:
        page = int(parse_qs(urlsplit(asked.path).query).get("page", ["1"])[0])
        following = f"/orders?page={page + 1}" if page < 5 else None
        return told({"items": [report(f"P-{page}", n=100 - page)], "next": following})

    feed.answer = answer
    how = {"items": "items", "next": "next", "watermark_param": "since", "watermark_field": "n", "most_pages": 2}
    _, rounds = bench.begin(feed.url + "/orders", **how)
    assert [await rounds.next() < 1, await rounds.next() < 1] == [True, True]
    assert bench.cursor() == {}  # the newest came first: what is older would be lost
    assert await rounds.next() > 50
    assert durable(settings) == [f"P-{n}" for n in range(1, 6)]
    assert bench.cursor()["watermark"] == "99"


async def test_link_headers_are_followed_and_a_circle_ends(feed: Feed, bench: Bench, settings: Settings) -> None:
    def answer(asked: Asked) -> Told:
        name, other = ("A", "/b") if asked.path == "/a" else ("B", "/a")
        return told([report(name)], link=f'<{other}>; rel="next"')

    feed.answer = answer
    _, rounds = bench.begin(feed.url + "/a", next="link")
    assert await rounds.next() > 50
    assert durable(settings) == ["A", "B"] and len(feed.asked) == 2


async def test_nothing_is_sent_again_that_did_not_change(feed: Feed, bench: Bench) -> None:
    def answer(asked: Asked) -> Told:
        return Told(304) if asked.headers.get("if-none-match") == '"v1"' else told([report("A")], etag='"v1"')

    feed.answer = answer
    _, rounds = bench.begin(feed.url)
    await rounds.next()
    _, rounds = bench.begin(feed.url)
    await rounds.next()
    assert bench.intake.totals.accepted == 1
    assert feed.asked[1].headers["if-none-match"] == '"v1"'


@pytest.mark.parametrize(
    ("auth", "name", "header", "sent"),
    [
        ("bearer", "", "authorization", "Bearer s3cret"),
        ("basic", "user", "authorization", "Basic dXNlcjpzM2NyZXQ="),
        ("header", "x-key", "x-key", "s3cret"),
        ("query", "appkey", "", "/?appkey=s3cret"),
    ],
)
async def test_the_secret_goes_to_the_source_and_nowhere_else(
    feed: Feed,
    bench: Bench,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    auth: str,
    name: str,
    header: str,
    sent: str,
) -> None:
    SourceSecrets(settings.data / "keys").put("dept", "s3cret")
    caplog.set_level("DEBUG")
    feed.answer = lambda _: Told(500)
    pull, rounds = bench.begin(feed.url, auth=auth, auth_name=name)
    with pytest.raises(SourceAway) as error:
        await rounds.next()
    await pull.away(error.value)
    await pull.away(error.value)
    assert (feed.asked[0].headers[header] if header else feed.asked[0].path) == sent
    kept = [msgspec.json.encode(entry) for entry in journal.read(bench.database, 0)]
    shown = await vitals.pulls(bench.client)
    assert "s3cret" not in f"{error.value!r} {kept} {shown} {bench.cursor()}"
    ours = [
        record.getMessage() for record in caplog.records if record.name.startswith(("streams", "operations", "httpx"))
    ]
    assert not any("s3cret" in said for said in ours)
    assert (settings.data / "keys/sources/dept.secret").stat().st_mode & 0o777 == 0o600
    assert (settings.data / "keys/sources").stat().st_mode & 0o777 == 0o700


async def test_lost_and_found_are_said_once_across_restarts(
    feed: Feed, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    feed.answer = lambda _: Told(500)
    for _ in range(2):
        pull, rounds = bench.begin(feed.url)
        for _ in range(3):
            with pytest.raises(SourceAway) as error:
                await rounds.next()
            await pull.away(error.value)
    assert bench.actions() == ["source.lost"]
    assert cursors.get(bench.database, "dept").lost == "status"
    assert sum("out of reach" in record.getMessage() for record in caplog.records) == 1
    feed.answer = lambda _: told([])
    pull, rounds = bench.begin(feed.url)
    await rounds.next()
    await rounds.next()
    assert bench.actions() == ["source.lost", "source.found"]


async def test_one_blip_is_not_out_of_reach_but_a_refused_login_is_at_once(feed: Feed, bench: Bench) -> None:
    pull, rounds = bench.begin(feed.url)
    await pull.away(SourceAway("timeout"))
    await rounds.next()
    await pull.away(SourceAway("timeout"))
    assert bench.actions() == []
    feed.answer = lambda _: Told(401)
    with pytest.raises(SourceAway, match="login_refused") as error:
        await rounds.next()
    await pull.away(error.value)
    assert bench.actions() == ["source.lost"]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_source_that_asks_for_patience_gets_it(feed: Feed, bench: Bench, status: int) -> None:
    feed.answer = lambda _: Told(status, b"", {"retry-after": "120"})
    pull, rounds = bench.begin(feed.url)
    with pytest.raises(SourceAway) as error:
        await rounds.next()
    assert await pull.away(error.value) == 120


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Told(302, b"", {"location": "/again"}), "too_many_redirects"),
        (Told(302, b"", {"location": "http://example.org/"}), "redirect_elsewhere"),
        (Told(302, b"", {"location": "file:///etc/passwd"}), "redirect_elsewhere"),
        (Told(302, b"", {"location": "http://127.0.0.1:1/"}), "redirect_elsewhere"),
        (Told(200, b"[{"), "not_json"),
        (Told(200, b"[" * 100_000), "not_json"),
        (Told(200, b"<html>login</html>"), "not_json"),
        (Told(200, b'{"items": 7}'), "no_list"),
        (told({"items": [], "next": "http://example.org/2"}), "next_elsewhere"),
        (Told(404), "not_there"),
        (Told(500), "status"),
        (Told(200, b"[]" + b" " * 40_000_000), "body_too_large"),
        (Told(200, gzip.compress(b"[" + b" " * 40_000_000 + b"]"), {"content-encoding": "gzip"}), "body_too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_an_answer_may_be_wrong_with(feed: Feed, bench: Bench, answer: Told, code: str) -> None:
    feed.answer = lambda _: answer
    _, rounds = bench.begin(feed.url, items="items" if b"items" in answer.body else "", next="next")
    with pytest.raises(SourceAway) as error:
        await rounds.next()
    assert error.value.code == code and bench.cursor() == {}


async def test_nobody_there(feed: Feed, bench: Bench, free_port: int) -> None:
    _, rounds = bench.begin(f"http://127.0.0.1:{free_port}/")
    with pytest.raises(SourceAway, match="unreachable"):
        await rounds.next()


async def test_a_bad_item_costs_itself_only(feed: Feed, bench: Bench, settings: Settings) -> None:
    feed.answer = lambda _: told([report("A"), {"title": "no id"}, 7, None, report("B")])
    _, rounds = bench.begin(feed.url)
    await rounds.next()
    assert durable(settings) == ["A", "B"] and bench.intake.totals.quarantined == 3


async def test_while_we_take_nothing_it_is_kept_in_hand(
    feed: Feed, bench: Bench, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.answer = lambda _: told([report("A")])
    _, rounds = bench.begin(feed.url)
    accept, tries = bench.intake.accept, []

    async def full_at_first(*given: Any, **named: Any) -> Any:
        tries.append(given)
        if len(tries) < 3:
            raise EngineAway("full", retry_after=0)
        return await accept(*given, **named)

    monkeypatch.setattr(bench.intake, "accept", full_at_first)
    await rounds.next()
    assert durable(settings) == ["A"] and len(feed.asked) == 1 and len(tries) == 3
    assert bench.actions() == []  # it was us


async def test_a_csv_and_a_list_in_gbk_are_read_too(feed: Feed, bench: Bench, settings: Settings) -> None:
    text = "id,title,occurred_at\nC-1,路面塌陷,2025-11-22T12:00:00\n"
    feed.answer = lambda _: Told(200, text.encode("gbk"), {"content-type": "text/csv"})
    _, rounds = bench.begin(feed.url, format="csv")
    await rounds.next()
    assert durable(settings) == ["C-1"]


async def test_a_clock_an_hour_off_is_seen(feed: Feed, bench: Bench) -> None:
    ahead = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)

    def answer(_: Asked) -> Told:
        return told([], x_date=ahead)

    feed.answer = answer
    assert http_pull.offset(ahead) == pytest.approx(3_600_000, abs=2_000)
    _, rounds = bench.begin(feed.url)
    await rounds.next()
    found = await vitals.read(bench.client, "dept", clock.now(), HEARD)
    assert found.pull["state"] == "reached" and abs(found.pull["offset_ms"]) < 3_000


def test_the_pause_grows_to_a_minute_and_no_further() -> None:
    assert all(pulling.jittered(failures) <= 60 for failures in range(1, 100))
    assert all(0.05 <= pulling.jittered(1) <= 2 for _ in range(100))


@pytest.mark.parametrize(("said", "seconds"), [("5", 5), ("Sat, 22 Nov 2025 04:01:00 GMT", 60), ("soon", 0), ("", 0)])
def test_retry_after(said: str, seconds: float) -> None:
    now = int(datetime(2025, 11, 22, 4, 0, tzinfo=UTC).timestamp()) * 1_000_000
    assert http_pull.seconds(said, now) == seconds
