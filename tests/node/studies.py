"""Studies of the digits trainer on GPUs, and what must hold of them whatever happened meanwhile."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from study_operator.api.yaml import load_manifest

from tests.end_to_end.place import Place
from tests.end_to_end.studies import expected_trials
from tests.node.images import REPOSITORY, TRAINER

STEPS = 100


def digits(name: str, trials: int = 3, parallelism: int = 2) -> dict[str, Any]:
    """The example study, smaller, as a namespace of the Pod Security Standard restricted wants its pods."""
    manifest: dict[str, Any] = load_manifest((REPOSITORY / "examples" / "digits-quick.yaml").read_text())
    manifest["metadata"]["name"] = name
    spec = manifest["spec"]
    spec["budget"] = {"trials": trials, "parallelism": parallelism}
    spec["training"]["steps"] = STEPS
    # Where no trial diverges, so that every one must succeed.
    spec["hyperparameters"] = [
        {"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 0.05, "scale": "Log"}},
        {"name": "optimizer", "role": "Fixed", "value": "adam"},
        {"name": "hidden_units", "role": "Fixed", "value": 32},
    ]
    pod = spec["trialTemplate"]["spec"]["template"]["spec"]
    pod["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    pod["terminationGracePeriodSeconds"] = 5
    pod["volumes"] = [{"name": "checkpoints", "emptyDir": {}}]
    pod["containers"][0] |= {
        "image": TRAINER,
        "resources": {"limits": {"nvidia.com/gpu": 1, "memory": "2Gi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "checkpoints", "mountPath": "/tmp"}],
    }
    return manifest


def holds(place: Place, manifest: Mapping[str, Any], attempts: Mapping[int, int] | None = None) -> None:
    """The study finishes with every trial computed as its manifest says and its whole curve, from Prometheus.

    Each trial was run once, or as often as ``attempts`` says, told by the Jobs that were created.
    """
    name = manifest["metadata"]["name"]
    place.kubectl("wait", "--for=condition=Finished", f"study/{name}", "--timeout=600s")
    expected = expected_trials(manifest)
    found = place.trials(name)
    assert list(found) == list(range(len(expected)))
    for index, trial in found.items():
        status = trial["status"]
        assert trial["spec"] | expected[index] == trial["spec"]
        assert (status["state"], status["source"]) == ("Succeeded", "Prometheus"), status
        assert status["curves"]["validation_error"]["steps"] == list(range(10, STEPS + 1, 10)), status
        assert "incomplete" not in status, status
    wanted = {f"{name}-{index}": (attempts or {}).get(index, 1) for index in found}
    assert {trial["metadata"]["name"]: trial["status"]["attempts"] for trial in found.values()} == wanted
    made = jobs_created(place)
    assert made == wanted, made
    status = place.status(name)
    objectives = {index: float(trial["status"]["objective"]["value"]) for index, trial in found.items()}
    assert [ranked["trial"] for ranked in status["ranking"]] == [
        f"{name}-{index}" for index in sorted(objectives, key=lambda index: (objectives[index], index))
    ]


def jobs_created(place: Place) -> Counter[str]:
    """How often each Job of the namespace was created, by the API server's own account."""
    created: Counter[str] = Counter()
    with place.plane.audit_log.open() as log:
        for line in log:
            request = json.loads(line)
            target = request.get("objectRef", {})
            what = request["verb"], target.get("resource"), target.get("namespace")
            made = request.get("responseStatus", {}).get("code") == 201 and "dryRun" not in request["requestURI"]
            if what == ("create", "jobs", place.namespace) and made:
                created[target["name"]] += 1
    return created
