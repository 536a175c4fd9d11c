"""`study run` from end to end, with real processes and a trainer that takes no time."""

import json
import signal
import subprocess
import time

import pytest

from tests.cli.commands import interrupt, read_until
from tests.local.studies import manifest


def states(place):
    return {name: trial["status"]["state"] for name, trial in place.trials.items()}


def test_a_study_runs_to_its_ranked_result(place):
    place.write(manifest("record", trials=6))
    done = place.study("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    assert set(states(place).values()) == {"Succeeded"}
    status = place.status
    assert (status["state"], status["progress"]) == ("Finished", "6/6")
    objectives = [float(entry["objective"]) for entry in status["ranking"]]
    assert objectives == sorted(objectives)
    assert f"Best: {status['best']['trial']}, loss {status['best']['objective']}" in done.stdout
    assert "[6/6]" in done.stdout


def test_the_reproduction_command_computes_the_best_trial_again(place):
    place.write(manifest("record", "0", "a b", "$HOME"))
    said = place.study("run", "study.yaml").stdout.splitlines()
    command = said[said.index("To compute it again by hand:") + 1]
    subprocess.run(["/bin/sh", "-c", command], cwd=place.path, check=True)
    reproduced = json.loads((place.path / "reproduced.json").read_text())
    assert reproduced["metrics"]["loss"] == float(place.status["best"]["objective"])


def test_the_status_has_the_form_of_the_resource(place):
    from study_operator.api.status import StudyStatus

    place.write(manifest("record"))
    place.study("run", "study.yaml")
    StudyStatus.model_validate_json(json.dumps(place.status))


def test_fields_that_cannot_be_honoured_are_named(place):
    study = manifest("record", container={"resources": {"limits": {"nvidia.com/gpu": 1}}})
    study["spec"]["trialTemplate"]["spec"]["template"]["spec"]["nodeSelector"] = {"gpu": "a100"}
    place.write(study)
    said = place.study("run", "study.yaml").stdout
    assert "spec.template.spec.containers[0].resources.limits.nvidia.com/gpu\n" in said
    assert "spec.template.spec.nodeSelector\n" in said


def test_ctrl_c_lets_the_running_trials_finish_and_the_next_run_goes_on(place):
    place.write(manifest("record", "0.5", trials=8))
    process = place.start("run", "study.yaml")
    read_until(process, "[1/8]")
    code, said = interrupt(process)
    assert code == 130
    assert "To go on: study run study.yaml" in said
    assert place.begun.keys() == {name for name, state in states(place).items() if state == "Succeeded"}
    assert len(place.begun) < 8
    assert place.study("run", "study.yaml").returncode == 0
    assert place.begun == {f"study-{index}": 1 for index in range(8)}


def test_a_second_ctrl_c_stops_the_running_trials_which_start_anew_and_have_not_failed(place):
    place.write(manifest("sleep", "60", trials=2))
    process = place.start("run", "study.yaml")
    read_until(process, "Accepted")
    code, _ = interrupt(process, times=2)
    assert code == 130
    assert set(states(place).values()) == {"Pending"}
    assert all("failedRuns" not in trial["status"] for trial in place.trials.values())


def test_two_engines_never_act_on_one_folder(place):
    place.write(manifest("record", "0.5", trials=20))
    first = place.start("run", "study.yaml")
    read_until(first, "Study study")
    second = place.study("run", "study.yaml")
    assert second.returncode == 1
    assert f"process {first.pid}, is at work on studies/study" in second.stderr
    interrupt(first)


def test_a_changed_space_is_refused_with_the_field_and_nothing_changes(place):
    study = manifest("record")
    place.write(study)
    place.study("run", "study.yaml")
    before = place.status
    study["spec"]["hyperparameters"][1]["range"]["max"] = 2
    study["spec"]["sampler"]["seed"] = 8
    place.write(study)
    refused = place.study("run", "study.yaml")
    assert refused.returncode == 1
    assert "spec.hyperparameters: cannot change" in refused.stderr
    assert "spec.sampler: cannot change" in refused.stderr
    assert place.status == before


def test_a_larger_budget_goes_on_where_the_study_ended(place):
    place.write(manifest("record"))
    place.study("run", "study.yaml")
    earlier = place.trials
    place.write(manifest("record", trials=6))
    assert place.study("run", "study.yaml").returncode == 0
    assert {name: place.trials[name] for name in earlier} == earlier
    assert place.begun == {f"study-{index}": 1 for index in range(6)}
    assert place.status["observedGeneration"] == 2


@pytest.mark.parametrize(("arguments", "code"), [(["record"], 0), (["exit", "3"], 3)], ids=["finished", "stalled"])
def test_a_study_at_rest_is_told_again_and_nothing_runs(place, arguments, code):
    place.write(manifest(*arguments))
    assert place.study("run", "study.yaml").returncode == code
    before, begun = place.status, place.begun
    again = place.study("run", "study.yaml")
    assert again.returncode == code
    assert ("Best: study-" in again.stdout) == (code == 0)
    assert (place.status, place.begun) == (before, begun)


def test_another_objective_ranks_anew_without_a_rerun(place):
    study = manifest("record")
    place.write(study)
    place.study("run", "study.yaml")
    best = place.status["best"]["trial"]
    study["spec"]["objective"]["direction"] = "Maximize"
    place.write(study)
    assert place.study("run", "study.yaml").returncode == 0
    assert place.status["best"]["trial"] != best
    assert sum(place.begun.values()) == 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda study: "{", "is not YAML"),
        (lambda study: study | {"kind": "Job"}, "study.yaml: kind: error: must be Study"),
        (lambda study: study["spec"]["budget"].update(trials=0), "spec.budget.trials: error: must be at least 1"),
        (lambda study: study["spec"]["budget"].update(trials=1), "spec.budget.trials"),
        (
            lambda study: study["spec"].update(trialTemplate={}),
            "spec.trialTemplate.spec.template.spec: error: is missing",
        ),
        (
            lambda study: study["spec"]["trialTemplate"]["spec"]["template"]["spec"]["containers"][0].pop("command"),
            "containers[0].command: a local run needs a command",
        ),
    ],
)
def test_a_bad_manifest_is_refused_with_a_path_and_nothing_is_created(place, change, sentence):
    study = manifest("record")
    changed = change(study)
    place.write(changed if isinstance(changed, str) or (isinstance(changed, dict) and "spec" in changed) else study)
    refused = place.study("run", "study.yaml")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert sentence in refused.stderr
    assert not (place.path / "studies").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["exit", "0"], "never reported the objective loss"),
        (["exit", "3"], "exited with code 3: some last words"),
        (["write", "{", "100000"], "exited with code 0"),
        (["write", "[", "4000"], "exited with code 0"),
        (["write", '{"metrics": {"loss": "strings"}}', "1"], "exited with code 0"),
    ],
)
def test_a_study_whose_trainer_never_tells_a_result_stalls_with_the_reason(place, arguments, words):
    place.write(manifest(*arguments, trials=8))
    ended = place.study("run", "study.yaml")
    assert ended.returncode == 3
    assert "TrialsFailing" in ended.stdout
    assert words in ended.stdout
    assert place.status["state"] == "Stalled"


