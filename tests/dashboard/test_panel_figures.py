import pytest

from dashboard.panels import figures
from operations.board import SourceState, apply
from tests.dashboard.panel_board import HOUR, MINUTE, NOW, WORDS, board, entry, incident


def shown(found, name: str) -> tuple[str, str]:
    props = figures.render(found, NOW, WORDS)
    return (
        props[f"wall-figure-{name}-value"]["children"],
        props[f"wall-figure-{name}-note"]["children"],
    )


def test_open_by_urgency_with_those_nobody_answered() -> None:
    found = board(
        incident("a", urgency="urgent"), incident("b", urgency="urgent", acknowledged=True), incident("c"),
    )  # fmt: skip
    assert shown(found, "urgent") == ("2", WORDS.text("wall.figures.urgent_note", n=1))
    assert shown(found, "critical") == ("0", WORDS.text("wall.figures.critical_note", n=0))


def test_today_begins_at_the_citys_midnight() -> None:
    found = board(incident("yesterday", minutes=11 * 60), incident("today", minutes=10 * 60))
    assert shown(found, "today")[0] == "1 / 0"


def test_the_median_says_of_how_many() -> None:
    found = board(incident("a", minutes=5), incident("b", minutes=5))
    assert shown(found, "acknowledge")[0] == "–"
    for number, key in enumerate(("a", "b")):
        at = NOW - 5 * MINUTE + (number + 1) * 30 * 1_000_000
        body = {"set": {"acknowledged_at": at}}
        apply(found, entry(found.seq + 1, "incident.acknowledged", ("incident", key), body, at=NOW))
    assert shown(found, "acknowledge") == ("45 秒", WORDS.text("wall.figures.acknowledge_note", n=2))


def test_lengths_of_time_keep_two_digits() -> None:
    told = [figures.duration(seconds, WORDS) for seconds in (41.2, 119, 120, 3600, 3 * 3600)]
    assert told == ["41 秒", "119 秒", "2 分", "60 分", "3 时"]


def test_unplaced_and_silent_sources_ask_for_attention() -> None:
    found = board(incident("a", placed=False), incident("b"))
    found.sources = {"x": SourceState("热线", silent=True), "y": SourceState("网格员", last_received_at=NOW - HOUR)}
    assert shown(found, "unplaced") == ("1", WORDS.text("wall.figures.unplaced_note", n=2))
    assert shown(found, "sources") == ("1 / 2", WORDS.text("wall.figures.sources_note", silent=1))
    props = figures.render(found, NOW, WORDS)
    assert "asks" in props["wall-figure-sources"]["className"]
    assert "asks" not in props["wall-figure-critical"]["className"]


def test_a_source_that_never_sent_is_neither_heard_nor_in_trouble() -> None:
    found = board()
    found.sources = {"x": SourceState("新来源"), "y": SourceState("网格员", last_received_at=NOW - HOUR)}
    assert shown(found, "sources") == ("1 / 2", WORDS.text("wall.figures.sources_note_new", silent=0, never=1))
    assert "asks" not in figures.render(found, NOW, WORDS)["wall-figure-sources"]["className"]


def test_when_the_numbers_are_long_all_are_written_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    found = board(incident("a"))
    assert "is-small" not in figures.render(found, NOW, WORDS)["wall-figure-today"]["className"]
    monkeypatch.setattr(figures, "received_today", lambda *_: 10**30)
    props = figures.render(found, NOW, WORDS)
    assert all("is-small" in props[f"wall-figure-{name}"]["className"] for name in figures.NAMES)
