import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from config.words import Words
from geo import heat
from geo.grid import DEDICATED, Grid, chains
from tests.geo.cities import general

SINCE, UNTIL = 1_700_000_000_000_000, 1_700_000_900_000_000
HERE = box(0, 0, 1, 1)
CITY = [
    general("1", HERE, 1),
    general("11", HERE, 2, "1"),
    general("12", HERE, 2, "1", 8_000),
    general("111", HERE, 3, "11", 900),
    general("112", HERE, 3, "11", 1_100),
    general("121", HERE, 3, "12", 6_000),
    general("122", HERE, 3, "12"),
    Grid("x", "", DEDICATED, 4, "111", HERE),
]


def test_counts_rise_to_every_ancestor_and_none_is_lost():
    counts = {"111": 3, "121": 2, "12": 1, "": 4, "gone": 5}
    rolled = heat.rollup(counts, chains(CITY))
    assert rolled == {"1": 6, "11": 3, "111": 3, "12": 3, "121": 2, heat.UNPLACED: 4, heat.EARLIER: 5}


def test_grids_that_are_no_more_are_counted_for_their_heirs():
    counts = {"111": 3, "old": 2, "split": 1, "gone": 4}
    rolled = heat.rollup(counts, chains(CITY), {"old": "112", "split": "11", "gone": "nobody"})
    assert rolled == {"1": 6, "11": 6, "111": 3, "112": 2, heat.EARLIER: 4}


@given(st.dictionaries(st.sampled_from(["111", "112", "121", "122", "12", "1", "", "gone"]), st.integers(0, 1000)))
def test_the_root_the_earlier_and_the_unplaced_sum_to_what_came_in(counts):
    rolled = heat.rollup(counts, chains(CITY), {"gone": "11"} if counts.get("12", 0) % 2 else {})
    assert rolled.get("1", 0) + rolled.get("", 0) + rolled.get(heat.EARLIER, 0) == sum(counts.values())
    assert rolled.get("", 0) == counts.get("", 0)


def test_populations_are_summed_only_where_every_child_has_one():
    people = heat.populations(CITY)
    assert people == {"1": 10_000, "11": 2_000, "12": 8_000, "111": 900, "112": 1_100, "121": 6_000, "122": None}


def test_counts_on_grids_and_rates_above():
    shown = heat.figures({"1": 5, "11": 3, "111": 3}, CITY, since_at=SINCE, until_at=UNTIL, least_population=5_000)
    assert "x" not in shown
    assert (shown["111"].basis, shown["111"].value) == (heat.COUNT, 3)
    assert (shown["11"].basis, shown["11"].value, shown["11"].population) == (heat.RATE, 15.0, 2_000)
    assert (shown["1"].basis, shown["1"].value) == (heat.RATE, 5.0)
    assert (shown["121"].basis, shown["121"].value) == (heat.RATE, 0.0)  # a grid of 6,000 people
    assert (shown["122"].basis, shown["122"].population) == (heat.COUNT, None)
    assert (shown["11"].since_at, shown["11"].until_at) == (SINCE, UNTIL)


@pytest.mark.parametrize("people", [None, 0])
def test_no_population_is_said_and_the_count_is_shown(people):
    city = [general("1", HERE, 1, population=people), general("11", HERE, 2, "1")]
    figure = heat.figures({"1": 7}, city, since_at=SINCE, until_at=UNTIL, least_population=5_000)["1"]
    assert (figure.basis, figure.value, figure.count) == (heat.NO_POPULATION, 7.0, 7)
    assert Words("zh").text(figure.text_code) == "无人口数"


def test_the_least_population_is_a_choice():
    shown = heat.figures({"111": 9}, CITY, since_at=SINCE, until_at=UNTIL, least_population=500)
    assert (shown["111"].basis, shown["111"].value) == (heat.RATE, 100.0)


@pytest.mark.parametrize("basis", [heat.COUNT, heat.RATE, heat.NO_POPULATION])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_basis_has_its_words(basis, lang):
    assert f"geo.heat.{basis}" in Words(lang)
