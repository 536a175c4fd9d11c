"""The example trainer, end to end on the real data. Each trial is a process, as in a study."""

import json
import math
import sys

import numpy as np
import pytest
from digits.dataset import load
from digits.hyperparameters import Hyperparameters, InvalidHyperparameter
from digits.optimizers import learning_rate_schedule
from digits.train import draw_batches

TRAIN = [sys.executable, "-m", "digits.train"]


@pytest.fixture
def train(start_trainer):
    """Runs one trial to its end: train(steps=.., learning_rate=..) -> (exit code, record)."""

    def run(steps=100, seed=1, **parameters):
        trainer = start_trainer(
            TRAIN, STUDY_STEPS=str(steps), STUDY_SEED=str(seed), STUDY_PARAMETERS=json.dumps(parameters)
        )
        exit_code = trainer.wait()
        return exit_code, trainer.record

    return run


def minimum(record, metric):
    return record["metrics"][metric]["minimum"][1]


def final(record, metric):
    return record["metrics"][metric]["final"][1]


def test_it_learns_the_digits_and_keeps_its_best_checkpoints(train, tmp_path):
    exit_code, record = train(steps=600)
    assert (exit_code, record["state"], record["step"]) == (0, "Succeeded", 600)
    sets = {f"{name}_{metric}" for name in ("train", "validation") for metric in ("loss", "error")}
    assert set(record["metrics"]) == {*sets, "gradient_norm"}
    assert all(metric["count"] == 60 for metric in record["metrics"].values())
    assert minimum(record, "validation_error") < 0.05
    best = record["checkpoints"][0]
    assert [best["step"], best["value"]] == record["metrics"]["validation_error"]["minimum"]
    assert [array.shape for array in np.load(tmp_path / best["path"] / "network.npz").values()] == [
        (64, 64), (64,), (64, 10), (10,)
    ]  # fmt: skip


def test_a_seed_gives_the_same_numbers_to_the_last_bit_and_another_seed_gives_others(train):
    once, again, other = (train(steps=30, seed=seed, dropout=0.3)[1]["metrics"] for seed in (1, 1, 2))
    assert once == again
    assert once["train_loss"]["sha256"] != other["train_loss"]["sha256"]


def test_a_learning_rate_far_too_high_diverges(train):
    exit_code, record = train(learning_rate=1e6)
    assert (exit_code, record["state"], record["reason"]) == (65, "Infeasible", "Diverged")
    assert record["message"].startswith("train_loss is ")
    assert isinstance(final(record, "train_loss"), str) and record["step"] < 100


def test_the_last_step_is_always_evaluated(train):
    _, record = train(steps=25, evaluation_interval=10)
    assert record["metrics"]["validation_error"]["count"] == 3
    assert record["metrics"]["validation_error"]["final"][0] == 25


def test_few_examples_are_overfitted(train):
    _, few = train(steps=200, training_examples=50)
    assert final(few, "train_error") == 0.0
    assert final(few, "validation_error") > 0.1


def test_wrong_labels_raise_the_training_loss_and_can_only_be_memorised(train):
    _, clean = train(steps=200)
    _, noisy = train(steps=200, label_noise=0.5)
    assert final(noisy, "train_loss") > 10 * final(clean, "train_loss")
    assert final(noisy, "validation_error") > 2 * final(clean, "validation_error")


def test_dropout_and_weight_decay_hold_the_training_loss_up(train):
    _, plain = train(steps=200)
    for regulariser in ({"dropout": 0.7}, {"weight_decay": 0.05}, {"label_smoothing": 0.3}):
        _, regularised = train(steps=200, **regulariser)
        assert final(regularised, "train_loss") > 2 * final(plain, "train_loss"), regulariser


def test_clipping_is_told_by_the_unclipped_norm_and_tames_a_high_learning_rate(train):
    assert train(learning_rate=30.0, optimizer="sgd")[0] == 65
    exit_code, record = train(learning_rate=30.0, optimizer="sgd", gradient_clipping=0.01)
    assert exit_code == 0
    assert record["metrics"]["gradient_norm"]["maximum"][1] > 0.01


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adam", "adamw"])
def test_every_optimizer_learns(train, optimizer):
    learning_rate = 0.01 if optimizer.startswith("adam") else 0.1
    _, record = train(steps=100, optimizer=optimizer, learning_rate=learning_rate, schedule="cosine", warmup_steps=10)
    assert minimum(record, "validation_error") < 0.3


def test_memory_that_is_not_there_is_told_by_the_exit_code(start_trainer):
    limited = ["sh", "-c", f'ulimit -v {32 * 2**20}; exec "$@"', "limited", *TRAIN]
    parameters = json.dumps({"hidden_units": 10**6, "hidden_layers": 2})
    trainer = start_trainer(limited, STUDY_STEPS="100", STUDY_PARAMETERS=parameters)
    assert trainer.wait() == 66
    assert (trainer.record["state"], trainer.record["reason"]) == ("Infeasible", "OutOfMemory")


def test_a_study_that_varies_what_the_trainer_does_not_know_fails_with_the_name(train):
    exit_code, record = train(lr=0.1)
    assert (exit_code, record["state"]) == (1, "Failed")
    assert "lr: this trainer has no such hyperparameter" in record["message"]


def test_the_studys_parameters_win_over_the_command_line(start_trainer):
    command = [*TRAIN, "--steps=500", "--batch-size=0"]
    trainer = start_trainer(command, STUDY_STEPS="10", STUDY_PARAMETERS='{"batch_size": 8}')
    assert trainer.wait() == 0
    assert trainer.record["step"] == 10


@pytest.mark.parametrize(
    "parameters", [{"dropout": 1.0}, {"learning_rate": math.nan}, {"optimizer": "lion"}, {"momentum": "0.9"}]
)
def test_a_value_out_of_bounds_is_refused_by_its_name(parameters):
    with pytest.raises(InvalidHyperparameter, match=f"^{next(iter(parameters))}: expected"):
        Hyperparameters.build(parameters)


@pytest.mark.parametrize("schedule, halfway", [("constant", 1.0), ("linear", 0.6), ("cosine", 0.6)])
def test_a_schedule_warms_up_and_ends_at_its_fraction_at_the_last_step(schedule, halfway):
    chosen = Hyperparameters(learning_rate=2.0, schedule=schedule, warmup_steps=20, decay_end_fraction=0.2)
    rate = learning_rate_schedule(chosen, steps=120)
    last = 1.0 if schedule == "constant" else 0.2
    assert [float(rate(step)) for step in (0, 10, 20, 70, 120)] == pytest.approx(
        [0.0, 1.0, 2.0, 2 * halfway, 2 * last], rel=1e-6
    )


def test_more_label_noise_adds_to_the_wrong_labels_of_less():
    clean, some, more = (load(1000, noise)[0].labels for noise in (0.0, 0.2, 0.6))
    assert np.mean(some != clean) == pytest.approx(0.2, abs=0.04)
    assert np.array_equal(more[some != clean], some[some != clean])


def test_training_and_validation_share_no_image():
    training, validation = load(1000, 0.0)
    assert (len(training.labels), len(validation.labels)) == (1000, 397)
    shown = {image.tobytes() for image in training.images}
    assert not any(image.tobytes() in shown for image in validation.images)


def test_each_epoch_shows_every_example_once():
    batches = draw_batches(np.random.default_rng(0), examples=10, batch_size=4)
    drawn = np.concatenate([next(batches) for _ in range(5)])
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10))
