import math

from hypothesis import given
from hypothesis import strategies as st
from study_operator.backends.local import samples
from study_operator.backends.local.samples import SampleFile, read_samples

numbers = st.floats(allow_nan=False)


@given(points=st.dictionaries(st.integers(0, 2**53), numbers, min_size=1))
def test_samples_come_back_to_the_last_digit_each_once(tmp_path_factory, points):
    path = tmp_path_factory.mktemp("run") / "samples.txt"
    series = sorted(points.items())
    half = len(series) // 2
    SampleFile(path).append({"loss": series[: half + 1]}, scraped=0)
    SampleFile(path).append({"loss": series[half:]}, scraped=0)  # another engine, and an overlap
    assert read_samples(path) == {"loss": series}


def test_a_point_without_a_time_gets_that_of_its_scrape(tmp_path):
    file = SampleFile(tmp_path / "samples.txt")
    file.append({"loss": [(None, 0.5)]}, scraped=1000)
    file.append({"loss": [(None, math.inf)]}, scraped=2000)
    assert read_samples(tmp_path / "samples.txt") == {"loss": [(1000, 0.5), (2000, math.inf)]}


def test_a_line_that_was_cut_short_costs_that_line_alone(tmp_path):
    path = tmp_path / "samples.txt"
    path.write_text("loss 1 0.5\nloss 2 0.2")
    SampleFile(path).append({"loss": [(2, 0.25), (3, 0.125)]}, scraped=0)
    assert read_samples(path) == {"loss": [(1, 0.5), (2, 0.25), (3, 0.125)]}


def test_a_trainer_that_exposes_without_end_is_kept_within_bounds(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "MOST_BYTES", 100)
    path = tmp_path / "samples.txt"
    file = SampleFile(path)
    for time in range(50):
        file.append({f"m{i}": [(time, 0.5)] for i in range(200)}, scraped=0)
    kept = read_samples(path)
    assert len(kept) == samples.MOST_SERIES
    assert {len(series) for series in kept.values()} == {1}


def test_a_clock_that_is_set_back_costs_no_point_and_keeps_step_and_value_together(tmp_path):
    path = tmp_path / "samples.txt"
    file = SampleFile(path)
    for step, scraped in enumerate([1000, 2000, 500], start=1):
        file.append({"study_step": [(None, step)], "loss": [(None, 1 / step)]}, scraped)
    kept = read_samples(path)
    assert [value for _, value in kept["loss"]] == [1, 1 / 2, 1 / 3]
    assert [time for time, _ in kept["loss"]] == [time for time, _ in kept["study_step"]] == [1000, 2000, 2001]
