import json
import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.api.diagnostics import diagnostics_from_manifest, diagnostics_to_manifest
from study_operator.results.conclusion import conclude
from study_operator.results.curve import CurveAnswer, fingerprint, summarize
from study_operator.results.diagnostics import diagnose
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.results.taxonomy import Record, RecordedMetric, RunEnd
from study_operator.results.trial import Curve, CurveDiagnostics, Source, TrialState


def curve_of(values: object, every: int = 10) -> Curve:
    listed = numpy.asarray(values, dtype=float).tolist()
    return Curve(tuple(every * (place + 1) for place in range(len(listed))), tuple(listed))


def known(curve: Curve, *, whole: bool = True) -> CurveDiagnostics:
    found = diagnose(curve, whole=whole)
    assert found is not None
    return found


@pytest.fixture
def noise() -> numpy.ndarray:
    return 0.01 * numpy.random.default_rng(3).standard_normal(80)


fall = 0.9 * numpy.exp(-numpy.arange(80) / 8)


def test_the_noise_is_that_of_the_evaluations_whatever_the_trend(noise: numpy.ndarray) -> None:
    for shape in (0 * fall, fall, 0.1 * numpy.arange(80)):
        assert known(curve_of(shape + noise)).noise == pytest.approx(0.01, rel=0.5)


def test_a_rise_after_the_minimum_is_told_with_its_size(noise: numpy.ndarray) -> None:
    rise = 0.002 * numpy.maximum(0, numpy.arange(80) - 40)
    after = known(curve_of(fall + rise + noise)).after_minimum
    assert after is not None
    assert after.z > 4
    assert after.change == pytest.approx(0.08, rel=0.3)


def test_a_smooth_curve_is_clear_though_its_own_shape_looks_like_autocorrelation() -> None:
    late = known(curve_of(numpy.exp(-numpy.arange(60) / 10))).late
    assert late is not None
    assert late.z < -3


def test_what_falls_to_the_end_falls_late(noise: numpy.ndarray) -> None:
    late = known(curve_of(-0.005 * numpy.arange(80) + noise)).late
    assert late is not None
    assert (late.step, late.z < -4) == (610, True)


def test_turning_the_curve_over_exchanges_minimum_and_maximum(noise: numpy.ndarray) -> None:
    up, down = known(curve_of(fall + noise)), known(curve_of(-(fall + noise)))
    assert up.after_minimum is not None
    assert down.after_maximum is not None
    assert (down.after_maximum.z, down.after_maximum.step) == (-up.after_minimum.z, up.after_minimum.step)
    assert (down.settled_at_maximum, down.noise) == (up.settled_at_minimum, up.noise)


def test_it_settles_when_the_noise_is_all_that_is_left(noise: numpy.ndarray) -> None:
    settled = known(curve_of(numpy.where(numpy.arange(80) < 20, 1.0, 0.0) + noise)).settled_at_minimum
    assert settled is not None
    assert 210 <= settled <= 500


@pytest.mark.parametrize("evaluations", range(1, 14))
def test_nothing_is_claimed_of_a_short_curve(evaluations: int) -> None:
    found = known(curve_of(range(evaluations)))
    assert (found.evaluations, found.noise, found.late, found.period) == (evaluations, None, None, None)


@pytest.mark.parametrize("curve", [Curve((), ()), Curve((1, 2), (math.nan, -math.inf))], ids=["empty", "not finite"])
def test_a_curve_without_finite_points_has_no_diagnostics(curve: Curve) -> None:
    assert diagnose(curve) is None


def test_points_that_are_not_finite_do_not_count(noise: numpy.ndarray) -> None:
    curve = curve_of(fall + noise)
    holes = Curve((*curve.steps, 801, 802), (*curve.values, math.nan, math.inf))
    assert known(holes, whole=False) == known(curve, whole=False)


