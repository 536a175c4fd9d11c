import math
from dataclasses import replace

import pytest
from study_operator.results.conclusion import METRICS_KEPT, conclude, missing_points
from study_operator.results.curve import CurveAnswer, fingerprint, summarize, thin
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.results.taxonomy import Record, RecordedMetric, RunEnd
from study_operator.results.trial import Checkpoint, Curve, MetricSummary, Sample, Source, TrialState

COMPLETED = RunEnd(0)
ERROR = Objective("error", Direction.MINIMIZE, Selection.BEST)
CURVE = Curve(tuple(range(10, 1010, 10)), tuple(abs(step - 500) / 1000 for step in range(10, 1010, 10)))
LOST_TWO = Curve(CURVE.steps[:48] + CURVE.steps[50:], CURVE.values[:48] + CURVE.values[50:])


def recorded(curve, digest=True):
    return RecordedMetric(summarize(curve), fingerprint(curve) if digest else None)


def by_hand(value):
    finite = Sample(None, value) if math.isfinite(value) else None
    return RecordedMetric(MetricSummary(1, Sample(None, value), finite, finite), final_only=True)


def record(**metrics):
    return Record(state=TrialState.SUCCEEDED, reason="Completed", metrics=metrics)


def answer(has_steps=True, **curves):
    return CurveAnswer(curves, has_steps)


def concluded(record, answer, end=COMPLETED, objective=ERROR, **told):
    return conclude(end, record, answer, objective, source=Source.PROMETHEUS, **told)


@pytest.mark.parametrize("digest", [True, False])
def test_a_curve_that_agrees_with_the_record_is_the_source(digest):
    status = concluded(record(error=recorded(CURVE, digest)), answer(error=CURVE))
    assert (status.state, status.source, status.incomplete) == (TrialState.SUCCEEDED, Source.PROMETHEUS, ())
    assert status.objective == Sample(500, 0.0)
    assert status.curves == {"error": thin(CURVE)}


@pytest.mark.parametrize(
    "curve",
    [LOST_TWO, replace(CURVE, values=(*CURVE.values[:-1], 0.25)), replace(CURVE, steps=(11, *CURVE.steps[1:]))],
    ids=["points lost", "another value", "another step"],
)
def test_where_the_curve_disagrees_the_record_has_the_final_word(curve):
    status = concluded(record(error=recorded(CURVE)), answer(error=curve))
    assert status.metrics["error"] == summarize(CURVE)
    assert (status.source, status.incomplete) == (Source.TERMINATION_RECORD, ("error",))
    assert status.curves["error"], "what was seen of the curve is still worth a plot"


def test_without_a_digest_the_curve_must_end_as_the_record_does():
    other_end = replace(CURVE, values=(*CURVE.values[:-1], 0.25))
    status = concluded(record(error=recorded(CURVE, digest=False)), answer(error=other_end))
    assert (status.metrics["error"], status.incomplete) == (summarize(CURVE), ("error",))


def test_a_curve_without_steps_cannot_be_held_against_the_record():
    numbered = Curve(tuple(range(1, 101)), CURVE.values)
    status = concluded(record(error=recorded(CURVE)), answer(has_steps=False, error=numbered))
    assert status.objective == Sample(500, 0.0)
    assert status.incomplete == ("error",)
    assert status.diagnostics == {}


def test_without_a_record_the_curve_alone_decides():
    status = concluded(None, answer(error=CURVE))
    assert (status.objective, status.source) == (Sample(500, 0.0), Source.PROMETHEUS)


def test_a_plain_gauge_has_values_and_no_steps():
    status = concluded(None, answer(has_steps=False, error=Curve((1, 2, 3), (0.5, 0.1, 0.2))))
    assert status.objective == Sample(None, 0.1)
    assert status.metrics["error"] == MetricSummary(3, Sample(None, 0.2), Sample(None, 0.1), Sample(None, 0.5))


def test_the_record_alone_is_enough():
    status = concluded(record(error=recorded(CURVE)), None)
    assert (status.state, status.objective, status.source) == (
        TrialState.SUCCEEDED,
        Sample(500, 0.0),
        Source.TERMINATION_RECORD,
    )
    assert status.curves == {}


