from dashboard.panels import sources
from operations.board import SourceState
from operations.scope import Scope
from tests.dashboard.panel_board import MINUTE, NOW, WORDS, board


def test_the_silent_come_first_and_are_named() -> None:
    found = board()
    found.sources = {
        "a": SourceState("热线", last_received_at=NOW - 3),
        "b": SourceState("气象预警", last_received_at=NOW - 6 * MINUTE, silent=True),
        "c": SourceState("新来源"),
        "d": SourceState("网格员", last_received_at=NOW - 1),
        "e": SourceState("雪亮", last_received_at=NOW - 9),
    }
    assert [row.name for row in sources.rows(found, NOW)] == ["气象预警", "网格员", "热线", "雪亮", "新来源"]
    props = sources.render(found, NOW, WORDS)
    assert len(props[sources.LIST]["children"]) == sources.ROWS
    note = WORDS.text("wall.sources.note", heard=3, total=5)
    assert props[sources.NOTE]["children"] == WORDS.text("wall.sources.note_more", note=note, n=1)
    assert WORDS.text("wall.sources.silent") in str(props[sources.LIST]["children"][0].to_plotly_json())
    assert WORDS.text("wall.sources.never") in str(sources.item(sources.rows(found, NOW)[-1], WORDS).to_plotly_json())


def test_an_area_says_of_a_source_only_whether_it_is_heard() -> None:
    found = board()
    found.sources = {"a": SourceState("热线"), "b": SourceState("气象预警", silent=True)}
    found.scope = Scope("990101001")
    told = [item.to_plotly_json() for item in sources.render(found, NOW, WORDS)[sources.LIST]["children"]]
    said = [item["props"]["children"][1].children for item in told]
    assert said == [["中断"], ["正常"]]
    note = WORDS.text("wall.sources.note", heard=1, total=2)
    assert sources.render(found, NOW, WORDS)[sources.NOTE]["children"] == note


def test_no_source_is_said() -> None:
    assert sources.render(board(), NOW, WORDS)["wall-sources"]["data-state"] == "empty"
