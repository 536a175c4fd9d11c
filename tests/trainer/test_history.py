from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from study_trainer.exposition import STEP_METRIC, render_exposition
from study_trainer.history import LATE, SCRAPERS, History

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


SERVERS = ["first", "second", "third"]
events = st.one_of(
    st.integers(0, 2 * LATE),  # milliseconds until a report
    st.tuples(st.sampled_from(SERVERS), st.booleans()),  # a scrape, and whether it was answered
)


@given(events=st.lists(events, max_size=60))
def test_each_scraper_sees_every_point_twice_whoever_else_scrapes_and_whatever_is_lost(events):
    history, now, times = History(), 0, []
    seen = {scraper: [] for scraper in SERVERS}
    came_at = {}

    def scrape(scraper, answered):
        exposition = history.exposition(scraper)
        if answered:
            history.answered(scraper, exposition)
            seen[scraper].extend(point.time for point in exposition.points.get("x", ()))
            came_at.setdefault(scraper, now)

    for event in events:
        if isinstance(event, tuple):
            scrape(*event)
        else:
            now = max(now + event, now + 1)
            history.add(now, len(times), {"x": 0.5})
            times.append(now)
    for scraper in [*SERVERS, *SERVERS]:
        scrape(scraper, answered=True)
    assert history.complete
    for scraper, points in seen.items():
        assert set(points) >= {time for time in times if time >= came_at[scraper] - LATE}
        assert all(points.count(time) == 2 for time in points)
        assert not any(history.exposition(scraper).points.values())


def shown(history, scraper):
    return [point.step for point in history.exposition(scraper).points.get("x", ())]


def scrape(history, scraper):
    history.answered(scraper, history.exposition(scraper))


def test_a_curl_between_two_scrapes_costs_prometheus_nothing():
    history = History()
    for step in range(1, 6):
        history.add(2 * LATE * step, step, {"x": 0.5})
        assert shown(history, "prometheus") == [step - 1, step][-step:]
        scrape(history, "prometheus")
        for _ in range(3):
            scrape(history, f"curl {step}")


def test_a_server_that_was_forgotten_among_many_misses_nothing_that_is_kept():
    history = History()
    history.add(1, 1, {"x": 0.5})
    scrape(history, "prometheus")
    scrape(history, "prometheus")
    history.add(2, 2, {"x": 0.5})
    for number in range(SCRAPERS):
        scrape(history, f"curl {number}")
    assert shown(history, "prometheus") == [1, 2]


def test_a_point_that_all_have_read_twice_is_kept_for_a_server_that_comes_late_but_not_for_ever():
    history = History()
    history.add(0, 0, {"x": 0.5})
    history.add(1, 1, {"x": 0.5})
    scrape(history, "first")
    scrape(history, "first")
    assert shown(history, "first") == [] and shown(history, "second") == [0, 1]
    history.add(LATE + 1, 2, {"x": 0.5})
    scrape(history, "first")
    assert shown(history, "second") == [1, 2]


class TestTheHistoryIsComplete:
    def test_without_a_report(self):
        assert History().complete

    def test_for_a_short_trial_when_anybody_has_read_it(self):
        history = History()
        history.add(1, 1, {"x": 0.5})
        assert not history.complete
        scrape(history, "prometheus")
        assert history.complete

    def test_when_each_that_comes_regularly_has_read_it(self):
        history = History()
        for step in range(4):
            history.add(step, step, {"x": 0.5})
            scrape(history, "first")
            if step % 2:
                scrape(history, "second")
        history.add(4, 4, {"x": 0.5})
        for scraper in ("curl", "first"):
            scrape(history, scraper)
            assert not history.complete
        scrape(history, "second")
        assert history.complete

    def test_without_those_that_have_gone(self):
        history = History()
        for scraper in ("before a restart", "before a restart", *["since"] * SCRAPERS):
            history.add(1, 1, {"x": 0.5})
            scrape(history, scraper)
        assert history.complete


@given(all_reports=st.lists(reports, min_size=1, max_size=20))
def test_an_exposition_reads_back_bit_for_bit(all_reports):
    history = History()
    add_all(history, all_reports)
    read = samples(render_exposition(history.exposition("prometheus")).decode())
    steps = {str(sample.timestamp): sample.value for sample in read[STEP_METRIC]}
    for name in {name for _, _, values in all_reports for name in values}:
        expected = [(float(step), repr(values[name])) for _, step, values in all_reports if name in values]
        assert [(steps[str(sample.timestamp)], repr(sample.value)) for sample in read[name]] == expected


@given(all_reports=st.lists(reports, min_size=2, max_size=20))
def test_times_rise_though_the_clock_jumps_back(all_reports):
    history = History()
    add_all(history, all_reports)
    times = [time for time, _ in history.exposition("prometheus").steps]
    assert len(times) == len(all_reports) and times == sorted(set(times))


@given(now=st.integers(1_600_000_000_000, 2_000_000_000_000))
def test_prometheus_reads_the_very_millisecond(now):
    history = History()
    history.add(now, 1, {"x": 1.0})
    seconds = render_exposition(history.exposition("prometheus")).decode().splitlines()[2].split()[2]
    assert int(float(seconds) * 1000) == now, "Prometheus truncates binary seconds to milliseconds"


def test_a_metric_that_is_reported_often_does_not_displace_one_that_is_reported_rarely():
    history = History(backlog=10)
    history.add(0, 0, {"rare": 0.5, "often": 1.0})
    for step in range(1, 1000):
        history.add(step, step, {"often": 1.0})
    exposition = history.exposition("prometheus")
    assert [point.step for point in exposition.points["often"]] == list(range(990, 1000))
    assert [step for _, step in exposition.steps] == [0, *range(990, 1000)]


def test_two_scrapes_at_once_lose_nothing():
    history = History()
    history.add(1, 1, {"x": 1.0})
    earlier = history.exposition("prometheus")
    history.add(2, 2, {"x": 2.0})
    later = history.exposition("prometheus")
    history.answered("prometheus", later)
    history.answered("prometheus", earlier)
    assert [point.step for point in history.exposition("prometheus").points["x"]] == [2]
