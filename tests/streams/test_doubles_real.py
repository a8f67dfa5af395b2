"""Proposed doubles in a real storm: few, small, and of one street; by the feed's own mapping."""

from collections import Counter
from pathlib import Path

import pytest

from config.taxonomy import Taxonomy
from operations.decision import opened
from operations.doubles import MINUTE, Doubles
from operations.incident import Incident
from operations.report import Located, Report
from streams import mapping
from streams.normalise import normalise
from streams.replay import SOURCE, read
from tests.operations.desk import RULES

NOW = 1_800_000_000_000_000


@pytest.mark.real
def test_the_storm_of_canberra_gives_few_and_small_groups(real_data: Path) -> None:
    taxonomy = Taxonomy.load()
    mapped = mapping.load_all(taxonomy).get("canberra")
    crowd: dict[str, Incident] = {}
    for row in read(real_data / "canberra-storm/events.jsonl"):
        found = normalise(row.item, SOURCE, taxonomy, NOW, mapped)
        if isinstance(found, Report) and found.presence == "present":
            crowd[found.id] = opened(found.id, found, Located("act"), RULES, lambda _: "1", NOW)
    kept = Doubles()
    kept.update(crowd, crowd)
    assert len(crowd) == 1_282
    assert 60 < len(kept.near) < 130, "a storm of neighbours' trees is not one event"
    assert max(Counter(map(len, kept.near.values()))) <= 4
    for one, near in kept.near.items():
        for other in near:
            assert abs(crowd[one].occurred_at - crowd[other].occurred_at) <= 15 * MINUTE, "one source: weak evidence"
