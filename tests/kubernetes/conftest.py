"""What the tests of the Kubernetes backend share: the resources installed, a client, a study that exists."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from study_operator.api import Study, parse_study, study_space
from study_operator.backends.kubernetes.backend import KubernetesBackend
from study_operator.backends.kubernetes.client import Client, load_configuration
from study_operator.results.trial import Purpose, TrialSpec

from tests.cluster.control_plane import ControlPlane

SUCCEED = ["sh", "-c", 'echo "{}" > $STUDY_TERMINATION_LOG']

StudyMaker = Callable[..., Study]


def manifest(
    name: str, namespace: str, command: Sequence[str] = SUCCEED, job: Mapping[str, Any] = {}, **container: Any
) -> dict[str, Any]:
    """A study of one nuisance hyperparameter whose trainer is ``command``; ``job`` adds to the template's spec."""
    trainer = {"name": "trainer", "image": "python", "command": list(command), **container}
    pod = {"terminationGracePeriodSeconds": 1, "containers": [trainer]}
    return {
        "apiVersion": "tuning.study/v1alpha1",
        "kind": "Study",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "goal": "Which learning rate is best?",
            "objective": {"metric": "validation_error", "direction": "Minimize"},
            "training": {"steps": 10},
            "hyperparameters": [
                {
                    "name": "learning_rate",
                    "role": "Nuisance",
                    "range": {"min": 0.001, "max": 1, "scale": "Log"},
                }
            ],
            "budget": {"trials": 4, "parallelism": 2},
            "trialTemplate": {"spec": {"template": {"spec": pod}, **job}},
        },
    }


def trial(study: Study, index: int = 0) -> TrialSpec:
    point = (0.25,)
    parameters = study_space(study).parameters(0, point)
    return TrialSpec(study.metadata.name, index, 0, Purpose.SEARCH, point, parameters, 7)


@pytest.fixture(scope="session")
def resources(control_plane: ControlPlane) -> ControlPlane:
    """The control plane, with the custom resources installed."""
    control_plane.install_crds()
    return control_plane


@pytest.fixture
async def client(resources: ControlPlane) -> AsyncIterator[Client]:
    configuration, refresh = await load_configuration(resources.kubeconfig)
    client = Client(configuration)
    yield client
    if refresh:
        refresh.cancel()
    await client.close()


@pytest.fixture
def backend(client: Client) -> KubernetesBackend:
    return KubernetesBackend(client, now=lambda: datetime.now(UTC), clock=time.monotonic)


@pytest.fixture
def create_study(resources: ControlPlane, namespace: str) -> StudyMaker:
    """Create a study with kubectl, and return it as the operator reads it; the arguments are those of ``manifest``."""

    def create(name: str = "bert", *arguments: Any, **more: Any) -> Study:
        resources.apply(manifest(name, namespace, *arguments, **more))
        read = resources.kubectl("get", "study", name, f"--namespace={namespace}", "--output=json")
        return parse_study(json.loads(read.stdout))

    return create
