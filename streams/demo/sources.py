"""The demo's sources: who sends, in which datum, and how each writes; all of kind `demo`."""

from typing import NamedTuple

KIND = "demo"


class DemoSource(NamedTuple):
    """One source. `voice` picks openings and closings of its texts; what a `feed` lists vanishes and may return."""

    id: str
    name: str
    datum: str
    channel: str
    voice: str
    prefix: str
    accuracy_m: float | None
    feed: bool = False


SOURCES = (
    DemoSource("demo-hotline", "12345 热线", "BD09", "12345 热线", "hotline", "GD", None),
    DemoSource("demo-worker", "网格员上报", "GCJ02", "网格员上报", "worker", "WG", 12.0),
    DemoSource("demo-110", "110 转办", "CGCS2000", "110 转办", "police", "JQ", 50.0, feed=True),
    DemoSource("demo-camera", "雪亮工程平台", "WGS84", "平台告警", "platform", "SB", 5.0),
    DemoSource("demo-sensor", "传感器", "WGS84", "传感器", "sensor", "CG", 3.0),
    DemoSource("demo-media", "媒体", "GCJ02", "媒体", "media", "MT", 200.0, feed=True),
    DemoSource("demo-leader", "领导批示", "GCJ02", "领导批示", "leader", "PS", None),
)
BY_ID = {source.id: source for source in SOURCES}

SHARES: dict[str, dict[str, float]] = {
    "01": {"demo-hotline": 45, "demo-worker": 40, "demo-110": 13, "demo-leader": 0.6, "demo-media": 1.4},
    "02": {"demo-110": 62, "demo-hotline": 26, "demo-worker": 12},
    "03": {"demo-worker": 46, "demo-hotline": 28, "demo-110": 24, "demo-media": 1.6, "demo-leader": 0.4},
    "04": {"demo-worker": 58, "demo-hotline": 38, "demo-media": 3, "demo-leader": 1},
    "05": {"demo-hotline": 55, "demo-worker": 32, "demo-sensor": 9, "demo-media": 3.2, "demo-leader": 0.8},
    "06": {"demo-hotline": 78, "demo-worker": 15, "demo-110": 7},
    "07": {"demo-worker": 34, "demo-110": 34, "demo-hotline": 24, "demo-media": 8},
    "08": {"demo-camera": 85, "demo-worker": 15},
    "09": {"demo-hotline": 88, "demo-media": 6, "demo-worker": 6},
}
"""Who reports what, by group of types."""
OWN: dict[str, dict[str, float]] = {
    "0413": {"demo-sensor": 40, "demo-hotline": 30, "demo-worker": 25, "demo-media": 5},
    "0706": {"demo-sensor": 70, "demo-worker": 30},
    "0302": {"demo-110": 50, "demo-hotline": 25, "demo-worker": 25},
    "0307": {"demo-110": 80, "demo-hotline": 12, "demo-media": 8},
    "0304": {"demo-110": 40, "demo-hotline": 40, "demo-sensor": 20},
    "0305": {"demo-110": 60, "demo-sensor": 40},
    "0804": {"demo-sensor": 100},
    "0805": {"demo-110": 60, "demo-worker": 40},
    "0806": {"demo-worker": 60, "demo-sensor": 40},
    "0807": {"demo-sensor": 100},
}
"""Types that come from elsewhere than the rest of their group."""


def shares(code: str) -> dict[str, float]:
    """{source id: weight} for a type."""
    return OWN.get(code) or SHARES[code[:2]]
