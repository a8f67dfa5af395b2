from dashboard.panels import map
from tests.dashboard.panel_board import MINUTE, NOW, WORDS, board, incident

LEAF = "990101001001001"


def test_markers_are_the_open_incidents_with_a_position() -> None:
    found = board(incident("a", urgency="urgent"), incident("b", placed=False), incident("c", step="closed"))
    assert set(map.markers(found, NOW)) == {"a"}
    assert map.markers(found, NOW, ["a", "c", "gone"]) == map.markers(found, NOW) | {"c": None, "gone": None}
    assert map.markers(found, NOW)["a"]["town"] == "990101001"


def test_heat_counts_a_day_and_forgets_it() -> None:
    found = board(incident("a", minutes=3), incident("b", minutes=4), incident("c", placed=False))
    assert map.heat(found, NOW) == {LEAF: 2}
    assert map.heat(found, NOW, [LEAF, "other"]) == {LEAF: 2, "other": None}
    assert map.heat(found, NOW + 25 * 60 * MINUTE) == {}


def test_the_total_says_how_many_lie_in_no_grid() -> None:
    found = board(incident("a", minutes=3), incident("c", placed=False))
    total = map.render(found, NOW, WORDS)["wall-map-total"]["children"]
    assert total == WORDS.text("wall.map.total", placed="1", total="2")