def test_a_trainer_that_diverges_is_infeasible_and_never_wins(place):
    place.write(manifest("write", '{"metrics": {"loss": "NaN"}}', "1"))
    assert place.study("run", "study.yaml").returncode == 3
    assert set(states(place).values()) == {"Infeasible"}
    assert "best" not in place.status


def test_the_live_table_shows_the_arms_and_ends_with_the_result(place):
    place.write(manifest("record", "0.4", trials=6))
    code, text = place.on_a_terminal("run", "study.yaml")
    assert code == 0
    for words in ("━", "optimizer=adam", "Running:", "Ctrl-C", "Best: study-", "status.yaml"):
        assert words in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_end_of_the_session_leaves_nothing_running_and_the_study_resumable(place, number):
    study = manifest("stubborn", "heart", trials=2)
    study["spec"]["trialTemplate"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 1
    place.write(study)
    process = place.start("run", "study.yaml")
    read_until(process, "Accepted")
    while not (place.path / "heart").exists():
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 130
    beat = (place.path / "heart").read_text()
    time.sleep(0.2)
    assert (place.path / "heart").read_text() == beat
    assert set(states(place).values()) == {"Pending"}
    assert "Interrupted" in place.study("list").stdout


def test_a_failed_trial_whose_record_is_removed_runs_again_at_the_same_point(place):
    script = place.path / "train.sh"
    script.write_text("exit 3")
    place.write(manifest(container={"command": ["/bin/sh", str(script)]}, trials=2))
    assert place.study("run", "study.yaml").returncode == 3
    failed = place.trials
    for name in failed:
        (place.path / f"studies/study/trials/{name}.json").unlink()
    script.write_text("""echo '{"metrics": {"loss": 0.5}}' > "$STUDY_TERMINATION_LOG" """)
    assert place.study("run", "study.yaml").returncode == 0
    assert set(states(place).values()) == {"Succeeded"}
    assert {name: trial["spec"] for name, trial in place.trials.items()} == {
        name: trial["spec"] for name, trial in failed.items()
    }
