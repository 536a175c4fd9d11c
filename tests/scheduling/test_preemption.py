"""The real scheduler takes a trial's GPU for a pod of a higher priority: the trial runs again, at the same point."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane, Settings
from tests.cluster.node import NodeSettings
from tests.cluster.node_agent import NodeAgent
from tests.cluster.operator_process import OperatorProcess
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import RECORD, SLEEP, begun_trials, expected_trials, sh, study

GPU = {"resources": {"limits": {"nvidia.com/gpu": 1}}}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A cluster of its own: kube-scheduler, and one node with one GPU."""
    plane_folder, node_folder = tmp_path / "plane", tmp_path / "node"
    plane_folder.mkdir()
    node = NodeSettings(gpus=1, images={"python": [sys.executable]}, places_pods=False)
    with (
        ControlPlane(plane_folder, Settings(scheduler=True)) as plane,
        NodeAgent(plane.access, node_folder, node),
    ):
        plane.install_crds()
        with OperatorProcess(tmp_path / "operator", [f"--kubeconfig={plane.kubeconfig}", "--no-leader-election"]):
            yield Place(plane, "default")


def test_a_preempted_trial_gives_way_and_runs_again_at_the_same_point(place: Place, tmp_path: Path) -> None:
    begun = tmp_path / "begun.txt"
    for name, value in (("research", 100), ("services", 1000)):
        place.kubectl("create", "priorityclass", name, f"--value={value}")
    again = f'[ "$(grep -c "^$STUDY_TRIAL$" {begun})" -gt 1 ] && {{ {RECORD}; exit 0; }}; {SLEEP}'
    manifest = study("humble", sh(again), begun=begun, container=GPU, pod={"priorityClassName": "research"}, trials=1)
    place.apply(manifest)
    place.running_pod("humble-0")
    service = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "service"},
        "spec": {
            "priorityClassName": "services",
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "service", "image": "python", "command": sh(SLEEP), **GPU}],
        },
    }
    place.kubectl("create", "--filename=-", input=json.dumps(service))
    place.kubectl("wait", "--for=jsonpath={.status.phase}=Running", "pod/service", "--timeout=60s")
    waiting = eventually(lambda: place.trial_status("humble", 0), lambda told: told.get("reason") == "Unschedulable")
    assert (waiting["state"], "nvidia.com/gpu" in waiting["message"]) == ("Queued", True)
    events = {event["reason"] for event in place.read("events")["items"]}
    assert {"Preempted", "TrialRetried"} <= events
    place.kubectl("delete", "pod", "service")
    status = place.finishes("humble")
    assert (status["trials"]["succeeded"], status["trials"]["failed"]) == (1, 0)
    told = place.trials("humble")[0]
    assert (told["status"]["attempts"], begun_trials(begun)["humble-0"]) == (2, 2)
    assert told["spec"] | expected_trials(manifest)[0] == told["spec"]
