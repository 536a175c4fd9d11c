import pytest
from study_trainer import InvalidEnvironment, Trial

STUDY = {"STUDY_NAME": "digits", "STUDY_TRIAL": "digits-3"}


def test_the_study_says_what_to_train(tmp_path):
    environ = STUDY | {"STUDY_SEED": "2147483647", "STUDY_STEPS": "600", "STUDY_PARAMETERS": '{"learning_rate": 0.3}'}
    trial = Trial.from_environment(environ, parameters={"learning_rate": 0.1, "units": 64}, seed=1, steps=10)
    assert (trial.study, trial.name, trial.seed, trial.steps) == ("digits", "digits-3", 2147483647, 600)
    assert trial.parameters == {"learning_rate": 0.3, "units": 64}


def test_by_hand_the_caller_says_it():
    trial = Trial.from_environment({}, parameters={"learning_rate": 0.1}, seed=1, steps=10)
    assert (trial.study, trial.name, trial.seed, trial.steps) == ("", "", 1, 10)
    assert trial.parameters == {"learning_rate": 0.1}


@pytest.mark.parametrize("json_value, value", [("1", 1.0), ("true", True), ('"1"', "1"), ("1e-3", 0.001), ("64", 64)])
def test_a_parameter_keeps_its_kind(json_value, value):
    trial = Trial.from_environment(
        STUDY | {"STUDY_PARAMETERS": f'{{"x": {json_value}}}'}, parameters={"x": type(value)()}
    )
    assert (trial.parameters["x"], type(trial.parameters["x"])) == (value, type(value))


@pytest.mark.parametrize(
    "variable, value",
    [
        ("STUDY_SEED", "-1"),
        ("STUDY_SEED", "2147483648"),
        ("STUDY_SEED", "seven"),
        ("STUDY_STEPS", "0"),
        ("STUDY_STEPS", "6e2"),
        ("STUDY_METRICS_PORT", "65536"),
        ("STUDY_METRICS_LINGER", "nan"),
        ("STUDY_METRICS_LINGER", "-1"),
        ("STUDY_PARAMETERS", "{"),
        ("STUDY_PARAMETERS", "[1]"),
        ("STUDY_PARAMETERS", '{"units": 64.5}'),
        ("STUDY_PARAMETERS", '{"units": true}'),
        ("STUDY_PARAMETERS", '{"other": null}'),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_by_the_name_of_its_variable(variable, value):
    with pytest.raises(InvalidEnvironment, match=f"^{variable}"):
        Trial.from_environment(STUDY | {variable: value}, parameters={"units": 64})


def test_the_study_says_what_checkpoints_are_kept_by(tmp_path):
    environ = STUDY | {"STUDY_OBJECTIVE": "accuracy", "STUDY_DIRECTION": "Maximize", "STUDY_CHECKPOINTS": str(tmp_path)}
    trial = Trial.from_environment(environ, keep_checkpoints=1)
    for step, accuracy in ((1, 0.5), (2, 0.9), (3, 0.7)):
        trial.checkpoint(step, accuracy, lambda folder: None)
    assert trial.objective == "accuracy"
    assert [path.name for path in tmp_path.iterdir()] == ["000002"]
    with pytest.raises(InvalidEnvironment, match="STUDY_DIRECTION: expected Minimize or Maximize, got 'up'"):
        Trial.from_environment(STUDY | {"STUDY_DIRECTION": "up"})
