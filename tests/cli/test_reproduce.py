import shlex

from study_operator.cli.reproduce import container_command, local_command

from tests.local.engines import spec, study_of


def test_the_local_command_gives_what_the_trial_got_word_by_word():
    words = shlex.split(local_command(study_of("a b", "$(HP_LEARNING_RATE)", "$HOME;"), spec(learning_rate=0.1)))
    assert words[0] == "env"
    assert words[-3:] == ["a b", "0.1", "$HOME;"]
    assert {"STUDY_SEED=11", "HP_LEARNING_RATE=0.1", "HP_OPTIMIZER=adam"} <= set(words)


def test_the_container_command_replaces_the_entrypoint_where_the_template_does():
    words = shlex.split(container_command(study_of("go", container={"command": ["python", "-m", "train"]}), spec()))
    assert words[-6:] == ["--entrypoint", "python", "example/trainer:1", "-m", "train", "go"]


def test_the_container_command_takes_the_image_that_ran_rather_than_its_tag():
    words = shlex.split(container_command(study_of("go"), spec(), "example/trainer@sha256:1f"))
    assert "example/trainer@sha256:1f" in words and "example/trainer:1" not in words


def test_the_container_command_keeps_the_images_entrypoint_where_the_template_does():
    study = study_of("--rate=$(HP_LEARNING_RATE)")
    del study.spec.trial_template["spec"]["template"]["spec"]["containers"][0]["command"]
    words = shlex.split(container_command(study, spec()))
    assert words[-2:] == ["example/trainer:1", "--rate=0.5"]
    assert "--entrypoint" not in words