@pytest.mark.parametrize("length", [4, 9])
def test_a_period_is_found_in_steps(noise: numpy.ndarray, length: int) -> None:
    spikes = numpy.where(numpy.arange(80) % length == 0, 0.06, 0.0)
    period = known(curve_of(fall + spikes + noise, every=25)).period
    assert period is not None
    assert period.steps == 25 * length
    assert known(curve_of(fall + noise)).period is None


def test_uneven_gaps_count_where_all_that_was_reported_is_there() -> None:
    steps = numpy.cumsum(numpy.random.default_rng(1).integers(50, 150, 60)).tolist()
    curve = Curve(tuple(steps), tuple(range(60)))
    assert known(curve).gap_spread > 0.5
    assert known(curve, whole=False).gap_spread == known(curve_of(range(60))).gap_spread == 0


@pytest.mark.parametrize("steps", [(100,), (100, 150), (100, 200, 300, 350), (*range(50, 350, 50), 312)])
def test_an_evaluation_at_the_end_is_not_uneven_wherever_that_falls(steps: tuple[int, ...]) -> None:
    assert known(Curve(steps, tuple(range(len(steps))))).gap_spread == 0


def test_a_step_that_is_reported_twice_counts_once_with_its_last_value(noise: numpy.ndarray) -> None:
    curve = curve_of(fall + noise)
    twice = Curve(
        tuple(step for step in curve.steps for _ in range(2)),
        tuple(value for last in curve.values for value in (last + 1, last)),
    )
    assert known(twice).repeated_steps == 80
    assert known(twice, whole=False) == known(curve, whole=False)


def test_a_metric_of_few_values_has_noise_all_the_same() -> None:
    assert known(curve_of([0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0] * 10)).noise == pytest.approx(0.04, abs=0.02)


values = st.lists(st.floats(width=64), min_size=1, max_size=60)


@given(values, st.lists(st.integers(-(2**53), 2**53), min_size=60, max_size=60), st.booleans())
def test_every_curve_is_diagnosed_in_numbers_that_a_record_keeps(
    reported: list[float], steps: list[int], whole: bool
) -> None:
    found = diagnose(Curve(tuple(steps[: len(reported)]), tuple(reported)), whole=whole)
    assert (found is None) == (not any(map(math.isfinite, reported)))
    if found is not None:
        text = json.dumps(diagnostics_to_manifest(found), allow_nan=False)
        assert diagnostics_from_manifest(json.loads(text)) == found


def test_a_metric_takes_less_than_300_bytes() -> None:
    values = 0.0123456 + fall + 0.01 * numpy.random.default_rng(3).standard_normal(80)
    text = json.dumps(diagnostics_to_manifest(known(curve_of(values, every=123457))), separators=(",", ":"))
    assert len(text) < 300


def test_a_million_points_are_diagnosed_like_a_few() -> None:
    count = 1_000_000
    values = numpy.random.default_rng(2).standard_normal(count) - 8 * numpy.linspace(0, 1, count)
    found = known(curve_of(values))
    assert found.noise == pytest.approx(1, rel=0.1)
    assert found.late is not None
    assert found.late.change == pytest.approx(-2, rel=0.4)


def test_the_conclusion_diagnoses_what_was_read_and_trusts_only_a_whole_curve_with_gaps() -> None:
    steps = tuple(numpy.cumsum(numpy.random.default_rng(1).integers(50, 150, 60)).tolist())
    curve = Curve(steps, tuple(numpy.linspace(1, 0, 60).tolist()))
    recorded = RecordedMetric(summarize(curve), fingerprint(curve))
    record = Record(TrialState.SUCCEEDED, "", "", steps[-1], {"whole": recorded, "lost": recorded, "unread": recorded})
    some = Curve(curve.steps[::2], curve.values[::2])
    status = conclude(
        RunEnd(0, "", ""),
        record,
        CurveAnswer({"whole": curve, "lost": some}, has_steps=True),
        Objective("whole", Direction.MINIMIZE, Selection.BEST),
        source=Source.PROMETHEUS,
    )
    assert set(status.diagnostics) == {"whole", "lost"}
    assert status.diagnostics["whole"].gap_spread > 0
    assert status.diagnostics["lost"].gap_spread == 0
