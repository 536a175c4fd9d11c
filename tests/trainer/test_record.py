import hashlib
import json
import math
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from study_trainer.checkpoints import Checkpoint
from study_trainer.endings import COMPLETED, Ending
from study_trainer.record import MAXIMUM_BYTES, Summary, render_record

points = st.lists(st.tuples(st.integers(0, 2**53), st.floats()), max_size=30)
names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,62}", fullmatch=True)


def summarise(all_points):
    summary = Summary()
    for step, value in all_points:
        summary.add(step, value)
    return summary


def read(number):
    return float(number) if isinstance(number, str) else number


@given(all_points=points)
def test_a_summary_agrees_with_the_points(all_points):
    summary = summarise(all_points)
    finite = [(step, value) for step, value in all_points if math.isfinite(value)]
    assert summary.count == len(all_points)
    assert repr(summary.final) == repr(all_points[-1] if all_points else None)
    assert summary.minimum == (min(finite, key=lambda point: point[1]) if finite else None)
    assert summary.maximum == (max(finite, key=lambda point: point[1]) if finite else None)
    lines = "".join(f"{step} {value!r}\n" for step, value in all_points)
    assert summary.sha256 == hashlib.sha256(lines.encode()).hexdigest()


@given(
    curves=st.dictionaries(names, points, max_size=16),
    message=st.text(max_size=256),
    paths=st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=2000), max_size=8),
)
def test_a_record_fits_and_keeps_each_final_value(curves, message, paths):
    ending = Ending("Infeasible", "OutOfMemory", message, 66)
    checkpoints = [Checkpoint(step, 0.1, Path(path)) for step, path in enumerate(paths)]
    text = render_record(
        ending, 2**53, {name: summarise(all_points) for name, all_points in curves.items()}, checkpoints
    )
    assert len(text) <= MAXIMUM_BYTES
    record = json.loads(text)
    assert (record["state"], record["step"], set(record["metrics"])) == ("Infeasible", 2**53, set(curves))
    for name, all_points in curves.items():
        if all_points:
            step, value = record["metrics"][name]["final"]
            assert repr((step, float(read(value)))) == repr(all_points[-1])
    kept = record.get("checkpoints", [])
    assert [each["path"] for each in kept] == [str(each.path) for each in checkpoints[: len(kept)]]


def test_the_longest_record_that_a_trainer_can_make_fits():
    curve = summarise([(2**53, -1.7976931348623157e308), (2**53 - 1, 1.7976931348623157e308)])
    record = json.loads(render_record(COMPLETED, 2**53, {f"{n:063d}": curve for n in range(16)}, []))
    assert all("minimum" in metric and "sha256" not in metric for metric in record["metrics"].values())


def test_what_is_left_out_first_is_the_worst_checkpoint():
    checkpoints = [Checkpoint(step, step / 10, Path("x" * 900)) for step in range(6)]
    record = json.loads(render_record(COMPLETED, 1, {"x": summarise([(1, 0.5)])}, checkpoints))
    assert [each["step"] for each in record["checkpoints"]] == [0, 1, 2, 3]
    assert "sha256" in record["metrics"]["x"] and record["message"]


def test_what_is_not_finite_is_a_word():
    record = json.loads(
        render_record(COMPLETED, 1, {"x": summarise([(1, -math.inf)]), "y": summarise([(1, math.nan)])}, [])
    )
    assert record["metrics"]["x"]["final"] == [1, "-Infinity"]
    assert record["metrics"]["y"]["final"] == [1, "NaN"]
    assert "minimum" not in record["metrics"]["y"]
