"""The fewest sets that cover enough, against trying every choice there is."""

from itertools import combinations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.setcover import Work, fewest

BITS = 12
ALL = (1 << BITS) - 1
PLENTY = 10**7


def union(sets: list[int]) -> int:
    covered = 0
    for one in sets:
        covered |= one
    return covered


def smallest(sets: list[int], need: int) -> int | None:
    """How many are needed, by trying all choices; None where all together are not enough."""
    for count in range(len(sets) + 1):
        if any(union(list(some)).bit_count() >= need for some in combinations(sets, count)):
            return count
    return None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, ALL), max_size=9), st.integers(0, BITS), st.integers(0, 10))
@example([0b0111100, 0b1110000, 0b0001111], 7, 10)
def test_never_more_than_the_smallest_choice(sets: list[int], need: int, most: int) -> None:
    chosen = fewest(sets, need, most, Work(PLENTY))
    right = smallest(sets, need)
    assert len(set(chosen.ranks)) == len(chosen.ranks) <= most
    assert chosen.covered == union([sets[rank] for rank in chosen.ranks])
    assert chosen.exact == (right is not None and right <= most)
    if chosen.exact:
        assert len(chosen.ranks) == right and chosen.covered.bit_count() >= need


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, ALL), min_size=1, max_size=9), st.integers(0, 60))
def test_without_enough_work_the_best_so_far_covers_all_the_same(sets: list[int], looks: int) -> None:
    need = union(sets).bit_count()
    chosen, right = fewest(sets, need, len(sets), Work(looks)), smallest(sets, need)
    assert right is not None and chosen.covered.bit_count() == need and len(chosen.ranks) >= right
    assert not chosen.exact or len(chosen.ranks) == right


def test_what_greed_alone_gets_wrong() -> None:
    """Two rows of seven cover all; greed takes the four first columns of both, then two, then one."""
    rows = [0b0000000_1111111, 0b1111111_0000000]
    columns = [0b0001111_0001111, 0b0110000_0110000, 0b1000000_1000000]
    sets = [*columns, *rows]
    assert fewest(sets, 14, 9, Work(0)) == ((0, 1, 2), (1 << 14) - 1, False)
    assert fewest(sets, 14, 9, Work(PLENTY)) == ((3, 4), (1 << 14) - 1, True)
    assert fewest(sets, 14, 2, Work(PLENTY)) == ((3, 4), (1 << 14) - 1, True)


def test_what_came_later_can_make_the_first_superfluous() -> None:
    rows = [0b0000000_1111111, 0b1111111_0000000]
    assert fewest([0b0001111_1111000, *rows], 14, 9, Work(0)).ranks == (1, 2)


def test_of_equal_ones_the_earlier_in_the_order_of_what_each_adds() -> None:
    assert fewest([0b0011, 0b1100, 0b0011, 0b1100], 4, 4, Work(PLENTY)).ranks == (0, 1)
    assert fewest([0b0001, 0b0110, 0b0110, 0b1000], 4, 4, Work(PLENTY)).ranks == (1, 0, 3)


def test_nothing_needed_is_nothing_chosen() -> None:
    assert fewest([], 0, 4, Work(0)) == ((), 0, True)
    assert fewest([1, 2], 0, 4, Work(0)) == ((), 0, True)
    assert fewest([1, 2], 2, 0, Work(PLENTY)) == ((), 0, False)
