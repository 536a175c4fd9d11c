import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.api import InvalidRecord, scalar_from_text, scalar_text, trial_from_manifest, trial_to_manifest
from study_operator.api.study import ObjectMeta
from study_operator.api.trial import Trial as TrialModel
from study_operator.results.trial import (
    Checkpoint,
    Curve,
    CurveDiagnostics,
    MetricSummary,
    Period,
    Purpose,
    Sample,
    Source,
    Trend,
    Trial,
    TrialSpec,
    TrialState,
    TrialStatus,
)
from study_operator.scalar import identity

STUDY = ObjectMeta.model_validate({"name": "digits", "namespace": "lab", "uid": "u-1"})

finite = st.floats(allow_nan=False, allow_infinity=False)
number = st.floats(allow_nan=False)
steps = st.integers(-(2**63), 2**63 - 1)
scalars = st.booleans() | st.integers() | finite | st.text(max_size=20)
metrics = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,10}", fullmatch=True)
samples = st.builds(Sample, st.none() | steps, number)
statistics = st.floats(-1e300, 1e300)
shares = st.floats(0, 1)
trends = st.none() | st.builds(Trend, st.floats(-100, 100), statistics, steps)
diagnoses = st.builds(
    CurveDiagnostics,
    st.integers(1, 2**53),
    statistics,
    statistics,
    st.none() | st.floats(0, 1e300),
    trends,
    trends,
    trends,
    st.none() | steps,
    st.none() | steps,
    st.none() | st.builds(Period, steps, shares, shares),
    st.floats(0, 1e300),
    st.integers(0, 2**53),
)
summaries = st.builds(MetricSummary, st.integers(0, 2**53), samples, st.none() | samples, st.none() | samples)
words = st.text(max_size=20)
times = st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    points = draw(st.lists(st.tuples(steps, finite), max_size=48))
    return Curve(tuple(step for step, _ in points), tuple(value for _, value in points))


specs = st.builds(
    TrialSpec,
    st.just("digits"),
    st.integers(0, 100_099),
    st.integers(0, 999),
    st.sampled_from(Purpose),
    st.lists(st.floats(0, 1), max_size=8).map(tuple),
    st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True), scalars, max_size=5),
    st.integers(0, 2**31 - 1),
    st.none() | st.integers(0, 99_999),
)
statuses = st.builds(
    TrialStatus,
    st.sampled_from(TrialState),
    words,
    words,
    st.none() | samples,
    st.dictionaries(metrics, summaries, max_size=3),
    st.dictionaries(metrics, curves(), max_size=3),
    st.lists(metrics, max_size=3).map(tuple),
    st.none() | st.sampled_from(Source),
    st.none() | st.builds(Checkpoint, steps, number, words),
    words,
    words,
    words,
    times,
    times,
    st.lists(words, max_size=3).map(tuple),
    st.dictionaries(metrics, diagnoses, max_size=3),
)


@given(st.builds(Trial, specs, statuses))
def test_a_trial_comes_back_from_json_as_it_was(trial: Trial) -> None:
    assert trial_from_manifest(json.loads(json.dumps(trial_to_manifest(trial, STUDY)))) == trial


@given(st.builds(Trial, specs, statuses))
def test_what_is_written_is_what_the_schema_describes(trial: Trial) -> None:
    text = json.dumps(trial_to_manifest(trial, STUDY), allow_nan=False)
    model = TrialModel.model_validate_json(text)
    assert model.spec.index == trial.spec.index
    assert model.status.attempts == trial.status.attempts


def test_a_number_that_is_not_finite_survives() -> None:
    status = TrialStatus(metrics={"loss": MetricSummary(1, Sample(1, float("nan")), None, None)})
    manifest = trial_to_manifest(Trial(TrialSpec("s", 0, 0, Purpose.SEARCH, (), {}, 0), status), STUDY)
    assert json.loads(json.dumps(manifest))["status"]["metrics"]["loss"]["final"] == {"value": "nan", "step": 1}
    read = trial_from_manifest(manifest).status.metrics["loss"].final.value
    assert read != read


@given(scalars)
def test_a_value_comes_back_from_its_text_with_its_type(value: str | int | float | bool) -> None:
    read = scalar_from_text(scalar_text(value))
    assert (identity(read), type(read)) == (identity(value), type(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [("adam", "adam"), ("1", "'1'"), ("True", "'True'"), (True, "True"), (1, "1"), (1e-3, "0.001"), ("nan", "'nan'")],
)
def test_a_text_stands_as_it_is_unless_it_could_be_something_else(value: str | int | float, text: str) -> None:
    assert scalar_text(value) == text


@given(st.text(max_size=10))
def test_any_text_reads_as_some_value(text: str) -> None:
    assert isinstance(scalar_from_text(text), str | int | float | bool)


def test_a_trial_is_owned_by_its_study_and_found_by_its_labels() -> None:
    trial = Trial(TrialSpec("digits", 12, 1, Purpose.SEARCH, (0.5,), {"lr": 0.1}, 3), TrialStatus())
    metadata = trial_to_manifest(trial, STUDY)["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("digits-12", "lab")
    assert metadata["labels"] == {
        "tuning.study/study": "digits",
        "tuning.study/trial": "12",
        "tuning.study/arm": "1",
        "tuning.study/study-uid": "u-1",
    }
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == (
        "Study",
        "u-1",
        True,
        True,
    )


def test_a_trial_of_a_folder_has_no_owner() -> None:
    trial = Trial(TrialSpec("digits", 0, 0, Purpose.SEARCH, (), {}, 3), TrialStatus())
    manifest = trial_to_manifest(trial, ObjectMeta.model_validate({"name": "digits"}))
    assert "ownerReferences" not in manifest["metadata"]


def test_a_record_without_a_status_is_pending() -> None:
    spec = {"study": "s", "index": 1, "arm": 0, "point": [], "parameters": {}, "seed": 0}
    assert trial_from_manifest({"spec": spec}).status == TrialStatus()


@pytest.mark.parametrize("manifest", [{}, {"spec": None}, {"spec": {"study": "s", "index": "x"}}, {"spec": []}, []])
def test_a_broken_record_is_refused_in_one_way(manifest: object) -> None:
    with pytest.raises(InvalidRecord):
        trial_from_manifest(manifest)  # type: ignore[arg-type]


def test_times_keep_their_instant_in_any_zone() -> None:
    spec = {"study": "s", "index": 1, "arm": 0, "point": [], "parameters": {}, "seed": 0}
    status = {"startTime": "2026-01-01T12:00:00.123456789+02:00"}
    started = trial_from_manifest({"spec": spec, "status": status}).status.started
    assert started == datetime(2026, 1, 1, 10, tzinfo=UTC) + timedelta(microseconds=123456)
