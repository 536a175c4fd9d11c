import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.rounds import next_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("digits", "digits-r2"), ("digits-r1", "digits-r2"), ("digits-r9", "digits-r10"), ("r1", "r1-r2")],
)
def test_the_number_of_the_round_goes_up(name: str, expected: str) -> None:
    assert next_name(name, 52) == expected


@given(st.from_regex(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?", fullmatch=True))
def test_a_name_stays_one_however_long(name: str) -> None:
    following = next_name(name, 47)
    assert following != name
    assert len(following) <= 47
    assert not following.startswith("-")
