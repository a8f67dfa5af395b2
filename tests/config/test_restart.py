"""When a child is started again."""

from hypothesis import given
from hypothesis import strategies as some

from config.restart import History, Policy, after_end

POLICY = Policy(first=0.5, factor=2.0, longest=10.0, calm=30.0)


def test_quick_ends_wait_twice_as_long_up_to_a_limit() -> None:
    history, waits = History(), []
    for _end in range(7):
        history = after_end(history, POLICY, started_at=100.0, now=101.0)
        waits.append(history.start_at - 101.0)
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_calm_run_forgives() -> None:
    history = after_end(History(quick_ends=5), POLICY, started_at=100.0, now=131.0)
    assert history == History(quick_ends=1, start_at=131.5)


@given(some.lists(some.floats(0, 100), max_size=200))
def test_it_never_gives_up_and_never_waits_longer_than_the_limit(lives: list[float]) -> None:
    history, now = History(), 0.0
    for life in lives:
        started, now = now, now + life
        history = after_end(history, POLICY, started_at=started, now=now)
        assert now < history.start_at <= now + POLICY.longest + 1e-6
        now = history.start_at
