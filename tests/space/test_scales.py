import math
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.space.scales import Integers, Linear, Log, ReverseLog

LARGEST, SMALLEST = sys.float_info.max, math.nextafter(0.0, 1.0)
TAME = [Linear(-3.0, 5.0), Log(1e-5, 10.0), ReverseLog(0.8, 0.999), ReverseLog(-1.0, 0.5)]
EXTREME = [
    Linear(-LARGEST, LARGEST),
    Linear(-1.0, SMALLEST),
    Linear(0.0, SMALLEST),
    Log(SMALLEST, LARGEST),
    ReverseLog(-LARGEST, math.nextafter(1.0, 0.0)),
    ReverseLog(0.0, SMALLEST),
]
INTEGERS = [
    Integers(-2, 7, Linear(-2.5, 7.5)),
    Integers(1, 10, Log(0.5, 10.5)),
    Integers(-(2**51), 2**51, Linear(-(2**51) - 0.5, 2**51 + 0.5)),
]
unit = st.floats(0.0, 1.0)


@pytest.mark.parametrize("scale", TAME + EXTREME + INTEGERS, ids=repr)
class TestEveryScale:
    def test_has_exact_ends(self, scale):
        assert (scale.value(0.0), scale.value(1.0)) == (scale.minimum, scale.maximum)

    @given(u=unit)
    def test_stays_in_its_range(self, scale, u):
        assert scale.minimum <= scale.value(u) <= scale.maximum

    @given(u=unit, v=unit)
    def test_keeps_the_order(self, scale, u, v):
        lower, higher = sorted((u, v))
        assert scale.value(lower) <= scale.value(higher)

    @given(u=unit)
    def test_a_coordinate_leads_back_to_its_value(self, scale, u):
        value = scale.value(u)
        coordinate = scale.coordinate(value)
        assert 0.0 <= coordinate <= 1.0
        assert scale.value(coordinate) == pytest.approx(value, rel=1e-9, abs=0.0 if scale in INTEGERS else 1e-12)

    @given(beyond=st.floats(allow_nan=False, allow_infinity=False))
    def test_counts_what_lies_beyond_as_the_ends(self, scale, beyond):
        assert scale.minimum <= scale.value(beyond) <= scale.maximum
        assert 0.0 <= scale.coordinate(beyond) <= 1.0


@pytest.mark.parametrize("scale", TAME, ids=repr)
@given(u=unit)
def test_coordinate_inverts_value(scale, u):
    assert scale.coordinate(scale.value(u)) == pytest.approx(u, abs=1e-9)


def test_linear_gives_equal_steps():
    assert [Linear(2.0, 10.0).value(u) for u in (0.25, 0.5, 0.75)] == [4.0, 6.0, 8.0]


def test_log_gives_each_decade_an_equal_share():
    assert [Log(1e-4, 1.0).value(u) for u in (0.25, 0.5, 0.75)] == pytest.approx([1e-3, 1e-2, 1e-1])


def test_reverse_log_gives_each_decade_of_what_is_missing_to_one_an_equal_share():
    assert [ReverseLog(0.0, 0.9999).value(u) for u in (0.25, 0.5, 0.75)] == pytest.approx([0.9, 0.99, 0.999])


def shares(scale, grid=200_000):
    counts = Counter(scale.value((cell + 0.5) / grid) for cell in range(grid))
    return {integer: count / grid for integer, count in sorted(counts.items())}


def test_linear_integers_have_equal_shares_with_both_ends():
    assert shares(Integers(-3, 8, Linear(-3.5, 8.5))) == pytest.approx(dict.fromkeys(range(-3, 9), 1 / 12), abs=1e-5)


def test_log_integers_have_the_share_of_their_whole_cell_with_both_ends():
    cells = {k: math.log((k + 0.5) / (k - 0.5)) / math.log(9.5 / 0.5) for k in range(1, 10)}
    assert shares(Integers(1, 9, Log(0.5, 9.5))) == pytest.approx(cells, abs=1e-5)
