"""What the tests of this package send, and the parts they build again and again."""

from datetime import UTC, datetime
from typing import Any

from config import clock
from config.settings import Settings
from config.taxonomy import Taxonomy
from operations.sources import Source
from streams import engine
from streams.intake import Intake
from streams.limiter import Limiter
from streams.log import Log
from streams.mapping import load_all
from streams.transit import TransitSeal

TAXONOMY = Taxonomy.load()
MAPPINGS = load_all(TAXONOMY)
SOURCE = Source(id="hotline", name="12345 热线")
NOW = int(datetime(2025, 11, 22, 4, 0, tzinfo=UTC).timestamp()) * 1_000_000
KEY = b"of the digests"
JSON_TYPE = {"content-type": "application/json"}


def report(id: str = "A-1", **fields: Any) -> dict[str, Any]:
    """A good report in our own form."""
    return {
        "id": id,
        "revision": "1",
        "type": "0304",
        "urgency": "特急",
        "title": "人民路燃气泄漏",
        "text": "路口有很浓的燃气味道",
        "occurred_at": "2025-11-22T11:58:00+08:00",
        "place": {"lon": 119.1635, "lat": 34.5722, "address": "人民路12号"},
        "reporter": {"name": "王某", "phone": "13812345678"},
        "channel": "12345 热线",
    } | fields


def make_log(settings: Settings, bound: int = 100_000) -> Log:
    """A log on the test's engine, sealed with the test's key."""
    return Log(engine.connect(settings.redis_url), TransitSeal(settings.data / "keys"), bound, clock.monotonic)


def make_intake(log: Log) -> Intake:
    """An intake without a clock of its own."""
    return Intake(log, TAXONOMY, MAPPINGS, now=lambda: NOW, limiter=Limiter(clock.monotonic), digest_key=KEY)
