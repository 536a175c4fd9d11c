"""The operator as a release on a control plane, and the example repository in a copy that a test may change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.chart.chart import ROOT
from tests.chart.conftest import Cluster, cluster, control_plane, installed
from tests.end_to_end.studies import RECORD

__all__ = ["cluster", "control_plane", "installed"]

ROUNDS = ("digits-optimizer-r1", "digits-optimizer-r2")


class Repository:
    """A copy of the example repository, in one namespace of the cluster.

    Its trials take ``seconds``, and each round has so many of ``trials``.
    """

    def __init__(
        self, folder: Path, cluster: Cluster, namespace: str, trials: tuple[int, int] = (6, 6), seconds: float = 0.5
    ) -> None:
        self._cluster = cluster
        self.namespace = namespace
        self.folder = folder / "cluster"
        shutil.copytree(ROOT / "gitops" / "experiments", folder / "experiments")
        self.folder.mkdir()
        patches = [_patch(name, count, seconds) for name, count in zip(ROUNDS, trials, strict=True)]
        self._write({"namespace": namespace, "resources": ["../experiments"], "patches": patches})

    def keep(self, *rounds: str) -> None:
        """Let the repository have these rounds alone."""
        file = self.folder.parent / "experiments" / "kustomization.yaml"
        content = yaml.safe_load(file.read_text())
        content["resources"] = [f"studies/digits-optimizer/{name}.yaml" for name in rounds]
        file.write_text(yaml.safe_dump(content))

    def _write(self, kustomization: Mapping[str, object]) -> None:
        (self.folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))

    def apply(self, *options: str) -> list[str]:
        """What kubectl says of each object."""
        done = self._cluster.control.kubectl("apply", *options, f"--kustomize={self.folder}")
        return done.stdout.splitlines()

    def difference(self, *options: str) -> str:
        done = self._cluster.control.kubectl("diff", *options, f"--kustomize={self.folder}", check=False)
        return done.stdout + done.stderr

    def kubectl(self, *arguments: str) -> str:
        return self._cluster.control.kubectl(*arguments, f"--namespace={self.namespace}").stdout

    def names(self, kinds: str) -> set[str]:
        return set(self.kubectl("get", kinds, "--output=name").split())

    def finish(self, *studies: str) -> None:
        for study in studies:
            self.kubectl("wait", "--for=condition=Finished", f"study/{study}", "--timeout=120s")


def _patch(study: str, trials: int, seconds: float) -> dict[str, object]:
    """kustomize's patch by which a cluster's overlay gives the study another trainer and budget."""
    container = "/spec/trialTemplate/spec/template/spec/containers/0"
    operations = [
        {"op": "replace", "path": f"{container}/command", "value": ["sh", "-c", f"{RECORD}; sleep {seconds}"]},
        {"op": "replace", "path": "/spec/budget", "value": {"trials": trials, "parallelism": 3}},
    ]
    return {"target": {"kind": "Study", "name": study}, "patch": json.dumps(operations)}


@pytest.fixture
def repository(tmp_path: Path, installed: Cluster, namespace: str) -> Repository:
    return Repository(tmp_path, installed, namespace)
