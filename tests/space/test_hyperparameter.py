import math
from collections import Counter
from decimal import ROUND_CEILING, ROUND_FLOOR

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.space import Choices, Hyperparameter, Kind, Range, Role, ScaleName, Value, kind_of

LAST = math.nextafter(1.0, 0.0)


@given(count=st.integers(2, 1000))
def test_the_last_choice_is_reached_and_nothing_beyond_it(count):
    choices = Choices(tuple(range(count)))
    assert (choices.value(0.0), choices.value(LAST), choices.value(1.0)) == (0, count - 1, count - 1)


def test_choices_have_equal_shares():
    counts = Counter(Choices(("a", "b", "c")).value((cell + 0.5) / 3000) for cell in range(3000))
    assert counts == {"a": 1000, "b": 1000, "c": 1000}


@given(values=st.lists(st.integers() | st.text() | st.floats(allow_nan=False), min_size=2, unique=True), data=st.data())
def test_a_choice_comes_back_from_its_coordinate_as_it_was_given(values, data):
    choices = Choices(tuple(values))
    chosen = data.draw(st.sampled_from(values))
    assert choices.value(choices.coordinate(chosen)) is chosen


def test_a_flag_is_not_the_number_that_python_takes_it_for():
    flags = Choices((1, True))
    assert [flags.position(flags.coordinate(value)) for value in (1, 1.0, True)] == [0, 0, 1]
    with pytest.raises(ValueError, match="not in list"):
        flags.coordinate(False)


@pytest.mark.parametrize(("integer", "sort"), [(True, int), (False, float)])
def test_values_are_of_the_declared_sort(integer, sort):
    domain = Range(1, 8, ScaleName.LOG, integer)
    assert [type(domain.value(u)) for u in (0.0, 0.4, 1.0)] == [sort] * 3


@pytest.mark.parametrize("read", [Range.coordinate, lambda domain, value: domain.rounded(value, 3)])
@pytest.mark.parametrize("value", ["fast", True])
def test_a_range_has_no_place_for_what_is_no_number(read, value):
    with pytest.raises(ValueError, match=f"{value!r} is not a number"):
        read(Range(0.0, 1.0), value)


@pytest.mark.parametrize(
    ("domain", "value", "down", "nearest", "up"),
    [
        (Range(0.0, 1.0), 0.034567, 0.034, 0.035, 0.035),
        (Range(-2.0, 2.0), -1.23, -1.3, -1.2, -1.2),
        (Range(0.0, 1.0), 0.0, 0.0, 0.0, 0.0),
        (Range(1e-12, 1.0, ScaleName.LOG), 1.234e-10, 1.2e-10, 1.2e-10, 1.3e-10),
        (Range(0.9, 0.999, ScaleName.REVERSE_LOG), 0.99777, 0.9977, 0.9978, 0.9978),
        (Range(0.0, 0.9999, ScaleName.REVERSE_LOG), 0.999937, 0.999937, 0.999937, 0.999937),
        (Range(0.0, 0.999, ScaleName.REVERSE_LOG), 0.0, 0.0, 0.0, 0.0),
        (Range(1, 99, integer=True), 41.5, 41, 42, 42),
    ],
)
def test_digits_are_counted_as_the_scale_does(domain, value, down, nearest, up):
    found = [domain.rounded(value, 2, ROUND_FLOOR), domain.rounded(value, 2), domain.rounded(value, 2, ROUND_CEILING)]
    assert found == [down, nearest, up]


def test_applies_where_all_parents_agree():
    definition = Hyperparameter("x", Role.FIXED, Value(1), {"optimizer": ("adam", "sgd"), "nesterov": (True,)})
    assert definition.applies({"optimizer": "sgd", "nesterov": True})
    assert not definition.applies({"optimizer": "sgd", "nesterov": 1})
    assert not definition.applies({"optimizer": "lamb", "nesterov": True})
    assert not definition.applies({"optimizer": "adam"})


def test_conventional_names_tell_the_kind():
    kinds = [Kind.LEARNING_RATE, Kind.LEARNING_RATE, Kind.BETA2, Kind.STEPS, Kind.BATCH_SIZE, None]
    names = ("learning_rate", "LR", "beta_2", "num_train_epochs", "per_device_train_batch_size", "hidden_units")
    assert [kind_of(name) for name in names] == kinds
    assert [Hyperparameter(name, Role.FIXED, Value(1)).kind for name in names] == kinds


def test_a_kind_that_is_given_goes_before_what_the_name_stands_for():
    assert Hyperparameter("alpha", Role.FIXED, Value(1), kind=Kind.LEARNING_RATE).kind is Kind.LEARNING_RATE
    assert Hyperparameter("momentum", Role.FIXED, Value(1), kind=Kind.BETA1).kind is Kind.BETA1
