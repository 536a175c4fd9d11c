"""What a platform team sees: an installation, a study on GPUs, and what a cluster does to both."""

import json
import time

from tests.cluster.control_plane import ControlPlane
from tests.cluster.prometheus import PrometheusServer
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.node.installation import Installation
from tests.node.kubelet import GPUS, NODE, Kubelet
from tests.node.studies import digits, holds


def test_a_study_of_more_trials_than_gpus_finishes_with_its_curves_from_prometheus(
    place: Place, operator: Installation
) -> None:
    manifest = digits("wide", trials=GPUS + 1, parallelism=GPUS + 1)
    place.apply(manifest)
    [pod, *_] = eventually(lambda: place.pods_of("wide-0"), bool)
    first = time.monotonic() - operator.began
    place.running_pod("wide-0")
    running = time.monotonic() - operator.began
    assert pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    eventually(lambda: _unplaced(place), lambda pods: len(pods) == 1)
    holds(place, manifest)
    memory = operator.memory() / 2**20
    print(f"\nfrom helm install to the first trial's pod {first:.1f} s, until it ran {running:.1f} s")
    print(f"the operator's resident memory after this study {memory:.0f} MiB")


def test_the_guides_steps_work_as_they_are_written(plane: ControlPlane, operator: Installation) -> None:
    began = time.monotonic()
    told = operator.follow_guide("helm test")
    assert "rights in all namespaces: ok" in told and f"Prometheus at {operator.prometheus}: ok" in told
    told = operator.follow_guide("sed")
    assert "study.tuning.study/minimal condition met" in told and "minimal-7" in told
    assert operator.restarts() == 0
    print(f"\nthe guide's check and its first study took {time.monotonic() - began:.0f} s")


def test_a_killed_operator_goes_on_where_it_was(place: Place, operator: Installation) -> None:
    manifest = digits("killed")
    place.apply(manifest)
    place.running_pod("killed-0")
    operator.kill()
    holds(place, manifest)


def test_an_evicted_trial_runs_again_at_the_same_point(place: Place) -> None:
    manifest = digits("evicted")
    place.apply(manifest)
    pod = place.running_pod("evicted-0")
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": place.namespace}}
    path = f"/api/v1/namespaces/{place.namespace}/pods/{pod}/eviction"
    place.kubectl("create", f"--raw={path}", "--filename=-", input=json.dumps(eviction))
    holds(place, manifest, attempts={0: 2})


def test_a_node_that_is_silent_for_a_minute_loses_no_trial(place: Place, plane: ControlPlane, kubelet: Kubelet) -> None:
    manifest = digits("silent")
    place.apply(manifest)
    place.running_pod("silent-0")
    kubelet.kill()
    plane.kubectl("wait", "--for=condition=Ready=Unknown", f"node/{NODE}", "--timeout=90s")
    time.sleep(10)
    kubelet.start()
    holds(place, manifest)


def test_a_restart_of_prometheus_leaves_no_gap_in_a_curve(place: Place, prometheus: PrometheusServer) -> None:
    manifest = digits("blind")
    place.apply(manifest)
    place.running_pod("blind-0")
    prometheus.stop()
    time.sleep(10)
    prometheus.start()
    holds(place, manifest)


def test_a_restart_of_the_api_server_loses_nothing(place: Place, plane: ControlPlane) -> None:
    manifest = digits("deaf")
    place.apply(manifest)
    place.running_pod("deaf-0")
    plane.stop_api_server()
    time.sleep(10)
    plane.start_api_server()
    holds(place, manifest)


def _unplaced(place: Place) -> list[str]:
    """The pods that no node has."""
    return [pod["metadata"]["name"] for pod in place.read("pods")["items"] if not pod["spec"].get("nodeName")]
