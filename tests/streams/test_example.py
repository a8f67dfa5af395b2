"""The example that is shown for a source is taken by its own mapping, whatever that is."""

from datetime import UTC, datetime

import pytest
from msgspec import structs

from operations.report import Report
from streams.example import example
from streams.normalise import normalise
from tests.streams.samples import MAPPINGS, NOW, SOURCE, TAXONOMY

AT = datetime.fromtimestamp(NOW / 1e6 - 60, UTC).astimezone(SOURCE.zone)


@pytest.mark.parametrize("name", sorted(MAPPINGS.good))
def test_the_example_is_taken_and_read_whole(name: str) -> None:
    source, mapping = structs.replace(SOURCE, mapping=name), MAPPINGS.get(name)
    found = normalise(example(source, mapping, AT, 119.16, 34.57), source, TAXONOMY, NOW, mapping)
    assert isinstance(found, Report), found
    assert abs(found.occurred_at - NOW) < 120_000_000 and found.title and found.dropped == {}
    assert found.place is not None and (found.place.raw_lon, found.place.raw_lat) == (119.16, 34.57)
