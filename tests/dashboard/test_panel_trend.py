from dashboard.panels import trend
from tests.dashboard.panel_board import HOUR, MINUTE, NOW, WORDS, ZONE, board, incident

DAY = 24 * 60


def test_today_against_the_median_of_the_same_hours() -> None:
    counts = {1: 2, 2: 4, 3: 9, 4: 0, 5: 4, 6: 4, 7: 4}  # reports of the hour from 9 on, by days back
    past = [incident(f"{day}-{n}", minutes=day * DAY + 60) for day, count in counts.items() for n in range(count)]
    found = board(*past, incident("now", minutes=5), incident("before", minutes=65))
    hours = trend.rows(found, NOW, ZONE)
    assert [hours[9].today, hours[9].usual, hours[9].days] == [1, 4, 7]
    assert hours[10].today == 1
    assert hours[11].today is None


def test_days_before_the_first_report_are_not_zeros() -> None:
    hours = trend.rows(board(incident("a", minutes=2 * DAY)), NOW, ZONE)
    assert [hour.days for hour in hours] == [1] * 10 + [2] * 14
    fresh = trend.rows(board(incident("a", minutes=3)), NOW, ZONE)
    assert {hour.usual for hour in fresh} == {None}
    note = trend.render(board(incident("a", minutes=3)), NOW, WORDS)["wall-trend-usual"]["children"]
    assert note == WORDS.text("wall.trend.no_usual")
    assert [hour.today for hour in fresh] == [None] * 10 + [1] + [None] * 13


def test_the_hour_that_runs_is_a_point_apart() -> None:
    figure = trend.render(board(incident("a", minutes=5)), NOW, WORDS)[trend.GRAPH]["figure"]
    _usual, done, so_far = figure["data"]
    assert max(done["x"]) == 9
    assert (so_far["x"], so_far["y"]) == ([10], [1])
    assert "color" not in str(figure).replace("bgcolor", "")


def test_ticks_are_few_and_round() -> None:
    assert [trend.ticks(ceiling) for ceiling in (4, 28, 100, 4321)] == [
        [0, 2, 4], [0, 10, 20], [0, 50, 100], [0, 2000, 4000],
    ]  # fmt: skip


def test_nothing_in_a_week_is_said() -> None:
    assert trend.render(board(), NOW, WORDS)["wall-trend"]["data-state"] == "empty"
    assert trend.render(board(incident("a", minutes=HOUR // MINUTE)), NOW, WORDS)["wall-trend"]["data-state"] == ""
