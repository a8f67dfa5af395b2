from msgspec import structs

import config.departments
from dashboard.panels import departments
from dashboard.panels.shell import width
from operations.ticking import NEAR, OVERDUE, Clock
from tests.dashboard.panel_board import MINUTE, NOW, WORDS, board, incident

LATE = Clock("close", NOW - MINUTE, NOW, NOW, told=OVERDUE)
NEARLY = Clock("close", NOW - MINUTE, NOW + MINUTE, NOW, told=NEAR)


def test_the_busiest_come_first_and_overdue_is_shown() -> None:
    late = incident("late", department="fire", clocks=(LATE,))
    found = departments.rows(board(late, incident("a"), incident("b", clocks=(NEARLY,))), NOW)
    assert [(row.code, row.open, row.overdue) for row in found] == [("police", 2, 0), ("fire", 1, 1)]
    text = str(departments.item(found[1], 2, WORDS).to_plotly_json())
    assert WORDS.text("wall.departments.overdue", n=1) in text
    assert "消防" in text


def test_a_clock_that_was_stopped_is_not_overdue() -> None:
    stopped = structs.replace(LATE, done_at=NOW)
    assert departments.rows(board(incident("a", clocks=(stopped,))), NOW)[0].overdue == 0


def test_what_does_not_fit_is_summed_in_the_last_row() -> None:
    many = [incident(f"{n}-{m}", department=f"d{n:02d}") for n in range(12) for m in range(12 - n)]
    found = departments.rows(board(*many), NOW)
    assert len(found) == departments.ROWS
    assert found[-1].count == 12 - departments.ROWS + 1
    assert sum(row.open for row in found) == len(many)


def test_an_english_name_keeps_the_words_that_fit() -> None:
    assert departments.short("Emergency management") == "Emergency"
    assert departments.short("Labour and social security") == "Labour"
    assert departments.short("City management") == "City management"


def test_no_configured_name_is_too_long_for_its_column() -> None:
    for one in config.departments.load().values():
        assert width(one.short) <= 8
        assert width(departments.short(one.en)) <= departments.NAME_WIDTH


def test_no_load_is_said() -> None:
    assert departments.render(board(), NOW, WORDS)["wall-departments"]["data-state"] == "empty"
