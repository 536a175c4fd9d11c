import json
import math
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from study_operator.metrics.termination import RecordInvalid, parse_record
from study_operator.results.curve import fingerprint, summarize
from study_operator.results.taxonomy import Record, RecordedMetric
from study_operator.results.trial import Checkpoint, Curve, MetricSummary, Sample, TrialState
from study_trainer.checkpoints import Checkpoint as WrittenCheckpoint
from study_trainer.endings import Ending
from study_trainer.record import Summary, render_record

CONTRACT = """
{"schema": 1, "state": "Succeeded", "reason": "Completed", "message": "Done.", "step": 600,
 "metrics": {"validation_error": {"count": 60, "final": [600, 0.0311], "minimum": [520, 0.0289], "maximum": [10, 0.91],
             "sha256": "%s"}},
 "checkpoints": [{"step": 520, "value": 0.0289, "path": "checkpoints/000520"}]}
""" % ("0f" * 32)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["NaN", "Succeeded"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = ["schema", "state", "reason", "message", "step", "metrics", "checkpoints"]
metric_fields = ["count", "final", "minimum", "maximum", "sha256"]
points = st.lists(st.tuples(st.integers(0, 2**53), st.floats()), min_size=1, max_size=30)
names = st.from_regex(r"(?!study_)[a-zA-Z_][a-zA-Z0-9_]{0,62}", fullmatch=True)


def test_reads_the_record_of_the_contract():
    assert parse_record(CONTRACT) == Record(
        TrialState.SUCCEEDED,
        "Completed",
        "Done.",
        600,
        {
            "validation_error": RecordedMetric(
                MetricSummary(60, Sample(600, 0.0311), Sample(520, 0.0289), Sample(10, 0.91)), "0f" * 32
            )
        },
        (Checkpoint(520, 0.0289, "checkpoints/000520"),),
    )


@given(
    st.dictionaries(names, points, max_size=16),
    st.text(max_size=256),
    st.lists(st.tuples(st.integers(0, 2**53), st.floats(allow_nan=False, allow_infinity=False)), max_size=5),
)
def test_reads_whatever_the_sdk_writes_to_the_last_digit(curves, message, checkpoints):
    summaries = {name: Summary() for name in curves}
    for name, reported in curves.items():
        for step, value in reported:
            summaries[name].add(step, value)
    ending = Ending("Infeasible", "Diverged", message, 65)
    written = [WrittenCheckpoint(step, value, f"checkpoints/{step}") for step, value in checkpoints]
    record = parse_record(render_record(ending, 7, summaries, written).decode())
    assert (record.state, record.reason, record.step) == (TrialState.INFEASIBLE, "Diverged", 7)
    assert record.metrics.keys() == curves.keys()
    for name, reported in curves.items():
        curve = Curve(*zip(*reported, strict=True))
        recorded, summary = record.metrics[name], summarize(curve)
        assert repr(recorded.summary.final) == repr(summary.final)
        if recorded.sha256 is not None:  # else it was left out to fit, and the extremes perhaps with it
            assert recorded.sha256 == fingerprint(curve)
            assert repr(recorded.summary) == repr(summary)


def test_a_record_written_by_hand_may_be_a_bare_number():
    record = parse_record('{"metrics": {"error": 0.25}}')
    final = Sample(None, 0.25)
    assert record == Record(metrics={"error": RecordedMetric(MetricSummary(1, final, final, final), final_only=True)})


def test_what_is_not_finite_is_written_as_a_string():
    metrics = parse_record('{"metrics": {"a": "NaN", "b": {"count": 2, "final": [1, "-Infinity"]}}}').metrics
    assert math.isnan(metrics["a"].summary.final.value) and metrics["a"].summary.minimum is None
    assert metrics["b"].summary == MetricSummary(2, Sample(1, -math.inf), None, None)


def test_a_record_shortened_to_fit_ranks_by_the_best_point_it_still_has():
    metric = parse_record('{"metrics": {"a": {"count": 9, "final": [90, 0.5], "minimum": [40, 0.25]}}}').metrics["a"]
    assert metric.summary == MetricSummary(9, Sample(90, 0.5), Sample(40, 0.25), Sample(90, 0.5))


def test_words_are_made_fit_for_a_status():
    record = parse_record('{"reason": "A\\u001b[31m", "message": "one\\ntwo \\ud800", "metrics": {}}')
    assert (record.reason, record.message) == ("A [31m", "one two")


def test_a_checkpoint_without_a_finite_value_is_a_candidate_for_nothing():
    checkpoints = '[{"step": 1, "value": "NaN", "path": "a"}, {"step": 2, "value": 1, "path": "b"}]'
    assert parse_record(f'{{"checkpoints": {checkpoints}}}').checkpoints == (Checkpoint(2, 1.0, "b"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'is not a record but ends with ""'),
        ("Traceback:\n  ...\nKeyError: 'x'\n", "is not a record but ends with \"KeyError: 'x'\""),
        ("{" + " " * 20_000, "has 20001 characters; at most 16384 are read"),
        (CONTRACT.strip()[:200], "It seems to have been cut off"),
        ('{"metrics": {}', "It seems to have been cut off"),
        ('{"a": ' * 2500 + "1", "nested too deeply"),
        ('{"metrics": {"a": 1, "a": 2}}', 'has "a" twice'),
        ('{"metrics": {"a": NaN}}', 'a bare NaN, which JSON lacks: write it as the string "NaN"'),
        (f'{{"metrics": {{"a": {"9" * 5000}}}}}', "a number with too many digits"),
        (f'{{"metrics": {{"a": {"9" * 400}}}}}', "'s metrics.a is 9999"),
        ('{"metrics": {"a": 1e400}}', "expected a number that a 64-bit float holds"),
        ('{"metrics": {"a": true}}', "'s metrics.a is true; expected a number"),
        ('{"metrics": {"a": "0.5"}}', '\'s metrics.a is "0.5"; expected a number'),
        ('{"metrics": {"a": {}}}', "'s metrics.a has no `final`"),
        ('{"metrics": {"a": {"final": null}}}', "'s metrics.a has no `final`"),
        ('{"metrics": {"a": {"final": [1, 2, 3]}}}', "'s metrics.a.final is [1, 2, 3]; expected [step, value]"),
        ('{"metrics": {"a": {"final": [1.5, 2]}}}', "'s metrics.a.final is 1.5; expected an integer"),
        ('{"metrics": {"a": {"final": [1e300, 2]}}}', "expected a step of at most 2**53"),
        ('{"metrics": {"a": {"final": 1, "count": 0}}}', "'s metrics.a.count is 0; expected a number of points"),
        ('{"metrics": {"a": {"final": 1, "sha256": "xyz"}}}', '\'s metrics.a.sha256 is "xyz"; expected 64 hexadecimal'),
        ('{"metrics": {"no-name": 1}}', 'is "no-name"; expected metric names'),
        ('{"metrics": {"study_step": 1}}', 'is "study_step"; expected metric names'),
        ('{"metrics": []}', "'s metrics is []; expected an object"),
        ('{"state": "Running"}', '\'s state is "Running"; expected Succeeded, Infeasible or Failed'),
        ('{"state": 1}', "'s state is 1; expected a string"),
        ('{"schema": 2}', "'s schema is 2; expected 1"),
        ('{"schema": true}', "'s schema is true; expected an integer"),
        ('{"step": false}', "'s step is false; expected an integer"),
        ('{"checkpoints": {}}', "'s checkpoints is {}; expected a list"),
        ('{"checkpoints": [1]}', "'s checkpoints[0] is 1; expected an object"),
        ('{"checkpoints": [{"step": 1, "value": 1, "path": "a\\u0007"}]}', "expected a path"),
    ],
)
def test_tells_what_is_wrong_where(text, message):
    with pytest.raises(RecordInvalid) as refusal:
        parse_record(text)
    assert message in str(refusal.value)
    assert len(str(refusal.value)) < 512


@given(st.text(st.characters(), max_size=200) | st.text(max_size=200).map(lambda text: "{" + text))
def test_raises_nothing_else_for_any_text(text):
    with suppress(RecordInvalid):
        assert parse_record(text)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(fields, json_values)
        | {
            "metrics": st.dictionaries(
                names, json_values | st.fixed_dictionaries({}, optional=dict.fromkeys(metric_fields, json_values))
            ),
        },
    )
)
@example({"metrics": {"a": {"final": [None, 1], "count": 10**400}}})
def test_raises_nothing_else_for_any_json_and_lets_only_fit_values_through(document):
    try:
        record = parse_record(json.dumps(document))
    except RecordInvalid as refusal:
        assert str(refusal).isprintable()
    else:
        assert json.dumps(record.message, ensure_ascii=False).encode()
        for metric in record.metrics.values():
            assert type(metric.summary.final.value) is float
            assert metric.summary.minimum is None or math.isfinite(metric.summary.minimum.value)


@given(st.integers(0, len(CONTRACT)))
def test_a_record_cut_off_anywhere_is_refused(length):
    if length < len(CONTRACT.rstrip()):
        with pytest.raises(RecordInvalid):
            parse_record(CONTRACT[:length])