def test_a_metric_reported_once_is_complete_in_the_record():
    once = Curve((600,), (0.25,))
    status = concluded(record(error=recorded(once)), None)
    assert (status.incomplete, status.curves) == ((), {"error": once})


class TestARecordWrittenByHand:
    def test_is_complete_by_itself(self):
        status = concluded(record(error=by_hand(0.3)), answer(has_steps=False))
        assert (status.objective, status.incomplete) == (Sample(None, 0.3), ())

    def test_adds_the_last_point_that_no_scrape_saw(self):
        status = concluded(record(error=by_hand(0.05)), answer(error=Curve((1, 2), (0.5, 0.1))))
        assert status.objective == Sample(None, 0.05)
        assert status.metrics["error"] == MetricSummary(3, Sample(None, 0.05), Sample(None, 0.05), Sample(1, 0.5))

    def test_adds_nothing_that_was_seen(self):
        curve = Curve((1, 2), (0.5, 0.1))
        assert concluded(record(error=by_hand(0.1)), answer(error=curve)).metrics["error"] == summarize(curve)

    def test_tells_a_divergence_that_no_scrape_saw(self):
        status = concluded(record(error=by_hand(math.nan)), answer(error=Curve((1, 2), (0.5, 0.1))))
        assert (status.state, status.reason) == (TrialState.INFEASIBLE, "Diverged")


def test_every_metric_of_either_witness_is_kept_so_that_the_objective_may_change():
    status = concluded(record(error=recorded(CURVE)), answer(error=CURVE, loss=LOST_TWO))
    assert set(status.metrics) == set(status.curves) == {"error", "loss"}


def test_of_too_many_metrics_the_objective_is_kept():
    many = {f"metric_{i}": by_hand(0.5) for i in range(100)}
    status = concluded(record(**many, error=by_hand(0.3)), None)
    assert (len(status.metrics), status.objective) == (METRICS_KEPT, Sample(None, 0.3))


def test_the_checkpoint_is_the_one_of_the_best_step_where_there_is_one():
    first, of_best = Checkpoint(520, 0.1, "checkpoints/520"), Checkpoint(500, 0.2, "checkpoints/500")
    whole = replace(record(error=recorded(CURVE)), checkpoints=(first, of_best))
    assert concluded(whole, answer(error=CURVE)).checkpoint == of_best


def test_without_one_it_is_the_first_of_the_record():
    best, second = Checkpoint(520, 0.1, "checkpoints/520"), Checkpoint(100, 0.2, "checkpoints/100")
    assert concluded(replace(record(error=by_hand(0.1)), checkpoints=(best, second)), None).checkpoint == best


def test_a_failed_trial_keeps_its_metrics_and_has_no_objective():
    status = concluded(None, answer(error=CURVE), RunEnd(1))
    assert (status.state, status.objective) == (TrialState.FAILED, None)
    assert status.metrics["error"] == summarize(CURVE)


def test_no_result_says_why_the_record_and_the_curve_are_not_there():
    told = CurveAnswer({}, has_steps=False, final=True, problem="the curves are too large")
    status = concluded(None, told, problem="The termination record is not JSON")
    assert (status.reason, status.source) == ("NoResult", None)
    assert status.message.endswith("The termination record is not JSON. the curves are too large.")


class TestWaitingForPoints:
    def test_ends_when_the_curve_is_all_that_was_reported(self):
        assert missing_points(record(error=recorded(CURVE)), answer(error=CURVE)) == ()

    @pytest.mark.parametrize("known", [None, answer(), answer(error=LOST_TWO), answer(has_steps=False, error=CURVE)])
    def test_names_what_is_missing(self, known):
        metrics = {"loss": recorded(CURVE), "error": recorded(CURVE), "seconds": by_hand(3.0)}
        assert missing_points(record(**metrics), known) == ("error", "loss")

    def test_is_not_worth_it_where_nothing_more_will_come(self):
        final = CurveAnswer({}, has_steps=False, final=True)
        assert missing_points(record(error=recorded(CURVE)), final) == ()

    def test_cannot_be_told_without_a_record(self):
        assert missing_points(None, answer()) == ()
