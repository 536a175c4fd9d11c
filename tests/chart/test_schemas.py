"""Every object of the chart against the schemas of a real API server, strictly."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.chart.chart import EVERYTHING, NAMESPACE, ROOT, only, render, template
from tests.chart.conftest import Cluster
from tests.chart.schemas import LOCATION, write_schemas
from tests.cluster.binaries import find_or_build


@pytest.fixture(scope="session")
def schemas(installed: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    write_schemas(json.loads(installed.control.kubectl("get", "--raw=/openapi/v2").stdout), folder)
    return folder


def kubeconform(schemas: Path, text: str, skip: Iterable[str] = ()) -> subprocess.CompletedProcess[str]:
    command = [
        str(find_or_build("kubeconform")),
        f"-schema-location={schemas}/{LOCATION}",
        f"-skip={','.join(skip)}",
        "-strict",
        "-summary",
        "-verbose",
    ]
    return subprocess.run(command, input=text, capture_output=True, text=True)


@pytest.mark.parametrize("values", [{}, EVERYTHING, {"watchNamespaces": ["blue"], "replicas": 0}])
def test_every_object_is_valid(schemas: Path, values: dict[str, Any]) -> None:
    done = kubeconform(schemas, template(values))
    assert done.returncode == 0 and "Invalid: 0, Errors: 0, Skipped: 0" in done.stdout, done.stdout


def test_a_field_that_there_is_not_is_found(schemas: Path) -> None:
    done = kubeconform(schemas, template().replace("automountServiceAccountToken", "automountServiceAccount"))
    assert done.returncode == 1 and "automountServiceAccount" in done.stdout


def test_the_api_server_takes_every_object_and_drops_no_field(installed: Cluster) -> None:
    installed.control.kubectl(
        "apply", "--dry-run=server", "--server-side", "--force-conflicts", "--validate=strict", "--filename=-",
        input=template({**EVERYTHING, "priorityClassName": ""}, "--skip-tests"),
    )  # fmt: skip


def test_the_lease_can_be_turned_off_by_a_server_side_apply_too(installed: Cluster) -> None:
    """As Flux and Argo CD do it: the API server's own defaults would stay and be refused beside Recreate."""
    for enabled in (True, False):
        values = {"leaderElection": {"enabled": enabled}, "replicas": 0}
        deployment = only(render(values, release="flux"), "Deployment")
        installed.control.kubectl("apply", "--server-side", "--filename=-", input=json.dumps(deployment))
    installed.control.kubectl("delete", "deployment", "flux-study-operator", f"--namespace={NAMESPACE}")


def test_the_examples_are_valid(schemas: Path) -> None:
    for example in sorted((ROOT / "examples").glob("*.yaml")):
        done = kubeconform(schemas, example.read_text())
        assert done.returncode == 0, done.stdout
