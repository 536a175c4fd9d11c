from hypothesis import given
from hypothesis import strategies as st
from study_operator.samplers import study_seed, trial_seed
from study_operator.samplers.seeds import model_seed


@given(namespace=st.text(), name=st.text(), index=st.integers(0, 10**6))
def test_seeds_fit_the_generators_that_take_them(namespace, name, index):
    seed = study_seed(namespace, name)
    assert all(0 <= s < 2**31 for s in (seed, trial_seed(seed, index), model_seed(seed, index)))


def test_seeds_stay_what_they_are_across_versions():
    assert (study_seed("team", "digits"), trial_seed(7, 0), model_seed(7, 0)) == (1507241779, 1287921818, 986394952)


def test_studies_of_one_name_in_two_namespaces_differ():
    assert study_seed("a", "digits") != study_seed("b", "digits")
    assert study_seed("a", "bc") != study_seed("ab", "c")


def test_trials_of_a_study_have_seeds_of_their_own():
    assert len({trial_seed(7, index) for index in range(10_000)}) == 10_000
