"""A namespace as a person sees it: what they do goes through kubectl, what they look at is read from the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests

from tests.cluster.control_plane import ControlPlane
from tests.cluster.waiting import eventually

Object = dict[str, Any]

_PATHS = {
    "studies": "apis/tuning.study/v1alpha1",
    "trials": "apis/tuning.study/v1alpha1",
    "jobs": "apis/batch/v1",
    "pods": "api/v1",
    "events": "api/v1",
}


class Place:
    """One namespace of the control plane."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane = plane
        self.namespace = namespace
        self._http = requests.Session()
        self._http.trust_env = False  # a bundle of authorities in the environment would win over the plane's own
        self._http.cert = str(plane.access.client.certificate), str(plane.access.client.key)
        self._http.verify = str(plane.access.authority)

    def kubectl(self, *arguments: str, **options: Any) -> str:
        return self.plane.kubectl(f"--namespace={self.namespace}", *arguments, **options).stdout

    def apply(self, manifest: Mapping[str, Any]) -> str:
        return self.kubectl("apply", "--filename=-", input=json.dumps(manifest))

    def refusal(self, manifest: Mapping[str, Any]) -> str:
        """What kubectl says as the API server refuses the manifest."""
        arguments = ["apply", "--filename=-", f"--namespace={self.namespace}"]
        done = self.plane.kubectl(*arguments, input=json.dumps(manifest), check=False)
        assert done.returncode, "it was not refused"
        return done.stderr

    def change(self, study: str, **spec: Any) -> None:
        self.kubectl("patch", "study", study, "--type=merge", f"--patch={json.dumps({'spec': spec})}")

    def read(self, kind: str, name: str = "") -> Object:
        """One object, or the list of all; an object that does not exist is empty."""
        path = f"{_PATHS[kind]}/namespaces/{self.namespace}/{kind}/{name}".rstrip("/")
        response = self._http.get(f"{self.plane.access.url}/{path}", timeout=10)
        if response.status_code == 404:
            return {}
        response.raise_for_status()
        found: Object = response.json()
        return found

    def names(self, kind: str) -> set[str]:
        return {item["metadata"]["name"] for item in self.read(kind)["items"]}

    def status(self, study: str) -> Object:
        found: Object = self.read("studies", study)["status"]
        return found

    def trials(self, study: str) -> dict[int, Object]:
        """The study's trials by index."""
        items = (item for item in self.read("trials")["items"] if item["spec"]["study"] == study)
        return {item["spec"]["index"]: item for item in sorted(items, key=lambda item: item["spec"]["index"])}

    def trial_status(self, study: str, index: int) -> Object:
        found: Object = self.trials(study).get(index, {}).get("status", {})
        return found

    def condition(self, study: str, kind: str) -> Object:
        """A condition of the study; empty while there is none."""
        conditions = self.status(study).get("conditions", ())
        return next((condition for condition in conditions if condition["type"] == kind), {})

    def becomes(self, study: str, kind: str, status: str = "True", reason: str = "") -> Object:
        """The condition, once it has this status, and this reason if one is given."""
        return eventually(
            lambda: self.condition(study, kind),
            lambda found: found.get("status") == status and found.get("reason", "").startswith(reason),
        )

    def finishes(self, study: str, seconds: int = 180) -> Object:
        """The study's status once it is finished; waited for as a person does."""
        self.kubectl("wait", "--for=condition=Finished", f"study/{study}", f"--timeout={seconds}s")
        return self.status(study)

    def pods_of(self, trial: str) -> list[Object]:
        pods: list[Object] = self.read("pods")["items"]
        return [pod for pod in pods if pod["metadata"]["labels"].get("batch.kubernetes.io/job-name") == trial]

    def running_pod(self, trial: str) -> str:
        """The name of the trial's pod, once it runs."""
        [pod, *_] = eventually(
            lambda: [pod for pod in self.pods_of(trial) if pod["status"].get("phase") == "Running"], bool
        )
        name: str = pod["metadata"]["name"]
        return name
