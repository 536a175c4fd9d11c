"""An hour beside a GitOps tool: nothing drifts, applying again is no write, pruning takes what belongs to a Study.

It is no part of ``make test``: pytest collects this file only where it is named.

    STUDY_SOAK_MINUTES=60 python -m pytest -s tests/gitops/soak.py
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chart.conftest import Cluster
from tests.gitops.conftest import ROUNDS, Repository

MINUTES = float(os.environ.get("STUDY_SOAK_MINUTES", "60"))
SECONDS_PER_TRIAL = 30.0
RUNNING, FINISHED = ROUNDS
"""The first round has trials for the whole time, the second ends in its first minute or two."""
HOW = {"client-side": (), "server-side": ("--server-side", "--force-conflicts")}
"""As Argo CD applies by default, and as Flux does."""

pytestmark = pytest.mark.timeout(MINUTES * 60 + 900)


@pytest.fixture
def repositories(tmp_path: Path, installed: Cluster) -> Iterator[dict[tuple[str, ...], Repository]]:
    """One for each way of applying, each in a namespace of its own."""
    trials = (int(3 * MINUTES * 60 / SECONDS_PER_TRIAL) + 30, 6)
    made = {}
    for name, how in HOW.items():
        installed.create_namespace(f"soak-{name}")
        made[how] = Repository(tmp_path / name, installed, f"soak-{name}", trials, SECONDS_PER_TRIAL)
    yield made
    for repository in made.values():
        installed.control.kubectl("delete", "namespace", repository.namespace, "--wait=false")


def test_an_hour_of_reconciling_causes_no_drift(
    repositories: dict[tuple[str, ...], Repository], installed: Cluster
) -> None:
    for how, repository in repositories.items():
        repository.apply(*how)
        repository.kubectl("create", "configmap", f"{RUNNING}-notes")
        repository.kubectl("label", "configmap", f"{RUNNING}-notes", f"tuning.study/study={RUNNING}")
    for repository in repositories.values():
        repository.kubectl("wait", "--for=condition=Finished", f"study/{FINISHED}", "--timeout=600s")
    applied = {how: manifests(repository) for how, repository in repositories.items()}
    written = installed.control.audit_log.stat().st_size
    began, looks = time.monotonic(), 0
    while time.monotonic() - began < MINUTES * 60:
        for how, repository in repositories.items():
            assert repository.difference(*how) == ""
            before = version(repository, FINISHED)
            assert all(line.endswith(("unchanged", "serverside-applied")) for line in repository.apply(*how))
            assert version(repository, FINISHED) == before, "applying again is no write"
            assert repository.difference(*how) == ""
            assert manifests(repository) == applied[how], "nobody but the person who applies writes to a manifest"
        looks += 1
        time.sleep(60 - (time.monotonic() - began) % 60)
    tell(installed, written, looks, time.monotonic() - began)
    for how, repository in repositories.items():
        assert status(repository, RUNNING)["state"] == "Running"
        assert_a_change_by_hand_is_drift(repository, how)
        prune(repository, how)


def read(repository: Repository, study: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        repository.kubectl("get", "study", study, "--output=json", "--show-managed-fields")
    )
    return found


def version(repository: Repository, study: str) -> str:
    return str(read(repository, study)["metadata"]["resourceVersion"])


def status(repository: Repository, study: str) -> dict[str, Any]:
    found: dict[str, Any] = read(repository, study)["status"]
    return found


def manifests(repository: Repository) -> list[dict[str, Any]]:
    """The studies without what the operator writes; who wrote the rest, and when, is part of it."""
    studies = [read(repository, study) for study in ROUNDS]
    for study in studies:
        del study["status"], study["metadata"]["resourceVersion"]
        fields = study["metadata"]["managedFields"]
        study["metadata"]["managedFields"] = [entry for entry in fields if entry.get("subresource") != "status"]
    return studies


def assert_a_change_by_hand_is_drift(repository: Repository, how: tuple[str, ...]) -> None:
    """So that an empty difference means something."""
    trials = read(repository, RUNNING)["spec"]["budget"]["trials"]
    change = {"spec": {"budget": {"trials": trials + 1}}}
    repository.kubectl("patch", "study", RUNNING, "--type=merge", f"--patch={json.dumps(change)}")
    assert f"trials: {trials + 1}" in repository.difference(*how)
    repository.apply(*how)
    assert repository.difference(*how) == ""


def prune(repository: Repository, how: tuple[str, ...]) -> None:
    """As kubectl prunes, or Flux: it deletes in the background what its inventory has and the repository lacks."""
    lasting = {name for name in everything(repository) if f"/{RUNNING}" not in name or name.endswith("-notes")}
    if how:
        repository.kubectl("delete", "study", RUNNING, "--cascade=background")
    else:
        repository.keep("r2")
        options = ("--prune", "--selector=team=vision", "--prune-allowlist=tuning.study/v1alpha1/Study")
        assert f"study.tuning.study/{RUNNING} pruned" in repository.apply(*options)
    deadline = time.monotonic() + 120
    while (left := everything(repository)) != lasting:
        assert time.monotonic() < deadline, left ^ lasting
        time.sleep(1)


def everything(repository: Repository) -> set[str]:
    """All objects of the namespace but Events, and but the Jobs of the finished round, which leave in their time."""
    kinds = repository.kubectl("api-resources", "--namespaced", "--verbs=list,delete", "--output=name").split()
    names = repository.names(",".join(kind for kind in kinds if not kind.startswith("events")))
    return {name for name in names if not (name.startswith(("job", "pod")) and FINISHED in name)}


def tell(installed: Cluster, written: int, looks: int, seconds: float) -> None:
    """What the time consisted of, by the API server's audit log from its byte ``written`` on."""
    with installed.control.audit_log.open() as log:
        log.seek(written)
        entries = [entry for entry in map(json.loads, log) if entry["user"]["username"].endswith(":study-operator")]
    kinds = [
        (entry["verb"], entry["objectRef"].get("resource"), entry["objectRef"].get("subresource")) for entry in entries
    ]
    print(
        f"\n{seconds / 60:.1f} minutes, {looks} looks at {len(HOW)} namespaces, no difference. Meanwhile the operator "
        f"wrote {kinds.count(('patch', 'studies', 'status'))} statuses of studies, "
        f"started {kinds.count(('create', 'jobs', None))} trials, "
        f"and listed all studies {kinds.count(('list', 'studies', None))} times; "
        f"{len(entries) * 60 / seconds:.0f} requests a minute in all"
    )
