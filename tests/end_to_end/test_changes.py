"""What one may change of a study while it runs or after it has ended, and what the API server refuses."""

from pathlib import Path
from typing import Any

import pytest

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import (
    METRIC,
    RECORD,
    SLEEP,
    begun_trials,
    expected_ranking,
    once_each,
    ranking,
    sh,
    study,
    trainer,
)

SLOW = sh(f"sleep 1; {RECORD}")


def test_suspending_drains_and_resuming_goes_on(place: Place, operator: OperatorProcess, begun: Path) -> None:
    manifest = study("paused", SLOW, begun=begun, trials=10)
    place.apply(manifest)
    eventually(lambda: len(begun_trials(begun)), lambda count: count >= 2)
    place.change("paused", suspend=True)
    place.becomes("paused", "Suspended")
    status = place.status("paused")
    assert status["state"] == "Suspended"
    assert status["trials"]["running"] + status["trials"]["queued"] == 0
    begun_before = begun_trials(begun)
    assert 2 <= len(begun_before) < 10
    assert status["trials"]["succeeded"] == len(begun_before)
    place.change("paused", suspend=False)
    assert ranking(place.finishes("paused")) == expected_ranking(manifest)
    assert begun_trials(begun) == once_each("paused", 10)


def test_a_larger_budget_reopens_a_finished_study_at_the_next_index(
    place: Place, operator: OperatorProcess, begun: Path
) -> None:
    place.apply(study("growing", sh(RECORD), begun=begun, trials=3))
    place.finishes("growing")
    larger = study("growing", sh(RECORD), begun=begun, trials=6)
    place.apply(larger)
    eventually(
        lambda: place.status("growing"), lambda status: status["progress"] == "6/6" and "completionTime" in status
    )
    status = place.finishes("growing")
    assert begun_trials(begun) == once_each("growing", 6)
    assert ranking(status) == expected_ranking(larger)


def test_a_smaller_budget_lets_the_running_trials_finish(place: Place, operator: OperatorProcess, begun: Path) -> None:
    place.apply(study("shrinking", SLOW, begun=begun, trials=12))
    eventually(lambda: len(begun_trials(begun)), lambda count: count >= 3)
    place.change("shrinking", budget={"trials": 2})
    status = place.finishes("shrinking")
    started = begun_trials(begun)
    assert 3 <= len(started) <= 6 and set(started.values()) == {1}
    assert status["trials"]["succeeded"] == len(started) == len(place.trials("shrinking"))


def test_a_study_ends_when_its_time_is_over(place: Place, operator: OperatorProcess) -> None:
    place.apply(study("brief", SLOW, trials=1000, budget={"maxDuration": "6s"}))
    place.finishes("brief")
    finished = place.condition("brief", "Finished")
    assert finished["reason"] == "DurationReached" and "maxDuration" in finished["message"]
    states = {trial["status"]["state"] for trial in place.trials("brief").values()}
    assert states == {"Succeeded"}


def test_another_objective_ranks_anew_without_a_rerun(place: Place, operator: OperatorProcess, begun: Path) -> None:
    metrics = [{"name": "train_error", "curve": "Training"}]
    manifest = study("judged", trainer("sdk", 5, 0.01), begun=begun, metrics=metrics)
    place.apply(manifest)
    first = place.finishes("judged")
    place.change("judged", objective={"metric": "train_error", "direction": "Maximize", "selection": "Final"})
    second = eventually(lambda: place.status("judged"), lambda status: status["objective"]["metric"] == "train_error")
    assert second["state"] == "Finished" and place.condition("judged", "Finished")["status"] == "True"
    finals = {
        trial["metadata"]["name"]: trial["status"]["metrics"]["train_error"]["final"]["value"]
        for trial in place.trials("judged").values()
    }
    best_first = sorted(finals.items(), key=lambda item: -float(item[1]))
    assert ranking(second) == best_first
    assert begun_trials(begun) == once_each("judged", 4)
    place.change("judged", objective={"metric": METRIC, "direction": "Minimize", "selection": "Best"})
    eventually(lambda: place.status("judged"), lambda status: status["ranking"] == first["ranking"])
    assert begun_trials(begun) == once_each("judged", 4)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (
            "hyperparameters",
            [{"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 2, "scale": "Log"}}],
        ),
        ("sampler", {"seed": 8}),
        ("trialTemplate", study("x", ["other"])["spec"]["trialTemplate"]),
    ],
)
def test_space_sampler_and_template_are_fixed_once_there_are_trials(
    place: Place, operator: OperatorProcess, field: str, value: Any
) -> None:
    manifest = study("fixed", sh(SLEEP))
    place.apply(manifest)
    eventually(lambda: place.status("fixed"), lambda status: "trials" in status)
    said = place.refusal(manifest | {"spec": {**manifest["spec"], field: value}})
    assert f"spec.{field}" in said and "cannot change once trials exist" in said


def test_applying_again_is_a_no_op_and_leaves_no_trace(place: Place, operator: OperatorProcess) -> None:
    manifest = study("same", sh(RECORD))
    place.apply(manifest)
    place.finishes("same")
    before = place.read("studies", "same")["metadata"]
    said = place.apply(manifest)
    after = place.read("studies", "same")["metadata"]
    assert "unchanged" in said
    assert (after["generation"], after["resourceVersion"]) == (1, before["resourceVersion"])
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    for kind in ("studies", "trials", "jobs"):
        for item in place.read(kind)["items"]:
            marks = set(item["metadata"].get("annotations", ())) - {applied}
            assert not marks and "finalizers" not in item["metadata"], item["metadata"]
