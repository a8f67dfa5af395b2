"""Editions in time: exactly one is in force or none, a withdrawn one never, whatever the order and the clocks."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from operations import edition
from operations.edition import Edition

TIMES = st.integers(0, 20)


def one(number: int, valid_from: int, began: bool = False, withdrawn: bool = False) -> Edition:
    return Edition(
        number,
        f"d{number}",
        1,
        0,
        "account:a",
        valid_from,
        began_at=valid_from if began and not withdrawn else None,
        withdrawn_at=0 if withdrawn else None,
    )


LISTS = st.lists(st.tuples(TIMES, st.booleans(), st.booleans()), max_size=8).map(
    lambda drawn: [one(number, *values) for number, values in enumerate(drawn, 1)]
)


@given(LISTS, TIMES)
def test_the_one_in_force_is_the_last_that_began(found: list[Edition], now: int) -> None:
    present = edition.in_force(found, now)
    living = [other for other in found if other.withdrawn_at is None]
    begun = [other for other in living if other.valid_from <= now or other.began_at is not None]
    if not begun:
        assert present is None
        return
    assert present in begun
    assert all((other.valid_from, other.id) <= (present.valid_from, present.id) for other in begun)


@given(LISTS, TIMES, st.randoms())
def test_the_order_of_the_list_plays_no_part(found: list[Edition], now: int, random: object) -> None:
    mixed = sorted(found, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert edition.in_force(found, now) == edition.in_force(mixed, now)


@given(LISTS, TIMES, TIMES)
def test_time_goes_one_way(found: list[Edition], now: int, later: int) -> None:
    """What begins later never gives way to what began earlier."""
    first, second = (edition.in_force(found, at) for at in sorted((now, later)))
    if first is not None:
        assert second is not None and (first.valid_from, first.id) <= (second.valid_from, second.id)


@given(LISTS, TIMES, st.integers(-30, 0))
def test_what_is_written_down_as_begun_stays_for_a_clock_that_lags(found: list[Edition], now: int, lag: int) -> None:
    noted = [structs.replace(each, began_at=now) if each in edition.due(found, now) else each for each in found]
    assert edition.due(noted, now) == []
    here, there = edition.in_force(found, now), edition.in_force(noted, now + lag)
    assert (here and here.id) == (there and there.id)


@given(LISTS, TIMES)
def test_what_is_imported_now_is_in_force_now_and_what_is_to_come_follows(found: list[Edition], now: int) -> None:
    start = edition.begins(found, None, now)
    made = structs.replace(one(len(found) + 1, start), began_at=now)
    noted = [structs.replace(each, began_at=now) if each in edition.due(found, now) else each for each in found]
    begun = [each for each in noted if each.began_at is not None and each.valid_from > start]
    assert begun or edition.in_force([*noted, made], now) == made
    ahead = edition.coming(noted, now)
    assert [each.valid_from for each in ahead] == sorted(each.valid_from for each in ahead)
    if ahead:
        assert edition.in_force([*noted, made], ahead[0].valid_from).valid_from == max(ahead[0].valid_from, start)  # type: ignore[union-attr]


@given(LISTS, TIMES)
def test_a_withdrawn_one_is_never_in_force(found: list[Edition], now: int) -> None:
    for number, each in enumerate(found):
        gone = [*found[:number], structs.replace(each, withdrawn_at=0, began_at=None), *found[number + 1 :]]
        present = edition.in_force(gone, now)
        assert present is None or present.id != each.id
        assert each.id not in [other.id for other in [*edition.coming(gone, now), *edition.due(gone, now)]]
