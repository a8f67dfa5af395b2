import config.departments
from config.taxonomy import Taxonomy
from dashboard.panels import departments
from dashboard.panels.shell import width
from tests.dashboard.panel_board import NOW, WORDS, board, incident


def test_the_busiest_come_first_and_overdue_is_shown() -> None:
    late = incident("late", urgency="critical", minutes=60, department="fire")
    found = departments.rows(board(late, incident("a"), incident("b")), NOW)
    assert [(row.code, row.open, row.overdue) for row in found] == [("police", 2, 0), ("fire", 1, 1)]
    text = str(departments.item(found[1], 2, WORDS).to_plotly_json())
    assert WORDS.text("wall.departments.overdue", n=1) in text
    assert "消防" in text


def test_late_is_what_the_taxonomy_says() -> None:
    limits = Taxonomy.load().acknowledge_limits()
    for urgency, minutes in limits.items():
        for age, overdue in ((minutes - 1, 0), (minutes + 1, 1)):
            one = incident("a", urgency=urgency, minutes=age)
            assert departments.rows(board(one), NOW)[0].overdue == overdue


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
