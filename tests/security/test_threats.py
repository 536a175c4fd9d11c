"""What docs/security.md promises against those who write studies, trainers and objects of other namespaces.

The policy and the rights are tested in tests/chart, hostile termination messages in tests/metrics/test_termination.py,
and trainers that report without end in tests/end_to_end/test_bad_trainers.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from study_operator.api import check_manifest, parse_study
from study_operator.api.crd import study_crd
from study_operator.backends.kubernetes.manifests import build_job
from study_operator.backends.kubernetes.observer import RunObserver
from study_operator.backends.port import Run, StudyKey

from tests.kubernetes.conftest import manifest, trial
from tests.kubernetes.objects import STUDY, complete, ended, job, pod

ROOT = Path(__file__).resolve().parents[2]


class TestStudyAuthor:
    """May write a Study, and wants more than that."""

    def test_makes_no_job_in_another_namespace_and_none_under_another_name(self) -> None:
        raw = manifest("bert", "team")
        raw["metadata"]["uid"] = "life"
        raw["spec"]["trialTemplate"]["metadata"] = {
            "namespace": "kube-system",
            "name": "other",
            "generateName": "other-",
            "finalizers": ["example.com/keep"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "node", "uid": "node"}],
            "labels": {"tuning.study/study": "other", "tuning.study/study-uid": "other"},
        }
        study = parse_study(raw)
        metadata = build_job(study, trial(study), "trial-uid", linger=0)["metadata"]
        assert (metadata["namespace"], metadata["name"]) == ("team", "bert-0")
        assert set(metadata) <= {"name", "namespace", "labels", "annotations", "ownerReferences"}
        assert metadata["labels"]["tuning.study/study"] == "bert"
        assert [owner["kind"] for owner in metadata["ownerReferences"]] == ["Trial"]

    def test_says_nothing_of_prometheus_but_the_names_of_metrics(self) -> None:
        names = set(_property_names(study_crd()))
        assert "trialTemplate" in names
        assert not [name for name in names if re.search("url|prom|query|address|endpoint|token|header", name.lower())]
        for injected in ('x"} or vector(1)', "x{namespace='other'}", "sum(x)", "x|y", ".*"):
            raw = manifest("bert", "team")
            raw["spec"]["objective"]["metric"] = injected
            assert [problem.path for problem in check_manifest(raw)] == ["spec.objective.metric"]

    def test_has_a_bounded_size(self) -> None:
        """What is not bounded by count is bounded by bytes: the API server refuses an object over 1.5 MiB."""
        [version] = study_crd()["spec"]["versions"]
        assert list(_unbounded(version["schema"]["openAPIV3Schema"]["properties"]["spec"])) == []


def _property_names(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for child in node.values():
            yield from _property_names(child)
    elif isinstance(node, list):
        for child in node:
            yield from _property_names(child)


def _unbounded(node: Mapping[str, Any], path: str = "spec") -> Iterator[str]:
    """Lists and strings without a bound."""
    kind = node.get("type")
    if kind == "array" and "maxItems" not in node:
        yield path
    if kind == "string" and not {"maxLength", "enum", "format"} & node.keys():
        yield path
    for name, child in node.get("properties", {}).items():
        yield from _unbounded(child, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(node.get(name), dict):
            yield from _unbounded(node[name], f"{path}.{name}")


class Notes:
    def __init__(self) -> None:
        self.runs: list[Run] = []

    def run_changed(self, run: Run) -> None:
        self.runs.append(run)

    def run_gone(self, study: StudyKey, index: int, run_id: str) -> None: ...


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def observer(notes: Notes) -> RunObserver:
    observer = RunObserver(notes)
    observer.study_changed(STUDY, "life")
    return observer


def elsewhere(made: dict[str, Any]) -> dict[str, Any]:
    """The same object in the neighbour's namespace."""
    copy: dict[str, Any] = json.loads(json.dumps(made))
    copy["metadata"]["namespace"] = "neighbour"
    return copy


class TestNeighbour:
    """Does as they like in their own namespace, and wants to decide a study of another."""

    def test_a_job_with_the_labels_and_owner_of_a_trial_is_none_of_its_runs(
        self, observer: RunObserver, notes: Notes
    ) -> None:
        observer.job_changed(elsewhere(complete()))
        observer.pod_changed(elsewhere(pod("Succeeded", ended(0, message='{"metrics": {"error": 0}}'))))
        assert notes.runs == []

    @pytest.mark.parametrize("first", ["job", "pod"])
    def test_a_pod_that_claims_a_trials_job_is_not_believed(
        self, observer: RunObserver, notes: Notes, first: str
    ) -> None:
        forged = elsewhere(pod("Succeeded", ended(0, message="forged"), uid="forged"))
        if first == "pod":
            observer.pod_changed(forged)
        observer.job_changed(job())
        observer.pod_changed(forged)
        observer.pod_gone(forged)
        observer.pod_changed(pod("Succeeded", ended(0, message="true")))
        assert [run.termination for run in notes.runs if run.end] == ["true"]

    def test_an_annotation_that_is_no_index_stops_nothing(self, observer: RunObserver, notes: Notes) -> None:
        odd = pod("Succeeded", ended(0, message="true"))
        odd["metadata"]["annotations"] = {"batch.kubernetes.io/job-completion-index": "first"}
        observer.job_changed(job())
        observer.pod_changed(odd)
        assert [run.termination for run in notes.runs if run.end] == ["true"]


def test_every_threat_has_its_test() -> None:
    """Or says that it is not this project's to hold."""
    rows = [row for row in (ROOT / "docs" / "security.md").read_text().splitlines() if row.count("|") == 4]
    threats = [row.split("|")[1:4] for row in rows if "---" not in row and "cannot, because" not in row]
    assert len(threats) > 15
    for threat, held, tested in threats:
        files = re.findall(r"`([^`]+)`", tested)
        assert files or "it can:" in held or "the cluster's own" in tested, threat
        assert all((ROOT / file).is_file() for file in files), files
