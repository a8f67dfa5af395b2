import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from geo import orientation

numbers = st.floats(-180.0, 180.0)
lattice = st.integers(-8, 8).map(lambda n: n * 0.1)
tiny = st.sampled_from([5e-324, 1e-310, 1e-200, -5e-324, 0.0, -0.0, 1e-17])
coordinates = st.tuples(*[st.one_of(numbers, lattice, tiny)] * 6)


@given(coordinates)
@example((0.1, 0.1, 0.3, 0.3, 0.2, 0.2))
@example((0.0, 0.0, 5e-324, 5e-324, 5e-324, 0.0))
def test_the_quick_sign_is_the_exact_one(six):
    assert orientation.side(*six) == orientation.exact_side(*six)


@given(st.lists(coordinates, min_size=1, max_size=20))
def test_many_agree_with_one(rows):
    assert orientation.sides(*np.array(rows).T).tolist() == [orientation.side(*row) for row in rows]


@given(lattice, lattice, lattice, lattice, st.floats(0.0, 1.0), st.integers(-3, 3))
def test_turning_the_edge_turns_the_answer_a_hair_from_the_line(x1, y1, x2, y2, share, hairs):
    px, py = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
    for _ in range(abs(hairs)):
        py = math.nextafter(py, math.copysign(math.inf, hairs))
    assert orientation.side(x1, y1, x2, y2, px, py) == -orientation.side(x2, y2, x1, y1, px, py)
