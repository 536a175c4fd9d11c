"""Trials that cannot start say why, in the Trial and in the Study, cost little meanwhile, and go on by themselves."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Object, Place
from tests.end_to_end.studies import RECORD, SLEEP, sh, study

SECRET = {"env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "credentials", "key": "key"}}}]}


def test_a_missing_image_is_told_in_the_trial_and_the_study(place: Place, operator: OperatorProcess) -> None:
    place.apply(study("imageless", sh(RECORD), container={"image": "registry.invalid/trainer:1"}))
    stalled = place.becomes("imageless", "Stalled", reason="ImagePullBackOff")
    assert "registry.invalid/trainer:1" in stalled["message"] and "imageless-" in stalled["message"]
    told = trial_when(place, "imageless", lambda status: status.get("reason") == "ImagePullBackOff")
    assert (told["state"], "no such host" in told["message"]) == ("Queued", True)
    assert place.condition("imageless", "Ready")["status"] == "False"


def test_a_missing_secret_is_told_and_the_study_goes_on_once_it_is_there(
    place: Place, operator: OperatorProcess
) -> None:
    place.apply(study("secretive", sh(RECORD), container=SECRET))
    stalled = place.becomes("secretive", "Stalled", reason="CreateContainerConfigError")
    assert 'secret "credentials" not found' in stalled["message"]
    trial_when(place, "secretive", lambda status: status.get("reason") == "CreateContainerConfigError")
    place.kubectl("create", "secret", "generic", "credentials", "--from-literal=key=value")
    assert place.finishes("secretive")["trials"]["succeeded"] == 4
    assert place.condition("secretive", "Stalled")["status"] == "False"
    assert {trial["status"]["attempts"] for trial in place.trials("secretive").values()} == {1}


def test_a_study_that_finds_no_node_queues_two_trials_and_is_not_stalled(
    place: Place, operator: OperatorProcess
) -> None:
    limits = {"resources": {"limits": {"nvidia.com/gpu": 99}}}
    place.apply(study("gigantic", sh(RECORD), container=limits, trials=8, parallelism=4))
    told = trial_when(place, "gigantic", lambda status: status.get("reason") == "Unschedulable")
    assert "nvidia.com/gpu" in told["message"]
    ready = eventually(lambda: place.condition("gigantic", "Ready"), lambda found: "Unschedulable" in found["message"])
    assert ready["status"] == "True"
    assert len(place.names("jobs")) <= 4
    assert place.condition("gigantic", "Stalled")["status"] == "False"


def test_trials_that_wait_for_a_gpu_run_when_one_is_free(place: Place, operator: OperatorProcess) -> None:
    def gpus(count: int) -> dict[str, Any]:
        return {"resources": {"limits": {"nvidia.com/gpu": count}}}

    place.apply(study("greedy", sh(SLEEP), container=gpus(4), trials=1))
    place.running_pod("greedy-0")
    place.apply(study("modest", sh(RECORD), container=gpus(1)))
    trial_when(place, "modest", lambda status: status.get("reason") == "Unschedulable")
    place.kubectl("delete", "study", "greedy")
    assert place.finishes("modest")["trials"]["succeeded"] == 4


@pytest.mark.parametrize("resource", ["count/jobs.batch", "pods"])
def test_a_full_quota_is_told_costs_little_and_passes(place: Place, operator: OperatorProcess, resource: str) -> None:
    """A quota of Jobs refuses the operator, a quota of pods the Job controller."""
    place.kubectl("create", "quota", "tight", f"--hard={resource}=0")
    place.kubectl("wait", "--for=jsonpath={.status.hard}", "resourcequota/tight")
    place.apply(study("squeezed", sh(RECORD)))
    told = eventually(
        lambda: json.dumps(place.status("squeezed").get("conditions", [])), lambda text: "exceeded quota: tight" in text
    )
    assert resource.partition("/")[0] in told
    before = place.plane.requests_of_operators()
    time.sleep(10)
    assert place.plane.requests_of_operators() - before < 60
    place.kubectl("patch", "quota", "tight", "--type=merge", f'--patch={{"spec":{{"hard":{{"{resource}":"9"}}}}}}')
    assert place.finishes("squeezed")["trials"]["succeeded"] == 4
    assert place.condition("squeezed", "Stalled")["status"] == "False"
    assert "exceeded quota" not in json.dumps(place.status("squeezed")["conditions"])


def trial_when(place: Place, name: str, holds: Callable[[Object], object]) -> Object:
    """The status of the first trial of the study that is so, once there is one."""
    statuses = eventually(
        lambda: [trial["status"] for trial in place.trials(name).values() if holds(trial["status"])], bool
    )
    return statuses[0]
