"""The harness behaves as the cluster that it stands for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cluster.control_plane import ControlPlane, Settings
from tests.cluster.fixtures import GPUS
from tests.cluster.node_agent import NodeAgent
from tests.cluster.prometheus import PASSWORD, USER, PrometheusServer, Web, fixed_targets
from tests.cluster.waiting import eventually

EXPORTER = """
import os, prometheus_client, signal
prometheus_client.Gauge("validation_error", "").set(0.25)
prometheus_client.start_http_server(9400, addr=os.environ["STUDY_METRICS_ADDRESS"])
signal.pause()
"""
FOREVER = ["sh", "-c", "sleep 600 & wait"]


def job(name: str, command: list[str], **container: Any) -> dict[str, Any]:
    containers = [{"name": "trainer", "image": "python", "command": command, **container}]
    template = {
        "metadata": {"labels": {"tuning.study/study": name}},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 2, "containers": containers},
    }
    spec = {"backoffLimit": 0, "podReplacementPolicy": "Failed", "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


class Cluster:
    """One namespace of the control plane, as the tests below look at it."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self.namespace = namespace

    def run(self, name: str, command: list[str], **container: Any) -> None:
        manifest = job(name, command, **container)
        self._plane.kubectl("create", f"--namespace={self.namespace}", "--filename=-", input=json.dumps(manifest))

    def pods(self, name: str) -> list[dict[str, Any]]:
        selector = f"--selector=job-name={name}"
        listing = self._plane.kubectl("get", "pods", f"--namespace={self.namespace}", selector, "--output=json")
        pods: list[dict[str, Any]] = json.loads(listing.stdout)["items"]
        return pods

    def pod_when(self, name: str, state: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return eventually(lambda: next((pod for pod in self.pods(name) if state(pod)), None))

    def wait(self, name: str, condition: str) -> None:
        self._plane.kubectl(
            "wait", f"--for=condition={condition}", f"job/{name}", f"--namespace={self.namespace}", "--timeout=30s"
        )


@pytest.fixture
def cluster(control_plane: ControlPlane, node_agent: NodeAgent, namespace: str) -> Cluster:
    return Cluster(control_plane, namespace)


def trainer_state(pod: dict[str, Any]) -> dict[str, Any]:
    statuses = pod["status"].get("containerStatuses", [{"state": {}}])
    state: dict[str, Any] = statuses[0]["state"]
    return state


def waits_for(reason: str) -> Callable[[dict[str, Any]], bool]:
    return lambda pod: trainer_state(pod).get("waiting", {}).get("reason") == reason


def in_phase(phase: str) -> Callable[[dict[str, Any]], bool]:
    return lambda pod: bool(pod["status"]["phase"] == phase)


def condition(pod: dict[str, Any], kind: str) -> dict[str, Any] | None:
    return next((found for found in pod["status"].get("conditions", ()) if found["type"] == kind), None)


def test_a_job_completes_and_its_termination_message_arrives(cluster: Cluster) -> None:
    command = ["sh", "-c", "echo $0 $GREETING > $STUDY_TERMINATION_LOG", "$(NAME)"]
    name = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['tuning.study/study']"}}}
    cluster.run("says", command, env=[name, {"name": "GREETING", "value": "hello $$(NAME) from $(NAME)"}])
    cluster.wait("says", "Complete")
    (pod,) = cluster.pods("says")
    assert trainer_state(pod)["terminated"]["message"] == "says hello $(NAME) from says\n"


def test_the_address_of_a_pod_that_is_gone_is_not_given_to_the_next(
    cluster: Cluster, control_plane: ControlPlane
) -> None:
    addresses = []
    for name in ("first", "next"):
        cluster.run(name, ["sh", "-c", "true"])
        cluster.wait(name, "complete")
        addresses += [pod["status"]["podIP"] for pod in cluster.pods(name)]
        control_plane.kubectl("delete", f"job/{name}", f"--namespace={cluster.namespace}", "--cascade=foreground")
    assert len(set(addresses)) == 2


def test_a_failed_job_tells_its_exit_code_and_the_end_of_its_log(cluster: Cluster) -> None:
    cluster.run("fails", ["sh", "-c", "echo diverged; exit 65"], terminationMessagePolicy="FallbackToLogsOnError")
    cluster.wait("fails", "Failed")
    (pod,) = cluster.pods("fails")
    end = trainer_state(pod)["terminated"]
    assert (end["exitCode"], end["reason"], end["message"]) == (65, "Error", "diverged\n")


def test_a_pod_that_wants_too_many_gpus_waits_unschedulable_until_it_fits(cluster: Cluster) -> None:
    all_gpus = {"resources": {"limits": {"nvidia.com/gpu": str(GPUS)}}}
    cluster.run("first", ["sh", "-c", "sleep 2"], **all_gpus)
    cluster.pod_when("first", in_phase("Running"))
    cluster.run("second", ["true"], **all_gpus)
    waiting = cluster.pod_when("second", lambda pod: condition(pod, "PodScheduled") is not None)
    told = condition(waiting, "PodScheduled")
    assert told
    assert (told["status"], told["reason"]) == ("False", "Unschedulable")
    assert told["message"].startswith("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
    cluster.wait("second", "Complete")


def test_an_image_that_cannot_be_pulled_backs_off(cluster: Cluster) -> None:
    cluster.run("unpullable", ["true"], image="registry.invalid/trainer:1")
    pod = cluster.pod_when("unpullable", waits_for("ImagePullBackOff"))
    assert pod["status"]["phase"] == "Pending"


def test_a_missing_secret_holds_the_container_back_until_it_is_there(
    cluster: Cluster, control_plane: ControlPlane
) -> None:
    source = {"secretKeyRef": {"name": "token", "key": "value"}}
    cluster.run("secretive", ["sh", "-c", "test $TOKEN = abc"], env=[{"name": "TOKEN", "valueFrom": source}])
    pod = cluster.pod_when("secretive", waits_for("CreateContainerConfigError"))
    assert trainer_state(pod)["waiting"]["message"] == 'secret "token" not found'
    namespace = f"--namespace={cluster.namespace}"
    control_plane.kubectl("create", "secret", "generic", "token", "--from-literal=value=abc", namespace)
    cluster.wait("secretive", "Complete")


def test_an_eviction_through_the_api_is_a_disruption(cluster: Cluster, node_agent: NodeAgent) -> None:
    cluster.run("evicted", FOREVER)
    pod = cluster.pod_when("evicted", in_phase("Running"))
    node_agent.evict(cluster.namespace, pod["metadata"]["name"])
    seen = cluster.pod_when("evicted", lambda pod: condition(pod, "DisruptionTarget") is not None)
    disruption = condition(seen, "DisruptionTarget")
    assert disruption
    assert disruption["reason"] == "EvictionByEvictionAPI"
    cluster.wait("evicted", "Failed")


def test_a_pod_evicted_under_node_pressure_fails_as_evicted(cluster: Cluster, node_agent: NodeAgent) -> None:
    cluster.run("pressed", FOREVER)
    pod = cluster.pod_when("pressed", in_phase("Running"))
    node_agent.evict_under_pressure(cluster.namespace, pod["metadata"]["name"])
    failed = cluster.pod_when("pressed", in_phase("Failed"))
    disruption = condition(failed, "DisruptionTarget")
    assert disruption
    assert (failed["status"]["reason"], disruption["reason"]) == ("Evicted", "TerminationByKubelet")


def test_a_container_out_of_memory_says_so(cluster: Cluster, node_agent: NodeAgent) -> None:
    cluster.run("hungry", FOREVER)
    pod = cluster.pod_when("hungry", in_phase("Running"))
    node_agent.oom_kill(cluster.namespace, pod["metadata"]["name"])
    end = trainer_state(cluster.pod_when("hungry", in_phase("Failed")))["terminated"]
    assert (end["exitCode"], end["reason"]) == (137, "OOMKilled")


def test_a_pod_over_its_deadline_fails(cluster: Cluster, control_plane: ControlPlane) -> None:
    manifest = job("late", FOREVER)
    manifest["spec"]["template"]["spec"]["activeDeadlineSeconds"] = 1
    control_plane.kubectl("create", f"--namespace={cluster.namespace}", "--filename=-", input=json.dumps(manifest))
    assert cluster.pod_when("late", in_phase("Failed"))["status"]["reason"] == "DeadlineExceeded"


def test_a_silent_node_tells_nothing_until_it_is_back(cluster: Cluster, node_agent: NodeAgent) -> None:
    node_agent.pause()
    try:
        cluster.run("silent", ["true"])
        eventually(lambda: cluster.pods("silent"))
        time.sleep(1)
        (pod,) = cluster.pods("silent")
        assert "nodeName" not in pod["spec"]
    finally:
        node_agent.resume()
    cluster.wait("silent", "Complete")


def test_work_goes_on_when_the_api_server_comes_back(cluster: Cluster, control_plane: ControlPlane) -> None:
    cluster.run("patient", ["sh", "-c", "sleep 1"])
    cluster.pod_when("patient", in_phase("Running"))
    control_plane.stop_api_server()
    time.sleep(1.5)
    control_plane.start_api_server()
    cluster.wait("patient", "Complete")


def test_prometheus_finds_a_pod_and_labels_its_samples(cluster: Cluster, prometheus: PrometheusServer) -> None:
    port = {"name": "metrics", "containerPort": 9400}
    cluster.run("exports", ["python", "-c", EXPORTER], ports=[port])
    (pod,) = eventually(lambda: cluster.pods("exports"))
    labels = {"namespace": cluster.namespace, "pod": pod["metadata"]["name"], "container": "trainer"}
    selector = ",".join(f'{name}="{value}"' for name, value in labels.items())
    (series,) = eventually(lambda: prometheus.query(f"validation_error{{{selector}}}"))
    assert series["value"][1] == "0.25"


@pytest.mark.parametrize(
    "web",
    [Web(), Web(password=True), Web(tls=True), Web(client_certificates=True), Web(prefix="/metrics/prometheus")],
    ids=["open", "password", "tls", "client-certificates", "prefix"],
)
def test_prometheus_keeps_its_data_over_an_outage(web: Web, tmp_path: Path) -> None:
    with PrometheusServer(tmp_path, [fixed_targets("127.0.0.1:9")], web=web) as server:
        eventually(lambda: server.query("up"))
        server.stop()
        with pytest.raises(requests.ConnectionError):
            server.query("up")
        server.start()
        assert server.query("up[5m]")[0]["metric"]["instance"] == "127.0.0.1:9"


def test_prometheus_with_a_password_refuses_others(tmp_path: Path) -> None:
    with PrometheusServer(tmp_path, [], web=Web(password=True)) as server:
        status = requests.get(
            f"{server.url}/api/v1/query?query=up", auth=(USER, PASSWORD.upper()), timeout=10
        ).status_code
    assert status == 401


def test_a_service_account_may_do_what_its_role_says(control_plane: ControlPlane, namespace: str) -> None:
    inside = f"--namespace={namespace}"
    control_plane.kubectl(
        "create", "rolebinding", "view", "--clusterrole=view", f"--serviceaccount={namespace}:default", inside
    )
    kubeconfig = f"--kubeconfig={control_plane.service_account_kubeconfig(namespace, 'default')}"
    assert control_plane.kubectl("auth", "can-i", "list", "jobs", inside, kubeconfig).stdout == "yes\n"
    assert control_plane.kubectl("auth", "can-i", "create", "jobs", inside, kubeconfig, check=False).stdout == "no\n"


def test_the_audit_log_has_each_write_with_its_user_agent(tmp_path: Path) -> None:
    with ControlPlane(tmp_path, Settings(audit=True)) as plane:
        plane.kubectl("create", "configmap", "noted")
        lines = plane.audit_log.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    (write,) = [event for event in events if event["verb"] == "create" and event["objectRef"].get("name") == "noted"]
    assert write["userAgent"].startswith("kubectl/")
    assert write["stage"] == "ResponseComplete"
