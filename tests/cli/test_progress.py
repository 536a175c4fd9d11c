import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console
from study_operator.cli.progress import Progress
from study_operator.cli.table import age_text, duration_text, short, varied_names
from study_operator.cli.views import PlainView
from study_operator.results.trial import Trial, TrialState, TrialStatus

from tests.local.engines import spec

START = datetime(2026, 1, 1, tzinfo=UTC)


def ended(index, seconds=10.0):
    return Trial(
        spec(index), TrialStatus(TrialState.SUCCEEDED, started=START, finished=START + timedelta(seconds=seconds))
    )


def test_a_trial_ends_once():
    progress = Progress(4, 2)
    assert progress.note(ended(0))
    assert not progress.note(ended(0))
    assert not progress.note(Trial(spec(1), TrialStatus(TrialState.RUNNING)))
    assert progress.done == 1


def test_nothing_is_promised_before_the_first_end():
    assert Progress(4, 2).time_left([timedelta(seconds=5)]) is None


def test_the_rest_is_counted_in_rounds_of_the_parallelism():
    progress = Progress(10, 2, [ended(0), ended(1)])
    running = [timedelta(seconds=4), timedelta(seconds=6)]
    assert progress.time_left(running) == timedelta(seconds=6 + 3 * 10)


def test_a_trial_that_takes_longer_than_usual_does_not_turn_time_back():
    assert Progress(2, 2, [ended(0)]).time_left([timedelta(hours=1)]) == timedelta()


def test_a_line_of_progress_tells_one_count_where_the_status_lags_behind_the_trials():
    told = io.StringIO()
    view = PlainView(Console(file=told), Progress(4, 1))
    view.trial_written(ended(0))
    view.status_written({"state": "Running", "progress": "0/4", "trials": {"planned": 4}})
    view.status_written({"state": "Running", "progress": "1/4", "trials": {"planned": 4, "failed": 1}})
    assert [line for line in told.getvalue().splitlines() if "%" in line] == ["20%: Running 1/4, about 30 s left"]


@pytest.mark.parametrize(
    ("seconds", "text", "age"),
    [(3, "3 s", "3s"), (300, "5 min", "5m"), (12_000, "3 h 20 min", "3h"), (864_000, "240 h 0 min", "10d")],
)
def test_durations_read_as_a_person_says_them(seconds, text, age):
    assert (duration_text(timedelta(seconds=seconds)), age_text(timedelta(seconds=seconds))) == (text, age)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.0031622776601683794", "0.003162"),
        ("64", "64"),
        ("adam", "adam"),
        ("-3", "-3"),
        ("nan", "nan"),
        ("True", "true"),
    ],
)
def test_numbers_are_shortened_and_texts_are_not(text, shown):
    assert short(text) == shown


def test_a_ranking_shows_what_differs():
    rows = [{"a": "1", "b": "x"}, {"a": "2", "b": "x", "c": "3"}]
    assert varied_names(rows) == ["a", "c"]
    assert varied_names(rows[:1]) == ["a", "b"]
