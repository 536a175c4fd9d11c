"""The example repository as GitOps tools use it: applied again and again, compared, pruned."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from study_operator.cli.main import main

from tests.chart.chart import ROOT, template
from tests.chart.conftest import Cluster
from tests.cluster.binaries import find_or_build
from tests.cluster.waiting import eventually
from tests.gitops.conftest import ROUNDS, Repository

EXPERIMENTS = ROOT / "gitops" / "experiments"
KUBECTL: Sequence[tuple[str, ...]] = [(), ("--server-side",)]


def kustomize(folder: Path) -> list[dict[str, object]]:
    done = subprocess.run([find_or_build("kubectl"), "kustomize", folder], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("how", KUBECTL, ids=["client-side", "server-side"])
def test_applying_again_changes_nothing_and_the_operator_causes_no_drift(
    repository: Repository, how: tuple[str, ...]
) -> None:
    assert all(line.endswith(("created", "serverside-applied")) for line in repository.apply(*how))
    repository.finish(*ROUNDS)
    assert repository.difference(*how) == ""
    before = repository.kubectl("get", "studies", "--output=jsonpath={.items[*].metadata.resourceVersion}")
    for _ in range(3):
        assert all(line.endswith(("unchanged", "serverside-applied")) for line in repository.apply(*how))
        time.sleep(1)
    assert repository.kubectl("get", "studies", "--output=jsonpath={.items[*].metadata.resourceVersion}") == before
    assert repository.difference(*how) == ""


def test_while_it_runs_there_is_no_drift_either(repository: Repository) -> None:
    repository.apply("--server-side")
    repository.kubectl("wait", "--for=jsonpath={.status.trials.running}", "study/digits-optimizer-r1", "--timeout=60s")
    assert repository.difference("--server-side") == ""
    managers = repository.kubectl(
        "get", "study/digits-optimizer-r1", "--show-managed-fields", "--output=jsonpath={.metadata.managedFields}"
    )
    assert {(entry["manager"].split("/")[0], entry.get("subresource")) for entry in json.loads(managers)} == {
        ("kubectl", None),
        ("study-operator", "status"),
    }


@pytest.mark.parametrize("propagation", ["background", "foreground"])
def test_pruning_a_round_removes_what_belongs_to_it_and_nothing_else(repository: Repository, propagation: str) -> None:
    """Flux deletes in the background, Argo CD in the foreground."""
    repository.apply()
    repository.kubectl("create", "configmap", "digits-optimizer-r1-notes")
    repository.kubectl("label", "configmap", "digits-optimizer-r1-notes", "tuning.study/study=digits-optimizer-r1")
    repository.finish(*ROUNDS)
    repository.keep("r2")
    options = ("--prune", "--selector=team=vision", "--prune-allowlist=tuning.study/v1alpha1/Study")
    told = repository.apply(*options, f"--cascade={propagation}")
    assert [line for line in told if line.endswith("pruned")] == ["study.tuning.study/digits-optimizer-r1 pruned"]
    eventually(
        lambda: repository.names("studies,trials,jobs,pods"),
        lambda names: not any("digits-optimizer-r1" in name for name in names),
    )
    assert repository.names("studies") == {"study.tuning.study/digits-optimizer-r2"}
    assert len(repository.names("trials")) == 6
    assert "configmap/digits-optimizer-r1-notes" in repository.names("configmaps")


def test_what_belongs_to_a_study_does_not_carry_its_labels(repository: Repository) -> None:
    """A GitOps tool takes an object with its labels for one of its own, and prunes what is not in the repository."""
    repository.keep("r1")
    repository.apply()
    repository.finish("digits-optimizer-r1")
    assert repository.names("trials,jobs,pods") and not repository.kubectl(
        "get", "trials,jobs,pods", "--selector=team=vision", "--output=name"
    )


def test_the_manifests_pass_the_lint_that_the_repository_runs() -> None:
    workflow = yaml.safe_load((EXPERIMENTS / ".github" / "workflows" / "lint.yaml").read_text())
    *_, installation, lint = (step.get("run", "") for step in workflow["jobs"]["lint"]["steps"])
    assert installation.startswith("pip install") and f"@v{version('study-operator')}" in installation
    command = lint.split()
    assert command[:-1] == ["study", "lint", "--format", "github"]
    manifests = sorted(str(path) for path in EXPERIMENTS.glob(command[-1]))
    assert len(manifests) == 2
    done = CliRunner().invoke(main, [*command[1:-1], *manifests])
    assert done.exit_code == 0, done.output


def test_a_mistake_is_an_annotation_of_its_line_and_fails_the_lint(tmp_path: Path) -> None:
    broken = tmp_path / "r1.yaml"
    broken.write_text(
        (EXPERIMENTS / "studies/digits-optimizer/r1.yaml").read_text().replace("scale: Log", "scale: Lag")
    )
    done = CliRunner().invoke(main, ["lint", "--format", "github", str(broken)])
    assert done.exit_code == 1 and f"::error file={broken},line=" in done.output


def test_every_round_is_applied_links_to_itself_and_has_its_section_once_another_one_follows() -> None:
    applied = yaml.safe_load((EXPERIMENTS / "kustomization.yaml").read_text())["resources"]
    for study in (EXPERIMENTS / "studies").iterdir():
        files = sorted(study.glob("r*.yaml"))
        rounds = [yaml.safe_load(file.read_text()) for file in files]
        for file, resource in zip(files, rounds, strict=True):
            path = str(file.relative_to(EXPERIMENTS))
            assert path in applied and resource["metadata"]["annotations"] == {"tuning.study/config": path}
        sections = [line[3:] for line in (study / "RESULTS.md").read_text().splitlines() if line.startswith("## ")]
        assert sections == [resource["metadata"]["name"] for resource in rounds[:-1]]
        for before, after in pairwise(rounds):
            assert after["spec"]["basedOn"] == before["metadata"]["name"]
            assert after["spec"]["sampler"]["seed"] == before["spec"]["sampler"]["seed"] + 1


def test_the_base_is_the_chart(installed: Cluster) -> None:
    chart = template({"crds": {"keep": False}}, "--skip-tests")
    assert (ROOT / "gitops" / "base" / "operator.yaml").read_text() == chart
    namespace, *base = kustomize(ROOT / "gitops" / "base")
    assert namespace["kind"] == "Namespace"
    assert _places(base) == _places(yaml.safe_load_all(chart)), "the lease's role is in another namespace"
    installed.control.kubectl(
        "apply", "--server-side", "--dry-run=server", "--force-conflicts", "--validate=strict",
        f"--kustomize={ROOT / 'gitops' / 'base'}",
    )  # fmt: skip


def _places(objects: Iterable[Any]) -> list[tuple[str, str, str]]:
    """Which objects there are, and in which namespaces."""
    return sorted((each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]) for each in objects)
