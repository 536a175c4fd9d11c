from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from study_trainer.exposition import STEP_METRIC, render_exposition
from study_trainer.history import History

NAMES = ["validation_error", "train_loss", "x_total", "x_count", "x_bucket", "x"]

reports = st.tuples(
    st.integers(0, 3_000_000_000_000),
    st.integers(0, 2**53),
    st.dictionaries(st.sampled_from(NAMES), st.floats(width=64), min_size=1),
)


def add_all(history, all_reports):
    for now, step, values in all_reports:
        history.add(now, step, values)


def samples(text):
    return {family.name: family.samples for family in text_string_to_metric_families(text)}


@given(events=st.lists(st.one_of(reports, st.sampled_from(["answered", "lost"])), max_size=60))
def test_every_point_is_answered_twice_and_no_more_whatever_is_lost(events):
    history, answers, reported = History(), [], set()

    def scrape(answered):
        exposition = history.exposition()
        if answered:
            history.answered(exposition)
            answers.extend((metric, point) for metric, points in exposition.points.items() for point in points)

    for number, event in enumerate(events):
        if isinstance(event, str):
            scrape(event == "answered")
        else:
            now, _, values = event
            history.add(now, number, values)
            reported.update((metric, number) for metric in values)
    scrape(answered=True)
    assert history.complete
    scrape(answered=True)
    assert not any(history.exposition().points.values())
    assert sorted((metric, point.step) for metric, point in answers) == sorted([*reported, *reported])


@given(all_reports=st.lists(reports, min_size=1, max_size=20))
def test_an_exposition_reads_back_bit_for_bit(all_reports):
    history = History()
    add_all(history, all_reports)
    read = samples(render_exposition(history.exposition()).decode())
    steps = {str(sample.timestamp): sample.value for sample in read[STEP_METRIC]}
    for name in {name for _, _, values in all_reports for name in values}:
        expected = [(float(step), repr(values[name])) for _, step, values in all_reports if name in values]
        assert [(steps[str(sample.timestamp)], repr(sample.value)) for sample in read[name]] == expected


@given(all_reports=st.lists(reports, min_size=2, max_size=20))
def test_times_rise_though_the_clock_jumps_back(all_reports):
    history = History()
    add_all(history, all_reports)
    times = [time for time, _ in history.exposition().steps]
    assert len(times) == len(all_reports) and times == sorted(set(times))


@given(now=st.integers(1_600_000_000_000, 2_000_000_000_000))
def test_prometheus_reads_the_very_millisecond(now):
    history = History()
    history.add(now, 1, {"x": 1.0})
    seconds = render_exposition(history.exposition()).decode().splitlines()[2].split()[2]
    assert int(float(seconds) * 1000) == now, "Prometheus truncates binary seconds to milliseconds"


def test_a_metric_that_is_reported_often_does_not_displace_one_that_is_reported_rarely():
    history = History(backlog=10)
    history.add(0, 0, {"rare": 0.5, "often": 1.0})
    for step in range(1, 1000):
        history.add(step, step, {"often": 1.0})
    exposition = history.exposition()
    assert [point.step for point in exposition.points["often"]] == list(range(990, 1000))
    assert [step for _, step in exposition.steps] == [0, *range(990, 1000)]


def test_two_scrapes_at_once_lose_nothing():
    history = History()
    history.add(1, 1, {"x": 1.0})
    earlier = history.exposition()
    history.add(2, 2, {"x": 2.0})
    later = history.exposition()
    history.answered(later)
    history.answered(earlier)
    assert [point.step for point in history.exposition().points["x"]] == [2]
