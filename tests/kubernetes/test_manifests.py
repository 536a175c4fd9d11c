"""The Job of a trial."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from study_operator.api import Study, parse_study
from study_operator.backends.kubernetes.manifests import build_job, ignored_fields
from study_operator.results.trial import Purpose, TrialSpec
from study_operator.scalar import Scalar

from tests.cluster.environment import expand
from tests.kubernetes.conftest import manifest

SPEC = TrialSpec("bert", 3, 1, Purpose.SEARCH, (0.5,), {"learning_rate": 0.1, "optimizer": "adam"}, 42)


def study(job: dict[str, Any] | None = None, pod: dict[str, Any] | None = None, **container: Any) -> Study:
    raw = manifest("bert", "team", ["train", "--lr=$(HP_LEARNING_RATE)"], job or {}, **container)
    raw["metadata"]["uid"] = "study-uid"
    raw["spec"]["trialTemplate"]["spec"]["template"]["spec"] |= pod or {}
    return parse_study(raw)


def variables(container: dict[str, Any]) -> dict[str, str]:
    """The container's variables as the kubelet computes them."""
    found: dict[str, str] = {}
    for entry in container["env"]:
        found[entry["name"]] = expand(entry["value"], found)
    return found


def test_a_job_is_the_template_and_what_it_lacks() -> None:
    job = build_job(study(image="example/trainer:1"), SPEC, "trial-uid", 60)
    [container] = job["spec"]["template"]["spec"].pop("containers")
    labels = {
        "tuning.study/study": "bert",
        "tuning.study/study-uid": "study-uid",
        "tuning.study/trial": "3",
        "tuning.study/arm": "1",
    }
    owner = {
        "apiVersion": "tuning.study/v1alpha1",
        "kind": "Trial",
        "name": "bert-3",
        "uid": "trial-uid",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    assert job == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "bert-3", "namespace": "team", "labels": labels, "ownerReferences": [owner]},
        "spec": {
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            "template": {
                "metadata": {"labels": labels},
                "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1},
            },
        },
    }
    assert variables(container) == {
        "STUDY_NAME": "bert",
        "STUDY_TRIAL": "bert-3",
        "STUDY_SEED": "42",
        "STUDY_STEPS": "10",
        "STUDY_PURPOSE": "Search",
        "STUDY_OBJECTIVE": "validation_error",
        "STUDY_DIRECTION": "Minimize",
        "STUDY_PARAMETERS": '{"learning_rate": 0.1, "optimizer": "adam"}',
        "HP_LEARNING_RATE": "0.1",
        "HP_OPTIMIZER": "adam",
        "STUDY_METRICS_LINGER": "60",
        "STUDY_METRICS_PORT": "9400",
        "STUDY_TERMINATION_LOG": "/dev/termination-log",
    }
    assert container == {
        "name": "trainer",
        "image": "example/trainer:1",
        "command": ["train", "--lr=$(HP_LEARNING_RATE)"],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "ports": [{"name": "metrics", "containerPort": 9400}],
        "env": container["env"],
    }


def test_what_the_template_says_is_kept() -> None:
    pod = {"initContainers": [{"name": "fetch", "image": "fetch:1"}]}
    raw = study({"backoffLimit": 2, "suspend": True, "completions": 2}, pod, terminationMessagePolicy="File")
    template = {**raw.spec.trial_template, "metadata": {"labels": {"kueue.x-k8s.io/queue-name": "gpus"}}}
    job = build_job(
        raw.model_copy(update={"spec": raw.spec.model_copy(update={"trial_template": template})}), SPEC, "u", 0
    )
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert (job["spec"]["backoffLimit"], job["spec"]["suspend"], job["spec"]["completions"]) == (2, True, 2)
    [trainer], [fetch] = (job["spec"]["template"]["spec"][kind] for kind in ("containers", "initContainers"))
    assert trainer["terminationMessagePolicy"] == "File"
    assert variables(fetch)["HP_OPTIMIZER"] == "adam" and "ports" not in fetch


def test_a_declared_metrics_port_is_told_to_the_trainer() -> None:
    job = build_job(study(ports=[{"name": "metrics", "containerPort": 8000}]), SPEC, "u", 0)
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert variables(container)["STUDY_METRICS_PORT"] == "8000"
    assert container["ports"] == [{"name": "metrics", "containerPort": 8000}]


def test_the_linger_of_the_template_is_the_trials() -> None:
    job = build_job(study(env=[{"name": "STUDY_METRICS_LINGER", "value": "5"}]), SPEC, "u", 60)
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert [entry["value"] for entry in container["env"] if entry["name"] == "STUDY_METRICS_LINGER"] == ["5"]


def test_variables_of_the_template_may_use_the_parameters() -> None:
    job = build_job(study(env=[{"name": "FLAGS", "value": "lr=$(HP_LEARNING_RATE)"}]), SPEC, "u", 0)
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert variables(container)["FLAGS"] == "lr=0.1"


def test_fields_that_would_break_a_trial_are_left_out_and_told() -> None:
    broken = study({"ttlSecondsAfterFinished": 0, "manualSelector": True, "selector": {}})
    assert build_job(broken, SPEC, "u", 0)["spec"].keys() == {"backoffLimit", "podReplacementPolicy", "template"}
    assert [sentence.split(" is ignored")[0].rpartition(".")[2] for sentence in ignored_fields(broken)] == [
        "ttlSecondsAfterFinished",
        "selector",
        "manualSelector",
    ]


def test_the_template_itself_stays_as_it_is() -> None:
    given = study(ports=[], env=[])
    before = json.dumps(given.spec.trial_template)
    build_job(given, SPEC, "u", 0)
    assert json.dumps(given.spec.trial_template) == before


@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.floats() | st.booleans())
def test_any_value_reaches_the_trainer_as_it_is(value: Scalar) -> None:
    spec = TrialSpec("bert", 0, 0, Purpose.SEARCH, (), {"value": value}, 1)
    [container] = build_job(study(), spec, "u", 0)["spec"]["template"]["spec"]["containers"]
    expected = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    assert variables(container)["HP_VALUE"] == expected
