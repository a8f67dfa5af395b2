"""A real storm drives the loop by its flow's own rules: what its statuses say moves matters on, people bring them to
their end, and nothing is made for it by hand."""

from collections import Counter
from pathlib import Path

import pytest

from config.taxonomy import Taxonomy
from operations import snapshot
from operations.incident import Incident
from operations.incidents import flow, moves
from operations.incidents.moves import Asked
from operations.report import Refusal, Report
from streams import mapping
from streams.normalise import normalise
from streams.replay import SOURCE, read
from tests.operations.conftest import desk, keys  # noqa: F401  fixtures
from tests.operations.desk import COMMANDER, START, Desk

PACKET = 100
ENDED = 25
"""Matters brought to their end by commands, one after another."""


@pytest.mark.real
def test_the_storm_drives_the_loop(real_data: Path, desk: Desk) -> None:  # noqa: F811
    taxonomy = Taxonomy.load()
    mapped = mapping.load_all(taxonomy).get("canberra")
    items = [
        normalise(row.item, SOURCE, taxonomy, START, mapped) for row in read(real_data / "canberra-storm/events.jsonl")
    ]
    told = [one for one in items if isinstance(one, Report | Refusal)]
    for at in range(0, len(told), PACKET):
        desk.send(*told[at : at + PACKET])
    crowd = snapshot.load(desk.database).incidents
    steps = Counter(one.step for one in crowd.values())
    assert steps.keys() == {"register", "handle", "reply"} and steps["handle"] > 50 and steps["reply"] > 300, steps
    assert all(one.is_open for one in crowd.values()), "gone from the feed is not closed"
    gone = [one for one in crowd.values() if one.gone][:ENDED]
    for one in gone:
        assert bring(desk, one).step == "closed"
    board = snapshot.load(desk.database).incidents
    assert all(board[one.id] == desk.stored(one.id) for one in gone)


def bring(desk: Desk, one: Incident) -> Incident:  # noqa: F811
    """Bring an incident to its end by the moves its flow offers, always the one that leads furthest."""
    for _ in range(12):
        own = desk.commands.loop.of(one)
        able = [move for move in moves.possible(own, one) if kind(own, move.to) > moves.STEPS.index(one.step)]
        if not able:
            return one
        move = max(able, key=lambda each: kind(own, each.to))
        asked = Asked("已处理", "resolved", one.department, "reached", 5)
        one = desk.commands.loop.move(COMMANDER, one.id, one.revision, move.code, asked)
    return one


def kind(own: flow.Flow, code: str) -> int:
    """Which of the steps a step is of."""
    target = own.step(code)
    return -1 if target is None else moves.STEPS.index(target.kind)
