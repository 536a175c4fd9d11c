"""What the cluster's scheduling sees of a study: everything that the template says, and nothing of the operator's own.

Eviction and preemption are in tests/end_to_end/test_disruptions.py, full quotas and missing nodes in test_stuck.py.
"""

from __future__ import annotations

import time
from typing import Any

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import RECORD, SLEEP, expected_ranking, ranking, sh, study

QUEUE = {"kueue.x-k8s.io/queue-name": "gpus"}


def queued(manifest: dict[str, Any]) -> dict[str, Any]:
    """The study with Kueue's label, and suspended as Kueue's webhook leaves the Jobs of its queues."""
    template = manifest["spec"]["trialTemplate"]
    template["metadata"] = {"labels": QUEUE, "annotations": {"kueue.x-k8s.io/job-max-exec-time-seconds": "600"}}
    template["spec"]["suspend"] = True
    return manifest


def test_the_queues_label_reaches_the_job_and_a_suspended_job_is_queued(
    place: Place, operator: OperatorProcess
) -> None:
    place.apply(queued(study("queued", sh(RECORD), trials=3, parallelism=3)))
    eventually(lambda: place.names("jobs"), lambda names: len(names) == 3)
    for job in place.read("jobs")["items"]:
        assert QUEUE.items() <= job["metadata"]["labels"].items()
        assert "kueue.x-k8s.io/job-max-exec-time-seconds" in job["metadata"]["annotations"]
        assert job["spec"]["suspend"] is True
    eventually(lambda: place.status("queued").get("trials", {}).get("queued"), lambda count: count == 3)
    assert place.condition("queued", "Stalled")["status"] == "False"
    assert place.names("pods") == set()
    before = place.plane.requests_of_operators()
    time.sleep(5)
    assert place.plane.requests_of_operators() - before < 20, "it waits for the queue without asking"
    for admitted, index in enumerate((2, 0, 1), 1):  # one by one, in the queue's own order
        place.kubectl("patch", "job", f"queued-{index}", "--type=merge", '--patch={"spec":{"suspend":false}}')
        eventually(
            lambda: place.status("queued")["trials"]["succeeded"], lambda count, wanted=admitted: count == wanted
        )
    assert place.finishes("queued")["trials"]["succeeded"] == 3


def test_a_job_that_the_queue_takes_back_is_queued_again_and_runs_later(
    place: Place, operator: OperatorProcess
) -> None:
    """Kueue preempts by suspending the Job anew: its pod goes, the trial does not."""
    place.apply(queued(study("preempted", sh(f"sleep 2; {RECORD}"), trials=1)))
    eventually(lambda: place.names("jobs"), bool)
    suspend = '--patch={{"spec":{{"suspend":{}}}}}'
    place.kubectl("patch", "job", "preempted-0", "--type=merge", suspend.format("false"))
    place.running_pod("preempted-0")
    place.kubectl("patch", "job", "preempted-0", "--type=merge", suspend.format("true"))
    eventually(lambda: place.pods_of("preempted-0"), lambda pods: not pods)
    eventually(lambda: place.status("preempted").get("trials", {}), lambda trials: trials.get("queued") == 1)
    place.kubectl("patch", "job", "preempted-0", "--type=merge", suspend.format("false"))
    status = place.finishes("preempted")
    assert (status["trials"]["succeeded"], status["trials"]["failed"]) == (1, 0)


def test_what_the_template_says_of_scheduling_reaches_the_pod_unchanged(
    place: Place, operator: OperatorProcess
) -> None:
    place.plane.apply({
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "research"}, "value": 100,
    })  # fmt: skip
    pod = {
        "priorityClassName": "research",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "preference": {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}}
                ]
            }
        },
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
        ],
    }
    resources = {"limits": {"nvidia.com/gpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "1Gi"}}
    place.apply(study("placed", sh(SLEEP), pod=pod, container={"resources": resources}, trials=1))
    place.running_pod("placed-0")
    [found] = place.pods_of("placed-0")
    spec = found["spec"]
    assert {name: spec[name] for name in pod if name != "tolerations"} == {
        name: value for name, value in pod.items() if name != "tolerations"
    }
    assert pod["tolerations"][0] in spec["tolerations"] and spec["priority"] == 100
    [container] = spec["containers"]
    assert container["resources"]["limits"] == resources["limits"]
    assert container["resources"]["requests"] == {**resources["requests"], "nvidia.com/gpu": "1"}
    place.kubectl("delete", "study", "placed")


def test_of_an_indexed_job_index_0_reports(place: Place, operator: OperatorProcess) -> None:
    better = 'echo "{\\"metrics\\": {\\"validation_error\\": 0.0}}" > $STUDY_TERMINATION_LOG; sleep 1'
    manifest = study(
        "ranks",
        sh(f'if [ "$JOB_COMPLETION_INDEX" = 0 ]; then {RECORD}; else {better}; fi'),
        job={"completions": 2, "parallelism": 2, "completionMode": "Indexed"},
        trials=3,
    )
    place.apply(manifest)
    status = place.finishes("ranks")
    assert status["trials"]["succeeded"] == 3
    assert ranking(status) == expected_ranking(manifest)
