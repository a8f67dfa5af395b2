"""What Prometheus may ask of a web process (指标); what the engine and the workers count comes through the port."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

SEQ = Gauge("gridwall_journal_seq", "Last journal entry folded by this process.", registry=REGISTRY)
LAG = Gauge("gridwall_hub_lag_entries", "Journal entries not yet folded by this process.", registry=REGISTRY)
SCREENS = Gauge("gridwall_screens", "Screens connected to this process.", registry=REGISTRY)
STUCK = Gauge("gridwall_walls_stuck", "Walls that have stopped painting, of all processes.", registry=REGISTRY)
FRAMES = Counter("gridwall_frames", "Frames made, one for each change of a channel.", registry=REGISTRY)
SENT = Counter("gridwall_frames_sent", "Frames sent, one for each screen.", registry=REGISTRY)
SKIPPED = Counter("gridwall_frames_skipped", "Frames slow screens were brought past.", registry=REGISTRY)
PAINT_AGE = Histogram(
    "gridwall_paint_age_seconds",
    "Age of a frame when a browser says it is on the glass.",
    buckets=(0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    registry=REGISTRY,
)
RENDER = Gauge("gridwall_render_seconds", "Last cost of drawing a panel.", ["channel", "panel"], registry=REGISTRY)
PORT = Gauge("gridwall_intake", "What intake, the engine and the workers report, by name.", ["name"], registry=REGISTRY)


def follow(figures: Mapping[str, float]) -> None:
    """Take over what the port of `streams` reports."""
    for name, value in figures.items():
        PORT.labels(name).set(value)
