"""The example report of the README, sent to the demonstration city, is what it says and lies in a grid."""

import json
import re

import pytest
import shapely

from config.settings import ROOT
from config.taxonomy import Taxonomy
from streams.demo import city


@pytest.mark.parametrize("page", ["README.md", "README.en.md"])
def test_the_first_report_somebody_tries_is_a_lift_and_is_placed(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    found = re.search(r"-d '(\{.*\})'", text)
    assert found
    report = json.loads(found[1])
    assert Taxonomy.load().types[report["type"]].zh == "电梯困人"
    assert "datum" in report["place"] or "--datum WGS84" in text
    point = shapely.Point(report["place"]["lon"], report["place"]["lat"])
    assert any(area.polygon.contains(point) for area in city.build().level("grid"))
