import json
import math
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_trainer.checkpoints import Checkpoints

offers = st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0.1, 0.2, 0.3, math.nan, -math.inf])), max_size=20)


def write_model(folder):
    (folder / "model").write_text("weights")


def on_disk(folder):
    return sorted(int(path.name) for path in folder.iterdir()) if folder.exists() else []


@given(all_offers=offers, direction=st.sampled_from(["Minimize", "Maximize"]), restart_after=st.integers(0, 20))
def test_the_best_are_kept_in_hindsight_across_a_restart(tmp_path_factory, all_offers, direction, restart_after):
    folder = tmp_path_factory.mktemp("trial")
    checkpoints = Checkpoints(folder, 3, direction)
    kept = {}
    for number, (step, value) in enumerate(all_offers):
        if number == restart_after:
            checkpoints = Checkpoints(folder, 3, direction)
        if checkpoints.offer(step, value, write_model):
            kept[step] = value
        sign = 1 if direction == "Minimize" else -1
        ranked = sorted(kept, key=lambda step: (sign * kept[step], step))
        for surplus in ranked[3:]:
            del kept[surplus]
        assert [(each.step, each.value) for each in checkpoints.best_first] == [(s, kept[s]) for s in ranked[:3]]
        assert on_disk(folder) == sorted(kept)


def test_only_what_is_kept_is_written(tmp_path):
    checkpoints = Checkpoints(tmp_path, 2, "Minimize")
    written = []
    for step, value in enumerate([0.5, 0.9, 0.3, 0.8, 0.3, math.nan]):
        checkpoints.offer(step, value, lambda folder: written.append(folder))
    assert len(written) == 4
    assert [(each.step, each.value) for each in checkpoints.best_first] == [(2, 0.3), (4, 0.3)]


def test_a_checkpoint_that_cannot_be_written_leaves_the_others(tmp_path):
    checkpoints = Checkpoints(tmp_path, 1, "Minimize")
    checkpoints.offer(1, 0.5, write_model)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.offer(2, 0.1, lambda folder: (_ for _ in ()).throw(OSError("disk full")))
    assert on_disk(tmp_path) == [1]


def test_folders_of_others_are_left_alone(tmp_path):
    (tmp_path / "000001").mkdir()
    (tmp_path / "000002").mkdir()
    (tmp_path / "000002" / "checkpoint.json").write_text('{"step": "x"}')
    Checkpoints(tmp_path, 1, "Minimize").offer(3, 0.5, write_model)
    assert on_disk(tmp_path) == [1, 2, 3]


def test_keeping_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match="keep_checkpoints must be 1 or more, got 0"):
        Checkpoints(tmp_path, 0, "Minimize")


SAVES_FOR_EVER = """
import itertools
from study_trainer import Trial
trial = Trial.from_environment(keep_checkpoints=3)
with trial:
    for step in itertools.count(1):
        trial.checkpoint(step, 1 / step, lambda folder: [(folder / str(n)).write_text("weights") for n in range(20)])
        if step == 10:
            print("saving", flush=True)
"""


@pytest.mark.parametrize("pause", [0.0, 0.011, 0.023, 0.037])
def test_a_kill_leaves_whole_checkpoints_and_the_next_run_goes_on_from_them(start_trainer, tmp_path, pause):
    trainer = start_trainer(SAVES_FOR_EVER)
    trainer.wait_for_line("saving")
    with pytest.raises(Exception, match="timed out"):
        trainer.process.wait(timeout=pause)
    os.kill(trainer.process.pid, signal.SIGKILL)
    assert trainer.wait() == -signal.SIGKILL
    folder = tmp_path / "checkpoints"
    steps = [each.step for each in Checkpoints(folder, 3, "Minimize").best_first]
    assert len(steps) == 3 and on_disk(folder) == sorted(steps)
    assert all(len(list((folder / f"{step:06d}").iterdir())) == 21 for step in steps)
    assert json.loads((folder / f"{steps[0]:06d}" / "checkpoint.json").read_text())["value"] == 1 / steps[0]
