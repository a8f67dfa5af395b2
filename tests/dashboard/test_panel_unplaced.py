from dashboard.panels import figures, unplaced
from operations.board import project
from operations.scope import Scope
from tests.dashboard.panel_board import NOW, WORDS, board, incident


def test_the_newest_unplaced_come_first_with_their_reason() -> None:
    found = board(
        incident("far", placed=False, minutes=2, lon=123.0, lat=35.0, nearest="990101001", distance_m=2400.0),
        incident("near", placed=False, minutes=1, lon=123.0, lat=35.0, nearest="990101001", distance_m=340.2),
        incident("nowhere", placed=False, minutes=0),
        incident("early", placed=False, minutes=3, lon=123.0, lat=35.0),
        incident("placed"),
    )
    told = [unplaced.reason(row, WORDS) for row in unplaced.rows(found, NOW)]
    assert told == ["无坐标", "距网格 340 米", "距网格 2.4 公里", "尚无网格"]
    note = unplaced.render(found, NOW, WORDS)[unplaced.NOTE]["children"]
    assert note == WORDS.text("wall.unplaced.note", n=4, total=5)


def test_a_long_title_has_lines_of_its_own_and_fewer_rows_are_shown() -> None:
    short = [incident(f"s{n}", placed=False, minutes=n + 5) for n in range(5)]
    rows = unplaced.rows(board(*short), NOW)
    assert [unplaced.lines(row, WORDS) for row in rows] == [1] * 5
    assert len(unplaced.shown(rows, WORDS)) == unplaced.LINES
    rows = unplaced.rows(
        board(incident("l", placed=False, minutes=1, title="无人机拍到江心洲人员被困求救"), *short), NOW
    )
    assert [unplaced.lines(row, WORDS) for row in unplaced.shown(rows, WORDS)] == [2, 1, 1]
    rows = unplaced.rows(board(incident("l", placed=False, title="长" * 200)), NOW)
    assert [unplaced.lines(row, WORDS) for row in unplaced.shown(rows, WORDS)] == [unplaced.LINES]


def test_quarantine_is_counted_even_when_nothing_is_unplaced() -> None:
    found = board()
    found.open_quarantine = 2
    props = unplaced.render(found, NOW, WORDS)
    assert props["wall-unplaced"]["data-state"] == "empty"
    assert "2" in props[unplaced.QUARANTINE]["children"]
    assert "is-waiting" in props[unplaced.QUARANTINE]["className"]


def test_a_screen_of_one_area_is_told_that_it_may_not_see_this() -> None:
    found = project(board(incident("a", placed=False)), Scope(grid="990101001"))
    assert unplaced.render(found, NOW, WORDS)["wall-unplaced"]["data-state"] == "forbidden"
    told = figures.render(found, NOW, WORDS)
    assert told["wall-figure-quarantine-value"]["children"] == "–"
    assert told["wall-figure-quarantine-note"]["children"] == WORDS.text("wall.figures.forbidden")
